"""When to warn of something, and when it may happen: pure, the same for all that has warnings.

There are warnings 30 days, 7 days and 1 day before. Each is sent once and names the date; one that
comes late moves the date, so that nobody has less time than the warning says. What has not been
warned of at all its stages never happens, whatever the clock does.
"""

from __future__ import annotations

from dataclasses import replace

from folkmoot.quota.offers import DAY
from folkmoot.storage.types_billing import Notice

STAGES = (30, 7, 1)  # days before


def stages_of(days: int) -> tuple[int, ...]:
    """The stages for something that takes so many days: those in its second half."""
    return tuple(stage for stage in STAGES if 2 * stage <= days) or STAGES[-1:]


def advance(
    notice: Notice | None, fresh: Notice, stages: tuple[int, ...], now: int
) -> Notice | None:
    """The warning that is to be sent now, None for none.

    ``notice`` is the last one that was sent; one that is about something else than ``fresh``
    counts for nothing. ``fresh`` has the natural date.
    """
    if notice is None or is_stale(notice, fresh):
        ahead, stage = fresh, stages[0]
    else:
        later = [each for each in stages if each < notice.step]
        if not later:
            return None
        ahead, stage = notice, later[0]
    if now < ahead.due - stage * DAY:
        return None
    return replace(ahead, due=max(ahead.due, now + stage * DAY), step=stage, warned=now)


def is_stale(notice: Notice, fresh: Notice) -> bool:
    """Whether a notice is about something that is not so any more."""
    return (notice.plan, notice.basis) != (fresh.plan, fresh.basis) or notice.acted is not None


def is_due(notice: Notice, stages: tuple[int, ...], now: int) -> bool:
    """Whether what was warned of may happen: the date has come, a day after the last warning."""
    warned = notice.acted is None and notice.step <= stages[-1]
    return warned and now >= notice.due and now >= notice.warned + DAY
