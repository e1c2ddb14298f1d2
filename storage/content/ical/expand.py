"""From components to the instances that people see (RFC 5545 section 3.8.5, RFC 4791 section 9.9).

Every instance has a half-open span of seconds in which a time range finds it, so that all lines
of the tables of RFC 4791 section 9.9 become one comparison: the range starts before ``high`` and
ends after ``low``.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.recur import occurrences
from folkmoot.storage.content.ical.rules import Budget
from folkmoot.storage.content.ical.timing import Timing
from folkmoot.storage.content.ical.values import (
    DAY,
    FUTURE,
    PAST,
    Duration,
    Form,
    Moment,
    Period,
    Zone,
)
from folkmoot.storage.content.ical.zones import UTC

STEPS = 100_000
"""Steps of recurrence rules in one expansion on demand."""


class Instance(NamedTuple):
    """One of the times of an object. ``start``, ``end``, ``low`` and ``high`` are seconds UTC.

    ``local`` is the start on the clock of ``timing``. ``original`` names the instance: seconds UTC
    of the start that the rule gives it, on the clock of the series where that is floating or has
    only dates.
    """

    start: int
    end: int
    low: int
    high: int
    local: int
    original: int
    timing: Timing


class _Shape(NamedTuple):
    """How instances of one component lie in time."""

    timing: Timing
    kind: str
    zone: Zone
    extent: Duration

    def at(self, local: int, original: int | None = None) -> Instance:
        """Return the instance that starts when the clock shows a time.

        It is named by its start unless ``original`` says otherwise.
        """
        start = self.zone.to_utc(local)
        days, seconds = self.extent
        end = (self.zone.to_utc(local + days * DAY) if days else start) + seconds
        if original is None:
            original = start
        if self.kind == "VEVENT" and end > start:
            return Instance(start, end, start, end, local, original, self.timing)
        low, high = _reach(self.kind, self.timing, start, end)
        return Instance(start, end, low, high, local, original, self.timing)


class Series:
    """The instances of a calendar object, for somebody whose floating times are of a zone."""

    __slots__ = (
        "_added",
        "_days",
        "_extents",
        "_futures",
        "_keys",
        "_longest",
        "_master",
        "_overrides",
        "_shift",
    )

    def __init__(
        self, kind: str, master: Timing | None, overrides: tuple[Timing, ...], zone: Zone
    ) -> None:
        self._master = _shape(kind, master, zone) if master is not None else None
        self._overrides = [_shape(kind, each, zone) for each in overrides]
        # What is not to come from the rules: by the name of the instance, or by its day.
        self._keys: set[int] = set()
        self._days: set[int] = set()
        self._futures: list[tuple[int, int, _Shape]] = []
        self._extents: dict[int, Duration] = {}
        self._added: frozenset[int] | None = None  # the names of what RDATEs give, once asked for
        self._longest = self._shift = 0
        if self._master is not None:
            self._collect(self._master)

    def _collect(self, master: _Shape) -> None:
        for each in master.timing.removed:
            self._name(each)
        for shape in self._overrides:
            rid = shape.timing.recurrence
            if rid is None:
                continue
            self._name(rid)
            anchor = shape.timing.anchor
            if shape.timing.future and anchor is not None:
                shift = anchor.local - _on_clock(rid, shape.zone)
                self._futures.append((self.key(rid), shift, shape))
        self._futures.sort(key=lambda each: each[0])
        for added in master.timing.added if master.timing.anchor is not None else ():
            start = added.start if isinstance(added, Period) else added
            local = self.local_of(start)
            extent = _period_extent(added, master.zone) if isinstance(added, Period) else None
            self._extents[local] = extent or master.extent
        extents = [master.extent, *self._extents.values(), *(f[2].extent for f in self._futures)]
        self._longest = max(max(each.total, 0) for each in extents)
        self._shift = max((abs(shift) for _, shift, _ in self._futures), default=0)

    @property
    def shift(self) -> int:
        """The most seconds by which THISANDFUTURE moves instances. # rfc5545#3.2.13"""
        return self._shift

    def key(self, at: Moment) -> int:
        """Return the name of the instance that a RECURRENCE-ID means."""
        return name_of(self._master.timing if self._master is not None else None, at)

    def has_added(self, name: int) -> bool:
        """Whether an RDATE gives the instance of a name. # rfc5545#3.8.5.2"""
        if self._added is None:
            found = [self._ruled_at(local, extent) for local, extent in self._extents.items()]
            self._added = frozenset([each.original for each in found if each is not None])
        return name in self._added

    def _name(self, at: Moment) -> None:
        anchor = self._master.timing.anchor if self._master is not None else None
        if at.form is Form.DATE and anchor is not None and anchor.form is not Form.DATE:
            # Many write the day only; it means whatever is on it.
            self._days.add(at.local // DAY)
        else:
            self._keys.add(self.key(at))

    def local_of(self, at: Moment) -> int:
        """Return a time on the clock of the series."""
        assert self._master is not None
        anchor = self._master.timing.anchor
        assert anchor is not None
        if anchor.form is Form.DATE:
            return at.local // DAY * DAY
        if at.form is Form.DATE:
            return at.local + anchor.local % DAY
        return (
            at.local
            if anchor.is_floating
            else self._master.zone.from_utc(at.utc(self._master.zone))
        )

    # --- instances ---------------------------------------------------------------------------

    def within(self, since: int, before: int, budget: Budget) -> Iterator[Instance]:
        """Yield the instances that a time range finds, those of rules in order, others first.

        Raises `CalendarError` "max-instances".
        """
        for instance in self.stated():
            if since < instance.high and before > instance.low:
                yield instance
        for instance in self.ruled(since, before, budget):
            if since < instance.high and before > instance.low:
                yield instance

    def stated(self) -> Iterator[Instance]:
        """Yield overrides and RDATEs."""
        for shape in self._overrides:
            rid, anchor = shape.timing.recurrence, shape.timing.anchor
            name = self.key(rid) if rid is not None else 0
            yield _undated(shape, name) if anchor is None else shape.at(anchor.local, name)
        for local, extent in self._extents.items():
            instance = self._ruled_at(local, extent)
            if instance is not None:
                yield instance

    def unchanged(self, rid: Moment) -> Instance:
        """Return the instance that a RECURRENCE-ID names as it would be without its exception."""
        assert self._master is not None
        if self._master.timing.anchor is None:
            return _undated(self._master, 0)
        return self._master.at(self.local_of(rid), self.key(rid))

    def ruled(self, since: int, before: int, budget: Budget) -> Iterator[Instance]:
        """Yield DTSTART and what rules make of it, in order; more than those in the range."""
        master = self._master
        if master is None:
            return
        anchor = master.timing.anchor
        if anchor is None:
            yield _undated(master, 0)
            return
        starts = self._locals(master, anchor, since, before, budget)
        if not (self._days or self._keys or self._futures or self._extents):
            floating = anchor.is_floating
            for local in starts:
                yield master.at(local, local if floating else None)
            return
        for local in starts:
            if local in self._extents:
                continue
            instance = self._ruled_at(local, None)
            if instance is not None:
                yield instance

    def _locals(
        self, master: _Shape, anchor: Moment, since: int, before: int, budget: Budget
    ) -> Iterator[int]:
        yield anchor.local
        margin = self._longest + self._shift + 2 * DAY
        first = master.zone.from_utc(since) - margin if since > PAST else PAST
        last = master.zone.from_utc(before) + self._shift + 2 * DAY if before < FUTURE else FUTURE
        streams = []
        for rule in master.timing.rules:
            end = last
            if rule.until is not None:
                end = min(end, _last(rule.until, anchor, master.zone) + 1)
            streams.append(
                occurrences(
                    rule,
                    anchor.local,
                    dates=anchor.form is Form.DATE,
                    since=first,
                    before=end,
                    budget=budget,
                )
            )
        known = anchor.local
        for local in streams[0] if len(streams) == 1 else heapq.merge(*streams):
            if local > known:
                known = local
                yield local

    def _ruled_at(self, local: int, extent: Duration | None) -> Instance | None:
        """Return an instance of the rules; None if it is excluded or overridden."""
        master = self._master
        assert master is not None
        anchor = master.timing.anchor
        assert anchor is not None
        if self._days and local // DAY in self._days:
            return None
        name = local if anchor.is_floating else master.zone.to_utc(local)
        if self._keys and name in self._keys:
            return None
        shape = master if extent is None else master._replace(extent=extent)
        if self._futures and (at := bisect_right(self._futures, name, key=_since)):
            _, shift, changed = self._futures[at - 1]
            return changed.at(local + shift, name)
        return shape.at(local, name)


def _since(future: tuple[int, int, _Shape]) -> int:
    return future[0]


def name_of(master: Timing | None, at: Moment) -> int:
    """Return the name (`Instance.original`) of the instance that a RECURRENCE-ID means."""
    # rfc5545#3.8.4.4
    anchor = master.anchor if master is not None else None
    if anchor is None:
        return at.utc(UTC)
    if anchor.is_floating:
        return at.local // DAY * DAY if anchor.form is Form.DATE else at.local
    zone = anchor.zone or UTC
    if at.form is Form.DATE:
        return zone.to_utc(at.local + anchor.local % DAY)
    return at.utc(zone)


def instances(
    series: Series, since: int, before: int, limit: int, budget: Budget | None = None
) -> list[Instance]:
    """Return the instances that a time range finds, in order. Seconds UTC.

    Raises `CalendarError` "max-instances" if there are more than ``limit``.
    """
    found: list[Instance] = []
    for instance in series.within(since, before, budget or Budget(STEPS)):
        if len(found) >= limit:
            raise CalendarError("max-instances", "There are too many instances in this time.")
        found.append(instance)
    found.sort(key=lambda each: (each.start, each.original))
    return found


# --- shapes ----------------------------------------------------------------------------------


def _shape(kind: str, timing: Timing, floating: Zone) -> _Shape:
    anchor = timing.anchor
    zone = floating
    if anchor is not None and anchor.form is Form.UTC:
        zone = UTC
    elif anchor is not None and anchor.zone is not None:
        zone = anchor.zone
    return _Shape(timing, kind, zone, _extent(kind, timing, floating))


def _extent(kind: str, timing: Timing, floating: Zone) -> Duration:
    start, end = timing.start, timing.end
    if start is None or kind == "VJOURNAL":
        is_day = kind == "VJOURNAL" and start is not None and start.form is Form.DATE
        return Duration(1, 0) if is_day else Duration(0, 0)
    if end is not None:
        if start.form is Form.DATE and end.form is Form.DATE:
            extent = Duration((end.local - start.local) // DAY, 0)
        else:
            # rfc5545#3.8.5.3: an end makes all instances last exactly as long as the first.
            extent = Duration(0, end.utc(floating) - start.utc(floating))
    elif timing.duration is not None:
        extent = timing.duration
    else:
        extent = Duration(0, 0)
    if extent.total > 0:
        return extent
    # An event on a date is a day long, also when it says that it has no length.
    return Duration(1, 0) if kind == "VEVENT" and start.form is Form.DATE else Duration(0, 0)


def _period_extent(period: Period, zone: Zone) -> Duration:
    if period.duration is not None:
        extent = period.duration
    else:
        assert period.end is not None
        extent = Duration(0, period.end.utc(zone) - period.start.utc(zone))
    return extent if extent.total > 0 else Duration(0, 0)


def _on_clock(at: Moment, zone: Zone) -> int:
    return at.local if at.is_floating else zone.from_utc(at.utc(zone))


def _last(until: Moment, anchor: Moment, zone: Zone) -> int:
    """Return the last second, on the clock of a series, that UNTIL lets in. # rfc5545#3.3.10"""
    if until.form is Form.DATE:
        return until.local + DAY - 1
    if until.form is Form.UTC and not anchor.is_floating:
        return zone.from_utc(until.local)
    return until.local


# --- what a time range finds -----------------------------------------------------------------


def _reach(kind: str, timing: Timing, start: int, end: int) -> tuple[int, int]:
    if kind == "VTODO":
        return _reach_todo(timing, start, end)
    # rfc4791#9.9: what has no length is found by its start.
    return (start, end) if end > start else (start, start + 1)


def _reach_todo(timing: Timing, start: int, end: int) -> tuple[int, int]:
    # rfc4791#9.9, the table for VTODO, with <= and >= turned into < and > of whole seconds.
    if timing.start is None:
        return end - 1, end
    if timing.end is not None:
        return min(start, end - 1), max(end, start + 1)
    if timing.duration is not None:
        return (start if end > start else start - 1), end + 1
    return start, start + 1


def _undated(shape: _Shape, original: int) -> Instance:
    """Return the instance of a component that has neither start nor end."""
    timing, low, high = shape.timing, PAST, PAST
    completed = timing.completed.utc(shape.zone) if timing.completed is not None else None
    created = timing.created.utc(shape.zone) if timing.created is not None else None
    if shape.kind == "VTODO":
        if completed is not None and created is not None:
            low, high = min(completed, created) - 1, max(completed, created) + 1
        elif completed is not None:
            low, high = completed - 1, completed + 1
        else:
            low, high = (created if created is not None else PAST), FUTURE
    return Instance(low, high, low, high, 0, original, timing)
