"""Arguments of LIST, LSUB and STATUS, and matching of patterns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.protocols.imap.list_args import (
    ListPattern,
    StatusArgs,
    list_match,
    parse_list,
    parse_lsub,
    parse_status,
)
from tests.imap.wire import parse, refused
from tests.kit.pace import within


def test_plain_list() -> None:
    """The form of RFC 3501 is told apart from the extended one."""
    args = parse(parse_list, b'"" *')
    assert (args.reference, args.patterns, args.extended) == ("", ("*",), False)
    assert args.selections == args.returns == {}
    assert parse(parse_list, b'"" ""').patterns == ("",)
    assert parse(parse_list, b"~/Mail/ %").reference == "~/Mail/"


def test_extended_list() -> None:
    """Selection options, several patterns and return options (RFC 9051 section 6.3.9)."""
    args = parse(
        parse_list,
        b'(subscribed RECURSIVEMATCH) "" ("INBOX" Sent/%)'
        b" return (Children SPECIAL-USE status (MESSAGES unseen messages))",
    )
    assert set(args.selections) == {"SUBSCRIBED", "RECURSIVEMATCH"}
    assert args.patterns == ("INBOX", "Sent/%")
    assert set(args.returns) == {"CHILDREN", "SPECIAL-USE", "STATUS"}
    assert args.status_items == ("MESSAGES", "UNSEEN")
    assert args.extended
    assert parse(parse_list, b'() "" * RETURN ()').extended
    assert parse(parse_list, b'"" (*)').extended


def test_names_are_decoded() -> None:
    """Patterns are mUTF-7, or UTF-8 when the session speaks it."""
    assert parse(parse_list, b'"" "Entw&APw-*"').patterns == ("Entwü*",)
    assert parse(parse_list, '"" "Entwü*"'.encode(), utf8=True).patterns == ("Entwü*",)


@pytest.mark.parametrize(
    "sent",
    [b"", b'""', b'"" () ', b'(FOO) "" *', b'(RECURSIVEMATCH) "" *',
     b'(REMOTE RECURSIVEMATCH) "" *', b'"" * FOO', b'"" * RETURN', b'"" * RETURN (FOO)',
     b'"" * RETURN (STATUS)', b'"" * RETURN (STATUS ())',
     b'"" "' + b"x" * 1001 + b'"', b'"" (' + b"x " * 101 + b")", b'"" "' + b"a*" * 101 + b'"',
     b'"" * x', b'"" "R&D"'],
)  # fmt: skip
def test_refused_lists(sent: bytes) -> None:
    """Everything beside the grammar, and everything over a limit, is BAD."""
    assert refused(parse_list, sent).status == "BAD"


def test_lsub() -> None:
    """LSUB has the old form only."""
    assert parse(parse_lsub, b'"" %').patterns == ("%",)
    refused(parse_lsub, b'"" (*)')
    refused(parse_lsub, b'"" * RETURN ()')


def test_status() -> None:
    """STATUS items in any case, without repeats."""
    args = parse(parse_status, b"inbox (messages UIDNEXT uidvalidity messages HIGHESTMODSEQ size)")
    assert args == StatusArgs(
        "INBOX", ("MESSAGES", "UIDNEXT", "UIDVALIDITY", "HIGHESTMODSEQ", "SIZE")
    )
    for sent in (b"INBOX", b"INBOX ()", b"INBOX (FOO)", b"INBOX MESSAGES", b"(MESSAGES)"):
        refused(parse_status, sent)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("*", "a/b/c", True),
        ("%", "a/b", False),
        ("%", "a", True),
        ("%/%", "a/b", True),
        ("a/%", "a/", True),
        ("a%c", "a/c", False),
        ("*c", "a/b/c", True),
        ("%*", "a/b", True),
        ("*%", "a/b", True),
        ("a.c", "abc", False),
        ("", "", True),
        ("", "a", False),
        ("inbox", "INBOX", True),
        ("InB%", "INBOX", True),
        ("inb*", "INBOX/x", False),
        ("inbox/*", "INBOX/x", True),
        ("inboxes", "INBOXES", False),
        ("INBOX*", "INBOX", True),
        ("Sent", "sent", False),
        ("X/%", "a/X/b", False),
        ("*X%", "X/aXb", True),
        ("(a+)+$", "(a+)+$", True),
    ],
)
def test_patterns(pattern: str, name: str, expected: bool) -> None:
    """Wildcards, levels, and INBOX in any case."""
    assert ListPattern(pattern).matches(name) is expected
    assert list_match(["nothing", pattern], name) is expected


def naive(pattern: str, name: str) -> bool:
    """Matching by trying everything."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(naive(pattern[1:], name[n:]) for n in range(len(name) + 1))
    if pattern[0] == "%":
        level = name.find("/") if "/" in name else len(name)
        return any(naive(pattern[1:], name[n:]) for n in range(level + 1))
    return name[:1] == pattern[0] and naive(pattern[1:], name[1:])


@given(st.text("ab/*%", max_size=7), st.text("ab/", max_size=8))
def test_patterns_mean_what_trying_says(pattern: str, name: str) -> None:
    """The matcher agrees with one that tries every possibility."""
    assert ListPattern(pattern).matches(name) == naive(pattern, name)


@pytest.mark.parametrize("pattern", ["*a" * 50 + "b", "%a" * 50 + "b", "*%" * 50 + "b"])
def test_no_catastrophic_pattern(pattern: str) -> None:
    """The worst pattern against a long name is answered in milliseconds."""
    with within(0.2):
        assert not ListPattern(pattern).matches("a" * 500)
