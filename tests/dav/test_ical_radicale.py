"""Filters against those of Radicale, on generated objects."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import radicale.item.filter
import vobject  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.storage.content.ical.filters import (
    Collation,
    CompFilter,
    ParamFilter,
    PropFilter,
    TextMatch,
    TimeRange,
    matches,
)
from folkmoot.storage.content.ical.intake import read_calendar
from folkmoot.storage.content.ical.values import utc_text
from folkmoot.storage.content.ical.zones import UTC
from tests.dav.calendars import at, calendar, event

CALDAV = "{urn:ietf:params:xml:ns:caldav}"
TEXTS = ("meeting", "Meeting with Bob", "lunch", "BOB", "o", "x")


def element(asked: CompFilter) -> ET.Element:
    """Return a comp-filter as XML."""
    made = ET.Element(f"{CALDAV}comp-filter", name=asked.name)
    if asked.is_not_defined:
        ET.SubElement(made, f"{CALDAV}is-not-defined")
    if asked.time_range is not None:
        made.append(_time_range(asked.time_range))
    for prop in asked.prop_filters:
        inner = ET.SubElement(made, f"{CALDAV}prop-filter", name=prop.name)
        if prop.is_not_defined:
            ET.SubElement(inner, f"{CALDAV}is-not-defined")
        if prop.text_match is not None:
            inner.append(_text_match(prop.text_match))
        for param in prop.param_filters:
            each = ET.SubElement(inner, f"{CALDAV}param-filter", name=param.name)
            if param.is_not_defined:
                ET.SubElement(each, f"{CALDAV}is-not-defined")
            if param.text_match is not None:
                each.append(_text_match(param.text_match))
    made.extend(element(each) for each in asked.comp_filters)
    return made


def _time_range(asked: TimeRange) -> ET.Element:
    made = ET.Element(f"{CALDAV}time-range")
    for name, seconds in (("start", asked.start), ("end", asked.end)):
        if seconds is not None:
            made.set(name, utc_text(seconds))
    return made


def _text_match(asked: TextMatch) -> ET.Element:
    made = ET.Element(f"{CALDAV}text-match", collation=asked.collation.value)
    made.set("negate-condition", "yes" if asked.negate else "no")
    made.text = asked.text
    return made


text_matches = st.builds(
    TextMatch,
    st.sampled_from(TEXTS),
    st.sampled_from((Collation.ASCII_CASEMAP, Collation.OCTET)),
    st.booleans(),
)
prop_filters = st.one_of(
    st.builds(
        PropFilter, st.sampled_from(("SUMMARY", "LOCATION", "STATUS")), text_match=text_matches
    ),
    st.builds(PropFilter, st.sampled_from(("SUMMARY", "LOCATION", "PRIORITY")), st.booleans()),
    st.builds(
        PropFilter,
        st.just("ATTENDEE"),
        param_filters=st.tuples(
            st.one_of(
                st.builds(ParamFilter, st.sampled_from(("CN", "ROLE")), st.booleans()),
                st.builds(ParamFilter, st.just("CN"), text_match=text_matches),
            )
        ),
    ),
)
hours = st.integers(at("2024-02-20") // 3600, at("2024-04-20") // 3600)
time_ranges = st.one_of(
    st.none(),
    st.tuples(hours, st.integers(1, 400)).map(
        lambda made: TimeRange(made[0] * 3600, (made[0] + made[1]) * 3600)
    ),
    hours.map(lambda hour: TimeRange(hour * 3600, None)),
)
filters = st.builds(
    CompFilter,
    st.sampled_from(("VEVENT", "VEVENT", "VTODO")),
    time_range=time_ranges,
    prop_filters=st.lists(prop_filters, max_size=2).map(tuple),
)


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """Events and tasks, single or recurring, with some properties."""
    lines = draw(
        st.sampled_from(
            (
                ["DTSTART:20240304T100000Z", "DTEND:20240304T113000Z"],
                ["DTSTART:20240304T100000Z", "DURATION:P1DT2H"],
                ["DTSTART:20240304T100000Z"],
                ["DTSTART;VALUE=DATE:20240304"],
                ["DTSTART;VALUE=DATE:20240304", "DTEND;VALUE=DATE:20240307"],
            )
        )
    )
    rule = draw(
        st.sampled_from(
            (
                "",
                "FREQ=DAILY;COUNT=5",
                "FREQ=WEEKLY",
                "FREQ=DAILY;INTERVAL=3;UNTIL=20240401T100000Z",
            )
        )
    )
    if rule and "VALUE" not in lines[0]:
        lines = [*lines, f"RRULE:{rule}"]
    name = "VEVENT"
    if draw(st.integers(0, 4)) == 0:
        name = "VTODO"
        lines = draw(
            st.sampled_from(
                (
                    ["DTSTART:20240304T100000Z", "DUE:20240304T113000Z"],
                    ["DTSTART:20240304T100000Z", "DURATION:PT3H"],
                    ["DUE:20240304T113000Z"],
                )
            )
        )
    for prop in ("SUMMARY", "LOCATION"):
        if draw(st.booleans()):
            lines = [*lines, f"{prop}:{draw(st.sampled_from(TEXTS))}"]
    if draw(st.booleans()):
        lines = [*lines, f"ATTENDEE;CN={draw(st.sampled_from(TEXTS))}:mailto:a@example.org"]
    return calendar(event(*lines, name=name))


class _Item:
    """What Radicale's filter needs of an item."""

    def __init__(self, octets: bytes) -> None:
        self.vobject_item = vobject.readOne(octets.decode())
        self.name = "VCALENDAR"
        self.component_name = next(
            each.name for each in self.vobject_item.components() if each.name != "VTIMEZONE"
        )


@settings(max_examples=250, deadline=None)
@given(objects(), filters)
def test_filters_against_radicale(octets: bytes, inner: CompFilter) -> None:
    """Time ranges, properties, parameters and texts find what Radicale finds."""
    asked = CompFilter("VCALENDAR", comp_filters=(inner,))
    item: Any = _Item(octets)
    wanted = radicale.item.filter.comp_match(item, element(asked))
    assert matches(read_calendar(octets), asked, UTC) is wanted
