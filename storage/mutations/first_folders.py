"""What every space has from the start: a calendar, a task list, an address book, and the two
collections of RFC 6638. Migration 0005 gave the same to spaces that were older."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.mutations.tree_folders import insert_folder, insert_properties
from folkmoot.storage.txn import WriteContext
from folkmoot.storage.types import Tool
from folkmoot.storage.types_sharing import DROP_FOLDER
from folkmoot.storage.types_tree import DEFAULT, SCHEDULE_INBOX, SCHEDULE_OUTBOX

_ROOT = Statement(
    "SELECT id FROM collections"
    " WHERE space_id = :space AND tool = 'documents' AND parent_id IS NULL"
)


@dataclass(frozen=True, slots=True)
class FirstFolder:
    """A folder that is there from the start; its name is shown as well."""

    tool: Tool
    name: str
    special_use: str = ""
    components: tuple[str, ...] = ()


_SCHEDULED = ("VEVENT", "VTODO", "VFREEBUSY")

#: macOS 13 ignores calendars whose path begins with a small letter.
FIRST: Final[Sequence[FirstFolder]] = (
    FirstFolder(Tool.CALENDAR, "Calendar", DEFAULT, ("VEVENT", "VJOURNAL")),
    FirstFolder(Tool.CALENDAR, "Tasks", "", ("VTODO",)),
    FirstFolder(Tool.CALENDAR, "Inbox", SCHEDULE_INBOX, _SCHEDULED),
    FirstFolder(Tool.CALENDAR, "Outbox", SCHEDULE_OUTBOX, _SCHEDULED),
    FirstFolder(Tool.CONTACTS, "Contacts", DEFAULT),
)


def displayname(name: str) -> dict[str, str]:
    """The property that shows a name to people."""
    return {"{DAV:}displayname": f'<displayname xmlns="DAV:">{escape(name)}</displayname>'}


#: Where fellow members put files for the owner of a space; groups have none.
DROP: Final = FirstFolder(Tool.DOCUMENTS, "Drop folder", DROP_FOLDER)


def insert_drop_folder(context: WriteContext, space_id: int) -> None:
    """Make the drop folder in the new space of an account."""
    root: int = context.db.value(_ROOT, space=space_id)
    insert_folder(
        context,
        space_id,
        DROP.tool,
        root,
        DROP.name,
        context.number(root),
        special_use=DROP.special_use,
    )


def insert_first_folders(context: WriteContext, space_id: int, root_ids: dict[Tool, int]) -> None:
    """Make them in a new space."""
    for first in FIRST:
        root = root_ids[first.tool]
        folder = insert_folder(
            context,
            space_id,
            first.tool,
            root,
            first.name,
            context.number(root),
            special_use=first.special_use,
            components=first.components,
        )
        insert_properties(context, folder, displayname(first.name))
