"""Random histories against the simplest model that can be right.

A plain Python model and the store go through the same random commands; after each, UIDs, flags,
octets and counters must agree. Sessions that selected a mailbox at random moments and follow the
change log from there must end with exactly what the mailbox holds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from folkmoot.protocols.imap.view import View as ImapView
from folkmoot.storage.errors import AlreadyExists, NotFound
from folkmoot.storage.mutations.mailboxes import DeleteMailbox, RenameMailbox
from folkmoot.storage.mutations.messages import CopyMessages, ExpungeMessages, MoveMessages
from folkmoot.storage.mutations.upkeep import TrimLog
from folkmoot.storage.store import Store
from folkmoot.storage.txn import ReadTxn
from folkmoot.storage.types import (
    Flag,
    FlagChange,
    MailboxChanges,
    MessageColumn,
    MessageRow,
    UidSet,
)
from folkmoot.storage.views.mailboxes import ChangesSince
from folkmoot.storage.views.messages import FetchRows, ReadState
from tests.storage.accounts_kit import apply
from tests.storage.mail_kit import Mail, new_mail

STEPS = {"sqlite": 2000, "postgres": 300}
WORDS = ("$Work", "$Home", "later")


@dataclass
class ModelMessage:
    body: bytes
    flags: int
    keywords: frozenset[str]


@dataclass
class ModelMailbox:
    id: int
    uidnext: int = 1
    messages: dict[int, ModelMessage] = field(default_factory=dict)

    def add(self, message: ModelMessage) -> int:
        uid = self.uidnext
        self.uidnext += 1
        self.messages[uid] = ModelMessage(message.body, message.flags, message.keywords)
        return uid


class Session:
    """A client that selected a mailbox and follows it with the view of the IMAP server."""

    def __init__(self, mail: Mail, mailbox: int, kind: str) -> None:
        self.mail, self.mailbox, self.kind = mail, mailbox, kind
        self.view = ImapView("box", mail.view(ReadState(mailbox)), examined=False)
        # What this client would know of flags: from the change log only, after the first look.
        self.flags = mail.flags(mailbox)
        self.count = len(self.view.uids)

    def catch_up(self, *, show_expunges: bool) -> None:
        """NOOP (or a command that may not show EXPUNGE), and what the client makes of it."""
        changes, rows = self.mail.store.call_read(self.mail.actor, "noop", self._look)
        if not changes.complete:
            state = self.mail.view(ReadState(self.mailbox))
            changes = self.view.replaced(state)
            rows = self.mail.rows(
                self.mailbox, MessageColumn.FLAGS, MessageColumn.MODSEQ, which=changes.changed
            )
        before = list(self.view.uids)
        lines = self.view.update(
            changes,
            rows,
            show_expunges=show_expunges,
            vanished=self.kind == "qresync",
            modseqs=True,
        )
        self._hear(lines, before, show_expunges=show_expunges)
        for uid, bits, keywords, _ in rows:
            self.flags[uid] = (bits, keywords)

    def _look(self, txn: ReadTxn) -> tuple[MailboxChanges, list[MessageRow]]:
        changes = txn.view(ChangesSince(self.mailbox, self.view.modseq))
        columns = (MessageColumn.FLAGS, MessageColumn.MODSEQ)
        return changes, txn.view(FetchRows(self.mailbox, changes.changed, columns))

    def _hear(self, lines: list[bytes], known: list[int], *, show_expunges: bool) -> None:
        """Follow message numbers as a client does, from the responses alone."""
        for line in lines:
            words = line.split()
            if words[2:3] == [b"EXPUNGE"]:
                assert show_expunges
                del known[int(words[1]) - 1]
            elif words[1] == b"VANISHED":
                assert show_expunges
                gone = UidSet.from_text(words[2])
                assert all(uid in known for uid in gone)
                known[:] = [uid for uid in known if uid not in gone]
            elif words[2:3] == [b"EXISTS"]:
                assert int(words[1]) >= len(known)
                known += list(self.view.uids)[len(known) :]
        assert known == list(self.view.uids)


class Run:
    """One random history."""

    def __init__(self, store: Store, seed: int) -> None:
        self.chance = random.Random(seed)
        self.mail = new_mail(store)
        self.names = [f"Box{n}" for n in range(3)]
        self.boxes: dict[str, ModelMailbox] = {"INBOX": ModelMailbox(self.mail.box().id)}
        self.sessions: list[Session] = []
        self.bodies = 0

    # --- choices ------------------------------------------------------------------------------

    def _box(self) -> ModelMailbox:
        return self.boxes[self.chance.choice(sorted(self.boxes))]

    def _some(self, box: ModelMailbox) -> UidSet:
        """A set of UIDs in any shape, of which some need not exist."""
        top = box.uidnext + 2
        shape = self.chance.randrange(4)
        if shape == 0:
            return UidSet.from_ranges([(1, 0xFFFF_FFFF)])
        if shape == 1:
            return UidSet.from_iterable([self.chance.randint(1, top)])
        if shape == 2:
            return UidSet.from_ranges([(self.chance.randint(1, top), self.chance.randint(1, top))])
        return UidSet.from_iterable(
            [self.chance.randint(1, top) for _ in range(self.chance.randrange(1, 8))]
        )

    def _flags(self) -> tuple[int, frozenset[str]]:
        words = self.chance.sample(WORDS, self.chance.choice((0, 0, 1, 2)))
        return self.chance.choice((0, 0, 1, 4, 8, 8, 9, 12)), frozenset(words)

    # --- steps --------------------------------------------------------------------------------

    def step(self) -> None:
        """One command, on the store and on the model."""
        do = self.chance.choices(
            [
                *(self.append, self.store_flags, self.expunge, self.copy, self.move),
                *(self.rename, self.create_or_delete, self.select, self.poll, self.trim),
            ],
            [6, 8, 4, 3, 3, 1, 1, 2, 6, 0.5],
        )[0]
        do()

    def append(self) -> None:
        box = self._box()
        bits, words = self._flags()
        number = self.chance.choice((1, 1, 1, 2, 4))
        bodies = [f"Subject: {self.bodies + n}\r\n\r\nbody".encode() for n in range(number)]
        self.bodies += number
        keywords = tuple(sorted(words))
        appended = self.mail.append(box.id, *bodies, flags=Flag(bits), keywords=keywords)
        expected = tuple(box.add(ModelMessage(body, bits, words)) for body in bodies)
        assert appended.uids == expected

    def store_flags(self) -> None:
        box, change = self._box(), self.chance.choice(list(FlagChange))
        which, (bits, words) = self._some(box), self._flags()
        stored = self.mail.flag(box.id, which, Flag(bits), tuple(sorted(words)), change)
        changed = []
        for uid, message in box.messages.items():
            if uid not in which:
                continue
            before = message.flags, message.keywords
            if change is FlagChange.REPLACE:
                message.flags, message.keywords = bits, words
            elif change is FlagChange.ADD:
                message.flags, message.keywords = before[0] | bits, before[1] | words
            else:
                message.flags, message.keywords = before[0] & ~bits, before[1] - words
            if before != (message.flags, message.keywords):
                changed.append(uid)
        assert stored.changed == UidSet.from_iterable(changed)

    def expunge(self) -> None:
        box = self._box()
        which = None if self.chance.random() < 0.5 else self._some(box)
        expunged = self.mail.apply(ExpungeMessages(box.id, which))
        gone = [
            uid
            for uid, message in box.messages.items()
            if message.flags & 8 and (which is None or uid in which)
        ]
        for uid in gone:
            del box.messages[uid]
        assert expunged.uids == UidSet.from_iterable(gone)

    def copy(self) -> None:
        source, target = self._box(), self._box()
        which = self._some(source)
        copied = self.mail.apply(CopyMessages(source.id, which, target.id))
        chosen = sorted(uid for uid in source.messages if uid in which)
        assert copied.source == tuple(chosen)
        assert copied.target == tuple([target.add(source.messages[uid]) for uid in chosen])

    def move(self) -> None:
        source, target = self._box(), self._box()
        which = self._some(source)
        moved = self.mail.apply(MoveMessages(source.id, which, target.id))
        chosen = sorted(uid for uid in source.messages if uid in which)
        assert moved.source == tuple(chosen)
        assert moved.target == tuple([target.add(source.messages[uid]) for uid in chosen])
        for uid in chosen:
            del source.messages[uid]

    def rename(self) -> None:
        old, new = self.chance.choice(self.names), self.chance.choice(self.names)
        if old not in self.boxes:
            return
        space, root = self.mail.actor.space_id, self.mail.box("").id
        rename = RenameMailbox(self.boxes[old].id, space, root, (new,))
        if new in self.boxes:
            with pytest.raises(AlreadyExists):
                self.mail.apply(rename)
        else:
            self.mail.apply(rename)
            self.boxes[new] = self.boxes.pop(old)

    def create_or_delete(self) -> None:
        name = self.chance.choice(self.names)
        if name not in self.boxes:
            self.boxes[name] = ModelMailbox(self.mail.create(name))
        elif self.chance.random() < 0.3:
            gone = self.boxes.pop(name).id
            self.mail.apply(DeleteMailbox(gone))
            for session in [s for s in self.sessions if s.mailbox == gone]:
                with pytest.raises(NotFound):
                    session.catch_up(show_expunges=True)
                self.sessions.remove(session)

    def select(self) -> None:
        kind = self.chance.choice(("plain", "qresync"))
        self.sessions.append(Session(self.mail, self._box().id, kind))
        del self.sessions[:-6]

    def poll(self) -> None:
        if self.sessions:
            self.chance.choice(self.sessions).catch_up(show_expunges=self.chance.random() < 0.7)

    def trim(self) -> None:
        apply(self.mail.store, TrimLog(kept=self.chance.choice((1, 5, 20))))

    # --- comparison ---------------------------------------------------------------------------

    def compare(self) -> None:
        """The store is what the model says, and every session catches up to it."""
        infos = self.mail.boxes()
        for name, box in self.boxes.items():
            info = infos[name]
            messages = box.messages.values()
            assert (info.id, info.uidnext, info.messages) == (box.id, box.uidnext, len(messages))
            assert info.unseen == sum(not message.flags & 1 for message in messages)
            assert info.deleted == sum(bool(message.flags & 8) for message in messages)
            assert info.size == sum(len(message.body) for message in messages)
            assert self.mail.flags(box.id) == {
                uid: (message.flags, " ".join(sorted(message.keywords)))
                for uid, message in box.messages.items()
            }
            assert all(modseq <= info.modseq for modseq in self.mail.modseqs(box.id).values())
        for session in self.sessions:
            session.catch_up(show_expunges=True)
            flags = self.mail.flags(session.mailbox)
            assert list(session.view.uids) == sorted(flags)
            assert {uid: session.flags[uid] for uid in flags} == flags

    def compare_bodies(self) -> None:
        """Octet for octet."""
        for box in self.boxes.values():
            for uid, message in box.messages.items():
                assert self.mail.octets(box.id, uid) == message.body


@pytest.mark.parametrize("seed", [1, 2])
def test_random_histories(store: Store, database_kind: str, seed: int) -> None:
    """The store and the model agree all along; every session ends with the mailbox's state."""
    run = Run(store, seed)
    for number in range(STEPS[database_kind]):
        run.step()
        if number % 10 == 0:
            run.compare()
    run.compare()
    run.compare_bodies()
