"""What is of groups and of others, and found in the home of an account as if it lay there.

Calendars and address books of groups, and those that fellow members share, are members of the
actor's own home under names of their own (``types_sharing.bound_name``). What they hold is found
where it lies; rights are asked there. What was told of them last stands in ``bindings``, so that
the home's number and its tombstones say what came and went.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import unescape
from typing import Final
from xml.sax.saxutils import escape

from folkmoot.storage.engine.db import Statement, number_list
from folkmoot.storage.gate import Need, OnCollection, OnSpace, PerItem
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import ActorKind, Right, Tool
from folkmoot.storage.types_sharing import BOUND_TOOLS, COLLEAGUES, bound_name, bound_number
from folkmoot.storage.types_tree import (
    DEFAULT,
    SCHEDULE_INBOX,
    SCHEDULE_OUTBOX,
    Entry,
    Folder,
    Found,
    Item,
    TreePath,
)
from folkmoot.storage.views.base import View
from folkmoot.storage.views.grants import SharedWithMe
from folkmoot.storage.views.groups import MyGroups
from folkmoot.storage.views.tree import (
    BY_ID,
    FOLDER,
    FROM_FOLDERS,
    FindPath,
    ListMembers,
    root_of,
    visible_folders,
    with_properties,
)

DISPLAYNAME: Final = "{DAV:}displayname"
#: Whether what is in a calendar makes its owner busy: what is of others does not, unless one says.
TRANSPARENCY: Final = "{urn:ietf:params:xml:ns:caldav}schedule-calendar-transp"
_TRANSPARENT: Final = (
    '<schedule-calendar-transp xmlns="urn:ietf:params:xml:ns:caldav"><transparent/>'
    "</schedule-calendar-transp>"
)
_TAGS = re.compile(r"<[^>]*>")

# CROSS JOIN keeps SQLite at this order: it would begin with the roots of all that there is.
_OF_GROUPS = Statement(
    f"SELECT {FOLDER} FROM members m CROSS JOIN groups g CROSS JOIN collections r"  # noqa: S608
    " CROSS JOIN collections c JOIN spaces s ON s.id = c.space_id"
    " WHERE m.account_id = :account AND g.id = m.group_id AND r.space_id = g.space_id"
    " AND r.tool = :tool AND r.parent_id IS NULL AND c.parent_id = r.id"
    " ORDER BY g.name, g.id, c.name"
)
_KNOWN = Statement(
    "SELECT collection_id, name, state, modseq, hidden FROM bindings WHERE home_id = :home"
)
_COLLEAGUES = Statement(
    f"{FROM_FOLDERS} WHERE c.parent_id = :home AND c.special_use = 'colleagues'"
)
_HIDDEN = Statement(
    "SELECT 1 FROM bindings WHERE home_id = :home AND collection_id = :collection AND hidden = 1"
)
_PROPERTIES = Statement(
    "SELECT collection_id, name, value FROM binding_properties WHERE home_id = :home"
)


@dataclass(frozen=True, slots=True)
class Bound:
    """A collection of somebody else in the actor's home.

    ``folder`` has the name that it has there. ``properties`` are its own, with those before them
    that the actor has set. ``state`` changes with all that is shown of it. ``modseq`` is the number
    of the home when it was last told, 0 for never. ``hidden``: the actor does not want to see it.
    """

    folder: Folder
    properties: Mapping[str, str]
    state: str
    modseq: int
    hidden: bool

    @property
    def entry(self) -> Entry:
        """It as a member of the home."""
        return Entry(replace(self.folder, member_modseq=self.modseq), self.properties)


@dataclass(frozen=True, slots=True)
class Known:
    """What was told of one last."""

    name: str
    state: str
    modseq: int
    hidden: bool


def is_own_home(context: ReadContext, folder: Folder) -> bool:
    """Whether a folder is one in which things of others are found.

    An agent of support whom somebody let into the groups, too, finds them like that person.
    """
    actor = context.actor
    guest = actor.support is not None and actor.support.with_groups
    return (
        (actor.kind is ActorKind.ACCOUNT or guest)
        and folder.space_id == actor.space_id
        and folder.parent_id is None
        and folder.tool in BOUND_TOOLS
    )


def known_in(context: ReadContext, home_id: int) -> dict[int, Known]:
    """What was told last, by collection."""
    return {
        id_: Known(name, state, modseq, bool(hidden))
        for id_, name, state, modseq, hidden in context.db.all(_KNOWN, home=home_id)
    }


def bound_in(context: ReadContext, home: Folder) -> list[Bound]:
    """What is of others in the actor's own home: of groups by name, then of fellow members.

    Those that the actor has hidden are among them.
    """
    rows = context.db.all(_OF_GROUPS, tool=home.tool.value, account=context.actor.account_id)
    folders = [folder for folder in visible_folders(context, rows) if _is_bindable(folder)]
    titles = _titles(context, home.tool, folders)
    shared = SharedWithMe(home.tool).read(context)
    if shared:
        ids = number_list([place.collection_id for place in shared])
        rows = context.db.all(Statement(f"{FROM_FOLDERS} WHERE c.id IN ({ids})"))
        found = {each.id: each for each in visible_folders(context, rows)}
        for place in shared:
            folder = found.get(place.collection_id)
            if folder is not None and _is_bindable(folder):
                folders.append(folder)
                titles[folder.id] = place.owner
    groups = {folder.id for folder in folders} - {place.collection_id for place in shared}
    return _dressed(context, home.id, folders, titles, groups)


def _is_bindable(folder: Folder) -> bool:
    """Whether something that the actor may know is shown in a home: where more is told of it."""
    busy = folder.tool is Tool.CALENDAR and Right.BUSY in folder.rights
    seen = Right.READ in folder.rights or (busy and Right.INSERT not in folder.rights)
    return seen and folder.special_use not in (SCHEDULE_INBOX, SCHEDULE_OUTBOX)


def _titles(context: ReadContext, tool: Tool, folders: Iterable[Folder]) -> dict[int, str]:
    """Whose they are, as people read it."""
    folders = list(folders)
    if not folders:
        return {}
    names = {place.space_id: place.name for place in MyGroups().read(context)}
    return {folder.id: names.get(folder.space_id, "") for folder in folders}


def _dressed(
    context: ReadContext,
    home_id: int,
    folders: Sequence[Folder],
    owners: Mapping[int, str],
    of_groups: Iterable[int],
) -> list[Bound]:
    """Folders as they are found in the home."""
    if not folders:
        return []
    of_groups = set(of_groups)
    known = known_in(context, home_id)
    own: dict[int, dict[str, str]] = {}
    for id_, name, value in context.db.all(_PROPERTIES, home=home_id):
        own.setdefault(id_, {})[name] = value
    entries: list[Entry] = []
    while len(entries) < len(folders):
        entries += with_properties(context, home_id, folders[len(entries) :])
    found = []
    for folder, entry in zip(folders, entries, strict=True):
        title = f"{text_of(entry.properties.get(DISPLAYNAME)) or folder.name} ({owners[folder.id]})"
        shown = f'<displayname xmlns="DAV:">{escape(title)}</displayname>'
        properties = {**entry.properties, DISPLAYNAME: shown}
        if folder.tool is Tool.CALENDAR:
            properties[TRANSPARENCY] = _TRANSPARENT
        state = f"{int(folder.rights)} {folder.member_modseq} {title}".encode()
        told = known.get(folder.id)
        found.append(
            Bound(
                as_bound(folder, of_group=folder.id in of_groups),
                {**properties, **own.get(folder.id, {})},
                hashlib.blake2b(state, digest_size=12).hexdigest(),
                told.modseq if told is not None else 0,
                told is not None and told.hidden,
            )
        )
    return found


def as_bound(folder: Folder, *, of_group: bool | None = None) -> Folder:
    """With the name that it has in the home; another's default is not one's own."""
    of_group = folder.of_group if of_group is None else of_group
    use = "" if folder.special_use == DEFAULT else folder.special_use
    return replace(
        folder, name=bound_name(folder.id, of_group=of_group), special_use=use, bound=True
    )


def text_of(stored: str | None) -> str:
    """The text of a property as people read it."""
    return unescape(_TAGS.sub("", stored)).strip() if stored is not None else ""


# --- places ---------------------------------------------------------------------------------------


def is_bound(context: ReadContext, path: TreePath) -> int | None:
    """The collection of somebody else that a place in the actor's home would be of."""
    if not path.names or path.tool not in BOUND_TOOLS or path.space_id != context.actor.space_id:
        return None
    return bound_number(path.names[0])


