"""Arguments of STORE, SELECT, APPEND, CREATE, ENABLE and ID."""

from __future__ import annotations

import pytest

from folkmoot.protocols.imap.framer import Literal, MemorySink
from folkmoot.protocols.imap.grammar import (
    QResync,
    append_mailbox,
    parse_append,
    parse_create,
    parse_enable,
    parse_id,
    parse_select,
    parse_store,
)
from folkmoot.protocols.imap.sequence import UidSet
from tests.imap.wire import parse, refused


@pytest.mark.parametrize(
    ("sent", "operation", "silent", "flags"),
    [
        (b"1 FLAGS (\\Seen)", "REPLACE", False, ("\\Seen",)),
        (b"1 flags ()", "REPLACE", False, ()),
        (b"1 +Flags.Silent (\\Deleted $Junk)", "ADD", True, ("\\Deleted", "$Junk")),
        (b"1 -FLAGS \\Seen \\Flagged ", "REMOVE", False, ("\\Seen", "\\Flagged")),
    ],
)
def test_store(sent: bytes, operation: str, silent: bool, flags: tuple[str, ...]) -> None:
    """Each operation, with flags in parentheses or bare. # rfc9051#9"""
    args = parse(parse_store, sent)
    assert (args.operation, args.silent, args.flags) == (operation, silent, flags)
    assert args.unchanged_since is None


def test_conditional_store() -> None:
    """UNCHANGEDSINCE may be 0 (RFC 7162 section 3.1.3)."""
    assert parse(parse_store, b"1:* (UNCHANGEDSINCE 0) FLAGS ()").unchanged_since == 0


@pytest.mark.parametrize(
    "sent",
    [b"", b"1 FLAGS", b"1 FLAGS ", b"1 FLAGSX (a)", b"1 +-FLAGS (a)", b"1 FLAGS (\\Recent)",
     b"1 FLAGS.SILENTLY (a)", b"1 (FOO 1) FLAGS (a)", b"1 () FLAGS (a)", b"1 FLAGS (a) b",
     b"1 (UNCHANGEDSINCE x) FLAGS (a)", b"1 FLAGS " + b" ".join(b"f%d" % n for n in range(129))],
)  # fmt: skip
def test_refused_stores(sent: bytes) -> None:
    """Everything beside the grammar, and too many flags, is BAD."""
    assert refused(parse_store, sent).status == "BAD"


def test_select() -> None:
    """Parameters of SELECT are optional."""
    assert parse(parse_select, b"inbox ").mailbox == "INBOX"
    args = parse(parse_select, b"x (condstore)")
    assert args.condstore
    assert args.qresync is None


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"(7 90)", QResync(7, 90)),
        (b"(7 90 1:3,9)", QResync(7, 90, UidSet.from_text("1:3,9"))),
        (b"(7 0 (1,3 5,9))", QResync(7, 0, None,
         (UidSet.from_text("1,3"), UidSet.from_text("5,9")))),
        (b"(7 90 1:9 (1 5) )", QResync(7, 90, UidSet.from_text("1:9"),
         (UidSet.from_text("1"), UidSet.from_text("5")))),
    ],
)  # fmt: skip
def test_qresync(sent: bytes, expected: QResync) -> None:
    """Both optional parts may be there or not (RFC 7162 section 3.2.5)."""
    assert parse(parse_select, b"x (QRESYNC " + sent + b")").qresync == expected


@pytest.mark.parametrize(
    "sent",
    [b"", b"x ()", b"x (FOO)", b"x (QRESYNC)", b"x (QRESYNC ())", b"x (QRESYNC (0 1))",
     b"x (QRESYNC (1))", b"x (QRESYNC (1 2 1:*))", b"x (QRESYNC (1 2 $))", b"x (QRESYNC (1 2 *))",
     b"x (QRESYNC (1 2 1 (1:2 5)))", b"x (QRESYNC (1 2 (1 2)", b"x (QRESYNC (1 2)) y",
     b"x (CONDSTORE CONDSTORE)", b"x CONDSTORE"],
)  # fmt: skip
def test_refused_selects(sent: bytes) -> None:
    """Everything beside the grammar is BAD."""
    assert refused(parse_select, sent).status == "BAD"


