"""Filters of addressbook-query."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.storage.content.vcard.escaping import escape
from folkmoot.storage.content.vcard.facts import facts_of
from folkmoot.storage.content.vcard.filters import (
    CONDITION_LIMIT,
    Collation,
    Filter,
    MatchType,
    ParamFilter,
    PropFilter,
    Test,
    TextMatch,
)
from folkmoot.storage.content.vcard.intake import read_card
from folkmoot.storage.content.vcard.matching import decide, matches, needle
from tests.dav import cards
from tests.dav.cards import card
from tests.kit.pace import within

C, M = Collation, MatchType


def prop(
    name: str, *texts: TextMatch, params: tuple[ParamFilter, ...] = (), test: Test = Test.ANYOF
) -> Filter:
    """A filter on one property."""
    return Filter((PropFilter(name, test=test, text_matches=texts, param_filters=params),))


def check(octets: bytes, wanted: Filter) -> bool:
    """Match by octets, card, facts and needle; all must agree."""
    read = read_card(octets)
    result = matches(octets, wanted)
    assert matches(read, wanted) is result
    text = facts_of(read).text
    assert decide(text, wanted) in (None, result)
    clue = needle(wanted)
    if result and clue is not None:
        assert clue in text
    return result


def test_nothing_asked() -> None:
    """KDE sends no filter at all; an empty one lets everything pass too."""
    for test in Test:
        assert check(cards.KDE, Filter(test=test))
        assert decide("", Filter(test=test)) is True
        assert needle(Filter(test=test)) is None


@pytest.mark.parametrize(
    ("text", "collation", "kind", "found"),
    [
        ("müller", C.UNICODE, M.CONTAINS, True),
        ("MÜLLER", C.UNICODE, M.CONTAINS, True),
        ("mu\u0308ller", C.UNICODE, M.ENDS_WITH, True),
        ("dr. j", C.UNICODE, M.STARTS_WITH, True),
        ("jörg", C.UNICODE, M.STARTS_WITH, False),
        ("dr. jörg müller", C.UNICODE, M.EQUALS, True),
        ("dr. jörg", C.UNICODE, M.EQUALS, False),
        ("müller", C.ASCII, M.CONTAINS, False),
        ("MüLLER", C.ASCII, M.CONTAINS, True),
        ("MÜLLER", C.ASCII, M.CONTAINS, False),
        ("Müller", C.OCTET, M.ENDS_WITH, True),
        ("müller", C.OCTET, M.ENDS_WITH, False),
        ("", C.UNICODE, M.CONTAINS, True),
        ("", C.UNICODE, M.EQUALS, False),
    ],
)
def test_texts(text: str, collation: Collation, kind: MatchType, found: bool) -> None:
    """The collations and places of RFC 6352 section 10.5.4."""
    if (text, collation) == ("müller", C.ASCII):
        text = "mÜller"
    wanted = prop("FN", TextMatch(text, collation, kind))
    assert check(cards.APPLE, wanted) is found
    assert check(cards.APPLE, prop("FN", TextMatch(text, collation, kind, True))) is not found


def test_value_without_backslashes() -> None:
    """Commas, semicolons and line ends are searched for as people write them."""
    assert check(cards.APPLE, prop("TITLE", TextMatch("leiter, einkauf", match_type=M.EQUALS)))
    assert check(cards.APPLE, prop("NOTE", TextMatch("one\nline two; with \\ and")))
    assert not check(cards.APPLE, prop("NOTE", TextMatch("\\n")))


def test_defined() -> None:
    """A property that is there or not, in any case of letters. # rfc6352#10.5.3"""
    assert check(cards.APPLE, prop("x-socialprofile"))
    assert check(cards.APPLE, prop("PHOTO"))
    assert not check(cards.GOOGLE, prop("PHOTO"))
    assert not check(cards.GOOGLE, prop("MAIL"))
    absent = Filter((PropFilter("PHOTO", is_not_defined=True),))
    assert check(cards.GOOGLE, absent)
    assert not check(cards.APPLE, absent)