@dataclass(frozen=True, slots=True)
class FindPlace(View[Found]):
    """What lies at a path, like ``FindPath``; in the actor's home also what is of others.

    ``Found.path`` is the path as it was asked for, and the node of something of others has the
    name that it has in the home.
    """

    path: TreePath
    properties: bool = True
    octets: int = 0

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> Found:
        path = self.path
        number = is_bound(context, path)
        if number is None:
            return FindPath(path, self.properties, self.octets).read(context)
        home = root_of(context, path.space_id, path.tool)
        folder = _bound_folder(context, home, number, path.names[0])
        if folder is None:
            return Found(path, None, None)
        if len(path.names) > 1:
            real = TreePath(folder.space_id, path.tool, (folder.name, *path.names[1:]))
            found = FindPath(real, self.properties, self.octets).read(context)
            return Found(path, found.entry, found.parent)
        return Found(path, self._entry(context, home, folder), home)

    def _entry(self, context: ReadContext, home: Folder, folder: Folder) -> Entry:
        of_group = bound_name(folder.id, of_group=True) == self.path.names[0]
        if not self.properties:
            return Entry(as_bound(folder, of_group=of_group))
        if of_group:
            owners = _titles(context, folder.tool, [folder])
        else:
            places = SharedWithMe(folder.tool).read(context)
            owners = {place.collection_id: place.owner for place in places}
        owners.setdefault(folder.id, "")
        [bound] = _dressed(context, home.id, [folder], owners, [folder.id] if of_group else [])
        return Entry(bound.folder, bound.properties)


