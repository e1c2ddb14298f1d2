"""What is known of a calendar object once it is written, so that queries need not parse it."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.expand import Instance
from folkmoot.storage.content.ical.intake import CalendarObject
from folkmoot.storage.content.ical.rules import Budget
from folkmoot.storage.content.ical.timing import Timing, is_floating, is_mixed
from folkmoot.storage.content.ical.tree import Component, Limits
from folkmoot.storage.content.ical.values import (
    DAY,
    FUTURE,
    PAST,
    period,
    property_moment,
    unescaped,
)
from folkmoot.storage.content.ical.zones import UTC

SPAN = struct.Struct("<qqB")
"""A row of ``spans``: start, end (seconds), kind."""

FREE, BUSY, TENTATIVE, UNAVAILABLE = range(4)

INSTANCES = 1000
"""Spans that are stored of one object."""

ENDLESS = 500
"""Spans that are stored of a series without end: more than a year of every day."""

YEARS = 5 * 366 * DAY
"""How far a series without end is expanded ahead, at most."""

_BACK = 92 * DAY

TEXT_PROPERTIES = frozenset(
    {"SUMMARY", "DESCRIPTION", "LOCATION", "CATEGORIES", "COMMENT", "CONTACT", "RESOURCES"}
)
ADDRESS_PROPERTIES = frozenset({"ATTENDEE", "ORGANIZER"})


@dataclass(frozen=True, slots=True)
class CalendarFacts:
    """Facts of one object. All times are seconds since 1970 UTC, or on the clock of whoever asks
    where ``floating``.

    ``first`` and ``last`` bound all instances (``last`` is None without end). ``spans`` are rows of
    `SPAN` by start: every instance that a time range within ``covered_from`` to ``covered_until``
    finds is there; outside, expand. ``text`` has a line "PROPERTY, U+001F, folded value" for each
    value that people search.
    """

    uid: str
    component: str
    first: int
    last: int | None
    floating: bool
    recurring: bool
    spans: bytes
    covered_from: int
    covered_until: int
    has_alarm: bool
    organizer: str
    attendees: tuple[str, ...]
    sequence: int
    classification: str
    summary: str
    text: str


def facts_of(
    found: CalendarObject, *, around: int | None = None, limits: Limits | None = None
) -> CalendarFacts:
    """Return the facts of an object.

    ``around`` is the time (seconds UTC) about which queries are expected: a series without end
    that began long before is covered from some months before it on. Raises `CalendarError`
    "max-instances" for a series with COUNT that is too much work.
    """
    parts = found.parts
    main = found.master.component if found.master is not None else parts[0]
    if found.component == "VFREEBUSY":
        cover = _cover_free_busy(found)
    else:
        cover = _cover(found, around, (limits or Limits()).steps)
    attendees = dict.fromkeys(
        address(prop.value) for part in parts for prop in part.properties if prop.name == "ATTENDEE"
    )
    return CalendarFacts(
        uid=found.uid,
        component=found.component,
        first=cover.first,
        last=cover.last,
        floating=cover.floating,
        recurring=any(timing.recurs for timing in found.timings) or bool(found.overrides),
        spans=b"".join(SPAN.pack(*row) for row in sorted(cover.rows)),
        covered_from=cover.since,
        covered_until=cover.until,
        has_alarm=any(child.name == "VALARM" for part in parts for child in part.components),
        organizer=address(main.value("ORGANIZER")),
        attendees=tuple(attendees),
        sequence=_integer(main.value("SEQUENCE")),
        classification=_classification(parts),
        summary=unescaped(main.value("SUMMARY"))[:1000],
        text=_text(parts),
    )


# --- times -----------------------------------------------------------------------------------

_Row = tuple[int, int, int]


@dataclass(slots=True)
class _Cover:
    first: int
    last: int | None
    floating: bool
    since: int
    until: int
    rows: list[_Row]


def _cover(found: CalendarObject, around: int | None, steps: int) -> _Cover:
    timings = found.timings
    floating = any(is_floating(timing) for timing in timings)
    series = found.series(UTC)
    seen = list(series.stated())
    since, budget = PAST, Budget(steps)
    master = found.master
    # A task without any date does not recur, whatever its rules say: from what should they count?
    rules = master.rules if master is not None and master.anchor is not None else ()
    counted = any(rule.count is not None for rule in rules)
    endless = any(rule.is_endless for rule in rules)
    until = FUTURE
    ends = [instance.high for instance in seen]
    if master is not None and rules and (endless or not counted):
        assert master.anchor is not None
        start = master.anchor.utc(UTC)
        if endless and around is not None and around - _BACK > start:
            since = around - _BACK
        most = ENDLESS if endless else INSTANCES
        horizon = max(start, since) + YEARS if endless else FUTURE
        ruled, until = _some(series.ruled(since, horizon, budget), most + 1, horizon)
        if not endless and until < FUTURE:
            ends.append(_end_of_rules(master, ruled))
        until -= series.shift if until < FUTURE else 0
    else:
        # With COUNT there is no other way to know the end than to go there.
        ruled = list(series.ruled(PAST, FUTURE, budget))
        if len(ruled) > INSTANCES:
            until = ruled[INSTANCES].low - series.shift
    ends += [instance.high for instance in ruled]
    seen += [instance for instance in ruled if instance.low < until][:INSTANCES]
    kinds = {id(timing): busy_kind(found.component, timing) for timing in timings}
    rows = [(each.low, each.high, _row_kind(each, kinds)) for each in seen if each.high > each.low]
    first = min((each.low for each in ruled[:1] + seen), default=PAST)
    if since > PAST and master is not None and master.anchor is not None:
        first = min(first, master.anchor.utc(UTC) - series.shift)
    last = None if endless else max(ends, default=FUTURE)
    if last == FUTURE:
        last = None
    if is_mixed(timings):
        # What is floating may lie a day away for whoever asks.
        last = last + DAY if last is not None else None
        return _Cover(first - DAY, last, True, FUTURE, PAST, [])
    return _Cover(first, last, floating, since, until, rows)


def _some(ruled: Iterator[Instance], limit: int, horizon: int) -> tuple[list[Instance], int]:
    """Return the first instances of a series and from when on some may be missing."""
    taken: list[Instance] = []
    try:
        for instance in islice(ruled, limit):
            taken.append(instance)
    except CalendarError:
        # The rule finds nothing for long; on demand it is expanded where it is asked for.
        return taken, max((each.low for each in taken), default=PAST) + 1
    if len(taken) == limit:
        return taken, taken[-1].low
    return taken, horizon


def _end_of_rules(master: Timing, ruled: list[Instance]) -> int:
    """Return a time by which rules with UNTIL have ended, no more than some days late."""
    longest = max((each.high - each.start for each in ruled), default=0)
    ends = [rule.until.local for rule in master.rules if rule.until is not None]
    return max(ends, default=PAST) + longest + 2 * DAY


def _row_kind(instance: Instance, kinds: dict[int, int]) -> int:
    # What has no length makes nobody busy; its span is there so that queries find it.
    return kinds[id(instance.timing)] if instance.end > instance.start else FREE


def busy_kind(component: str, timing: Timing) -> int:
    """Return what an instance of a component means for free-busy (RFC 4791 section 7.10)."""
    if component != "VEVENT":
        return FREE
    status = timing.component.value("STATUS").upper()
    if status == "CANCELLED" or timing.component.value("TRANSP").upper() == "TRANSPARENT":
        return FREE
    return TENTATIVE if status == "TENTATIVE" else BUSY


_BUSY_TYPES = {"FREE": FREE, "BUSY-TENTATIVE": TENTATIVE, "BUSY-UNAVAILABLE": UNAVAILABLE}


def _cover_free_busy(found: CalendarObject) -> _Cover:
    # rfc4791#9.9: its start and end count; without them, the periods.
    rows: list[_Row] = []
    bounds: list[int] = []
    for part in found.parts:
        start, end = part.first("DTSTART"), part.first("DTEND")
        if start is not None and end is not None:
            low = property_moment(start, found.zones).utc(UTC)
            bounds += [low, property_moment(end, found.zones).utc(UTC) + 1]
        for low, high, kind in busy_rows(part):
            rows.append((low, high, kind))
    if bounds:
        rows.append((min(bounds), max(bounds), FREE))
    first = min((row[0] for row in rows), default=FUTURE)
    last = max((row[1] for row in rows), default=PAST)
    return _Cover(first, last, False, PAST, FUTURE, rows[: 10 * INSTANCES])


def busy_rows(part: Component) -> list[_Row]:
    """Return the periods of a VFREEBUSY: start, end (seconds UTC), kind."""
    # rfc5545#3.8.2.6, rfc5545#3.2.9
    rows = []
    for prop in part.all("FREEBUSY"):
        kind = _BUSY_TYPES.get(prop.param("FBTYPE").upper(), BUSY)
        for item in prop.value.split(",")[: 10 * INSTANCES]:
            each = period(item, "", lambda _: None)
            start = each.start.utc(UTC)
            end = each.end.utc(UTC) if each.end is not None else start
            end += each.duration.total if each.duration is not None else 0
            if end > start:
                rows.append((start, end, kind))
    return rows


# --- people and texts ------------------------------------------------------------------------


def address(value: str) -> str:
    """Return a calendar user address in the form in which addresses are compared.

    Scheme and mail addresses are in lower case (RFC 5545 section 3.3.3 leaves it to the scheme;
    no mail system of today tells upper from lower case).
    """
    return value.strip().lower()


def _integer(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _classification(parts: tuple[Component, ...]) -> str:
    """Return the strictest class; what is unknown is private (RFC 5545 section 3.8.1.3)."""
    stated = {part.value("CLASS").upper() or "PUBLIC" for part in parts}
    if stated <= {"PUBLIC"}:
        return "PUBLIC"
    return "CONFIDENTIAL" if stated <= {"PUBLIC", "CONFIDENTIAL"} else "PRIVATE"


def fold(text: str) -> str:
    """Return a text in the form in which texts are prefiltered: no case, no composed letters."""
    if text.isascii():
        return text.lower().replace("\n", " ")
    return unicodedata.normalize("NFKD", text.casefold()).replace("\n", " ")


def _text(parts: tuple[Component, ...]) -> str:
    lines: dict[str, None] = {}
    for part in parts:
        for prop in part.properties:
            if prop.name in TEXT_PROPERTIES:
                lines[f"{prop.name}\x1f{fold(unescaped(prop.value))}\n"] = None
            elif prop.name in ADDRESS_PROPERTIES:
                named = prop.param("CN")
                value = f"{named} {prop.value}" if named else prop.value
                lines[f"{prop.name}\x1f{fold(value)}\n"] = None
    return "".join(lines)
