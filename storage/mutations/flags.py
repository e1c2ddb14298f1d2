"""The mutation that changes flags of messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.flag_rights import FLAG_RIGHTS, flag_mask, rights_for
from folkmoot.storage.mutations.flag_states import Change, State, changes, newer, unchanged
from folkmoot.storage.mutations.keywords import learn_keywords, spelling
from folkmoot.storage.policy import Charge
from folkmoot.storage.seen import keep_seen, own_seen
from folkmoot.storage.txn import Counters, ReadContext, WriteContext
from folkmoot.storage.types import (
    Flag,
    FlagChange,
    FlagSet,
    FlagsStored,
    MessageColumn,
    MessageRow,
    Right,
    UidSet,
)
from folkmoot.storage.views.mailboxes import FLAGGED
from folkmoot.storage.views.messages import FetchRows

_SET_FLAGS = Statement(
    "UPDATE messages SET flags = :flags, keywords = :keywords, modseq = :modseq"
    " WHERE mailbox_id = :mailbox AND uid BETWEEN :low AND :high"
)
_TOUCH = Statement(
    "UPDATE messages SET modseq = :modseq"
    " WHERE mailbox_id = :mailbox AND uid BETWEEN :low AND :high"
)


@dataclass(frozen=True, slots=True)
class StoreFlags(Mutation[FlagsStored]):
    """Change flags of messages; those changed after ``unchanged_since`` are refused.

    RFC 9051 section 6.4.6, RFC 7162 section 3.1.3. Messages whose flags stay the same keep their
    modseq and are not reported as changed. ``tell`` asks for the flags after it. Flags that take
    other rights than ``within`` stay as they are. In a mailbox of others \\Seen is the actor's own.
    """

    mailbox_id: int
    uids: UidSet
    change: FlagChange
    flags: FlagSet
    unchanged_since: int | None = None
    tell: bool = False
    within: Right = FLAG_RIGHTS

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ | self._rights)]

    @property
    def _rights(self) -> Right:
        everything = self.change is FlagChange.REPLACE
        return (FLAG_RIGHTS if everything else rights_for(self.flags)) & self.within

    def narrowed(self, rights: Right) -> StoreFlags | None:
        """What of it may be done with these rights; None for nothing. # rfc4314#4"""
        if not self._rights & rights:
            return None
        return replace(self, within=self.within & rights)

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> FlagsStored:
        limit, mailbox = self.unchanged_since, self.mailbox_id
        words: tuple[str, ...] = ()
        if Right.FLAGS in self.within:
            words = tuple(sorted(spelling(context, mailbox, self.flags.keywords).values()))
        refused = UidSet()
        if limit is not None:
            refused = newer(context, mailbox, self.uids, limit)
        seen = own_seen(context, mailbox)
        mask = flag_mask(self.within)
        read = UidSet()
        if seen is not None:
            read = self._read(context, seen)
            mask &= ~Flag.SEEN
        found: list[Change] = []
        if words or self.flags.system & mask or self.change is FlagChange.REPLACE:
            found = changes(
                context, mailbox, self.uids, lambda old: self._combine(old, words, int(mask)), limit
            )
        changed, modseq = UidSet(), 0
        if found or read:
            if self.change is not FlagChange.REMOVE:
                learn_keywords(context, mailbox, words)
            changed = UidSet.from_ranges(each for one in found for each in one.uids.ranges)
            modseq = self._update(context, found, changed, read)
            changed = changed.union(read)
        if seen is not None and read:
            keep_seen(context, mailbox, seen.difference(read).union(read.difference(seen)))
        rows: list[MessageRow] = []
        if self.tell:
            view = FetchRows(mailbox, self.uids, (MessageColumn.FLAGS, MessageColumn.MODSEQ))
            rows = view.read(context)
        return FlagsStored(modseq, changed, refused, tuple(rows))

    def _read(self, context: ReadContext, seen: UidSet) -> UidSet:
        """The messages that the actor has read now and had not, or the other way round."""
        given = bool(self.flags.system & Flag.SEEN)
        replaced = self.change is FlagChange.REPLACE
        if Right.SEEN not in self.within or not (given or replaced):
            return UidSet()
        adds = given and self.change is not FlagChange.REMOVE
        wanted = self.uids.difference(seen) if adds else self.uids.intersection(seen)
        return unchanged(context, self.mailbox_id, wanted, self.unchanged_since)

    def _combine(self, old: State, words: tuple[str, ...], mask: int) -> State:
        flags, keywords = old
        mine = int(self.flags.system) & mask
        match self.change:
            case FlagChange.REPLACE:
                kept = Right.FLAGS not in self.within
                return flags & ~mask | mine, keywords if kept else " ".join(words)
            case FlagChange.ADD:
                if words:
                    keywords = " ".join(sorted({*keywords.split(), *words}))
                return flags | mine, keywords
            case FlagChange.REMOVE:
                if words:
                    keywords = " ".join(sorted(set(keywords.split()).difference(words)))
                return flags & ~mine, keywords

    def _update(
        self, context: WriteContext, found: list[Change], changed: UidSet, read: UidSet
    ) -> int:
        unseen = deleted = 0
        for one in found:
            old, new, number = one.old[0], one.new[0], len(one.uids)
            unseen += number * (bool(old & Flag.SEEN) - bool(new & Flag.SEEN))
            deleted += number * (bool(new & Flag.DELETED) - bool(old & Flag.DELETED))
        bumped = context.bump(self.mailbox_id, Counters(unseen=unseen, deleted=deleted))
        where = {"mailbox": self.mailbox_id, "modseq": bumped.modseq}
        for one in found:
            values = {**where, "flags": one.new[0], "keywords": one.new[1]}
            context.db.many(
                _SET_FLAGS, [{**values, "low": low, "high": high} for low, high in one.uids.ranges]
            )
        only_read = read.difference(changed).ranges
        if only_read:
            context.db.many(
                _TOUCH, [{**where, "low": low, "high": high} for low, high in only_read]
            )
        context.changed(self.mailbox_id, bumped.modseq, FLAGGED, changed.union(read))
        return bumped.modseq
