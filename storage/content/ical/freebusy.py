"""Busy times: from spans and objects to one list, and to a VFREEBUSY (RFC 4791 section 7.10)."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import NamedTuple

from folkmoot.storage.content.ical.expand import STEPS
from folkmoot.storage.content.ical.facts import (
    BUSY,
    FREE,
    TENTATIVE,
    UNAVAILABLE,
    busy_kind,
    busy_rows,
)
from folkmoot.storage.content.ical.intake import CalendarObject
from folkmoot.storage.content.ical.rules import Budget
from folkmoot.storage.content.ical.tree import Component, Property, serialize
from folkmoot.storage.content.ical.values import Zone, utc_text

PRODUCT = "-//Folkmoot//Calendar//EN"

_TYPES = {BUSY: "BUSY", TENTATIVE: "BUSY-TENTATIVE", UNAVAILABLE: "BUSY-UNAVAILABLE"}
_STRENGTH = {TENTATIVE: 1, UNAVAILABLE: 2, BUSY: 3}


class BusyPeriod(NamedTuple):
    """A time in which somebody is busy: seconds UTC, and the kind (see `facts`)."""

    start: int
    end: int
    kind: int


def busy_in(
    found: CalendarObject, since: int, before: int, zone: Zone, budget: Budget | None = None
) -> list[BusyPeriod]:
    """Return the busy times of an object by expanding it, where its spans do not tell.

    Raises `CalendarError` "max-instances".
    """
    if found.component == "VFREEBUSY":
        rows = [BusyPeriod(*row) for part in found.parts for row in busy_rows(part)]
        return [each for each in rows if each.start < before and each.end > since]
    if found.component != "VEVENT":
        return []
    kinds = {id(timing): busy_kind(found.component, timing) for timing in found.timings}
    return [
        BusyPeriod(each.start, each.end, kind)
        for each in found.series(zone).within(since, before, budget or Budget(STEPS))
        if (kind := kinds[id(each.timing)]) != FREE and each.end > each.start
    ]


def busy_periods(rows: Iterable[tuple[int, int, int]], since: int, before: int) -> list[BusyPeriod]:
    """Return busy times within a window without overlaps, in order.

    ``rows`` are (start, end, kind) in any order, as `spans_within` and `busy_in` give them. Where
    several kinds overlap the strongest counts: busy, unavailable, tentative.
    """
    # rfc4791#7.10
    clipped = sorted(
        (max(start, since), min(end, before), kind)
        for start, end, kind in rows
        if kind != FREE and start < before and end > since
    )
    merged: list[BusyPeriod] = []
    # At each place the strongest of those that have begun, with the one that ends last first.
    open_rows: list[tuple[int, int, int]] = []
    at, index = since, 0
    while index < len(clipped) or open_rows:
        if not open_rows:
            at = max(at, clipped[index][0])
        while index < len(clipped) and clipped[index][0] <= at:
            _, end, kind = clipped[index]
            heapq.heappush(open_rows, (-_STRENGTH[kind], -end, kind))
            index += 1
        while open_rows and -open_rows[0][1] <= at:
            heapq.heappop(open_rows)
        if not open_rows:
            continue
        _, negative, kind = open_rows[0]
        stop = min(-negative, clipped[index][0]) if index < len(clipped) else -negative
        _append(merged, BusyPeriod(at, stop, kind))
        at = stop
    return merged


def _append(merged: list[BusyPeriod], added: BusyPeriod) -> None:
    if merged and merged[-1].kind == added.kind and merged[-1].end == added.start:
        merged[-1] = BusyPeriod(merged[-1].start, added.end, added.kind)
    elif added.end > added.start:
        merged.append(added)


def free_busy_reply(
    periods: Iterable[BusyPeriod],
    since: int,
    before: int,
    now: int,
    *,
    request: Component | None = None,
    attendee: str = "",
) -> bytes:
    """Return a calendar with the VFREEBUSY of periods. Times are seconds UTC.

    Without ``request`` it is the answer to CALDAV:free-busy-query. With the VFREEBUSY of a request
    to the outbox it is the reply of ``attendee`` (RFC 6638 section 5, RFC 5546 section 3.3.3).
    """
    top = [Property("VERSION", (), "2.0"), Property("PRODID", (), PRODUCT)]
    inside: list[Property] = []
    if request is not None:
        top.append(Property("METHOD", (), "REPLY"))
        inside += [prop for prop in request.properties if prop.name in ("UID", "ORGANIZER")]
        inside += [
            prop
            for prop in request.properties
            if prop.name == "ATTENDEE" and prop.value.strip().lower() == attendee.strip().lower()
        ][:1] or [Property("ATTENDEE", (), attendee)]
    inside += [
        Property("DTSTAMP", (), utc_text(now)),
        Property("DTSTART", (), utc_text(since)),
        Property("DTEND", (), utc_text(before)),
    ]
    by_kind: dict[int, list[str]] = {}
    for each in periods:
        text = f"{utc_text(each.start)}/{utc_text(each.end)}"
        by_kind.setdefault(each.kind, []).append(text)
    inside += [
        Property("FREEBUSY", (("FBTYPE", (_TYPES[kind],)),), ",".join(texts))
        for kind, texts in sorted(by_kind.items())
    ]
    answer = Component("VFREEBUSY", tuple(inside), ())
    return serialize(Component("VCALENDAR", tuple(top), (answer,)))
