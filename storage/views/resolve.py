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
_BY_ADDRESS = Statement("SELECT account_id FROM addresses WHERE address = :address")
_ADMINISTRATOR = Statement(
    "SELECT id FROM accounts WHERE domain_id = :domain AND domain_admin = 1"
    " AND state = 'active' ORDER BY id LIMIT 1"
)
_STANDING = Statement(
    "SELECT a.space_id, a.state, u.bytes_used, u.bytes_limit, u.items_used, u.items_limit"
    " FROM accounts a LEFT JOIN usage u ON u.space_id = a.space_id AND u.tool = 'mail'"
    " WHERE a.id = :id"
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
    account, detail = _by_name(context, name, normalize_domain(domain), separator)
    if account is None and name == POSTMASTER:  # rfc5321#4.5.1
        administrator = context.db.one(_ADMINISTRATOR, domain=domain_number)
        account = administrator[0] if administrator else None
    return _standing(context, catchall if account is None else account, detail)


def _by_name(
    context: ReadContext, name: str, domain: str, separator: str
) -> tuple[int | None, str]:
    """The account of a local part or of its front, and the detail behind the separator."""
    row = context.db.one(_BY_ADDRESS, address=f"{name}@{domain}")
    if row is not None:
        return row[0], ""
    front, found, detail = name.partition(separator) if separator else (name, "", "")
    if not found or not front:
        return None, ""
    row = context.db.one(_BY_ADDRESS, address=f"{front}@{domain}")
    return (row[0], detail) if row is not None else (None, "")


def _standing(context: ReadContext, account: int | None, detail: str) -> Resolved:
    row = context.db.one(_STANDING, id=account) if account is not None else None
    if account is None or row is None:
        return Resolved(Standing.UNKNOWN)
    space, state, bytes_used, bytes_limit, items_used, items_limit = row
    standing = Standing.LOCAL
    if state != AccountState.ACTIVE.value:
        standing = Standing.DISABLED
    elif _full(bytes_used, bytes_limit) or _full(items_used, items_limit):
        standing = Standing.OVER_QUOTA
    return Resolved(standing, account, space, detail)


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
