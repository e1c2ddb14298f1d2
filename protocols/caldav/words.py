"""Names in CalDAV's namespaces, and refusals that name one of its conditions."""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.names import APPLE, CALDAV, CALENDARSERVER, element
from folkmoot.protocols.dav.registry import compliance
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.types import Tool

CALENDAR: Final = (Tool.CALENDAR,)
CALENDAR_DATA: Final = f"{{{CALDAV}}}calendar-data"

# rfc4791#5.1, rfc7809#3.1.1
compliance("calendar-access", "calendar-no-timezone")


def cal(name: str) -> str:
    """A name of CalDAV's namespace."""
    return f"{{{CALDAV}}}{name}"


def server(name: str) -> str:
    """A name of calendarserver.org's namespace."""
    return f"{{{CALENDARSERVER}}}{name}"


def apple(name: str) -> str:
    """A name of the namespace of Apple's calendars."""
    return f"{{{APPLE}}}{name}"


def refuse(name: str, status: int = 403, text: str = "") -> DavError:
    """A refusal that names a condition of CalDAV."""
    return DavError(status, element(cal(name)), text=text)


def refusal_of(error: CalendarError) -> DavError:
    """The refusal for calendar data, or a question about it, that cannot be served."""
    return refuse(error.precondition, text=error.text)
