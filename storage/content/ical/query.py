"""CALDAV:filter as a value, and what of it an index can answer (RFC 4791 section 9.7)."""

from __future__ import annotations

import enum
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.facts import ADDRESS_PROPERTIES, TEXT_PROPERTIES, fold
from folkmoot.storage.content.ical.intake import KINDS
from folkmoot.storage.content.ical.spans import TimeRange

_FOLDED = TEXT_PROPERTIES | ADDRESS_PROPERTIES


class Collation(enum.Enum):
    """How texts are compared (RFC 4790, RFC 5051)."""

    ASCII_CASEMAP = "i;ascii-casemap"
    OCTET = "i;octet"
    UNICODE_CASEMAP = "i;unicode-casemap"

    def key(self, text: str) -> str:
        """Return the text in the form in which it is compared."""
        if self is Collation.OCTET:
            return text
        if self is Collation.ASCII_CASEMAP:
            return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)
        return unicodedata.normalize("NFKD", text.casefold())


_ASCII_LOWER = {code: code + 32 for code in range(65, 91)}


def collation_named(name: str) -> Collation:
    """Return the collation of a name; "" and "default" are i;ascii-casemap.

    Raises `CalendarError` "supported-collation" (RFC 4791 section 7.5.1).
    """
    if name in ("", "default"):
        return Collation.ASCII_CASEMAP
    try:
        return Collation(name)
    except ValueError:
        raise CalendarError("supported-collation", "This collation is not supported.") from None


class MatchType(enum.Enum):
    """Where in a value a text has to be. RFC 4791 knows CONTAINS only."""

    CONTAINS = "contains"
    EQUALS = "equals"
    STARTS_WITH = "starts-with"
    ENDS_WITH = "ends-with"


@dataclass(frozen=True, slots=True)
class TextMatch:
    """CALDAV:text-match (RFC 4791 section 9.7.5)."""

    text: str
    collation: Collation = Collation.ASCII_CASEMAP
    negate: bool = False
    match_type: MatchType = MatchType.CONTAINS

    def finds(self, value: str) -> bool:
        """Whether the text is in a value; ``negate`` is not looked at."""
        key, wanted = self.collation.key(value), self.collation.key(self.text)
        if self.match_type is MatchType.CONTAINS:
            return wanted in key
        if self.match_type is MatchType.EQUALS:
            return wanted == key
        if self.match_type is MatchType.STARTS_WITH:
            return key.startswith(wanted)
        return key.endswith(wanted)


@dataclass(frozen=True, slots=True)
class ParamFilter:
    """CALDAV:param-filter (RFC 4791 section 9.7.3). ``name`` in upper case."""

    name: str
    is_not_defined: bool = False
    text_match: TextMatch | None = None


@dataclass(frozen=True, slots=True)
class PropFilter:
    """CALDAV:prop-filter (RFC 4791 section 9.7.2). ``name`` in upper case."""

    name: str
    is_not_defined: bool = False
    time_range: TimeRange | None = None
    text_match: TextMatch | None = None
    param_filters: tuple[ParamFilter, ...] = ()


@dataclass(frozen=True, slots=True)
class CompFilter:
    """CALDAV:comp-filter (RFC 4791 section 9.7.1). ``name`` in upper case."""

    name: str
    is_not_defined: bool = False
    time_range: TimeRange | None = None
    prop_filters: tuple[PropFilter, ...] = ()
    comp_filters: tuple[CompFilter, ...] = ()


CalendarFilter = CompFilter
"""A whole filter is the comp-filter for VCALENDAR."""


#: What programs look for to find an object again; it says nothing of what is in it.
_NO_CONTENT = frozenset({"UID"})


def searches_content(asked: CompFilter) -> bool:
    """Whether a filter asks for words in what people have written."""
    return any(
        prop.text_match is not None or any(param.text_match for param in prop.param_filters)
        for prop in asked.prop_filters
        if prop.name not in _NO_CONTENT
    ) or any(map(searches_content, asked.comp_filters))


class SimpleQuery(NamedTuple):
    """A question that `facts` answer, or narrow down.

    Objects of ``component`` (None is all; ``absent``: all but these) that have an instance in
    ``time_range``, and whose folded text has all ``texts`` in it. ``exact`` says that this is all
    that was asked; else what is found has still to be parsed and matched.
    """

    component: str | None
    absent: bool
    time_range: TimeRange | None
    texts: tuple[str, ...]
    exact: bool


def narrow(asked: CalendarFilter) -> SimpleQuery:
    """Return what every object that matches a filter must satisfy."""
    if asked.name != "VCALENDAR" or asked.is_not_defined or asked.time_range is not None:
        return SimpleQuery(None, False, None, (), False)
    exact = not asked.prop_filters and len(asked.comp_filters) <= 1
    for inner in asked.comp_filters:
        if inner.name not in KINDS:
            exact = False
            continue
        if inner.is_not_defined:
            if len(asked.comp_filters) == 1:
                return SimpleQuery(inner.name, True, None, (), exact)
            continue
        texts = tuple(_texts(inner))
        plain = not inner.prop_filters and not inner.comp_filters
        return SimpleQuery(inner.name, False, inner.time_range, texts, exact and plain)
    return SimpleQuery(None, False, None, (), exact and not asked.comp_filters)


def simple(asked: CalendarFilter) -> SimpleQuery | None:
    """Return the query if facts answer a filter exactly, so that nothing must be parsed."""
    found = narrow(asked)
    return found if found.exact else None


def _texts(inner: CompFilter) -> list[str]:
    found = []
    for prop in inner.prop_filters:
        match = prop.text_match
        if match is not None and not match.negate and prop.name in _FOLDED:
            found.append(fold(match.text))
    return [text for text in found if text]
