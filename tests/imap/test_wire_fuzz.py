"""Hostile octets through the whole wire layer: nothing but BadSyntax, quickly, in little memory."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.fetch_items import parse_fetch
from folkmoot.protocols.imap.framer import AFTER_LOGIN, BEFORE_LOGIN, Command, Framer
from folkmoot.protocols.imap.grammar import (
    append_mailbox,
    parse_append,
    parse_create,
    parse_enable,
    parse_id,
    parse_select,
    parse_store,
)
from folkmoot.protocols.imap.list_args import parse_list, parse_lsub, parse_status
from folkmoot.protocols.imap.search_keys import parse_search
from tests.kit.pace import within

PARSERS: tuple[Callable[[Cursor], object], ...] = (
    parse_fetch, parse_search, parse_list, parse_lsub, parse_status, parse_store, parse_select,
    parse_append, parse_create, parse_enable, parse_id,
)  # fmt: skip

SEEDS = (
    b" 1:* (UID FLAGS BODY.PEEK[1.HEADER.FIELDS (From To)]<0.10>) (CHANGEDSINCE 5 VANISHED)",
    b' RETURN (MIN) CHARSET UTF-8 OR (SEEN UID 1:5) NOT FROM "x" SINCE 1-Feb-1994 MODSEQ 5',
    b' (SUBSCRIBED) "" ("*" INBOX/%) RETURN (STATUS (MESSAGES) CHILDREN)',
    b" 1,2:3 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Seen $x)",
    b" INBOX (QRESYNC (7 90 1:9 (1,2 3,4)) CONDSTORE)",
    b' Sent (\\Seen) " 7-Feb-1994 21:52:25 -0800" {3+}\r\nabc UTF8 (~{1+}\r\nz)',
    b" x (USE (\\Sent))",
    b' ("name" "x" "os" NIL)',
    b" &AOQ- \xc3\xa4",
)
WORDS = (
    b" ", b"(", b")", b"[", b"]", b"<", b">", b'"', b"\\", b"{1+}\r\nx", b"{0}\r\n", b"*", b"%",
    b"$", b":", b",", b"NIL", b"0", b"1", b"4294967296", b"9" * 25, b"&", b"&AA-", b"\xff",
    b"\xf0\x9f", b"BODY[", b"NOT ", b"OR ", b"HEADER", b"RETURN", b"\x7f", b"1-Feb-0000", b".",
)  # fmt: skip


def run_all(octets: bytes, *, utf8: bool = False) -> None:
    """Frame `octets` and read each command with each parser."""
    framer = Framer(AFTER_LOGIN)
    framer.feed(octets)
    while (event := framer.next_event()) is not None:
        if not isinstance(event, Command):
            continue
        append_mailbox(event.segments, utf8=utf8)
        for parser in PARSERS:
            try:
                parser(Cursor(event, utf8=utf8))
            except BadSyntax as error:
                assert error.text.isascii()  # noqa: PT017 - the parser may also succeed


@given(st.lists(st.sampled_from(SEEDS + WORDS) | st.binary(max_size=5), max_size=12), st.booleans())
@example([b" UID 5 ", b"(" * 200], False)
@settings(max_examples=300, deadline=None)
def test_any_octets_give_a_value_or_bad_syntax(pieces: list[bytes], utf8: bool) -> None:
    """No parser raises anything else, whatever comes."""
    run_all(b"".join(pieces) + b"\r\n", utf8=utf8)


def test_damaged_commands() -> None:
    """Real commands with octets changed, cut and doubled give a value or BadSyntax."""
    rng = random.Random(7)
    for _ in range(3000):
        data = bytearray(rng.choice(SEEDS))
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(data) + 1)
            action = rng.randrange(3)
            if action == 0:
                data[at:at] = rng.choice(WORDS)
            elif action == 1:
                del data[at : at + rng.randint(1, 5)]
            else:
                data[at : at + 1] = bytes([rng.randrange(256)])
        run_all(bytes(data) + b"\r\n")


@pytest.mark.parametrize(
    "octets",
    [b"(" * 65_000, b" " + b"(" * 65_000, b" 1 " + b"(" * 60_000, b' ("' + b"\\" * 60_000,
     b" 1 FLAGS (" + b"a " * 30_000, b" " + b"1," * 30_000, b' "' + b"&AOQ-" * 12_000 + b'"',
     b' "" "' + b"*%" * 30_000 + b'"', b" " + b" " * 64_000, b" 1 BODY[" + b"1." * 30_000 + b"]",
     b" " + b"1:" * 30_000, b" CHARSET " + b"x" * 60_000, b" 1 BODY[]<" + b"9" * 60_000,
     b" " + b"{0+}\r\n" * 999],
)  # fmt: skip
def test_long_hostile_commands_are_answered_quickly(octets: bytes) -> None:
    """The longest lines that pass the framer cost every parser together well under a second."""
    with within(1):
        run_all(octets + b"\r\n")


def test_hundred_thousand_parentheses() -> None:
    """``((((…`` beyond the line limit is refused by the framer, whole or octet by octet."""
    with within(2):
        run_all(b"a SEARCH " + b"(" * 100_000 + b"\r\n")
        framer = Framer(BEFORE_LOGIN)
        for _ in range(100_000):
            framer.feed(b"(")
            framer.next_event()
            assert framer.pending <= BEFORE_LOGIN.max_line + 2


def test_memory_stays_bounded() -> None:
    """Ten megabytes of refused literals and endless lines leave nothing behind."""
    framer = Framer(BEFORE_LOGIN)
    tracemalloc.start()
    try:
        for _ in range(50):
            framer.feed(b"a LOGIN {200000+}\r\n")
            framer.next_event()
            for _ in range(20):
                framer.feed(b"x" * 10_000)
                framer.next_event()
            framer.feed(b"\r\n")
            assert framer.next_event() is not None
        assert not framer.closed
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
