"""Plain values of scheduling (RFC 6638)."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.storage.types_tree import Item


@dataclass(frozen=True, slots=True)
class ScheduleMessage:
    """A message to a calendar user of this server; addresses are e-mail addresses.

    ``data`` is a calendar with a METHOD (RFC 5546). ``id`` is 0 until it is stored.
    """

    space_id: int
    sender: str
    recipient: str
    data: bytes
    id: int = 0


@dataclass(frozen=True, slots=True)
class ScheduleFolders:
    """Where messages for a space go: its inbox, and a calendar that takes such objects."""

    inbox_id: int
    calendar_id: int


@dataclass(frozen=True, slots=True)
class ScheduleHome:
    """The collections of a calendar home: the inbox, the calendars, and which one was chosen.

    ``calendars`` are (number, name, whether it is the first one, components that it takes).
    ``choice`` is the property schedule-default-calendar-URL as it was set, "" where it was not.
    """

    inbox_id: int
    calendars: tuple[tuple[int, str, bool, tuple[str, ...]], ...]
    choice: str


@dataclass(frozen=True, slots=True)
class ScheduledObject:
    """The object of a meeting that somebody has already."""

    item: Item
    data: bytes
