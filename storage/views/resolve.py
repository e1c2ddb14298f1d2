"""Where an address leads, and who may write in its name: one rule for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.addresses import normalize_domain, normalize_local_part
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import InvalidName
from folkmoot.storage.gate import Administration, Need, OnSpace
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import AccountState
from folkmoot.storage.types_mail import Resolved, Standing
from folkmoot.storage.views.base import View

POSTMASTER = "postmaster"

_DOMAIN = Statement("SELECT id, catchall_account_id FROM domains WHERE name = :name")
_BY_ADDRESS = Statement("SELECT account_id, group_id FROM addresses WHERE address = :address")
_ADMINISTRATOR = Statement(
    "SELECT id FROM accounts WHERE domain_id = :domain AND domain_admin = 1"
    " AND state = 'active' ORDER BY id LIMIT 1"
)
_STANDING = Statement(
    "SELECT a.space_id, a.state, u.bytes_used, u.bytes_limit, u.items_used, u.items_limit"
    " FROM accounts a LEFT JOIN usage u ON u.space_id = a.space_id AND u.tool = 'mail'"
    " WHERE a.id = :id"
)
_OF_GROUP = Statement(
    "SELECT g.space_id, u.bytes_used, u.bytes_limit, u.items_used, u.items_limit"
    " FROM groups g LEFT JOIN usage u ON u.space_id = g.space_id AND u.tool = 'mail'"
    " WHERE g.id = :id"
)


def resolve(context: ReadContext, address: str, separator: str) -> Resolved:
    """Where ``address`` leads, as it stands in an envelope.

    In this order: the address itself (primary or alias), the part before ``separator`` (RFC 5233;
    "" for no subaddresses), the domain's administrator for ``postmaster``, the catch-all.
    """
    local, _, domain = address.rpartition("@")
    try:
        row = context.db.one(_DOMAIN, name=normalize_domain(domain))
    except InvalidName:  # an address literal, or no domain at all
        row = None
    if row is None:
        return Resolved(Standing.REMOTE)
    domain_number, catchall = row
    try:
        name = normalize_local_part(local)
    except InvalidName:
        return _standing(context, catchall, "")
    account, group, detail = _by_name(context, name, normalize_domain(domain), separator)
    if group is not None:
        return _of_group(context, group, detail)
    if account is None and name == POSTMASTER:  # rfc5321#4.5.1
        administrator = context.db.one(_ADMINISTRATOR, domain=domain_number)
        account = administrator[0] if administrator else None
    return _standing(context, catchall if account is None else account, detail)


def _by_name(
    context: ReadContext, name: str, domain: str, separator: str
) -> tuple[int | None, int | None, str]:
    """Account or group of a local part or of its front, and the detail behind the separator."""
    row = context.db.one(_BY_ADDRESS, address=f"{name}@{domain}")
    if row is not None:
        return row[0], row[1], ""
    front, found, detail = name.partition(separator) if separator else (name, "", "")
    if not found or not front:
        return None, None, ""
    row = context.db.one(_BY_ADDRESS, address=f"{front}@{domain}")
    return (row[0], row[1], detail) if row is not None else (None, None, "")


def _of_group(context: ReadContext, group: int, detail: str) -> Resolved:
    space, *amounts = context.db.all(_OF_GROUP, id=group)[0]
    return Resolved(_local(*amounts), 0, space, detail)


def _standing(context: ReadContext, account: int | None, detail: str) -> Resolved:
    row = context.db.one(_STANDING, id=account) if account is not None else None
    if account is None or row is None:
        return Resolved(Standing.UNKNOWN)
    space, state, *amounts = row
    active = state == AccountState.ACTIVE.value
    return Resolved(_local(*amounts) if active else Standing.DISABLED, account, space, detail)


def _local(
    bytes_used: int | None, bytes_limit: int | None, items_used: int | None, items_limit: int | None
) -> Standing:
    if _full(bytes_used, bytes_limit) or _full(items_used, items_limit):
        return Standing.OVER_QUOTA
    return Standing.LOCAL


def _full(used: int | None, limit: int | None) -> bool:
    return limit is not None and (used or 0) >= limit


@dataclass(frozen=True, slots=True)
class ResolveAddress(View[Resolved]):
    """Where an address leads, for those who deliver."""

    address: str
    separator: str = "+"

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def read(self, context: ReadContext) -> Resolved:
        return resolve(context, self.address, self.separator)


@dataclass(frozen=True, slots=True)
class MaySendAs(View[bool]):
    """Whether mail to an address reaches this space: then its owner may use it as a sender."""

    space_id: int
    address: str
    separator: str = "+"

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)]

    def read(self, context: ReadContext) -> bool:
        found = resolve(context, self.address, self.separator)
        return found.account_id != 0 and found.space_id == self.space_id
