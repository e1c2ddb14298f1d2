"""A session's view of its selected mailbox, and the one routine that brings it up to date.

The view maps message numbers to UIDs as this client knows them. ``View.update`` takes what the
change log says and returns the untagged responses that tell the client; it serves NOOP, IDLE and
the end of every command. While a command is under way that may not see EXPUNGE, removals wait in
the view.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Protocol

from folkmoot.protocols.imap.encoder import untagged
from folkmoot.protocols.imap.sequence import SequenceSet
from folkmoot.storage.types import (
    Flag,
    MailboxChanges,
    MailboxState,
    MessageRow,
    Right,
    UidSet,
)

_SYSTEM = (
    (Flag.ANSWERED, "\\Answered"),
    (Flag.FLAGGED, "\\Flagged"),
    (Flag.DELETED, "\\Deleted"),
    (Flag.SEEN, "\\Seen"),
    (Flag.DRAFT, "\\Draft"),
)
# All 32 combinations of the system flags, as they are printed.
SYSTEM_FLAGS = tuple(" ".join(name for bit, name in _SYSTEM if bits & bit) for bits in range(32))


#: Rights to change something in a mailbox. Without any, it is read-only. # rfc4314#5.2
WRITES = Right.SEEN | Right.FLAGS | Right.DELETE | Right.INSERT | Right.EXPUNGE


def flags_known(keywords: Iterable[str], rights: Right) -> list[bytes]:
    """FLAGS and PERMANENTFLAGS of a mailbox with these keywords (RFC 9051 section 7.3.5).

    ``rights`` are those to change flags. # rfc4314#5.2
    """
    words = list(keywords)
    flags = " ".join(["\\Answered \\Flagged \\Deleted \\Seen \\Draft", *words])
    kept = []
    if Right.FLAGS in rights:
        kept += ["\\Answered", "\\Flagged"]
    kept += ["\\Deleted"] if Right.DELETE in rights else []
    kept += ["\\Seen"] if Right.SEEN in rights else []
    if Right.FLAGS in rights:
        kept += ["\\Draft", *words, "\\*"]
    code = f"PERMANENTFLAGS ({' '.join(kept)})"
    return [f"* FLAGS ({flags})\r\n".encode(), untagged("OK", "Flags that are kept", code)]


def print_flags(bits: int, keywords: str) -> bytes:
    """``(\\Seen $Forwarded)`` for stored flags; ``keywords`` are separated by spaces."""
    system = SYSTEM_FLAGS[bits & 31]
    both = f"{system} {keywords}" if system and keywords else system or keywords
    return f"({both})".encode()


class Watcher(Protocol):
    """Has something to tell of messages beside their flags (see ``View.watchers``)."""

    def leaving(self, uids: UidSet) -> None:
        """Messages are about to be told as expunged."""

    async def changed(self, uids: UidSet) -> None:
        """Messages are new, or their flags changed; the client has been told."""


class View:
    """The selected mailbox as this client knows it."""

    def __init__(
        self, name: str, state: MailboxState, *, examined: bool, space_id: int = 0
    ) -> None:
        self.name = name
        self.space_id = space_id  # of whom it belongs to, 0 for one's own
        self.examined = examined
        self.mailbox_id = state.mailbox_id
        self.uidvalidity = state.uidvalidity
        self.rights: Right = state.rights
        self.uids: array[int] = state.uids
        self.modseq = state.modseq
        self.uidnext = state.uidnext
        # All that the client heard of in a FLAGS response.
        self.keywords = list(state.keywords)
        self.uid_only = False  # the client knows no message numbers (UIDONLY)
        # Something may have been committed in this mailbox since the last look, and the highest
        # modseq that a hint told of.
        self._dirty = False
        self.heard = 0
        self._hints = 0
        # The last UID when the client last waited for news (NOOP, CHECK, IDLE).
        self.listened = self.last_uid
        # Gone from the mailbox, not yet told to the client.
        self.pending: UidSet = UidSet()
        # The modseqs of flag changes that this session made and reported itself.
        self.reported: set[int] = set()
        # What "$" means here: the last saved search result. # rfc5182#2.1
        self.saved: UidSet = UidSet()
        # New messages that this session added itself: NOTIFY does not announce them.
        self.own: set[int] = set()
        self.watchers: list[Watcher] = []

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed here: as EXAMINE wants it, or for want of rights."""
        return self.examined or not self.rights & WRITES

    def flags_known(self) -> list[bytes]:
        """FLAGS and PERMANENTFLAGS."""
        return flags_known(self.keywords, Right.NONE if self.examined else self.rights)

    @property
    def dirty(self) -> bool:
        """Whether the mailbox has to be looked at."""
        return self._dirty or self.heard > self.modseq

    @dirty.setter
    def dirty(self, value: bool) -> None:
        self._dirty = value

    def hear(self, modseq: int) -> None:
        """A hint: something was committed, up to a modseq where that is known."""
        self._hints += 1
        self.heard = max(self.heard, modseq)
        if not modseq:
            self._dirty = True

    def look(self) -> int:
        """The mailbox is looked at now; see ``looked``."""
        self._dirty = False
        return self._hints

    def looked(self, since: int) -> None:
        """That has told all that was heard of before. Changes of rights promise a modseq that
        does not come."""
        if self._hints == since:
            self.heard = min(self.heard, self.modseq)

    def changed_here(self, modseq: int) -> None:
        """This session changed flags and reports that itself."""
        # When nothing was in between there is nothing to look for, unless somebody else asks.
        if modseq == self.modseq + 1 and not self.watchers:
            self.modseq = modseq
        else:
            self.reported.add(modseq)

    # --- numbers ------------------------------------------------------------------------------

    def number(self, uid: int) -> int:
        """The message number of a UID, 0 when this client does not know it."""
        position = bisect_left(self.uids, uid)
        if position < len(self.uids) and self.uids[position] == uid:
            return position + 1
        return 0

    @property
    def last_uid(self) -> int:
        """The highest UID that this client knows, 0 in an empty mailbox."""
        return self.uids[-1] if self.uids else 0

    def uids_after(self, uid: int) -> array[int]:
        """The known UIDs above ``uid``."""
        return self.uids[bisect_right(self.uids, uid) :]

    def select(self, sequence: SequenceSet, *, uid: bool) -> list[int]:
        """The UIDs that a sequence set of numbers or UIDs means, ascending.

        ``*`` is the last message that this client knows. Raises ``IndexError`` for numbers that
        do not exist; unknown UIDs are ignored. # rfc9051#9 seq-number, uid-set
        """
        if sequence.saved:
            return [uid for uid in self.saved if self.number(uid)]
        if uid:
            return sequence.intersect(self.uids)
        found: list[int] = []
        for low, high in sequence.resolve(len(self.uids)):
            if high > len(self.uids) or low < 1:
                raise IndexError("no such message number")
            found.extend(self.uids[low - 1 : high])
        return found

    def numbers(self, uids: Iterable[int]) -> list[int]:
        """The message numbers of known UIDs."""
        return [number for number in map(self.number, uids) if number]

    # --- keywords -----------------------------------------------------------------------------

    def learn(self, keywords: Iterable[str]) -> list[bytes]:
        """The responses that come before flags with keywords that the client has not heard of."""
        known = {word.lower() for word in self.keywords}
        fresh = [word for word in keywords if word.lower() not in known]
        if not fresh:
            return []
        self.keywords += fresh
        return self.flags_known()

    # --- updates ------------------------------------------------------------------------------

    def replaced(self, state: MailboxState) -> MailboxChanges:
        """The changes between this view and a whole new state, for when the log is too short."""
        before, now = UidSet.from_iterable(self.uids), UidSet.from_iterable(state.uids)
        return MailboxChanges(
            modseq=state.modseq,
            uidnext=state.uidnext,
            changed=now,
            vanished=before.difference(now),
            complete=True,
            exists=True,
            rights=state.rights,
        )

    def update(
        self,
        changes: MailboxChanges,
        rows: Sequence[MessageRow],
        *,
        show_expunges: bool,
        vanished: bool,
        modseqs: bool,
    ) -> list[bytes]:
        """Take over changes; returns the untagged responses for the client.

        ``rows`` are (uid, flags, keywords, modseq) of the changed messages that still exist. Of
        those that this session changed they hold what somebody else changed too: after a silent
        change nothing else tells the client of that. # rfc9051#6.4.6
        ``vanished`` says that the client wants VANISHED instead of EXPUNGE (QRESYNC), ``modseqs``
        that it wants MODSEQ in FETCH (CONDSTORE).
        """
        self.modseq = max(self.modseq, changes.modseq)
        self.uidnext = max(self.uidnext, changes.uidnext)
        known = len(self.uids)
        self.pending = self.pending.union(changes.vanished)
        lines = self._expunge(vanished) if show_expunges else []
        last = self.uids[-1] if self.uids else 0
        fresh = [row[0] for row in rows if row[0] > last]
        self.uids.extend(fresh)
        if fresh:
            lines.append(b"* %d EXISTS\r\n" % len(self.uids))  # rfc9051#7.4.1
        elif lines and not vanished and known and not self.uids:
            # Some clients miss the last EXPUNGE of a mailbox that becomes empty.
            lines.append(b"* 0 EXISTS\r\n")
        lines += self.learn(sorted({word for row in rows if row[2] for word in row[2].split()}))
        for uid, bits, keywords, modseq in rows:
            if uid > last:
                continue
            number = self.number(uid)
            if number:
                told = modseq if modseqs else 0
                lines.append(
                    flags_response(number, uid, bits, keywords, told, uid_only=self.uid_only)
                )
        self.reported.clear()
        return lines + self._rights_changed(changes.rights)

    def _rights_changed(self, rights: Right) -> list[bytes]:
        """Take over what may be done here; the responses that tell of it. # rfc9051#7.1"""
        before, self.rights = (self.rights, self.read_only), rights
        if before[0] == rights or self.examined:
            return []
        lines = self.flags_known()
        if before[1] != self.read_only:
            code = "READ-ONLY" if self.read_only else "READ-WRITE"
            lines.append(untagged("OK", "Your rights have changed", code))
        return lines

    def _expunge(self, as_vanished: bool) -> list[bytes]:
        """Drop what is pending; EXPUNGE lines from the highest number down, or one VANISHED."""
        # Where the runs of removed messages lie, found from the removals: they are few, and this
        # is done at the end of every command.
        runs = [
            (bisect_left(self.uids, low), bisect_right(self.uids, high))
            for low, high in self.pending.ranges
        ]
        self.pending = UidSet()
        runs = [(first, end) for first, end in runs if first < end]
        if not runs:
            return []
        gone = [uid for first, end in runs for uid in self.uids[first:end]]
        kept = array("I")
        start = 0
        for first, end in runs:
            kept += self.uids[start:first]
            start = end
        self.uids = kept + self.uids[start:]
        if as_vanished:
            # rfc7162#3.2.10
            return [b"* VANISHED %b\r\n" % bytes(UidSet.from_iterable(gone))]
        # Each EXPUNGE renumbers what follows; downwards, no number needs correcting.
        # rfc9051#7.5.1
        return [
            b"* %d EXPUNGE\r\n" % number
            for first, end in reversed(runs)
            for number in range(end, first, -1)
        ]


def flags_response(
    number: int, uid: int, bits: int, keywords: str, modseq: int = 0, *, uid_only: bool = False
) -> bytes:
    """An untagged FETCH (UIDFETCH) with flags, and MODSEQ unless 0."""
    tail = b" MODSEQ (%d)" % modseq if modseq else b""
    if uid_only:  # rfc9586#3.3
        return b"* %d UIDFETCH (FLAGS %b%b)\r\n" % (uid, print_flags(bits, keywords), tail)
    return b"* %d FETCH (UID %d FLAGS %b%b)\r\n" % (number, uid, print_flags(bits, keywords), tail)
