"""What the server itself has to tell somebody: a message in INBOX, also where that is full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, OnAccount
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.messages import AppendMessages
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import NewMessage, Right, Tool

_INBOX = Statement(
    "SELECT c.id FROM accounts a JOIN collections p ON p.space_id = a.space_id"
    " AND p.tool = 'mail' AND p.parent_id IS NULL"
    " JOIN collections c ON c.parent_id = p.id AND c.name = 'INBOX' WHERE a.id = :account"
)


@dataclass(frozen=True, slots=True)
class DeliverNotice(Mutation[None]):
    """Put a message of the server into the INBOX of an account. Raises ``NotFound``."""

    account_id: int
    message: NewMessage

    def needs(self) -> Sequence[Need]:
        return [OnAccount(self.account_id)]

    def _inbox(self, context: ReadContext) -> int:
        row = context.db.one(_INBOX, account=self.account_id)
        if row is None:
            raise NotFound("There is no such account.")
        inbox: int = row[0]
        return inbox

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        space = context.facts(self._inbox(context)).space_id
        return [Charge(space, Tool.MAIL, self.message.content.size, 1, exempt=True)]

    def write(self, context: WriteContext) -> None:
        inbox = self._inbox(context)
        context.lock([inbox])
        AppendMessages(inbox, (self.message,), Right.POST).write(context)
