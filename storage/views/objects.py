"""Views that look for objects in calendars and address books.

What an index can answer is not read: times by the packed instances beside each object, texts by
their folded values. Only what these leave open is read and parsed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from folkmoot.storage.blobs.fs import FileBlobs
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.filters import matches as calendar_matches
from folkmoot.storage.content.ical.intake import load_calendar
from folkmoot.storage.content.ical.query import (
    CalendarFilter,
    SimpleQuery,
    narrow,
    searches_content,
)
from folkmoot.storage.content.ical.rules import Budget
from folkmoot.storage.content.ical.spans import Window, span_hits, window
from folkmoot.storage.content.ical.values import Zone
from folkmoot.storage.content.vcard.filters import Filter
from folkmoot.storage.content.vcard.matching import decide, needle
from folkmoot.storage.content.vcard.matching import matches as card_matches
from folkmoot.storage.engine.db import Row, Statement, number_list
from folkmoot.storage.errors import RuleBroken
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.sight import Sight
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right
from folkmoot.storage.types_tree import CONFIDENTIAL, LONG, Entry, Item
from folkmoot.storage.views.base import View
from folkmoot.storage.views.sight import by_sight, find_items, open_to, outlines_of, some_sight
from folkmoot.storage.views.tree import read_bodies

MARGIN = 15 * 3600  # seconds: floating times lie so far from UTC at most
AT_ONCE = 200
STEPS = 1_000_000  # of expanding recurrences, for one query
STEPS_EACH = 50_000  # and for one object

_OBJECTS = (
    "SELECT o.item_id, o.spans, o.covered_from, o.covered_until, o.floating"
    " FROM calendar_objects o{join} WHERE o.folder_id = :folder{which}"
)
_ITEMS = " JOIN items i ON i.id = o.item_id"
#: Those of which an outline is seen, which their facts are not of.
_OUTLINED = f" AND i.privacy = {CONFIDENTIAL} AND i.creator <> :me"
_BUSY = " AND o.busy IS NOT NULL"
_SHORT = " AND o.long = 0 AND o.last > :start AND o.last < :latest AND o.first < :end"
_LONG = " AND o.long = 1 AND o.last > :start AND o.first < :end"


@contextlib.contextmanager
def sharing(budget: Budget) -> Iterator[Budget]:
    """A part of a budget for one object: what is inside ends when the part is used up.

    Raises ``CalendarError`` (max-instances) when the whole is used up.
    """
    own = Budget(min(STEPS_EACH, budget.left))
    steps = own.left
    try:
        yield own
    except CalendarError as error:
        if error.precondition != "max-instances":
            raise
    budget.spend(steps - max(own.left, 0))


def _has(is_sqlite: bool, number: int) -> str:
    """A condition: the folded text has the parameter in it."""
    where = f"INSTR(o.text, :text{number})" if is_sqlite else f"STRPOS(o.text, :text{number})"
    return f" AND {where} > 0"


@dataclass(frozen=True, slots=True)
class FindObjects(View[list[int]]):
    """The items of a calendar that match a filter, by their numbers, ascending.

    Floating times are those of ``zone``. Raises ``RuleBroken`` (max-instances) for a question
    that takes too much work.
    """

    folder_id: int
    asked: CalendarFilter
    zone: Zone
    blobs: FileBlobs

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> list[int]:
        if searches_content(self.asked):
            context.search_content()
        query = narrow(self.asked)
        how = some_sight(context, self.folder_id)
        budget = Budget(STEPS)
        try:
            found: list[int] = []
            unsure: list[int] = []
            for id_, sure in self._candidates(context, query, open_to(how)):
                (found if sure else unsure).append(id_)
            if how in (Sight.PUBLIC, Sight.BUSY):
                found += self._among_outlines(context, how, query, budget)
            for id_, octets in octets_of(context, unsure, self.blobs):
                if self._matches(octets, budget):
                    found.append(id_)
        except CalendarError as error:
            raise RuleBroken(error.text, rule=error.precondition) from None
        return sorted(found)

    def _matches(self, octets: bytes, budget: Budget) -> bool:
        """Whether an object matches.

        One that is too much work may match: it must not spoil the answer about all others.
        """
        with sharing(budget) as own:
            return calendar_matches(load_calendar(octets), self.asked, self.zone, own)
        return True

    def _among_outlines(
        self, context: ReadContext, how: Sight, query: SimpleQuery, budget: Budget
    ) -> list[int]:
        """Items that match as far as they are seen: what is hidden in them decides nothing."""
        query = query._replace(texts=())
        which = _BUSY if how is Sight.BUSY else _OUTLINED
        ids = [id_ for id_, _ in self._candidates(context, query, which)]
        outlines = outlines_of(context, how, ids)
        return [id_ for id_ in ids if self._matches(outlines[id_], budget)]

    def _candidates(
        self, context: ReadContext, query: SimpleQuery, which: str
    ) -> Iterator[tuple[int, bool]]:
        """(item, whether it is known to match)."""
        asked = None
        if query.time_range is not None:
            asked = window(query.time_range, self.zone)
        for id_, spans, since, until, floating in objects(
            context, self.folder_id, query.component, query.absent, asked, query.texts, which=which
        ):
            hit: bool | None = True
            if asked is not None:
                hit = span_hits(spans, since, until, bool(floating), asked)
            if hit is not False:
                yield id_, hit is True and query.exact


def objects(
    context: ReadContext,
    folder_id: int,
    component: str | None,
    absent: bool,
    asked: Window | None,
    texts: Sequence[str] = (),
    *,
    except_uid: str = "",
    which: str = "",
) -> list[Row]:
    """(item, spans, covered from, until, floating) of the objects that may be meant.

    ``which`` is a condition on their items ``i``.
    """
    sql = _OBJECTS.format(join=_ITEMS if which else "", which=which)
    me = context.actor.account_id
    bounds = {"folder": folder_id, "component": component, "me": me}
    if except_uid:
        sql += " AND o.uid <> :except_uid"
        bounds["except_uid"] = except_uid
    if component is not None:
        sql += f" AND o.component {'<>' if absent else '='} :component"
    for number, text in enumerate(texts):
        sql += _has(context.db.is_sqlite, number)
        bounds[f"text{number}"] = text
    if asked is None:
        return context.db.all(Statement(sql), **bounds)
    start = min(asked.start, asked.local_start) - MARGIN
    end = max(asked.end, asked.local_end) + MARGIN
    times = {"start": start, "end": end, "latest": end + LONG}
    rows = context.db.all(Statement(sql + _SHORT), **bounds, **times)
    return rows + context.db.all(Statement(sql + _LONG), **bounds, **times)


@dataclass(frozen=True, slots=True)
class FindCards(View[list[int]]):
    """The items of an address book that match a filter, by their numbers, ascending."""

    folder_id: int
    asked: Filter
    blobs: FileBlobs

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> list[int]:
        if self.asked.searches_content:
            context.search_content()
        which = open_to(some_sight(context, self.folder_id))
        sql = f"SELECT o.item_id, o.text FROM contact_cards o{_ITEMS if which else ''}"  # noqa: S608
        sql += f" WHERE o.folder_id = :folder{which}"
        text = needle(self.asked)
        bounds: dict[str, int | str] = {"folder": self.folder_id, "me": context.actor.account_id}
        if text:
            sql += _has(context.db.is_sqlite, 0)
            bounds["text0"] = text
        found, unsure = [], []
        for id_, lines in context.db.all(Statement(sql), **bounds):
            known = decide(lines, self.asked)
            if known is None:
                unsure.append(id_)
            elif known:
                found.append(id_)
        for id_, octets in octets_of(context, unsure, self.blobs):
            if card_matches(octets, self.asked):
                found.append(id_)
        return sorted(found)


@dataclass(frozen=True, slots=True)
class ReadNumbered(View[list[Entry]]):
    """Items of a folder by their numbers, with their octets where ``blobs`` is given.

    Those that are gone are left out. Stops when ``budget`` octets are read, but not before the
    first item.
    """

    folder_id: int
    item_ids: tuple[int, ...]
    blobs: FileBlobs | None = None
    budget: int = 0
    properties: bool = True

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> list[Entry]:
        some_sight(context, self.folder_id)
        found: dict[int, Item] = {}
        for some in _batches(self.item_ids):
            statements = by_sight(
                "SELECT {item} FROM items i WHERE i.folder_id = :folder{sees}"  # noqa: S608
                f" AND i.id IN ({number_list(some)})"
            )
            found |= {item.id: item for item in find_items(context, self.folder_id, statements)}
        items = [found[id_] for id_ in self.item_ids if id_ in found]
        return read_bodies(context, self.folder_id, items, self.blobs, self.budget, self.properties)


def octets_of(
    context: ReadContext, item_ids: Sequence[int], blobs: FileBlobs
) -> Iterator[tuple[int, bytes]]:
    """(item, its octets) of items, some at a time."""
    for some in _batches(item_ids):
        statement = Statement(
            "SELECT i.id, b.size, b.data, b.file FROM items i JOIN blobs b ON b.id = i.blob_id"  # noqa: S608
            f" WHERE i.id IN ({number_list(some)})"
        )
        for id_, size, data, file in context.db.all(statement):
            yield id_, blobs.read(file, 0, size) if data is None else bytes(data)


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]
