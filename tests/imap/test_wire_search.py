"""Arguments of SEARCH."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.protocols.imap import search_keys as keys
from folkmoot.protocols.imap.search_keys import SearchKey, parse_search
from folkmoot.protocols.imap.sequence import SequenceSet
from tests.imap.wire import parse, refused
from tests.kit.pace import within

SEEN = keys.Flag("\\Seen")


def key(sent: bytes) -> SearchKey:
    """The tree of a search without options."""
    args = parse(parse_search, sent)
    assert args.returns is None
    return args.key


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"all", keys.All()),
        (b"ANSWERED", keys.Flag("\\Answered")),
        (b"undeleted", keys.Not(keys.Flag("\\Deleted"))),
        (b"DRAFT", keys.Flag("\\Draft")),
        (b"unflagged", keys.Not(keys.Flag("\\Flagged"))),
        (b"SEEN", SEEN),
        (b"UNSEEN", keys.Not(SEEN)),
        (b"RECENT", keys.Recent()),
        (b"OLD", keys.Not(keys.Recent())),
        (b"NEW", keys.And((keys.Recent(), keys.Not(SEEN)))),
        (b"KEYWORD $Junk", keys.Flag("$Junk")),
        (b"UNKEYWORD x", keys.Not(keys.Flag("x"))),
        (b"FROM bob", keys.Text("FROM", "bob")),
        (b'subject "a b"', keys.Text("SUBJECT", "a b")),
        (b"BODY {3+}\r\nabc", keys.Text("BODY", "abc")),
        (b'TEXT ""', keys.Text("TEXT", "")),
        (b"HEADER Message-ID <a@b>", keys.Header("MESSAGE-ID", "<a@b>")),
        (b"LARGER 0", keys.Larger(0)),
        (b"SMALLER 9223372036854775807", keys.Smaller(2**63 - 1)),
        (b"BEFORE 1-Feb-1994", keys.Day("BEFORE", date(1994, 2, 1), sent=False)),
        (b'SENTON "1-Feb-1994"', keys.Day("ON", date(1994, 2, 1), sent=True)),
        (b"sentsince 1-Feb-1994", keys.Day("SINCE", date(1994, 2, 1), sent=True)),
        (b"1:5,*", keys.Messages(SequenceSet.parse(b"1:5,*"), uid=False)),
        (b"*", keys.Messages(SequenceSet.parse(b"*"), uid=False)),
        (b"$", keys.Messages(SequenceSet.parse(b"$"), uid=False)),
        (b"UID 7", keys.Messages(SequenceSet.parse(b"7"), uid=True)),
        (b"MODSEQ 5", keys.ModSeq(5)),
        (b'MODSEQ "/flags/\\\\Seen" shared 5', keys.ModSeq(5, b"/flags/\\Seen", "SHARED")),
        (b"NOT NOT SEEN", keys.Not(keys.Not(SEEN))),
        (b"OR SEEN ALL", keys.Or((SEEN, keys.All()))),
        (b"OR SEEN OR ALL OR RECENT SEEN", keys.Or((SEEN, keys.All(), keys.Recent(), SEEN))),
        (b"OR (SEEN ALL) (ALL)", keys.Or((keys.And((SEEN, keys.All())), keys.All()))),
        (b"SEEN ALL ", keys.And((SEEN, keys.All()))),
        (b"SUBJECT \xc3\xa4", None),
    ],
)
def test_keys(sent: bytes, expected: SearchKey | None) -> None:
    """Each key gives its node; an unquoted 8-bit string is not in the grammar."""
    if expected is None:
        refused(parse_search, sent)
    else:
        assert key(sent) == expected


def test_result_options() -> None:
    """RETURN options are kept by name; none given means ALL (RFC 9051 section 6.4.4)."""
    assert parse(parse_search, b"RETURN () ALL").returns == {"ALL": True}
    returns = parse(parse_search, b"return (min Max COUNT save) ALL").returns
    assert returns is not None
    assert set(returns) == {"MIN", "MAX", "COUNT", "SAVE"}


@pytest.mark.parametrize(
    ("charset", "octets"),
    [(b"UTF-8", "ä"), (b'"utf-8"', "ä"), (b"ISO-8859-1", "ä"), (b"iso-2022-jp", "日"),
     (b"windows-1251", "ж"), (b"GB18030", "日"), (b"US-ASCII", "a")],
)  # fmt: skip
def test_charsets(charset: bytes, octets: str) -> None:
    """Strings are decoded by the charset that the client names."""
    codec = keys.CODECS[charset.strip(b'"').decode().upper()]
    sent = octets.encode(codec)
    args = b"CHARSET %b TEXT {%d+}\r\n%b" % (charset, len(sent), sent)
    assert parse(parse_search, args).key == keys.Text("TEXT", octets)


def test_every_codec_exists() -> None:
    """No charset is offered that Python cannot decode."""
    for codec in keys.CODECS.values():
        assert b"".decode(codec) == ""


def test_unknown_charset() -> None:
    """An unknown charset is NO [BADCHARSET], not BAD (RFC 9051 section 6.4.4)."""
    error = refused(parse_search, b"CHARSET x-klingon ALL")
    assert (error.status, error.code) == ("NO", "BADCHARSET (US-ASCII UTF-8)")


@pytest.mark.parametrize(
    "sent",
    [b"", b"()", b"NOT", b"OR SEEN", b"OR", b"FOO", b"SEEN)", b"(SEEN", b"FROM", b"KEYWORD \\Foo",
     b"LARGER x", b"BEFORE 31-Feb-2000", b"UID x", b"MODSEQ", b'MODSEQ "x" foo 1', b"HEADER a",
     b"RETURN (FOO) ALL", b"RETURN ALL", b"RETURN (MIN)", b"CHARSET UTF-8", b"RETURN (MIN MIN) ALL",
     b'CHARSET US-ASCII TEXT "\xc3\xa4"', b'CHARSET UTF-8 TEXT "\xff"', b'TEXT "\xff"', b"1:x",
     b"HEADER \xff a", b"1ALL", b"SEEN,ALL"],
)  # fmt: skip
def test_refused(sent: bytes) -> None:
    """Everything beside the grammar is BAD."""
    assert refused(parse_search, sent).status == "BAD"


def test_long_chains_of_or() -> None:
    """Clients look for hundreds of Message-IDs in one chain of OR; it is one node."""
    ids = b" ".join(b"OR HEADER Message-ID <%d@x>" % n for n in range(300))
    tree = key(ids + b" ALL")
    assert isinstance(tree, keys.Or)
    assert len(tree.keys) == 301


@pytest.mark.parametrize(
    "sent",
    [b"(" * 60_000, b"NOT " * 15_000 + b"ALL", b"OR " * 20_000, b"(NOT " * 12_000,
     b"ALL " * 15_000, b"OR ALL " * 9_000 + b"ALL"],
)  # fmt: skip
def test_hostile_trees_are_refused_at_once(sent: bytes) -> None:
    """Depth and number of keys are limited, and finding that out is quick."""
    with within(0.5):
        refused(parse_search, sent)


# A printer, so that any tree can be read back.


def wire(node: SearchKey) -> bytes:
    """The octets of a tree."""
    match node:
        case keys.And(members):
            return b"(%b)" % b" ".join(map(wire, members))
        case keys.Or((first, *rest)):
            more = wire(rest[0]) if len(rest) == 1 else wire(keys.Or(tuple(rest)))
            return b"OR %b %b" % (wire(first), more)
        case keys.Not(inner):
            return b"NOT " + wire(inner)
        case keys.Text(where, value):
            data = value.encode()
            return b"%b {%d+}\r\n%b" % (where.encode(), len(data), data)
        case keys.Messages(numbers, uid):
            return (b"UID " if uid else b"") + bytes(numbers)
        case keys.Larger(octets):
            return b"LARGER %d" % octets
        case keys.All():
            return b"ALL"
    raise AssertionError(node)


LEAVES = (
    st.just(keys.All())
    | st.integers(0, 2**63 - 1).map(keys.Larger)
    | st.builds(
        keys.Text,
        st.sampled_from(["FROM", "BODY", "SUBJECT"]),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    )
    | st.builds(keys.Messages, st.just(SequenceSet.parse(b"2:4,*")), st.booleans())
)


def _branches(inner: st.SearchStrategy[SearchKey]) -> st.SearchStrategy[SearchKey]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    # The last of an OR that is an OR itself reads back as one longer OR.
    joined = several.filter(lambda members: not isinstance(members[-1], keys.Or))
    return several.map(keys.And) | joined.map(keys.Or) | inner.map(keys.Not)


TREES: st.SearchStrategy[SearchKey] = st.recursive(LEAVES, _branches, max_leaves=10)


@given(TREES)
@settings(deadline=None)
def test_any_tree_reads_back(tree: SearchKey) -> None:
    """Printing a tree and parsing it gives the same tree."""
    assert key(wire(tree)) == tree