def test_groups() -> None:
    """RFC 6352 section 10.5.1: without a group any will do, with one only this."""
    text = TextMatch("joerg")
    assert check(cards.APPLE, prop("EMAIL", text))
    assert check(cards.APPLE, prop("ITEM1.email", text))
    assert not check(cards.APPLE, prop("item2.EMAIL", text))
    assert check(cards.APPLE, Filter((PropFilter("item2.EMAIL", is_not_defined=True),)))


def test_negated_conditions_are_about_one_property() -> None:
    """An EMAIL without the text is enough, but there must be one (SabreDAV, Radicale, DAViCal)."""
    without = TextMatch("example.org", negate=True)
    assert check(cards.APPLE, prop("EMAIL", without))
    assert not check(card("EMAIL:a@example.org"), prop("EMAIL", without))
    assert not check(card(), prop("EMAIL", without))


def test_parameters() -> None:
    """Conditions on parameters hold for the property that is looked at. # rfc6352#10.5.2"""
    home = TextMatch("home", match_type=M.EQUALS)
    assert check(cards.APPLE, prop("EMAIL", params=(ParamFilter("type", text_match=home),)))
    assert check(cards.APPLE, prop("EMAIL", params=(ParamFilter("TYPE"),)))
    assert not check(cards.APPLE, prop("EMAIL", params=(ParamFilter("PREF"),)))
    assert check(cards.APPLE, prop("EMAIL", params=(ParamFilter("PREF", is_not_defined=True),)))
    assert not check(cards.APPLE, prop("EMAIL", params=(ParamFilter("TYPE", is_not_defined=True),)))
    work = (ParamFilter("TYPE", text_match=TextMatch("work")),)
    assert not check(cards.APPLE, prop("EMAIL", params=work))
    assert not check(cards.APPLE, prop("NICKNAME", params=work))
    # One value of several is enough, and a negated condition wants none of them.
    not_home = ParamFilter("TYPE", text_match=TextMatch("home", negate=True))
    one = card("EMAIL;TYPE=HOME,WORK:a@b")
    assert check(one, prop("EMAIL", params=(ParamFilter("TYPE", text_match=home),)))
    assert not check(one, prop("EMAIL", params=(not_home,)))
    assert not check(card("EMAIL:a@b"), prop("EMAIL", params=(not_home,)))
    assert check(cards.APPLE, prop("EMAIL", params=(not_home,)))


def test_one_property_must_fulfil_all() -> None:
    """With allof, the text and the parameter must be of one property."""
    home = ParamFilter("TYPE", text_match=TextMatch("home"))
    joerg, jm = TextMatch("joerg"), TextMatch("jm@")
    assert not check(cards.APPLE, prop("EMAIL", joerg, params=(home,), test=Test.ALLOF))
    assert check(cards.APPLE, prop("EMAIL", jm, params=(home,), test=Test.ALLOF))
    assert check(cards.APPLE, prop("EMAIL", joerg, params=(home,), test=Test.ANYOF))
    assert not check(cards.APPLE, prop("EMAIL", joerg, jm, test=Test.ALLOF))
    assert check(cards.APPLE, prop("EMAIL", joerg, TextMatch("nobody"), test=Test.ANYOF))


def test_any_or_all() -> None:
    """The test of the whole filter; anyof if none is given. # rfc6352#10.5"""
    yes, no = PropFilter("EMAIL"), PropFilter("NICKNAME")
    assert Filter((yes, no)).test is Test.ANYOF
    assert check(cards.APPLE, Filter((yes, no)))
    assert not check(cards.APPLE, Filter((yes, no), Test.ALLOF))
    assert check(cards.APPLE, Filter((yes, yes), Test.ALLOF))
    assert not check(cards.APPLE, Filter((no, no)))


