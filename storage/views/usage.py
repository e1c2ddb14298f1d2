"""Views of capacities: what a space holds and may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, OnCollection, PerItem
from folkmoot.storage.mutations.mailboxes import MAX_MAILBOXES
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import MailUsage, Right, Tool, Usage
from folkmoot.storage.views.base import View

_USAGE = Statement(
    "SELECT tool, bytes_used, bytes_limit, items_used, items_limit, largest_item, plan_bytes,"
    " plan_items FROM usage WHERE space_id = :space"
)
_ROOT = Statement(
    "SELECT c.id, c.space_id, s.owner_account_id, c.tool, c.special_use FROM collections c"
    " JOIN spaces s ON s.id = c.space_id WHERE c.space_id = :space AND c.tool = 'mail'"
    " AND c.parent_id IS NULL"
)
_MAILBOXES = Statement(
    "SELECT COUNT(*) FROM collections WHERE space_id = :space AND tool = 'mail'"
    " AND parent_id IS NOT NULL"
)
_DELETED_SIZE = Statement(
    "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM messages"
    " WHERE mailbox_id = :id AND (flags & 8) = 8"
)


def usages(context: ReadContext, space_id: int) -> tuple[Usage, ...]:
    """What the tools of a space hold and may hold, in their order."""
    found = {row[0]: row[1:] for row in context.db.all(_USAGE, space=space_id)}
    return tuple(Usage(tool, *found[tool.value]) for tool in Tool if tool.value in found)


@dataclass(frozen=True, slots=True)
class ReadMailUsage(View[MailUsage]):
    """Octets, messages and mailboxes of a space's mail, used and allowed.

    For its owner; of a group's, for its members. Raises ``NotFound``.
    """

    space_id: int

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> MailUsage:
        root = context.db.one(_ROOT, space=self.space_id)
        if root is None or not context.rights([context.learn(root)], Right.READ):
            raise NotFound
        [mail] = [usage for usage in usages(context, self.space_id) if usage.tool is Tool.MAIL]
        mailboxes: int = context.db.value(_MAILBOXES, space=self.space_id)
        # The root counts against the limit, though nobody sees it.
        return MailUsage(mail, mailboxes, MAX_MAILBOXES - 1)


@dataclass(frozen=True, slots=True)
class DeletedSizes(View[Mapping[int, int]]):
    """Octets of the messages with \\Deleted, by mailbox: what EXPUNGE would free."""

    mailbox_ids: tuple[int, ...]

    def needs(self) -> Sequence[Need]:
        # Knowing the mailbox is enough for its counters, and this is one of them.
        return [OnCollection(id_, Right.LOOKUP) for id_ in self.mailbox_ids]

    def read(self, context: ReadContext) -> Mapping[int, int]:
        return {id_: context.db.value(_DELETED_SIZE, id=id_) for id_ in self.mailbox_ids}
