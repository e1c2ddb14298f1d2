"""From a recurrence rule to times on a clock (RFC 5545 section 3.3.10).

Our own, because one step of the usual library cannot be interrupted: a rule for 30 February keeps
it busy for seconds. Here each step costs a part of a budget, and a rule without COUNT starts where
it is asked for, so that a week of a series that began long ago is no more work than its first.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import count as count_from

from folkmoot.storage.content.ical.rules import Budget, Frequency, Rule
from folkmoot.storage.content.ical.values import DAY, EPOCH, FIRST_DAY, LAST_DAY

_SECONDS = {Frequency.HOURLY: 3600, Frequency.MINUTELY: 60, Frequency.SECONDLY: 1}

_Batch = tuple[Iterable[int], bool]


def occurrences(
    rule: Rule, start: int, *, dates: bool, since: int, before: int, budget: Budget
) -> Iterator[int]:
    """Yield the times of a rule in order, the start first; seconds on the clock of the start.

    ``dates`` says that times of day do not matter. What lies before ``since`` may be left out,
    nothing from ``before`` on comes. UNTIL is not looked at: it depends on the zone. Raises
    `CalendarError` "max-instances" when the budget is exhausted.
    """
    # rfc5545#3.8.5.3: the start is the first of the set whether or not the rule has it.
    if start < before:
        yield start
    left = rule.count
    if left is not None:
        since = start
    if left is not None and left <= 1:
        return
    for at in _candidates(rule, start, dates, max(since, start), before, budget):
        if at <= start:
            continue
        if at >= before:
            return
        yield at
        if left is not None:
            left -= 1
            if left <= 1:
                return


def _candidates(
    rule: Rule, start: int, dates: bool, since: int, before: int, budget: Budget
) -> Iterator[int]:
    if rule.frequency >= Frequency.HOURLY and not dates:
        yield from _within_days(rule, start, since, before, budget)
        return
    times = [0] if dates else _times(rule, start % DAY)
    budget.spend(len(times) // 10)
    single = times[0] if len(times) == 1 and not rule.by_position else None
    for first, days in _periods(rule, start // DAY, since // DAY):
        budget.spend(1 + len(days))
        if first * DAY >= before:
            return
        if single is not None:
            for day in days:
                yield day * DAY + single
            continue
        if rule.by_position:
            yield from _positions(rule, [day * DAY for day in days], times, budget)
            continue
        for day in days:
            budget.spend(len(times))
            for time in times:
                yield day * DAY + time


def _positions(rule: Rule, days: list[int], times: list[int], budget: Budget) -> list[int]:
    size, wide = len(days) * len(times), len(times)
    budget.spend(len(rule.by_position))
    chosen = {at - 1 if at > 0 else size + at for at in rule.by_position}
    return [days[at // wide] + times[at % wide] for at in sorted(chosen) if 0 <= at < size]


def _times(rule: Rule, time: int) -> list[int]:
    hours = rule.by_hour or (time // 3600,)
    minutes = rule.by_minute or (time // 60 % 60,)
    seconds = rule.by_second or (time % 60,)
    return [h * 3600 + m * 60 + s for h in hours for m in minutes for s in seconds if s < 60]


# --- periods of days -------------------------------------------------------------------------


def _periods(rule: Rule, start: int, since: int) -> Iterator[tuple[int, list[int]]]:
    """Yield the first day of each period and the days in it that the rule has."""
    if rule.frequency == Frequency.YEARLY:
        return _years(rule, start, since)
    if rule.frequency == Frequency.MONTHLY:
        return _months(rule, start, since)
    if rule.frequency == Frequency.WEEKLY:
        return _weeks(rule, start, since)
    return _single_days(rule, start, since)


def _years(rule: Rule, start: int, since: int) -> Iterator[tuple[int, list[int]]]:
    first = _date(start)
    rule_days = _year_rule(rule, first)
    skipped = max(_date(since).year - first.year, 0) // rule.interval
    for step in count_from(skipped):
        year = first.year + step * rule.interval
        if year > 9999:
            return
        yield _day(year, 1), rule_days(year)


def _year_rule(rule: Rule, first: date) -> Callable[[int], list[int]]:
    """Return the function from a year to its days."""
    if rule.by_year_day or rule.by_week:
        weekdays = {weekday for _, weekday in rule.by_day}
        if rule.by_week and not weekdays and not (rule.by_year_day or rule.by_month_day):
            weekdays = {first.weekday()}
        return lambda year: _numbered_days(rule, year, weekdays)
    month_days = rule.by_month_day
    if not month_days and not rule.by_day:
        month_days = (first.day,)
    months = rule.by_month
    if not months and month_days:
        months = tuple(range(1, 13)) if rule.by_month_day else (first.month,)
    if not months:
        return lambda year: _by_weekday(rule, _day(year, 1), 366 if isleap(year) else 365)
    return lambda year: [
        day for month in months for day in _month_days(rule, year, month, month_days)
    ]


def _numbered_days(rule: Rule, year: int, weekdays: set[int]) -> list[int]:
    """Return the days of a year chosen by BYYEARDAY or BYWEEKNO, and by what else there is."""
    first, length = _day(year, 1), 366 if isleap(year) else 365
    found = set(range(first, first + length))
    if rule.by_year_day:
        found &= {
            first + (n - 1 if n > 0 else length + n) for n in rule.by_year_day if abs(n) <= length
        }
    if rule.by_week:
        found &= _week_days(rule, year)
    if weekdays:
        found = {day for day in found if _weekday(day) in weekdays}
    if rule.by_month or rule.by_month_day:
        found = {day for day in found if _in_months(rule, day)}
    return sorted(found)


def _week_days(rule: Rule, year: int) -> set[int]:
    """Return the days of the weeks that BYWEEKNO names, also those that lap into the year."""
    found: set[int] = set()
    for each in (year - 1, year, year + 1):
        if not 1 <= each < 9999:
            continue
        first, after = _first_week(each, rule.week_start), _first_week(each + 1, rule.week_start)
        weeks = (after - first) // 7
        for number in rule.by_week:
            at = number - 1 if number > 0 else weeks + number
            if 0 <= at < weeks:
                found.update(range(first + 7 * at, first + 7 * at + 7))
    return found


def _first_week(year: int, week_start: int) -> int:
    # rfc5545#3.3.10: the first week is the one with at least four days of the year.
    first = _day(year, 1)
    into = (_weekday(first) - week_start) % 7
    return first - into if into <= 3 else first + 7 - into


def _months(rule: Rule, start: int, since: int) -> Iterator[tuple[int, list[int]]]:
    first, now = _date(start), _date(since)
    month_days = rule.by_month_day
    if not month_days and not rule.by_day:
        month_days = (first.day,)
    base = first.year * 12 + first.month - 1
    skipped = max(now.year * 12 + now.month - 1 - base, 0) // rule.interval
    for step in count_from(skipped):
        year, month = divmod(base + step * rule.interval, 12)
        if year > 9999:
            return
        if rule.by_month and month + 1 not in rule.by_month:
            yield _day(year, month + 1), []
            continue
        days = _month_days(rule, year, month + 1, month_days)
        yield _day(year, month + 1), [day for day in days if _in_year(rule, day)]


def _weeks(rule: Rule, start: int, since: int) -> Iterator[tuple[int, list[int]]]:
    weekdays = {weekday for _, weekday in rule.by_day} or {_weekday(start)}
    offsets = sorted((weekday - rule.week_start) % 7 for weekday in weekdays)
    base = start - (_weekday(start) - rule.week_start) % 7
    limited = bool(rule.by_month or rule.by_month_day or rule.by_year_day or rule.by_week)
    wide = 7 * rule.interval
    for step in count_from(max(since - base, 0) // wide):
        first = base + step * wide
        if first + 6 > LAST_DAY:
            return
        days = [first + offset for offset in offsets]
        if limited:
            days = [day for day in days if _in_months(rule, day) and _in_year(rule, day)]
        yield first, days


def _single_days(rule: Rule, start: int, since: int) -> Iterator[tuple[int, list[int]]]:
    # A rule of hours for something that has only dates is one of days.
    interval = rule.interval if rule.frequency == Frequency.DAILY else 1
    for step in count_from(max(since - start, 0) // interval):
        day = start + step * interval
        if day > LAST_DAY:
            return
        yield day, [day] if _is_allowed(rule, day) else []


# --- hours, minutes, seconds -----------------------------------------------------------------


def _within_days(rule: Rule, start: int, since: int, before: int, budget: Budget) -> Iterator[int]:
    unit = _SECONDS[rule.frequency]
    wide = unit * rule.interval
    base = start - start % unit
    at = _next_step(base, wide, since - unit)
    inside = _inside(rule, start, unit)
    budget.spend(len(inside) // 10)
    known_day, allowed = FIRST_DAY - 1, False
    while at < before:
        budget.spend()
        day = at // DAY
        if day > LAST_DAY:
            return
        if day != known_day:
            known_day, allowed = day, _is_allowed(rule, day)
        if not allowed:
            at = _next_step(base, wide, (day + 1) * DAY)
        elif rule.by_hour and at // 3600 % 24 not in rule.by_hour:
            at = _next_step(base, wide, (at // 3600 + 1) * 3600)
        elif unit < 3600 and rule.by_minute and at // 60 % 60 not in rule.by_minute:
            at = _next_step(base, wide, (at // 60 + 1) * 60)
        elif unit == 1 and rule.by_second and at % 60 not in rule.by_second:
            at += wide
        else:
            if rule.by_position:
                yield from _positions(rule, [at], inside, budget)
            else:
                budget.spend(len(inside))
                for second in inside:
                    yield at + second
            at += wide


def _next_step(base: int, wide: int, target: int) -> int:
    """Return the first step from the target on."""
    return base + max(-(-(target - base) // wide), 0) * wide


def _inside(rule: Rule, start: int, unit: int) -> list[int]:
    """Return the seconds within an hour, minute or second that the rule has."""
    if unit == 1:
        return [0]
    seconds = [second for second in rule.by_second or (start % 60,) if second < 60]
    if unit == 60:
        return seconds
    minutes = rule.by_minute or (start // 60 % 60,)
    return [minute * 60 + second for minute in minutes for second in seconds]


# --- days ------------------------------------------------------------------------------------


def _date(day: int) -> date:
    return date.fromordinal(min(max(day, FIRST_DAY), LAST_DAY) + EPOCH)


def _day(year: int, month: int) -> int:
    return date(year, month, 1).toordinal() - EPOCH


def _weekday(day: int) -> int:
    return (day + 3) % 7


def _month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if isleap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _month_days(rule: Rule, year: int, month: int, month_days: tuple[int, ...]) -> list[int]:
    first, length = _day(year, month), _month_length(year, month)
    if not month_days:
        return _by_weekday(rule, first, length)
    found = {first + (n - 1 if n > 0 else length + n) for n in month_days if abs(n) <= length}
    if rule.by_day:
        found &= set(_by_weekday(rule, first, length))
    return sorted(found)


def _by_weekday(rule: Rule, first: int, length: int) -> list[int]:
    """Return the days that BYDAY names in a month or year."""
    found: set[int] = set()
    for ordinal, weekday in rule.by_day:
        at = (weekday - _weekday(first)) % 7
        if ordinal == 0:
            found.update(range(first + at, first + length, 7))
            continue
        if ordinal > 0:
            at += 7 * (ordinal - 1)
        else:
            at += 7 * ((length - 1 - at) // 7 + ordinal + 1)
        if 0 <= at < length:
            found.add(first + at)
    return sorted(found)


def _in_months(rule: Rule, day: int) -> bool:
    """Whether BYMONTH and BYMONTHDAY let a day through."""
    if not rule.by_month and not rule.by_month_day:
        return True
    at = _date(day)
    if rule.by_month and at.month not in rule.by_month:
        return False
    if not rule.by_month_day:
        return True
    length = _month_length(at.year, at.month)
    return at.day in rule.by_month_day or at.day - length - 1 in rule.by_month_day


def _in_year(rule: Rule, day: int) -> bool:
    """Whether BYYEARDAY and BYWEEKNO let a day through."""
    if rule.by_year_day:
        at = _date(day)
        number, length = day - _day(at.year, 1) + 1, 366 if isleap(at.year) else 365
        if number not in rule.by_year_day and number - length - 1 not in rule.by_year_day:
            return False
    return not rule.by_week or day in _week_days(rule, _date(day).year)


def _is_allowed(rule: Rule, day: int) -> bool:
    """Whether all that is said of days lets a day through (rules of days and shorter)."""
    if rule.by_day and all(weekday != _weekday(day) for _, weekday in rule.by_day):
        return False
    return _in_months(rule, day) and _in_year(rule, day)
