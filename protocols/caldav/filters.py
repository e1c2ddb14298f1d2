"""CALDAV:filter as a value (RFC 4791 section 9.7)."""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.caldav.times import time_range
from folkmoot.protocols.caldav.words import cal, refusal_of, refuse
from folkmoot.protocols.http.xml import Element, child, children, text
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.query import (
    CalendarFilter,
    CompFilter,
    MatchType,
    ParamFilter,
    PropFilter,
    TextMatch,
    collation_named,
)
from folkmoot.storage.content.ical.spans import TimeRange

MAX_DEPTH: Final = 5  # VCALENDAR, VEVENT, VALARM and two that nobody has
MAX_PARTS: Final = 100  # filters in a filter
_ABSENT: Final = cal("is-not-defined")


def filter_of(root: Element) -> CalendarFilter:
    """The filter of a report. Raises ``DavError`` (valid-filter, supported-filter,
    supported-collation)."""
    # rfc4791#9.7
    found = child(root, cal("filter"))
    inside = list(children(found)) if found is not None else []
    if len(inside) != 1 or inside[0].tag != cal("comp-filter"):
        raise _bad("There must be a filter with one comp-filter.")
    asked = _Reader().component(inside[0], 1)
    if asked.name != "VCALENDAR":
        raise _bad("The outermost comp-filter is for VCALENDAR.")
    return asked


class _Reader:
    """Reads one filter and counts what is in it."""

    def __init__(self) -> None:
        self._left = MAX_PARTS

    def component(self, found: Element, depth: int) -> CompFilter:
        """A comp-filter. # rfc4791#9.7.1"""
        if depth > MAX_DEPTH:
            raise refuse("supported-filter", text="The filter is nested too deeply.")
        name = self._name(found)
        inside = list(children(found))
        if any(each.tag == _ABSENT for each in inside):
            _alone(inside)
            return CompFilter(name, is_not_defined=True)
        times: TimeRange | None = None
        props: list[PropFilter] = []
        comps: list[CompFilter] = []
        for each in inside:
            if each.tag == cal("time-range"):
                times = time_range(each)
            elif each.tag == cal("prop-filter"):
                props.append(self._prop(each))
            elif each.tag == cal("comp-filter"):
                comps.append(self.component(each, depth + 1))
            else:
                raise _unknown()
        if times is not None and (depth == 1 or name == "VTIMEZONE"):
            raise _bad("This component has no time.")
        return CompFilter(name, False, times, tuple(props), tuple(comps))

    def _prop(self, found: Element) -> PropFilter:
        """A prop-filter. # rfc4791#9.7.2"""
        name = self._name(found)
        inside = list(children(found))
        if any(each.tag == _ABSENT for each in inside):
            _alone(inside)
            return PropFilter(name, is_not_defined=True)
        times: TimeRange | None = None
        match: TextMatch | None = None
        params: list[ParamFilter] = []
        for each in inside:
            if each.tag == cal("time-range"):
                times = time_range(each)
            elif each.tag == cal("text-match"):
                match = _text_match(each)
            elif each.tag == cal("param-filter"):
                params.append(self._param(each))
            else:
                raise _unknown()
        return PropFilter(name, False, times, match, tuple(params))

    def _param(self, found: Element) -> ParamFilter:
        """A param-filter. # rfc4791#9.7.3"""
        name = self._name(found)
        inside = list(children(found))
        if len(inside) > 1:
            raise _bad("A param-filter has one condition at most.")
        if not inside:
            return ParamFilter(name)
        if inside[0].tag == _ABSENT:
            return ParamFilter(name, is_not_defined=True)
        if inside[0].tag != cal("text-match"):
            raise _unknown()
        return ParamFilter(name, False, _text_match(inside[0]))

    def _name(self, found: Element) -> str:
        self._left -= 1
        if self._left < 0:
            raise refuse("supported-filter", text="The filter has too many parts.")
        name = str(found.get("name", "")).strip().upper()
        if not name or len(name) > 100:
            raise _bad("A filter has no proper name.")
        return name


def _text_match(found: Element) -> TextMatch:
    """# rfc4791#9.7.5; match-type is what RFC 6352 has, and CalDAV's successors too."""
    try:
        collation = collation_named(str(found.get("collation", "")).strip())
        match_type = MatchType(str(found.get("match-type", "contains")))
    except CalendarError as error:
        raise refusal_of(error) from None
    except ValueError:
        raise refuse("supported-filter", text="This match-type is not known.") from None
    negate = str(found.get("negate-condition", "no")).strip().lower()
    if negate not in ("yes", "no"):
        raise _bad("negate-condition is yes or no.")
    return TextMatch(text(found), collation, negate == "yes", match_type)


def _alone(inside: list[Element]) -> None:
    if len(inside) != 1:
        raise _bad("is-not-defined stands alone.")


def _bad(why: str) -> Exception:
    return refuse("valid-filter", text=why)


def _unknown() -> Exception:
    return refuse("supported-filter", text="A part of the filter is not known here.")
