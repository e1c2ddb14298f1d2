"""The view: what a client rebuilds from the untagged responses is what the server has."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.protocols.imap.sequence import UidSet
from folkmoot.protocols.imap.view import View
from folkmoot.storage.types import ALL_RIGHTS, Flag, MailboxChanges, MailboxState, MessageRow

Flags = tuple[int, str]


@dataclass
class Mailbox:
    """A mailbox with its log, as the store keeps it."""

    messages: dict[int, tuple[Flags, int]] = field(default_factory=dict)
    log: list[tuple[int, str, int]] = field(default_factory=list)
    modseq: int = 1
    uidnext: int = 1
    floor: int = 0

    def append(self, flags: Flags) -> None:
        self.modseq += 1
        self.messages[self.uidnext] = (flags, self.modseq)
        self.log.append((self.modseq, "new", self.uidnext))
        self.uidnext += 1

    def change(self, place: int, flags: Flags) -> None:
        if self.messages:
            uid = sorted(self.messages)[place % len(self.messages)]
            self.modseq += 1
            self.messages[uid] = (flags, self.modseq)
            self.log.append((self.modseq, "changed", uid))

    def expunge(self, place: int) -> None:
        if self.messages:
            uid = sorted(self.messages)[place % len(self.messages)]
            self.modseq += 1
            del self.messages[uid]
            self.log.append((self.modseq, "gone", uid))

    def trim(self) -> None:
        self.log = self.log[-2:]
        self.floor = self.log[0][0] - 1 if self.log else self.modseq

    def state(self) -> MailboxState:
        return MailboxState(
            1, self.modseq, self.floor, 7, self.uidnext, (), None,
            array("I", sorted(self.messages)), ALL_RIGHTS,
        )  # fmt: skip

    def rows(self, uids: UidSet) -> list[MessageRow]:
        found = [uid for uid in sorted(self.messages) if uid in uids]
        return [(uid, *self.messages[uid][0], self.messages[uid][1]) for uid in found]

    def changes(self, since: int) -> MailboxChanges:
        later = [entry for entry in self.log if entry[0] > since]
        return MailboxChanges(
            self.modseq,
            self.uidnext,
            UidSet.from_iterable(uid for _, kind, uid in later if kind != "gone"),
            UidSet.from_iterable(uid for _, kind, uid in later if kind == "gone"),
            since >= self.floor,
            True,
            ALL_RIGHTS,
        )


@dataclass
class Client:
    """What a client knows: UIDs by message number (None: not asked for yet) and their flags."""

    uids: list[int | None] = field(default_factory=list)
    flags: dict[int, bytes] = field(default_factory=dict)

    def read(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            assert line.endswith(b"\r\n")
            if match := re.fullmatch(rb"\* (\d+) EXISTS\r\n", line):
                assert int(match[1]) >= len(self.uids)  # it never shrinks a mailbox
                self.uids += [None] * (int(match[1]) - len(self.uids))
            elif match := re.fullmatch(rb"\* (\d+) EXPUNGE\r\n", line):
                del self.uids[int(match[1]) - 1]
            elif match := re.fullmatch(rb"\* VANISHED ([\d:,]+)\r\n", line):
                gone = UidSet.from_text(match[1])
                assert all(uid in self.uids for uid in gone)
                self.uids = [uid for uid in self.uids if uid is None or uid not in gone]
            elif match := re.match(rb"\* (\d+) FETCH \(UID (\d+) FLAGS (\([^)]*\))", line):
                number, uid = int(match[1]), int(match[2])
                assert self.uids[number - 1] in (None, uid)
                self.uids[number - 1] = uid
                self.flags[uid] = match[3]
            else:
                assert line.startswith((b"* FLAGS (", b"* OK [PERMANENTFLAGS ")), line

    def ask(self, view: View, mailbox: Mailbox) -> None:
        """FETCH what is new to the client, as it would after EXISTS."""
        for place, uid in enumerate(self.uids):
            if uid is None:
                self.uids[place] = view.uids[place]
                if view.uids[place] in mailbox.messages:
                    self.flags[view.uids[place]] = _printed(mailbox.messages[view.uids[place]][0])


def _printed(flags: Flags) -> bytes:
    names = [f"\\{flag.name.capitalize()}" for flag in Flag if flag.name and flags[0] & flag]
    return f"({' '.join([*_in_order(names), *flags[1].split()])})".encode()


def _in_order(names: list[str]) -> list[str]:
    order = ["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"]
    return sorted(names, key=order.index)


_FLAGS = st.tuples(st.integers(0, 31), st.sampled_from(["", "$A", "$A $B", "$C"]))
_PLACE = st.integers(0, 30)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), _FLAGS),
        st.tuples(st.just("change"), _PLACE, _FLAGS),
        st.tuples(st.just("expunge"), _PLACE),
        st.tuples(st.just("trim")),
        st.tuples(st.just("look"), st.booleans()),
    ),
    max_size=60,
)


def _look(view: View, mailbox: Mailbox, show: bool, vanished: bool) -> list[bytes]:
    changes = mailbox.changes(view.modseq)
    if changes.complete:
        rows = mailbox.rows(changes.changed)
    else:
        changes = view.replaced(mailbox.state())
        rows = [row for row in mailbox.rows(changes.changed) if row[3] > view.modseq]
    return view.update(changes, rows, show_expunges=show, vanished=vanished, modseqs=vanished)


@settings(max_examples=150, deadline=None)
@given(st.lists(_FLAGS, max_size=8), _STEPS, st.booleans())
def test_a_client_rebuilds_the_mailbox(
    first: list[Flags], steps: list[tuple[object, ...]], vanished: bool
) -> None:
    """At each look client and view agree; when removals are shown, both are the mailbox."""
    mailbox = Mailbox()
    for flags in first:
        mailbox.append(flags)
    view = View("INBOX", mailbox.state(), examined=False)
    client = Client()
    client.read([b"* %d EXISTS\r\n" % len(view.uids)])
    client.ask(view, mailbox)
    for name, *arguments in [*steps, ("look", True)]:
        if name != "look":
            getattr(mailbox, str(name))(*arguments)
            continue
        show = bool(arguments[0])
        before = len(client.uids)
        lines = _look(view, mailbox, show, vanished)
        client.read(lines)
        client.ask(view, mailbox)
        if not show:
            assert len(client.uids) >= before
            assert not [line for line in lines if b"EXPUNGE" in line or b"VANISHED" in line]
        assert client.uids == list(view.uids)
        # Removed messages that the client was not told of keep their numbers.
        assert set(mailbox.messages) <= set(view.uids)
        for uid, (flags, _) in mailbox.messages.items():
            assert client.flags[uid] == _printed(flags)
        if show:
            assert client.uids == sorted(mailbox.messages)
        assert _look(view, mailbox, show, vanished) == []


def test_own_changes_are_told_where_others_changed_too() -> None:
    """What only this session changed comes without a row; where there is one, it is told."""
    mailbox = Mailbox()
    mailbox.append((0, ""))
    view = View("INBOX", mailbox.state(), examined=False)
    mailbox.change(0, (1, ""))
    mailbox.change(0, (3, ""))
    view.reported.add(mailbox.modseq)
    [line] = _look(view, mailbox, True, False)
    assert b"\\Answered \\Seen" in line
    assert not view.reported


def test_keywords_are_announced_before_their_use() -> None:
    """FLAGS and PERMANENTFLAGS come before the first FETCH with a new keyword, and only once."""
    mailbox = Mailbox()
    mailbox.append((0, ""))
    view = View("INBOX", mailbox.state(), examined=False)
    mailbox.change(0, (0, "$New"))
    lines = _look(view, mailbox, True, False)
    assert lines[0].startswith(b"* FLAGS (")
    assert b"$New" in lines[0]
    assert b"PERMANENTFLAGS" in lines[1]
    assert lines[2] == b"* 1 FETCH (UID 1 FLAGS ($New))\r\n"
    mailbox.change(0, (1, "$New"))
    assert len(_look(view, mailbox, True, False)) == 1


def test_a_view_follows_its_own_changes() -> None:
    """An own change that is the next one leaves nothing to look for; any other one does."""
    mailbox = Mailbox()
    mailbox.append((0, ""))
    view = View("INBOX", mailbox.state(), examined=False)
    mailbox.change(0, (1, ""))
    view.heard = mailbox.modseq
    assert view.dirty
    view.changed_here(mailbox.modseq)
    assert not view.dirty
    assert view.modseq == mailbox.modseq
    # Somebody else was quicker.
    mailbox.change(0, (3, ""))
    mailbox.change(0, (2, ""))
    view.heard = mailbox.modseq
    view.changed_here(mailbox.modseq)
    assert view.dirty
    assert view.modseq == mailbox.modseq - 2
    view.dirty = True
    view.modseq = mailbox.modseq
    assert view.dirty
