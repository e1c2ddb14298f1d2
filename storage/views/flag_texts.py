"""Flags of many messages as text, for answers that print them: a row for each would cost more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import statement
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.seen import own_seen, with_seen
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import FlagTexts, Right, UidSet
from folkmoot.storage.views.base import View
from folkmoot.storage.views.ranges import Condition, conditions


@dataclass(frozen=True, slots=True)
class ReadFlagTexts(View[FlagTexts]):
    """The flags of those of the messages that exist, ascending."""

    mailbox_id: int
    uids: UidSet

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ)]

    def read(self, context: ReadContext) -> FlagTexts:
        found = FlagTexts([], [], {})
        for condition in conditions(self.uids):
            uids, flags = self._texts(context, condition)
            if condition.filtered:
                wanted = set(map(str, self.uids))
                pairs = [pair for pair in zip(uids, flags, strict=True) if pair[0] in wanted]
                uids, flags = [uid for uid, _ in pairs], [bits for _, bits in pairs]
            found.uids.extend(uids)
            found.flags.extend(flags)
            with_keywords = statement(
                "SELECT uid, keywords FROM messages WHERE mailbox_id = :id"  # noqa: S608
                f" AND {condition.text} AND keywords <> ''"
            )
            rows = context.db.all(with_keywords, id=self.mailbox_id, **condition.parameters)
            for uid, keywords in rows:
                found.keywords[str(uid)] = keywords
        seen = own_seen(context, self.mailbox_id)
        if seen is not None:
            found.flags[:] = [
                str(with_seen(int(bits), int(uid), seen))
                for uid, bits in zip(found.uids, found.flags, strict=True)
            ]
        return found

    def _texts(self, context: ReadContext, condition: Condition) -> tuple[list[str], list[str]]:
        where = f" FROM messages WHERE mailbox_id = :id AND {condition.text} ORDER BY uid"
        wanted = {"id": self.mailbox_id, **condition.parameters}
        if not context.db.is_sqlite:
            rows = context.db.all(statement("SELECT uid, flags" + where), **wanted)
            return [str(uid) for uid, _ in rows], [str(flags) for _, flags in rows]
        # SQLite gives rows one by one, and Python's lock with each; this is one row.
        joined = statement(
            f"SELECT GROUP_CONCAT(uid), GROUP_CONCAT(flags) FROM (SELECT uid, flags{where})"  # noqa: S608
        )
        [(uids, flags)] = context.db.all(joined, **wanted)
        return (uids.split(","), flags.split(",")) if uids else ([], [])
