"""SAVEDATE (RFC 8514): when a message came into its mailbox, however old it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from folkmoot.protocols.imap.fetch_items import Attribute, register_attribute
from folkmoot.protocols.imap.fetch_plan import RowItem, internal_date, row_item
from folkmoot.protocols.imap.registry import capability, signed_in
from folkmoot.protocols.imap.search_keys import All, SearchKey, SearchParser, When, search_key
from folkmoot.protocols.imap.search_plan import by_day, translates
from folkmoot.storage import types_search as find
from folkmoot.storage.types import MessageColumn

capability("SAVEDATE", signed_in)  # rfc8514#4.1

SAVEDATE: Final = Attribute(b"SAVEDATE")

register_attribute(SAVEDATE)  # rfc8514#4.2
row_item(
    SAVEDATE, RowItem(MessageColumn.SAVED, b"%b", lambda seconds: internal_date(seconds, zone=0))
)


@dataclass(frozen=True, slots=True)
class SavedDay(SearchKey):
    """Messages by the day on which they came into the mailbox (RFC 8514 section 4.3)."""

    when: When
    day: date


def _register() -> None:
    whens: tuple[When, ...] = ("BEFORE", "ON", "SINCE")
    for name in whens:

        def read(parser: SearchParser, when: When = name) -> SearchKey:
            parser.cursor.space()
            return SavedDay(when, parser.cursor.date())

        search_key(f"SAVED{name}")(read)


_register()


@search_key("SAVEDATESUPPORTED")
def _supported(parser: SearchParser) -> SearchKey:
    return All()  # by every mailbox here


@translates(SavedDay)
def _by_saved_day(key: SavedDay) -> find.SearchKey:
    return by_day(find.SavedDate, key.when, key.day)