def test_append() -> None:
    """Flags and date are optional; several messages are one command (RFC 3502)."""
    args = parse(
        parse_append,
        b'Sent (\\Seen) " 7-Feb-1994 21:52:25 -0800" {3+}\r\nabc ~{2+}\r\n\0x'
        b" () UTF8 (~{1+}\r\nz) {0+}\r\n",
    )
    assert args.mailbox == "Sent"
    first, second, third, fourth = args.messages
    assert first.flags == ("\\Seen",)
    assert first.date is not None
    assert first.date.day == 7
    assert isinstance(first.body, Literal)
    assert isinstance(second.body, Literal)
    assert isinstance(third.body, Literal)
    assert isinstance(fourth.body, Literal)
    assert isinstance(first.body.sink, MemorySink)
    assert first.body.sink.value == b"abc"
    assert (second.body.binary, second.utf8) == (True, False)
    assert (third.body.size, third.utf8) == (1, True)
    assert (fourth.body.size, fourth.flags, fourth.date) == (0, (), None)


@pytest.mark.parametrize(
    "sent",
    [b"", b"x", b"x ", b"x ()", b'x "abc"', b"x abc", b"x {1+}\r\na b", b"x {1+}\r\na{1+}\r\nb",
     b'x " 7-Feb-1994 21:52:25" {1+}\r\na', b"x UTF8 {1+}\r\na", b"x UTF8 ({1+}\r\na",
     b"x (\\Recent) {1+}\r\na"],
)  # fmt: skip
def test_refused_appends(sent: bytes) -> None:
    """Everything beside the grammar is BAD."""
    assert refused(parse_append, sent).status == "BAD"


def test_append_mailbox_knows_message_data() -> None:
    """Only the literals that are messages may be large; their target is known before them."""
    assert append_mailbox([b"a append inbox (\\Seen) "]) == "INBOX"
    assert append_mailbox([b'a APPEND "Entw&APw-rfe" UTF8 (']) == "Entwürfe"
    assert append_mailbox([b"a APPEND "]) is None
    assert append_mailbox([b"a LOGIN bob "]) is None
    assert append_mailbox([b""]) is None
    assert append_mailbox([b"a APPEND \xc3\xa4 "], utf8=True) == "ä"


def test_create() -> None:
    """CREATE may ask for special uses (RFC 6154), in the server's spelling where known."""
    # rfc6154#3
    assert parse(parse_create, b"x").special_uses == ()
    assert parse(parse_create, b"x (USE (\\sent \\X-New \\SENT))").special_uses == (
        "\\Sent",
        "\\X-New",
    )
    for sent in (b"", b"x ()", b"x (FOO)", b"x (USE)", b"x (USE (Sent))", b"x y"):
        refused(parse_create, sent)


def test_enable() -> None:
    """Capability names in upper case, at least one, not without end. # rfc9051#6.3.1"""
    assert parse(parse_enable, b"condstore UTF8=accept CONDSTORE") == ("CONDSTORE", "UTF8=ACCEPT")
    for sent in (b"", b"(a)", b"a " * 101):
        refused(parse_enable, sent)


def test_id() -> None:
    """NIL, or up to 30 pairs (RFC 2971). # rfc2971#3.3"""
    assert parse(parse_id, b"nil") is None
    assert parse(parse_id, b"()") == {}
    assert parse(parse_id, b'("Name" "x" "os" NIL)') == {b"name": b"x", b"os": None}
    pair = b'"a" "b" '
    assert parse(parse_id, b"(" + pair * 30 + b")") == {b"a": b"b"}
    for sent in (
        b"", b'("a")', b'("a" b)', b"(" + pair * 31 + b")", b'("' + b"x" * 31 + b'" NIL)',
        b'("a" "' + b"x" * 1025 + b'")', b'"a" "b"',
    ):  # fmt: skip
        refused(parse_id, sent)
