"""addressbook-query against Radicale's filters, on generated cards and filters.

Where a card has a property once, and letters have one form only, both read RFC 6352 the same way.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from xml.etree import ElementTree

import radicale.item.filter
import vobject  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dav.books import Books, R, prop_filter, query, text_match
from tests.dav.cards import card
from tests.kit.dav import multistatus
from tests.kit.server import TestServer

NAMES = ("NICKNAME", "NOTE", "EMAIL", "TEL", "TITLE")
PARAMS = ("TYPE", "X-P")
WORDS = ("ann", "Ann", "BERT", "bert o", "o", "жЖ", "λ", "x-y")
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)


@st.composite
def cards(draw: st.DrawFn) -> tuple[bytes, ...]:
    """Cards with some of the properties, each once, some with a parameter."""
    made = []
    for number in range(draw(st.integers(1, 8))):
        lines = []
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
            params = draw(st.sampled_from(("", ";TYPE=HOME", ";TYPE=work", ";X-P=ann")))
            lines.append(f"{name}{params}:{draw(texts)}")
        made.append(card(*lines, uid=str(number)))
    return tuple(made)


@st.composite
def text_matches(draw: st.DrawFn) -> str:
    """A text-match with all its attributes, or without."""
    attributes = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "collation": st.sampled_from(("i;unicode-casemap", "i;octet")),
                "match_type": st.sampled_from(("equals", "contains", "starts-with", "ends-with")),
                "negate_condition": st.sampled_from(("yes", "no")),
            },
        )
    )
    return text_match(draw(st.one_of(st.sampled_from(WORDS), texts)), **attributes)


@st.composite
def param_filters(draw: st.DrawFn) -> str:
    """A param-filter with one condition, or none."""
    attributes = {"negate_condition": draw(st.sampled_from(("yes", "no")))}
    inside = draw(
        st.sampled_from(
            (
                "",
                "<R:is-not-defined/>",
                text_match("home", **attributes),
                text_match("an", **attributes),
            )
        )
    )
    name = draw(st.sampled_from(PARAMS))
    return f'<R:param-filter name="{name}">{inside}</R:param-filter>'


@st.composite
def prop_filters(draw: st.DrawFn) -> str:
    """A prop-filter with some conditions."""
    parts: Sequence[str] = draw(
        st.one_of(
            st.just(["<R:is-not-defined/>"]),
            st.lists(st.one_of(text_matches(), param_filters()), max_size=3),
        )
    )
    test = draw(st.sampled_from(("", "anyof", "allof")))
    return prop_filter(draw(st.sampled_from((*NAMES, "FN", "X-NONE"))), "".join(parts), test)


def by_radicale(octets: bytes, body: str) -> bool:
    """Whether a card matches the filter in a request."""
    found = ElementTree.fromstring(body).find(f"{R}filter")
    assert found is not None
    read = vobject.readOne(octets.decode())
    results = [radicale.item.filter.prop_match(read, each, "CR") for each in found]
    return any(results) if found.get("test", "anyof") == "anyof" else all(results)


def test_as_radicale(server: TestServer) -> None:
    """The same cards match."""
    books = Books(server).begin()
    numbers = itertools.count()

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        cards(),
        st.lists(
            st.tuples(
                st.lists(prop_filters(), min_size=1, max_size=3),
                st.sampled_from(("", "anyof", "allof")),
            ),
            min_size=3,
            max_size=10,
        ),
    )
    def same(stored: tuple[bytes, ...], asked: list[tuple[list[str], str]]) -> None:
        name = f"Book{next(numbers)}"
        assert books.new_book(name).status == 201
        book = f"{books.home}{name}/"
        for number, octets in enumerate(stored):
            books.put(f"{book}{number}", octets)
        for filters, test in asked:
            body = query("".join(filters), test=test)
            found = multistatus(books.call("REPORT", book, body, Depth="1"))
            expected = [
                f"{book}{number}"
                for number, octets in enumerate(stored)
                if by_radicale(octets, body)
            ]
            assert sorted(found.hrefs) == expected, body
        assert books.call("DELETE", book).status == 204

    same()
