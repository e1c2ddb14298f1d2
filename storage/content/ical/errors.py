"""The one error of this package."""

from __future__ import annotations


class CalendarError(Exception):
    """Calendar data, or a question about it, that cannot be served.

    ``precondition`` is the local name of the CALDAV element that says so (RFC 4791 sections
    5.3.2.1 and 7.8: "valid-calendar-data", "max-instances" ...); ``text`` is one sentence for
    people.
    """

    def __init__(self, precondition: str, text: str) -> None:
        self.precondition = precondition
        self.text = text
        super().__init__(f"{precondition}: {text}")


def invalid(text: str) -> CalendarError:
    """Return the error for data that breaks the grammar of RFC 5545."""
    return CalendarError("valid-calendar-data", text)
