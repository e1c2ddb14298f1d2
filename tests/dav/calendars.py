"""Calendar objects for tests, and times in them."""

from __future__ import annotations

from datetime import UTC, datetime

from folkmoot.storage.content.ical.intake import CalendarObject, read_calendar

BERLIN = "Europe/Berlin"


def calendar(*components: str) -> bytes:
    """Return a calendar object; lines of components are separated by LF and may be indented."""
    inside = "\n".join(components)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    lines += [line.lstrip() for line in inside.splitlines() if line.strip()]
    return ("\r\n".join([*lines, "END:VCALENDAR"]) + "\r\n").encode()


def event(*lines: str, uid: str = "event-1", name: str = "VEVENT") -> str:
    """Return a component with a UID and further lines."""
    return "\n".join([f"BEGIN:{name}", f"UID:{uid}", *lines, f"END:{name}"])


def read(*components: str) -> CalendarObject:
    """Return the calendar object of these components."""
    return read_calendar(calendar(*components))


def at(text: str) -> int:
    """Return seconds UTC of "2024-03-04 10:00" or "2024-03-04" (UTC)."""
    form = "%Y-%m-%d %H:%M:%S" if text.count(":") == 2 else "%Y-%m-%d %H:%M"
    if " " not in text:
        form = "%Y-%m-%d"
    return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())


def shown(seconds: int) -> str:
    """Return seconds UTC as people read them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
