"""The part of the config file that is about support: access to accounts, and the help desk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from folkmoot.config.fields import key
from folkmoot.config.kinds import Kind, WrongValue, duration, email, list_of, size, text, whole
from folkmoot.storage.errors import InvalidContent
from folkmoot.storage.opening_hours import parse_hours

MINUTE, HOUR, DAY = 60, 3600, 86400
_SHOW = text().show


def _zone() -> Kind:
    def parse(value: object, base: Path) -> str:
        try:
            return ZoneInfo(value if isinstance(value, str) else "").key
        except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
            pass
        except KeyError:
            pass
        raise WrongValue('a time zone such as "Europe/Berlin"')

    return Kind("time zone", parse, _SHOW)


def _hours() -> Kind:
    def parse(value: object, base: Path) -> str:
        given = value if isinstance(value, str) else ""
        try:
            parse_hours(given)
        except InvalidContent:
            raise WrongValue('opening hours such as "Mon-Fri 09:00-17:00"') from None
        return given

    return Kind("opening hours", parse, _SHOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportSection:
    """Access of support staff to accounts that let them in, and the help desk."""

    zone: str = key(
        _zone(),
        'The time zone in which a grant for "today" ends at midnight, where the customer names no '
        "other, and of the opening hours.",
        default="UTC",
        example="Europe/Berlin",
    )
    session: int = key(
        duration(lowest=MINUTE),
        "How long the key of a session of an agent is good; no longer than the grant.",
        default=8 * HOUR,
    )
    free_items: int = key(
        whole(0, 10_000),
        "How many single items an agent may read under one grant without the permission to export.",
        default=20,
    )
    free_bytes: int = key(size(), "The size of these items together.", default=10_000_000)
    link: int = key(
        duration(lowest=5 * MINUTE),
        "How long the link is good with which a customer lets support in.",
        default=2 * DAY,
    )
    keep_audit: int = key(
        duration(lowest=184 * DAY), "How long the audit trail is kept.", default=400 * DAY
    )
    desk: str | None = key(
        email(),
        "The address of the help desk: what customers write to support, and the call-backs that "
        "they book, go there. Without it, they are only kept.",
        default=None,
        example="help@example.org",
    )
    hours: tuple[str, ...] = key(
        list_of(_hours()),
        "When call-backs can be booked.",
        default=("Mon-Fri 09:00-17:00",),
        example=("Mon-Thu 08:00-18:00", "Fri 08:00-14:00"),
    )