def test_data_is_no_text() -> None:
    """Photos are not searched through."""
    start = cards.PIXEL[:8].decode()
    assert not check(cards.APPLE, prop("PHOTO", TextMatch(start)))
    assert check(cards.APPLE, prop("PHOTO", TextMatch(start, negate=True)))


@pytest.mark.parametrize(
    ("wanted", "clue"),
    [
        (prop("EMAIL"), "EMAIL\x1f"),
        (prop("FN", TextMatch("Smi")), "SMI"),
        (prop("FN", TextMatch("Smi", match_type=M.STARTS_WITH)), "FN\x1fSMI"),
        (prop("FN", TextMatch("Smi", match_type=M.ENDS_WITH)), "SMI\n"),
        (prop("UID", TextMatch("a", C.OCTET, M.EQUALS)), "UID\x1fA\n"),
        (prop("FN", TextMatch("éab")), "AB"),
        (prop("FN", TextMatch("x", negate=True)), "FN\x1f"),
        (Filter((PropFilter("FN", is_not_defined=True),)), None),
        (
            Filter(
                (
                    PropFilter("FN", text_matches=(TextMatch("smi"),)),
                    PropFilter("EMAIL", text_matches=(TextMatch("smi", match_type=M.EQUALS),)),
                )
            ),
            "SMI",
        ),
        (Filter((PropFilter("FN"), PropFilter("EMAIL"))), None),
        (Filter((PropFilter("FN"), PropFilter("EMAIL")), Test.ALLOF), "EMAIL\x1f"),
        (prop("FN", TextMatch("ab"), TextMatch("cde"), test=Test.ALLOF), "CDE"),
        (prop("FN", TextMatch("ab"), TextMatch("abc")), "AB"),
        (prop("FN", TextMatch("ab"), TextMatch("cde")), "FN\x1f"),
        (prop("FN", TextMatch("ab"), params=(ParamFilter("TYPE"),)), "FN\x1f"),
    ],
)
def test_needle(wanted: Filter, clue: str | None) -> None:
    """The text for the database is right, and as long as can be."""
    assert needle(wanted) == clue


def test_decided_without_the_card() -> None:
    """What programs ask is answered from the facts alone."""
    text = facts_of(read_card(cards.APPLE)).text
    assert decide(text, prop("FN", TextMatch("jörg"))) is True
    assert decide(text, prop("NICKNAME", params=(ParamFilter("TYPE"),))) is False
    assert decide(text, prop("EMAIL", params=(ParamFilter("TYPE"),))) is None
    assert decide(text, prop("FN", TextMatch("jörg", C.ASCII))) is None
    assert decide(text, prop("item1.EMAIL")) is None
    known, unknown = PropFilter("FN"), PropFilter("item1.EMAIL")
    assert decide(text, Filter((known, unknown))) is True
    assert decide(text, Filter((known, unknown), Test.ALLOF)) is None
    assert decide(text, Filter((PropFilter("NONE"), unknown), Test.ALLOF)) is False


def test_limits() -> None:
    """A client cannot send filters or texts of any size."""
    Filter((PropFilter("FN"),) * CONDITION_LIMIT)
    with pytest.raises(ValueError, match="conditions"):
        Filter((PropFilter("FN"),) * (CONDITION_LIMIT + 1))
    with pytest.raises(ValueError, match="long"):
        TextMatch("x" * 2001)


def test_largest_filter_is_cheap() -> None:
    """All conditions that a client may send, on a card of many properties."""
    octets = card(*[f"EMAIL;TYPE=HOME:a{number}@example.org" for number in range(1000)])
    wanted = Filter((PropFilter("EMAIL", text_matches=(TextMatch("zz"),) * (CONDITION_LIMIT - 1)),))
    text = facts_of(read_card(octets)).text
    with within(2):
        assert decide(text, wanted) is False
        assert not matches(octets, wanted)
        assert needle(wanted) == "ZZ"


