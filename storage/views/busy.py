"""When people are busy: of whole calendars, from what is kept beside their objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.blobs.fs import FileBlobs
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.freebusy import BusyPeriod, busy_in, busy_periods
from folkmoot.storage.content.ical.intake import load_calendar
from folkmoot.storage.content.ical.rules import Budget
from folkmoot.storage.content.ical.spans import TimeRange, spans_within, window
from folkmoot.storage.content.ical.values import Zone
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import RuleBroken
from folkmoot.storage.gate import Need, OnCollection, PerItem
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right, Tool
from folkmoot.storage.types_tree import SCHEDULE_INBOX, SCHEDULE_OUTBOX, Entry
from folkmoot.storage.views.base import View
from folkmoot.storage.views.bound import TRANSPARENCY, as_bound
from folkmoot.storage.views.objects import STEPS, objects, octets_of, sharing
from folkmoot.storage.views.tree import FOLDER, FROM_FOLDERS, ROOT, visible_folders, with_properties

_KINDS = ("VEVENT", "VFREEBUSY")
# What is of others, and whether it makes the owner of the home busy.
_BOUND = Statement(
    f"SELECT {FOLDER}, p.value FROM bindings b JOIN binding_properties p"  # noqa: S608
    " ON p.home_id = b.home_id AND p.collection_id = b.collection_id AND p.name = :name"
    " JOIN collections c ON c.id = b.collection_id JOIN spaces s ON s.id = c.space_id"
    " WHERE b.home_id = :root AND b.hidden = 0 ORDER BY c.id"
)
_MEMBERS = Statement(f"{FROM_FOLDERS} WHERE c.parent_id = :root ORDER BY c.id")


@dataclass(frozen=True, slots=True)
class BusyCalendars(View[list[Entry]]):
    """The calendars of a space whose busy times the actor may know, with their properties.

    Among them are those that the actor may not know otherwise: they are for ``BusyTimes``, not
    to be shown. Those of others that the owner of the space lets make busy come last, under the
    names that they have in the home.
    """

    space_id: int

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> list[Entry]:
        root = context.db.one(ROOT, space=self.space_id, tool=Tool.CALENDAR.value)
        if root is None:
            return []
        rows = context.db.all(_MEMBERS, root=root[0])
        folders = [
            folder
            for folder in visible_folders(context, rows, Right.BUSY)
            if folder.special_use not in (SCHEDULE_INBOX, SCHEDULE_OUTBOX)
        ]
        found: list[Entry] = []
        while len(found) < len(folders):
            found += with_properties(context, root[0], folders[len(found) :])
        return found + self._bound(context, root[0])

    def _bound(self, context: ReadContext, home_id: int) -> list[Entry]:
        rows = context.db.all(_BOUND, root=home_id, name=TRANSPARENCY)
        said = {row[0]: row[-1] for row in rows if "transparent" not in row[-1]}
        rows = [row for row in rows if row[0] in said]
        folders = visible_folders(context, rows, Right.BUSY)
        found: list[Entry] = []
        while len(found) < len(folders):
            found += with_properties(context, home_id, folders[len(found) :])
        return [
            Entry(as_bound(folder), {**entry.properties, TRANSPARENCY: said[folder.id]})
            for folder, entry in zip(folders, found, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class BusyTimes(View[list[BusyPeriod]]):
    """The busy times of calendars from ``start`` to ``end`` (seconds UTC), without overlaps.

    Floating times are those of ``zone``. BUSY is all that is needed, and times are all that is
    told. ``except_uid`` leaves out one object: a meeting does not stand in its own way.
    Raises ``RuleBroken`` (max-instances).
    """

    folder_ids: tuple[int, ...]
    start: int
    end: int
    zone: Zone
    blobs: FileBlobs
    except_uid: str = ""

    def needs(self) -> Sequence[Need]:
        return [OnCollection(id_, Right.BUSY) for id_ in self.folder_ids]

    def read(self, context: ReadContext) -> list[BusyPeriod]:
        budget = Budget(STEPS)
        rows: list[tuple[int, int, int]] = []
        try:
            for folder_id in self.folder_ids:
                for kind in _KINDS:
                    rows += self._rows(context, folder_id, kind, budget)
        except CalendarError as error:
            raise RuleBroken(error.text, rule=error.precondition) from None
        return busy_periods(rows, self.start, self.end)

    def _rows(
        self, context: ReadContext, folder_id: int, kind: str, budget: Budget
    ) -> list[tuple[int, int, int]]:
        asked = window(TimeRange(self.start, self.end), self.zone)
        found: list[tuple[int, int, int]] = []
        unsure: list[int] = []
        for row in objects(context, folder_id, kind, False, asked, except_uid=self.except_uid):
            id_, spans, since, until, floating = row
            start, end = (asked.local_start, asked.local_end) if floating else asked[:2]
            if since <= start and end <= until:
                found += spans_within(spans, bool(floating), asked, self.zone)
            else:
                unsure.append(id_)
        for _, octets in octets_of(context, unsure, self.blobs):
            with sharing(budget) as own:  # one that is too much work must not spoil the answer
                found += busy_in(load_calendar(octets), self.start, self.end, self.zone, own)
        return found