def _bound_folder(context: ReadContext, home: Folder, number: int, name: str) -> Folder | None:
    """The collection with a number as it lies where it is, if it is found in the home so."""
    row = context.db.one(BY_ID, id=number)
    if row is None or row[1] == home.space_id or row[2] != home.tool.value or row[3] is None:
        return None
    if name != bound_name(number, of_group=row[14] == 0):
        return None
    folders = visible_folders(context, [row])
    if not folders or not _is_bindable(folders[0]):
        return None
    if context.db.one(_HIDDEN, home=home.id, collection=number) is not None:
        return None
    return folders[0]


@dataclass(frozen=True, slots=True)
class ListPlace(View[list[Entry]]):
    """Members of a folder like ``ListMembers``; what is of others comes last in the home."""

    folder_id: int
    after: Folder | Item | None = None
    limit: int = 500
    properties: bool = True

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> list[Entry]:
        facts, after = context.facts(self.folder_id), self.after
        own = facts.space_id == context.actor.space_id
        if isinstance(after, Folder) and (
            after.space_id != facts.space_id or after.special_use == COLLEAGUES
        ):
            return []  # what is of others came in one page
        entries = self._own(context, after)
        if entries or not own or facts.tool not in BOUND_TOOLS or isinstance(after, Item):
            return entries
        home = root_of(context, facts.space_id, facts.tool)
        if home.id != self.folder_id or not is_own_home(context, home):
            return entries
        entries = [bound.entry for bound in bound_in(context, home) if not bound.hidden]
        colleagues = visible_folders(context, context.db.all(_COLLEAGUES, home=home.id))
        return entries + with_properties(context, home.id, colleagues)

    def _own(self, context: ReadContext, after: Folder | Item | None) -> list[Entry]:
        """Those that lie there; the colleagues come last, because macOS shows the first book."""
        while True:
            page = ListMembers(self.folder_id, after, self.limit, self.properties).read(context)
            entries = [each for each in page if not _is_of_colleagues(each.node)]
            if entries or not page:
                return entries
            after = page[-1].node


def _is_of_colleagues(node: Folder | Item) -> bool:
    return isinstance(node, Folder) and node.special_use == COLLEAGUES


@dataclass(frozen=True, slots=True)
class IsStale(View[bool]):
    """Whether something of others came, went or changed since the actor's home was last told."""

    space_id: int
    tool: Tool

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id, look=True)]

    def read(self, context: ReadContext) -> bool:
        home = root_of(context, self.space_id, self.tool)
        if context.actor.support is not None or not is_own_home(context, home):
            return False  # support writes nothing there
        now = bound_in(context, home)
        known = known_in(context, home.id)
        return {each.folder.id: "" if each.hidden else each.state for each in now} != {
            id_: "" if each.hidden else each.state for id_, each in known.items()
        }
