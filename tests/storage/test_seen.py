"""\\Seen of each member of a group, on both kinds of database, against a model of sets."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from folkmoot.storage.check import Recount
from folkmoot.storage.mutations.accounts import DeleteAccount
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.flags import StoreFlags
from folkmoot.storage.mutations.groups import AddMember, CreateGroup
from folkmoot.storage.mutations.mailboxes import DeleteMailbox
from folkmoot.storage.mutations.messages import (
    AppendMessages,
    CopyMessages,
    ExpungeMessages,
    MoveMessages,
)
from folkmoot.storage.store import Store
from folkmoot.storage.types import (
    Actor,
    Flag,
    FlagChange,
    FlagSet,
    MailboxInfo,
    MessageColumn,
    Right,
    Tool,
)
from folkmoot.storage.types import UidSet as Uids
from folkmoot.storage.types_groups import NewGroup
from folkmoot.storage.types_search import HasFlags, Not
from folkmoot.storage.upkeep import check
from folkmoot.storage.views.base import View
from folkmoot.storage.views.flag_texts import ReadFlagTexts
from folkmoot.storage.views.groups import ShowGroup
from folkmoot.storage.views.mailboxes import ListMailboxes
from folkmoot.storage.views.messages import FetchRows, ReadState
from folkmoot.storage.views.search import SearchMessages
from tests.kit.databases import Databases
from tests.kit.stores import open_store
from tests.storage.accounts_kit import actor_of, apply, make_account, make_domain, view
from tests.storage.mail_kit import ALL_UIDS, new_message, sql

R = TypeVar("R")

NAMES = ("alice", "bob", "carol")
CHOIR = "choir@example.test"
WRITE = Right.FLAGS | Right.INSERT | Right.DELETE | Right.EXPUNGE


class Choir:
    """Alice leads the group, Bob and Carol may write. ``read`` is the model: who has read what."""

    def __init__(self, store: Store) -> None:
        self.store = store
        make_domain(store)
        for name in NAMES:
            make_account(store, f"{name}@example.test")
        self.people: dict[str, Actor] = {n: actor_of(store, f"{n}@example.test") for n in NAMES}
        new = NewGroup(CHOIR, "Choir", self.people["alice"].account_id)
        group = apply(store, CreateGroup(new))
        for name in NAMES[1:]:
            member = AddMember(group, self.people[name].account_id, {Tool.MAIL: WRITE})
            apply(store, member)
        self.space = view(store, ShowGroup(CHOIR)).group.space_id
        self.boxes = {info.name: info.id for info in self.listed("alice").values()}
        self.uids: dict[int, list[int]] = {self.boxes["INBOX"]: [], self.boxes["Archive"]: []}
        self.read: dict[tuple[int, str], set[int]] = {
            (box, name): set() for box in self.uids for name in NAMES
        }

    def listed(self, who: str) -> dict[str, MailboxInfo]:
        found = self.view(who, ListMailboxes(self.space, self.people[who].account_id))
        return {info.name: info for info in found}

    def view(self, who: str, what: View[R]) -> R:
        return self.store.call_read(self.people[who], "test", lambda txn: txn.view(what))

    def apply(self, who: str, mutation: Mutation[R]) -> R:
        return self.store.call(self.people[who], "test", lambda txn: txn.apply(mutation))

    # --- what people do, in the store and in the model ---------------------------------------

    def append(self, who: str, box: int, seen: bool) -> None:
        flags = Flag.SEEN if seen else Flag.NONE
        done = self.apply(who, AppendMessages(box, (new_message(self.store, flags=flags),)))
        self.uids[box] += done.uids
        if seen:
            self.read[box, who].update(done.uids)

    def store_flags(self, who: str, box: int, uids: list[int], change: FlagChange) -> None:
        flags = FlagSet(Flag.SEEN | Flag.FLAGGED)
        self.apply(who, StoreFlags(box, Uids.from_iterable(uids), change, flags))
        if change is FlagChange.REMOVE:
            self.read[box, who].difference_update(uids)
        else:
            self.read[box, who].update(uids)

    def transfer(self, who: str, box: int, uids: list[int], target: int, *, move: bool) -> None:
        kind = MoveMessages if move else CopyMessages
        done = self.apply(who, kind(box, Uids.from_iterable(uids), target))
        self.uids[target] += done.target
        for name in NAMES:
            pairs = zip(done.source, done.target, strict=True)
            mine = {new for old, new in pairs if old in self.read[box, name]}
            self.read[target, name] |= mine
        if move:
            self._gone(box, uids)

    def expunge(self, who: str, box: int, uids: list[int]) -> None:
        those = Uids.from_iterable(uids)
        self.apply(who, StoreFlags(box, those, FlagChange.ADD, FlagSet(Flag.DELETED)))
        self.apply(who, ExpungeMessages(box, those))
        self._gone(box, uids)

    def _gone(self, box: int, uids: list[int]) -> None:
        self.uids[box] = [uid for uid in self.uids[box] if uid not in uids]
        for name in NAMES:
            self.read[box, name].difference_update(uids)

    # --- comparing ----------------------------------------------------------------------------

    def compare(self) -> None:
        """What everybody sees, by every view that tells it, is what the model says."""
        columns = (MessageColumn.INTERNAL_DATE, MessageColumn.FLAGS, MessageColumn.MODSEQ)
        blobs, seen = self.store.blobs, HasFlags(Flag.SEEN)
        for (box, who), read in self.read.items():
            unread = [uid for uid in self.uids[box] if uid not in read]
            rows = self.view(who, FetchRows(box, ALL_UIDS, columns))
            texts = self.view(who, ReadFlagTexts(box, ALL_UIDS))
            found = self.view(who, SearchMessages(box, seen, blobs))
            rest = self.view(who, SearchMessages(box, Not(seen), blobs))
            state = self.view(who, ReadState(box))
            assert [row[0] for row in rows if row[3] & Flag.SEEN] == sorted(read)
            pairs = zip(texts.uids, texts.flags, strict=True)
            assert [int(uid) for uid, bits in pairs if int(bits) & Flag.SEEN] == sorted(read)
            assert [uid for uid, _ in found] == sorted(read)
            assert [uid for uid, _ in rest] == unread
            assert state.first_unseen == (unread[0] if unread else None)
            counted = {info.id: info.unseen for info in self.listed(who).values()}
            assert counted[box] == len(unread)


@pytest.fixture
def choir(databases: Databases, database_kind: str, tmp_path: Path) -> Iterator[Choir]:
    """On each kind of database; what the store keeps twice is recounted at the end."""
    store = open_store(databases.fresh(database_kind), tmp_path)
    yield Choir(store)
    assert check(store) == []
    store.close()


def test_against_a_model(choir: Choir) -> None:
    """Whatever members do in whatever order, each sees their own \\Seen."""
    dice = random.Random(7)
    boxes = list(choir.uids)
    for number in range(60):
        who, box = dice.choice(NAMES), dice.choice(boxes)
        uids = dice.sample(choir.uids[box], min(len(choir.uids[box]), dice.randint(1, 3)))
        match dice.randrange(7) if uids and number > 10 else 0:
            case 0:
                choir.append(who, box, dice.random() < 0.5)
            case 1 | 2:
                choir.store_flags(who, box, uids, dice.choice(list(FlagChange)))
            case 3:
                choir.store_flags(who, box, list(choir.uids[box]), FlagChange.ADD)
            case 4 | 5:
                target = dice.choice([each for each in boxes if each != box])
                choir.transfer(who, box, uids, target, move=dice.random() < 0.5)
            case 6:
                choir.expunge(who, box, uids)
        if number % 5 == 0:
            choir.compare()
    choir.compare()


def test_nothing_is_left_of_who_is_gone(choir: Choir) -> None:
    """With a mailbox, and with an account, goes what was read in it and by it."""
    inbox, archive = choir.boxes["INBOX"], choir.boxes["Archive"]
    for who, box in (("bob", inbox), ("bob", archive), ("carol", archive)):
        choir.append(who, box, True)
    assert len(sql(choir.store, "SELECT account_id FROM seen")) == 3
    choir.apply("alice", DeleteMailbox(archive))
    assert len(sql(choir.store, "SELECT account_id FROM seen")) == 1
    apply(choir.store, DeleteAccount(choir.people["bob"].account_id))
    assert sql(choir.store, "SELECT account_id FROM seen") == []


def test_what_was_read_and_is_gone_is_found(choir: Choir) -> None:
    """`folkmoot check` sees that more is read than there is, and mends it."""
    box = choir.boxes["INBOX"]
    for _ in range(2):
        choir.append("bob", box, True)
    sql(choir.store, "UPDATE seen SET uids = '1:9'")
    [finding] = check(choir.store)
    assert finding.repairable
    assert "not there" in finding.what
    apply(choir.store, Recount())
    choir.compare()
