"""CARDDAV:filter as a value (RFC 6352 section 10.5)."""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeVar

from folkmoot.protocols.carddav.words import card, refuse
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.http.xml import Element, child, children, text
from folkmoot.storage.content.vcard.filters import (
    Collation,
    Filter,
    MatchType,
    ParamFilter,
    PropFilter,
    Test,
    TextMatch,
)

E = TypeVar("E", bound=Enum)

MAX_NAME: Final = 200  # characters of a name of a property or parameter
_ABSENT: Final = card("is-not-defined")
_TEXT: Final = card("text-match")
_PARAM: Final = card("param-filter")


def filter_of(root: Element) -> Filter:
    """The filter of a report; one that lets everything pass where there is none, as KDE asks.

    Raises ``DavError`` (supported-filter, supported-collation).
    """
    # rfc6352#10.5
    found = child(root, card("filter"))
    if found is None:
        return Filter()
    props = [_prop(each) for each in _inside(found, card("prop-filter"))]
    try:
        return Filter(tuple(props), _one_of(Test, found.get("test"), Test.ANYOF))
    except ValueError:
        raise refuse("supported-filter", text="The filter has too many parts.") from None


def _prop(found: Element) -> PropFilter:
    """A prop-filter. # rfc6352#10.5.1"""
    name = _name(found)
    inside = _inside(found, _ABSENT, _TEXT, _PARAM)
    if _is_absent(inside):
        return PropFilter(name, is_not_defined=True)
    return PropFilter(
        name,
        test=_one_of(Test, found.get("test"), Test.ANYOF),
        text_matches=tuple(_text_match(each) for each in inside if each.tag == _TEXT),
        param_filters=tuple(_param(each) for each in inside if each.tag == _PARAM),
    )


def _param(found: Element) -> ParamFilter:
    """A param-filter. # rfc6352#10.5.2"""
    name = _name(found)
    inside = _inside(found, _ABSENT, _TEXT)
    if _is_absent(inside):
        return ParamFilter(name, is_not_defined=True)
    if len(inside) > 1:
        raise DavError(400, text="A param-filter has one condition at most.")
    return ParamFilter(name, text_match=_text_match(inside[0]) if inside else None)


def _text_match(found: Element) -> TextMatch:
    """A text-match. # rfc6352#10.5.4"""
    negate = str(found.get("negate-condition", "no")).strip().lower()
    if negate not in ("yes", "no"):
        raise DavError(400, text="negate-condition is yes or no.")
    kind = _one_of(MatchType, found.get("match-type"), MatchType.CONTAINS)
    try:
        return TextMatch(text(found), _collation(found), kind, negate == "yes")
    except ValueError:
        raise refuse("supported-filter", text="The text to search for is too long.") from None


def _collation(found: Element) -> Collation:
    # rfc6352#8.3
    name = str(found.get("collation", "default")).strip().lower()
    if name == "default":
        return Collation.UNICODE
    try:
        return Collation(name)
    except ValueError:
        raise refuse("supported-collation", text="This collation is not known.") from None


def _one_of(kind: type[E], given: str | None, default: E) -> E:
    if given is None:
        return default
    try:
        return kind(given.strip().lower())
    except ValueError:
        raise DavError(400, text="An attribute of the filter has no proper value.") from None


def _inside(found: Element, *known: str) -> list[Element]:
    """What is in a filter. Raises ``DavError`` for what is not understood."""
    inside = list(children(found))
    for each in inside:
        if each.tag not in known:
            raise refuse("supported-filter", text="A part of the filter is not understood.")
    return inside


def _is_absent(inside: list[Element]) -> bool:
    if not any(each.tag == _ABSENT for each in inside):
        return False
    if len(inside) > 1:
        raise DavError(400, text="is-not-defined stands alone.")
    return True


def _name(found: Element) -> str:
    name = str(found.get("name", "")).strip()
    if not 0 < len(name) <= MAX_NAME:
        raise DavError(400, text="A filter has no proper name.")
    return name
