"""What IMAP clients send: framing, every command's grammar, names, sets, compressed streams."""

from __future__ import annotations

import contextlib
import re
import zlib
from itertools import pairwise
from typing import Any

from folkmoot.protocols.imap import mutf7, registry
from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.deflate import PIECE, Deflated
from folkmoot.protocols.imap.framer import AFTER_LOGIN, BEFORE_LOGIN, Framer
from folkmoot.protocols.imap.frames import Close, Command, Event, Literal, MemorySink
from folkmoot.protocols.imap.grammar import append_mailbox
from folkmoot.protocols.imap.imap_urls import parse_url
from folkmoot.protocols.imap.list_args import ListPattern
from folkmoot.protocols.imap.sequence import SequenceSet
from folkmoot.storage.types_uidset import MAX_UID, UidSet
from tests.fuzz.mutate import TOKENS
from tests.fuzz.target import Reader, cut, target

registry.load()
_COMMANDS = registry.all_commands()
_EXAMPLES = tuple(b"a " + entry.example for entry in _COMMANDS)


def _segment(segment: object) -> object:
    if not isinstance(segment, Literal):
        return segment
    assert isinstance(segment.sink, MemorySink)
    assert len(segment.sink.value) == segment.size
    return (segment.size, segment.sync, segment.binary, segment.sink.value)


def _told(event: Event) -> object:
    return tuple(map(_segment, event.segments)) if isinstance(event, Command) else event


def _frames(pieces: list[bytes], framer: Framer) -> list[object]:
    told = []
    for piece in pieces:
        framer.feed(piece)
        while (event := framer.next_event()) is not None:
            told.append(_told(event))
            assert not isinstance(event, Close) or framer.closed
    return told


@target(
    [b"\x05" + each + b"\r\n" for each in _EXAMPLES]
    + [b"\x01a LOGIN {3}\r\nabc {2+}\r\nxx\r\nb NOOP\r\n"],
    TOKENS,
)
def imap_framer(data: bytes) -> None:
    """Commands are the same, however the octets are cut; what is kept has bounds."""
    limits = (BEFORE_LOGIN, AFTER_LOGIN)[len(data) % 2]
    step = max(1, data[0] if data else 1)
    octets = data[1:]
    whole = Framer(limits)
    expected = _frames([octets], whole)
    framer = Framer(limits)
    assert _frames(cut(octets, bytes([step]) * min(len(octets), 2000)), framer) == expected
    assert framer.pending == whole.pending
    assert framer.pending <= limits.max_line + 2


@target(
    [
        bytes([at % 256]) + entry.example.removeprefix(entry.name.encode()) + b"\r\n"
        for at, entry in enumerate(_COMMANDS)
    ],
    TOKENS,
)
def imap_grammar(data: bytes) -> None:
    """Arguments of every command are a value or BadSyntax, with a text that quotes nothing."""
    reader = Reader(data)
    entry = _COMMANDS[reader.number(len(_COMMANDS))]
    framer = Framer(AFTER_LOGIN)
    framer.feed(reader.rest() + b"\r\n")
    while (event := framer.next_event()) is not None:
        if not isinstance(event, Command):
            continue
        append_mailbox(event.segments)
        for utf8 in (False, True):
            try:
                entry.parse(Cursor(event, utf8=utf8))
            except BadSyntax as error:
                assert error.text.isascii()
                assert error.text.isprintable()
                assert len(error.text) < 200


@target(
    [
        b"INBOX",
        b"&AOQ-",
        b"a&-b",
        b"&ZeVnLIqe-/x",
        b"&2D3c7A-",
        b"a*b%|axxb/",
        b"%/%|x/y",
        b";UID=5/;SECTION=1.MIME",
    ],
    [b"|", b"*", b"%", b"&", b"-", b"&-", b",", b"&AAA-"],
)
def imap_names(data: bytes) -> None:
    """A mailbox name has one encoding, and goes there and back."""
    try:
        name = mutf7.decode(data)
    except ValueError:
        name = data.decode("utf-8", "ignore")
        assert mutf7.decode(mutf7.encode(name)) == name
    else:
        assert mutf7.encode(name) == data
    text = data.decode("latin-1")
    with contextlib.suppress(ValueError):
        parse_url(data)
    pattern, _, name = text.partition("|")
    found = ListPattern(pattern).matches(name)
    # The same pattern as an expression that anybody can check by eye.
    simple = re.escape(pattern).replace(r"\*", ".*").replace("%", "[^/]*")
    if (
        pattern.count("*") + pattern.count("%") < 4
        and "inbox" not in data.decode("latin-1").lower()
    ):
        assert found == (re.fullmatch(simple, name, re.DOTALL) is not None)


@target(
    [b"1:*,5,7:3", b"*", b"1,2,3,4:9", b"$", b"4294967295:1"],
    [b":", b",", b"*", b"4294967295", b"0"],
)
def imap_sets(data: bytes) -> None:
    """Sets of numbers print as what they were read from, and resolve to what they say."""
    try:
        read = SequenceSet.parse(data)
    except ValueError:
        return
    again = SequenceSet.parse(bytes(read))
    assert again == read
    for highest in (0, 1, 5):
        ranges = read.resolve(highest)
        assert all(low <= high for low, high in ranges)
        assert all(one[1] < other[0] for one, other in pairwise(ranges))
        uids = UidSet.from_ranges([each for each in ranges if each[1] <= MAX_UID])
        assert UidSet.from_text(str(uids)) == uids if uids else True


class _Transport:
    def __init__(self) -> None:
        self.paused = False

    def registerProducer(self, producer: Any, streaming: bool) -> None: ...
    def unregisterProducer(self) -> None: ...
    def write(self, data: bytes) -> None: ...
    def loseConnection(self) -> None: ...
    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False


class _Clock:
    """Runs later what is to run later."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def callLater(self, delay: float, call: Any) -> Any:
        self.calls.append(call)
        return self

    def active(self) -> bool:
        return False


class _Taker:
    def __init__(self) -> None:
        self.taken = b""
        self.bad = False

    def inflated(self, data: bytes) -> None:
        assert len(data) <= PIECE
        self.taken += data

    def garbled(self) -> None:
        assert not self.bad
        self.bad = True

    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...


def _deflated(data: bytes) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeeze.compress(data) + squeeze.flush(zlib.Z_SYNC_FLUSH)


@target(
    [b"\x03" + _deflated(b"a NOOP\r\n" * 9), b"\x40" + _deflated(b"\0" * 300_000)],
    [b"\x00\x00\xff\xff", b"\x03\x00"],
)
def imap_deflate(data: bytes) -> None:
    """Compressed input is inflated in pieces, the same however it is cut; garbage ends it."""
    step, octets = max(1, data[0] if data else 1), data[1:][:4096]
    inner, clock = _Taker(), _Clock()
    deflated = Deflated(_Transport(), inner, clock)
    for piece in cut(octets, bytes([step]) * 64):
        deflated.received(piece)
        while clock.calls and len(inner.taken) < 1 << 20:
            clock.calls.pop(0)()
        clock.calls.clear() if inner.bad else None
    if len(inner.taken) >= 1 << 20:
        return
    single = zlib.decompressobj(-15)
    try:
        expected = single.decompress(octets)
        ended = single.eof
    except zlib.error:
        assert inner.bad
        return
    assert inner.taken == expected
    assert inner.bad == ended
