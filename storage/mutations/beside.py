"""What is kept beside items of calendars and address books, for queries."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import CalendarRow, CardRow

#: The table of each tool, and its columns, which are named as in ``CalendarRow`` and ``CardRow``.
BESIDE: Final = {
    Tool.CALENDAR: ("calendar_objects", tuple(each.name for each in fields(CalendarRow))),
    Tool.CONTACTS: ("contact_cards", tuple(each.name for each in fields(CardRow))),
}
