"""Recurrence rules as values (RFC 5545 section 3.3.10)."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from folkmoot.storage.content.ical.errors import CalendarError, invalid
from folkmoot.storage.content.ical.values import Moment, moment


class Frequency(enum.IntEnum):
    """Of what a rule takes every one, or every n-th."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4
    MINUTELY = 5
    SECONDLY = 6


WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class Rule:
    """One RRULE. Weekdays are 0 (Monday) to 6; ``by_day`` has (ordinal or 0, weekday)."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: Moment | None = None
    by_month: tuple[int, ...] = ()
    by_week: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_day: tuple[tuple[int, int], ...] = ()
    by_hour: tuple[int, ...] = ()
    by_minute: tuple[int, ...] = ()
    by_second: tuple[int, ...] = ()
    by_position: tuple[int, ...] = ()
    week_start: int = 0

    @property
    def is_endless(self) -> bool:
        """Whether neither a count nor a time ends it."""
        return self.count is None and self.until is None


class Budget:
    """How many steps may still be done; may be shared by many expansions."""

    __slots__ = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        """Take steps. Raises `CalendarError` "max-instances" when there are no more."""
        self.left -= steps
        if self.left < 0:
            raise CalendarError("max-instances", "There are too many recurrences to look at.")


_BY_DAY = re.compile(r"([+-]?[0-9]{1,3})?(MO|TU|WE|TH|FR|SA|SU)")
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")


# Longer ones are seldom the same again, and would fill the memory.
_REMEMBERED = 200


def parse_rule(value: str) -> Rule:
    """Return the rule that a RRULE states. Raises `CalendarError` "valid-calendar-data".

    Parts that RFC 5545 does not know are ignored, but not another calendar system (RFC 7529).
    """
    return _known_rule(value) if len(value) <= _REMEMBERED else _read_rule(value)


@lru_cache(maxsize=1024)
def _known_rule(value: str) -> Rule:
    return _read_rule(value)


def _read_rule(value: str) -> Rule:
    if len(value) > 10_000:
        raise invalid("A recurrence rule is too long.")
    parts: dict[str, str] = {}
    for part in value.upper().split(";"):
        name, equals, text = part.partition("=")
        if not equals:
            if name.strip():
                raise invalid("A recurrence rule has a part that is not NAME=value.")
            continue
        parts[name.strip()] = text.strip()
    if parts.get("RSCALE", "GREGORIAN") != "GREGORIAN":
        raise CalendarError("supported-rscale", "Only the Gregorian calendar is supported.")
    try:
        frequency = Frequency[parts.get("FREQ", "")]
    except KeyError:
        raise invalid("A recurrence rule has no known frequency.") from None
    return Rule(
        frequency,
        interval=_positive(parts.get("INTERVAL", "1")) or 1,
        count=_positive(parts["COUNT"]) if "COUNT" in parts else None,
        until=moment(parts["UNTIL"], "", lambda _: None) if "UNTIL" in parts else None,
        by_month=_numbers(parts, "BYMONTH", lambda n: 1 <= n <= 12),
        by_week=_numbers(parts, "BYWEEKNO", lambda n: 1 <= abs(n) <= 53),
        by_year_day=_numbers(parts, "BYYEARDAY", lambda n: 1 <= abs(n) <= 366),
        by_month_day=_numbers(parts, "BYMONTHDAY", lambda n: 1 <= abs(n) <= 31),
        by_day=_days(parts.get("BYDAY", "")),
        by_hour=_numbers(parts, "BYHOUR", lambda n: 0 <= n <= 23),
        by_minute=_numbers(parts, "BYMINUTE", lambda n: 0 <= n <= 59),
        by_second=_numbers(parts, "BYSECOND", lambda n: 0 <= n <= 60),
        by_position=_numbers(parts, "BYSETPOS", lambda n: n != 0),
        week_start=WEEKDAYS.index(day) if (day := parts.get("WKST", "MO")) in WEEKDAYS else 0,
    )


def _positive(text: str) -> int:
    if not _INTEGER.fullmatch(text) or int(text) < 0:
        raise invalid("A recurrence rule has a number that is none.")
    return int(text)


def _numbers(parts: dict[str, str], name: str, allowed: Callable[[int], bool]) -> tuple[int, ...]:
    text = parts.get(name)
    if text is None:
        return ()
    found = set()
    for item in filter(None, map(str.strip, text.split(","))):
        if not _INTEGER.fullmatch(item) or not allowed(int(item)):
            raise invalid(f"{name} of a recurrence rule is out of range.")
        found.add(int(item))
    return tuple(sorted(found))


def _days(text: str) -> tuple[tuple[int, int], ...]:
    found = set()
    for item in filter(None, text.replace(" ", "").split(",")):
        match = _BY_DAY.fullmatch(item)
        ordinal = int(match[1] or 0) if match else 99
        if match is None or abs(ordinal) > 53:
            raise invalid("BYDAY of a recurrence rule is not a list of weekdays.")
        found.add((ordinal, WEEKDAYS.index(match[2])))
    return tuple(sorted(found))
