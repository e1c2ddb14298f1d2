"""What people do with groups by themselves: make one, take its mail or not, and go out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from folkmoot.storage.addresses import split_address
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import NotFound, PermissionDenied
from folkmoot.storage.gate import Need, OnSpace
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.group_settings import set_forward
from folkmoot.storage.mutations.groups import create_group, leave_group
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types_groups import NewGroup

#: Local parts that people and authorities take for the domain itself; the operator may give them.
#: # rfc2142#3, rfc2142#4, rfc2142#5
OF_THE_DOMAIN = frozenset(
    (
        *("abuse", "admin", "administrator", "hostmaster", "info", "mailer-daemon", "marketing"),
        *("news", "noc", "postmaster", "root", "sales", "security", "ssladmin", "support"),
        *("ssladministrator", "sslwebmaster", "sysadmin", "usenet", "uucp", "webmaster", "www"),
    )
)
_OWNER = Statement(
    "SELECT a.id, a.address FROM spaces s JOIN accounts a ON a.id = s.owner_account_id"
    " WHERE s.id = :space"
)
_MEMBER = Statement("SELECT 1 FROM members WHERE group_id = :group AND account_id = :account")


@dataclass(frozen=True, slots=True)
class FoundGroup(Mutation[int]):
    """Make a group of one's own, with an address in one's own domain; returns its id. # M3.1

    Raises what ``CreateGroup`` does, and ``PermissionDenied`` for another domain and for addresses
    that speak for the domain.
    """

    audited: ClassVar[bool] = True

    space_id: int
    address: str
    name: str

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> int:
        account, own = context.db.all(_OWNER, space=self.space_id)[0]
        local, domain = split_address(self.address)
        if domain != split_address(own)[1]:
            raise PermissionDenied("A group has an address in the domain of whoever makes it.")
        if local in OF_THE_DOMAIN:
            raise PermissionDenied("This address is for those who run the domain.")
        return create_group(context, NewGroup(self.address, self.name, account))


@dataclass(frozen=True, slots=True)
class LeaveGroup(Mutation[None]):
    """Go out of a group, as ``RemoveMember`` does it. Raises ``Unchangeable``, ``NotFound``."""

    audited: ClassVar[bool] = True

    space_id: int
    group_id: int

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        account, _ = context.db.all(_OWNER, space=self.space_id)[0]
        if context.db.one(_MEMBER, group=self.group_id, account=account) is None:
            raise NotFound
        leave_group(context, self.group_id, account)


@dataclass(frozen=True, slots=True)
class ForwardToMe(Mutation[None]):
    """Say whether mail to a group goes to one's own INBOX as well. Raises ``NotFound``."""

    audited: ClassVar[bool] = True

    space_id: int
    group_id: int
    forward: bool

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        account, _ = context.db.all(_OWNER, space=self.space_id)[0]
        if not set_forward(context, self.group_id, account, self.forward):
            raise NotFound
