"""The mutation that puts a message in the place of another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Row
from folkmoot.storage.errors import Conflict
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.messages import AppendMessages, remove_rows, select_rows
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Appended, NewMessage, Right, Tool, UidSet


@dataclass(frozen=True, slots=True)
class ReplaceMessage(Mutation[Appended]):
    """Add a message to a mailbox and remove another one, here or there; both or nothing.

    Within one space only the difference is charged, so that a full one can still be tidied.
    Raises ``Conflict`` when the old message is gone. # rfc8508#3.4
    """

    source_id: int
    uid: int
    target_id: int
    message: NewMessage

    def needs(self) -> Sequence[Need]:
        return [
            OnCollection(self.source_id, Right.READ | Right.DELETE | Right.EXPUNGE),
            OnCollection(self.target_id, Right.INSERT),
        ]

    def _old(self, context: ReadContext) -> list[Row]:
        rows = select_rows(context, self.source_id, UidSet.from_iterable([self.uid]))
        if not rows:
            raise Conflict("The message to be replaced is gone.")
        return rows

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        [old] = self._old(context)
        source = context.facts(self.source_id).space_id
        target = context.facts(self.target_id).space_id
        size = self.message.content.size
        if source == target:
            return [Charge(target, Tool.MAIL, size - old[3], 0, size)]
        return [
            Charge(target, Tool.MAIL, size, 1, size),
            Charge(source, Tool.MAIL, -old[3], -1),
        ]

    def write(self, context: WriteContext) -> Appended:
        rows = self._old(context)
        appended = AppendMessages(self.target_id, (self.message,)).write(context)
        remove_rows(context, self.source_id, rows)
        return appended
