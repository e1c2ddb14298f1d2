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
    """Where messages for a space go: its inbox, and the calendar that takes invitations."""

    inbox_id: int
    calendar_id: int


@dataclass(frozen=True, slots=True)
class ScheduledObject:
    """The object of a meeting that somebody has already."""

    item: Item
    data: bytes
