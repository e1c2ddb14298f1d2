"""Items that are printed by columns look as if each were printed by itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from folkmoot.protocols import caldav, carddav, drive
from folkmoot.protocols.dav.application import DavApplication
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.plan import NamesPlan, Plan
from folkmoot.protocols.dav.registry import REGISTRY
from folkmoot.storage.types import Right, Tool
from folkmoot.storage.types_tree import Entry, Folder, Item

DavApplication(lambda actor: NOBODY, [caldav, carddav, drive])  # registers all that there is
NOBODY: Any = SimpleNamespace(agent="")
BASE = "/dav/drive/100%25/%s/"
NAMES = (
    "plain.ics",
    "ümlaut & <tag> 100%.txt",
    '%s"quoted"',
    "control\x01\ud800",
    "~.txt",
)
TYPES = ("", "text/calendar; charset=utf-8", 'a/b; c="<&>"', "%d/%s")
SET = {dav("displayname"): "<D:displayname>set</D:displayname>", "{x}dead": '<dead xmlns="x"/>'}
#: What programs list folders with, and what nobody has.
LISTED = [
    dav(name)
    for name in (
        "resourcetype",
        "displayname",
        "getcontentlength",
        "getcontenttype",
        "getetag",
        "getlastmodified",
        "creationdate",
    )
]
UNKNOWN = ["{x}dead", "{100% of <x> & %s}name", dav("getcontentlanguage"), "{}none"]


def folder(tool: Tool, number: int = 1, parent: int | None = 2) -> Folder:
    """A folder of a tool."""
    rights = Right.LOOKUP | Right.READ
    return Folder(number, 1, tool, parent, f"f{number}", 1, 1, 1, 5, 6, 7, 8, "", (), rights)


def item(number: int) -> Item:
    """One of items that differ in all that is printed of them."""
    name, kind = NAMES[number % len(NAMES)], TYPES[number % len(TYPES)]
    times = (0, 10**9, -(10**10), 10**13)
    made, changed = times[number % 4], times[number % 3]
    return Item(
        number, 1, name, number, made, changed, number * 7, f"{number:032x}", kind, 1, "", ""
    )


def members(tool: Tool) -> list[Entry]:
    """Folders and items, with and without what clients have set on them, in any order."""
    entries = [Entry(folder(tool, 10 + number, 1)) for number in range(2)]
    entries += [Entry(item(number)) for number in range(25)]
    entries[9] = Entry(item(70), SET)
    entries[10] = Entry(item(71), {}, b"data")
    entries[20] = Entry(folder(tool, 20, 1), SET)
    return entries


@pytest.mark.parametrize("minimal", [False, True])
@pytest.mark.parametrize("tool", [Tool.CALENDAR, Tool.CONTACTS, Tool.DOCUMENTS])
def test_columns_print_what_getters_do(tool: Tool, minimal: bool) -> None:
    """Each property alone, all together, and with those that are missing."""
    for names in ([], *([name] for name in LISTED), LISTED, UNKNOWN, LISTED + UNKNOWN):
        plan = Plan(NOBODY, names, minimal=minimal)
        assert plan.table(tool) is not None, names
        here, entries = folder(tool), members(tool)
        each = [plan._each(BASE, here, [entry]) for entry in entries]
        assert plan.members(BASE, here, entries) == "".join(each)
        assert all(BASE in text for text in each)


def test_all_columns_are_tried_here() -> None:
    """A property that gets a column is to be among those above."""
    having = {name for name, found in REGISTRY.props.items() if any(each.column for each in found)}
    assert having == set(LISTED)


def test_what_takes_a_look_at_each_is_not_printed_by_columns() -> None:
    """Getters without a column, what only one request has, and names of properties."""
    for tool in Tool:
        assert Plan(NOBODY, [dav("getetag"), dav("owner")]).table(tool) is None
        special = {"{x}dead": lambda node: "<x/>"}
        assert Plan(NOBODY, ["{x}dead"], special=special).table(tool) is None
        assert NamesPlan(NOBODY).table(tool) is None  # type: ignore[func-returns-value]
