"""Where an address leads, who may write to it, and who in its name: one rule for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.addresses import normalize_domain, normalize_local_part
from folkmoot.storage.circle import tools_of
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import InvalidName, NotFound
from folkmoot.storage.gate import Administration, Need, OnSpace
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import AccountState, Right, Tool
from folkmoot.storage.types_groups import Posting
from folkmoot.storage.types_mail import Forwarding, Poster, Resolved, Standing
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
    "SELECT g.space_id, g.tools, g.posting, u.bytes_used, u.bytes_limit, u.items_used,"
    " u.items_limit FROM groups g"
    " LEFT JOIN usage u ON u.space_id = g.space_id AND u.tool = 'mail' WHERE g.id = :id"
)
_MEMBER = Statement(
    "SELECT m.mail, g.admin_account_id FROM members m JOIN groups g ON g.id = m.group_id"
    " WHERE m.group_id = :group AND m.account_id = :account"
)
_LIST = Statement("SELECT name, address FROM groups WHERE id = :id")
_FORWARD = Statement(
    "SELECT c.id FROM members m JOIN accounts a ON a.id = m.account_id"
    " JOIN collections p ON p.space_id = a.space_id AND p.tool = 'mail' AND p.parent_id IS NULL"
    " JOIN collections c ON c.parent_id = p.id AND c.name = 'INBOX'"
    " WHERE m.group_id = :id AND m.forward = 1 AND m.account_id <> :but AND a.state = 'active'"
    " ORDER BY c.id"
)


def resolve(
    context: ReadContext, address: str, separator: str, poster: Poster | None = None
) -> Resolved:
    """Where ``address`` leads, as it stands in an envelope; for somebody who writes to it, a group
    that takes nothing from them is ``REFUSED``.

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
        return _of_group(context, group, detail, poster, separator)
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


def _of_group(
    context: ReadContext, group: int, detail: str, poster: Poster | None, separator: str
) -> Resolved:
    space, tools, posting, *amounts = context.db.all(_OF_GROUP, id=group)[0]
    if Tool.MAIL not in tools_of(tools):
        return Resolved(Standing.DISABLED)
    if poster is not None and not _may_post(context, group, Posting(posting), poster, separator):
        return Resolved(Standing.REFUSED)
    return Resolved(_local(*amounts), 0, space, detail, group)


def _may_post(
    context: ReadContext, group: int, posting: Posting, poster: Poster, separator: str
) -> bool:
    if posting is Posting.ANYONE:
        return True
    if not poster.account_id and not poster.address:
        return poster.report
    needed = Right.POST if posting is Posting.WRITERS else Right.NONE
    return _member_has(context, group, _account_of(context, poster, separator), needed)


def _account_of(context: ReadContext, poster: Poster, separator: str) -> int:
    """The account that writes, 0 for somebody elsewhere. A catch-all address names nobody."""
    if poster.account_id:
        return poster.account_id
    local, _, domain = poster.address.rpartition("@")
    try:
        name, domain = normalize_local_part(local), normalize_domain(domain)
    except InvalidName:
        return 0
    account, _, _ = _by_name(context, name, domain, separator)
    return account or 0


def _member_has(context: ReadContext, group: int, account: int, needed: Right) -> bool:
    """Whether an account is in a group and has rights on its mail, as the administrator does."""
    row = context.db.one(_MEMBER, group=group, account=account)
    return row is not None and (row[1] == account or needed in Right(row[0]))


def may_send_as(context: ReadContext, found: Resolved, account: int) -> bool:
    """Whether an account may use an address as a sender: mail to it reaches the account, or it is
    the address of a group in whose name the account may write."""
    if found.group_id:
        return _member_has(context, found.group_id, account, Right.SEND_AS)
    return found.account_id != 0 and found.account_id == account


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
    """Where an address leads, for those who deliver; ``poster`` is who writes to it."""

    address: str
    separator: str = "+"
    poster: Poster | None = None

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def read(self, context: ReadContext) -> Resolved:
        return resolve(context, self.address, self.separator, self.poster)


@dataclass(frozen=True, slots=True)
class ForwardingOf(View[Forwarding]):
    """To whom a group hands on what somebody writes: not to who wrote it. Raises ``NotFound``."""

    group_id: int
    poster: Poster
    separator: str = "+"

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def read(self, context: ReadContext) -> Forwarding:
        row = context.db.one(_LIST, id=self.group_id)
        if row is None:
            raise NotFound
        but = _account_of(context, self.poster, self.separator)
        inboxes = context.db.all(_FORWARD, id=self.group_id, but=but)
        return Forwarding(self.group_id, row[0], row[1], tuple(id_ for (id_,) in inboxes))


@dataclass(frozen=True, slots=True)
class MaySendAs(View[bool]):
    """Whether who owns a space may use an address as a sender."""

    space_id: int
    address: str
    separator: str = "+"

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)]

    def read(self, context: ReadContext) -> bool:
        found = resolve(context, self.address, self.separator)
        return may_send_as(context, found, context.actor.account_id)


@dataclass(frozen=True, slots=True)
class AccountMaySendAs(View[bool]):
    """The same of any account, for those who take over its mail."""

    account_id: int
    address: str
    separator: str = "+"

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def read(self, context: ReadContext) -> bool:
        found = resolve(context, self.address, self.separator)
        return may_send_as(context, found, self.account_id)