# --- against a naive matcher -----------------------------------------------------------------

WORDS = st.text(st.sampled_from("aAbBéE\u0301\u0323ßſİıΣσς한ǆ;,\\\n @"), max_size=6)
NAMES = st.sampled_from(["EMAIL", "NOTE", "X-A", "X-EMAIL"])
TEXTS = st.builds(
    TextMatch, WORDS, st.sampled_from(Collation), st.sampled_from(MatchType), st.booleans()
)
PARAMS = st.builds(ParamFilter, st.sampled_from(["TYPE", "X-P"]), st.booleans(), st.none() | TEXTS)
PROPS = st.builds(
    PropFilter,
    NAMES | NAMES.map(lambda name: "g." + name),
    st.booleans(),
    st.sampled_from(Test),
    st.lists(TEXTS, max_size=2).map(tuple),
    st.lists(PARAMS, max_size=2).map(tuple),
)
FILTERS = st.builds(Filter, st.lists(PROPS, max_size=3).map(tuple), st.sampled_from(Test))
VALUES = st.text(st.sampled_from("abé"), min_size=1, max_size=3)
LINES = st.lists(
    st.tuples(
        st.sampled_from(["", "g", "h"]),
        NAMES,
        st.dictionaries(st.sampled_from(["TYPE", "X-P"]), st.lists(VALUES, min_size=1, max_size=2)),
        WORDS,
    ),
    max_size=5,
)
Lines = list[tuple[str, str, dict[str, list[str]], str]]


def _fold(text: str, collation: Collation) -> str:
    if collation is C.OCTET:
        return text
    if collation is C.ASCII:
        return "".join(each.lower() if each.isascii() else each for each in text)
    # rfc5051#2: the simple titlecase of each character, then decomposed
    titled = [each.title() if len(each.title()) == 1 else each for each in text]
    return unicodedata.normalize("NFKD", "".join(titled))


def _has(values: list[str], wanted: TextMatch) -> bool:
    text = _fold(wanted.text, wanted.collation)
    found = False
    for value in values:
        value = _fold(value, wanted.collation)
        place = value.find(text)
        if wanted.match_type is M.ENDS_WITH:
            place = value[::-1].find(text[::-1])
        if wanted.match_type is M.EQUALS:
            found = found or value == text
        elif wanted.match_type is M.CONTAINS:
            found = found or place >= 0
        else:
            found = found or place == 0
    return not found if wanted.negate else found


def _naive(lines: Lines, wanted: Filter) -> bool:
    """A matcher that follows the words of the RFC, without regard to speed."""
    results = []
    for each in wanted.props:
        group, _, name = each.name.rpartition(".")
        hits = []
        for line in lines:
            if line[1] != name or (group and line[0] != group):
                continue
            conditions = [_has([line[3]], text) for text in each.text_matches]
            for param in each.param_filters:
                values = line[2].get(param.name)
                if param.is_not_defined:
                    conditions.append(values is None)
                else:
                    conditions.append(
                        values is not None
                        and (param.text_match is None or _has(values, param.text_match))
                    )
            test = any if each.test is Test.ANYOF else all
            hits.append(test(conditions) if conditions else True)
        results.append(not hits if each.is_not_defined else any(hits))
    if not results:
        return True
    return any(results) if wanted.test is Test.ANYOF else all(results)


@settings(max_examples=1500, deadline=None)
@given(LINES, FILTERS)
def test_same_as_naive(lines: Lines, wanted: Filter) -> None:
    """All ways to an answer agree with the naive one, on any card and filter."""
    written = [
        (group + "." if group else "")
        + name
        + "".join(f";{param}={','.join(values)}" for param, values in params.items())
        + ":"
        + escape(value)
        for group, name, params, value in lines
    ]
    assert check(card(*written), wanted) is _naive(lines, wanted)
