"""Addresses out of header fields as people's programs write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.storage.content.addresses import GROUP_END, Mailbox, addresses
from tests.kit.pace import within


def _box(
    local: bytes, domain: bytes, name: bytes | None = None, route: bytes | None = None
) -> Mailbox:
    return Mailbox(name, route, local, domain)


def _group(name: bytes) -> Mailbox:
    return Mailbox(None, None, name, None)


_AB = _box(b"a", b"b.c")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", []),
        (b"  ", []),
        (b",,", []),
        (b"a@b.c", [_AB]),
        (b"<a@b.c>", [_AB]),
        (b" a@b.c , d@e.f ", [_AB, _box(b"d", b"e.f")]),
        (b"A  B <a@b.c>", [_box(b"a", b"b.c", b"A B")]),
        (b'"B, A" <a@b.c>', [_box(b"a", b"b.c", b"B, A")]),
        (b'"A \\"x\\" B" <a@b.c>', [_box(b"a", b"b.c", b'A "x" B')]),
        (b'A "B" C<a@b.c>', [_box(b"a", b"b.c", b"A B C")]),
        (b"John Q. Public <a@b.c>", [_box(b"a", b"b.c", b"John Q. Public")]),
        (b"=?utf-8?q?=C3=A4?= <a@b.c>", [_box(b"a", b"b.c", b"=?utf-8?q?=C3=A4?=")]),
        (b"\xc3\xa4 <a@b.c>", [_box(b"a", b"b.c", b"\xc3\xa4")]),
        # Comments
        (b"a@b.c (A B)", [_box(b"a", b"b.c", b"A B")]),
        (b"a@b.c (A (x) \\) B)", [_box(b"a", b"b.c", b"A (x) ) B")]),
        (b"N <a@b.c> (comment)", [_box(b"a", b"b.c", b"N")]),
        (b"(x) a(y)@(z)b.c", [_box(b"a", b"b.c", b"z")]),
        (b"<a@b.c> (A)", [_box(b"a", b"b.c", b"A")]),
        (b"a@b.c (unclosed", [_box(b"a", b"b.c", b"unclosed")]),
        # Local parts and domains
        (b'"a b"@c.d', [_box(b"a b", b"c.d")]),
        (b'<"a\\"b"@c.d>', [_box(b'a"b', b"c.d")]),
        (b"a . b @ c . d", [_box(b"a.b", b"c.d")]),
        (b"a@[192.0.2.1]", [_box(b"a", b"[192.0.2.1]")]),
        (b"a+b=c/d@e", [_box(b"a+b=c/d", b"e")]),
        (b"a@b@c", [_box(b"a", b"b@c")]),
        # Routes
        (b"<@x,@y:a@b.c>", [_box(b"a", b"b.c", None, b"@x,@y")]),
        (b"N <@x:a@b.c>, d@e", [_box(b"a", b"b.c", b"N", b"@x"), _box(b"d", b"e")]),
        # Groups
        (b"g: a@b.c;", [_group(b"g"), _AB, GROUP_END]),
        (b"my group: A <a@b.c>, d;, e@f", [
            _group(b"my group"), _box(b"a", b"b.c", b"A"), _box(b"d", b""), GROUP_END,
            _box(b"e", b"f"),
        ]),
        (b"undisclosed-recipients:;", [_group(b"undisclosed-recipients"), GROUP_END]),
        (b'"a b": ;', [_group(b"a b"), GROUP_END]),
        (b"g: a@b.c", [_group(b"g"), _AB, GROUP_END]),
        # What is missing or too much
        (b"a", [_box(b"a", b"")]),
        (b"a@", [_box(b"a", b"")]),
        (b"@b", [_box(b"", b"b")]),
        (b"<>", [_box(b"", b"")]),
        (b"N <>", [_box(b"", b"", b"N")]),
        (b"N <a>", [_box(b"a", b"", b"N")]),
        (b"N <a@b.c", [_box(b"a", b"b.c", b"N")]),
        (b"<<a@b.c>>", [_AB]),
        (b"a@b.c <a@b.c>", [_box(b"a", b"b.c", b"a@b.c")]),
        (b"A B a@b.c", [_box(b"a", b"b.c", b"A B")]),
        (b"a@b.c; d@e.f;", [_AB, _box(b"d", b"e.f")]),
        (b"A <a@b.c>; D <d@e.f>", [_box(b"a", b"b.c", b"A"), _box(b"d", b"e.f", b"D")]),
        (b'"N <a@b.c>', [_box(b"a", b"b.c", b"N")]),
        (b"a@b.c d@e.f", [_box(b"a", b"b.c")]),
        (b"a@b . c d", [_box(b"a", b"b.c")]),
        (b"some words here", [_box(b"", b"", b"some words here")]),
        (b"a@b.c\r\n\t, d@e.f", [_AB, _box(b"d", b"e.f")]),
    ],
)  # fmt: skip
def test_addresses(value: bytes, expected: list[Mailbox]) -> None:
    """Each field gives the addresses that a person reads in it. # rfc5322#3.4, rfc5322#4.4"""
    assert addresses(value) == expected


@given(st.lists(st.sampled_from([*b'"\\(),:;<>@[] ab.=\xe4', 0]), max_size=40).map(bytes))
@settings(max_examples=500, deadline=None)
def test_any_octets_give_addresses(value: bytes) -> None:
    """No value fails, and groups always close."""
    found = addresses(value)
    depth = 0
    for each in found:
        if each == GROUP_END:
            depth -= 1
        elif each.domain is None:
            depth += 1
        else:
            assert each.local is not None
        assert depth in (0, 1)
    assert depth == 0


def test_simple_and_odd_shapes_agree() -> None:
    """The two readers of the same address say the same."""
    for value in (b"a@b.c", b"A B <a@b.c>", b'"B, A" <a@b.c>', b"<a@b.c>"):
        # A comment sends the value to the second reader.
        assert addresses(value + b" ()") == addresses(value)


def test_long_lists_are_cut() -> None:
    """No more addresses than the limit come out of a field, and quickly."""
    with within(0.5):
        assert len(addresses(b"a@b, " * 100_000, 100)) == 100
        assert len(addresses(b"(c) a@b, " * 100_000, 100)) == 100
