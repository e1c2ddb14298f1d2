"""What a mail program knows of a mailbox from untagged data alone; it must make sense."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tests.kit.imap import Response

Flags = frozenset[str]

_FETCH = re.compile(rb"\* (\d+) FETCH \((.*)\)", re.DOTALL)
_CODE = re.compile(rb"\* OK \[(UIDVALIDITY|HIGHESTMODSEQ) (\d+)\]")
_VANISHED = re.compile(rb"\* VANISHED( \(EARLIER\))? ([\d:,]+)")
_NUMBERED = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE)")
_KEPT_BACK = ("FETCH", "STORE", "SEARCH", "COPY")  # RFC 9051 section 7.5.1


def spread(text: str) -> list[int]:
    """The numbers of a set without ``*``, in its order."""
    found: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition(":")
        found += range(int(low), int(high or low) + 1)
    return found


def joined(numbers: Iterable[int]) -> str:
    """A set of numbers as the wire has it."""
    return ",".join(map(str, numbers))


class Known:
    """``uids`` has the UID of each message number, None while that was not told.

    Flags of messages that it lost sight of stay remembered, as in a program's cache. Each method
    raises ``AssertionError`` for what must not come.
    """

    def __init__(self) -> None:
        self.uids: list[int | None] = []
        self.flags: dict[int, Flags] = {}
        self.modseqs: dict[int, int] = {}
        self.uidvalidity = 0
        self.modseq = 0  # up to which it knows everything
        self.qresync = False

    def opened(self, response: Response) -> None:
        """Take the numbers that SELECT tells."""
        for line in response.lines:
            if match := _CODE.match(line):
                if match[1] == b"UIDVALIDITY":
                    self.uidvalidity = int(match[2])
                else:
                    self.modseq = int(match[2])

    def resynchronise(self, response: Response, known: Sequence[int]) -> None:
        """Take what SELECT with QRESYNC tells somebody who knew these UIDs."""
        self.opened(response)
        here = set(known)
        fetched: dict[int, int] = {}
        for line in response.lines:
            if match := _VANISHED.match(line):
                assert match[1], "what vanished before SELECT is EARLIER"
                here.difference_update(spread(match[2].decode()))
            elif match := _FETCH.match(line):
                uid = int(re.findall(rb"UID (\d+)", match[2])[0])
                fetched[uid] = int(match[1])
                here.add(uid)
        exists = [int(m[1]) for line in response.lines if (m := _NUMBERED.match(line))]
        self.uids = [*sorted(here), *[None] * (exists[-1] - len(here))]
        assert len(self.uids) == exists[-1], (response.lines, known)
        assert all(self.uids[number - 1] == uid for uid, number in fetched.items())
        self.take(Response([line for line in response.lines if _FETCH.match(line)]), "SELECT")

    def unknown(self) -> list[int]:
        """Numbers of messages that it knows to be there and knows nothing of."""
        numbered = enumerate(self.uids, 1)
        return [number for number, uid in numbered if uid is None or uid not in self.flags]

    # --- untagged data ------------------------------------------------------------------------

    def take(self, response: Response, command: str) -> None:
        """Learn from untagged data, which must make sense."""
        word = command.partition(" ")[0]
        for line in response.lines:
            if match := _NUMBERED.match(line):
                self._numbered(int(match[1]), match[2], word)
            elif match := _VANISHED.match(line):
                assert self.qresync
                assert word not in _KEPT_BACK, (command, line)
                self._vanished(spread(match[2].decode()), bool(match[1]))
            elif match := _FETCH.match(line):
                self._fetched(int(match[1]), match[2])
        code = re.match(r"HIGHESTMODSEQ (\d+)", response.code)
        if code and not self.unknown():  # it would never ask for these again
            self.modseq = int(code[1])

    def _numbered(self, number: int, what: bytes, word: str) -> None:
        if what == b"EXISTS":
            assert number >= len(self.uids), "EXISTS removes nothing"
            self.uids += [None] * (number - len(self.uids))
            return
        assert not self.qresync, "QRESYNC has VANISHED instead"
        assert word not in _KEPT_BACK, "EXPUNGE in a command that counts messages"
        assert 1 <= number <= len(self.uids)
        self._forget(number - 1)

    def _forget(self, place: int) -> None:
        uid = self.uids.pop(place)
        if uid is not None:
            self.flags.pop(uid, None)
            self.modseqs.pop(uid, None)

    def _vanished(self, uids: list[int], earlier: bool) -> None:
        for uid in uids:
            if uid in self.uids:
                self._forget(self.uids.index(uid))
            elif not earlier:  # one whose UID was not told: where it fits between the others
                below = [place for place, known in enumerate(self.uids, 1) if known and known < uid]
                place = below[-1] if below else 0
                assert place < len(self.uids)
                assert self.uids[place] is None, (uid, self.uids)
                self._forget(place)

    def _fetched(self, number: int, items: bytes) -> None:
        assert 1 <= number <= len(self.uids)
        told = re.search(rb"UID (\d+)", items)
        if told:
            uid = int(told[1])
            assert self.uids[number - 1] in (None, uid), (number, items, self.uids)
            self.uids[number - 1] = uid
        known = self.uids[number - 1]
        if known is None:
            return
        if flags := re.search(rb"FLAGS \(([^)]*)\)", items):
            self.flags[known] = frozenset(flags[1].decode().split())
        if modseq := re.search(rb"MODSEQ \((\d+)\)", items):
            assert int(modseq[1]) >= self.modseqs.get(known, 0), "a mod-sequence never falls"
            self.modseqs[known] = int(modseq[1])
