"""Views of the tree: what lies at a path, the members of a folder, what changed in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from folkmoot.storage.blobs.fs import FileBlobs
from folkmoot.storage.engine.db import Row, Statement, number_list
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, OnCollection, PerItem
from folkmoot.storage.policy import CollectionFacts
from folkmoot.storage.sight import Sight
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import MessageBody, Right, Tool
from folkmoot.storage.types_tree import Entry, Folder, Found, Item, TreePath
from folkmoot.storage.views.base import View
from folkmoot.storage.views.sight import (
    by_sight,
    compared,
    find_items,
    outlines_of,
    sight,
    some_sight,
)

MAX_LEVELS = 100
NAMES_AT_ONCE = 200
#: What is told of a calendar of which only busy times are told.
_OF_BUSY = (
    "{DAV:}displayname",
    "{http://apple.com/ns/ical/}calendar-color",
    "{http://apple.com/ns/ical/}calendar-order",
    "{urn:ietf:params:xml:ns:caldav}calendar-timezone",
    "{urn:ietf:params:xml:ns:caldav}calendar-timezone-id",
    "{urn:ietf:params:xml:ns:caldav}schedule-calendar-transp",
)
PROPERTIES_AT_ONCE = 1 << 20  # characters of what was set on the members of one page

FOLDER = (
    "c.id, c.space_id, c.tool, c.parent_id, c.shown, c.modseq, c.member_modseq, c.log_floor,"
    " c.created, c.modified, c.messages, c.size, c.special_use, c.components, s.owner_account_id,"
    " EXISTS (SELECT 1 FROM grants g WHERE g.collection_id = c.id AND g.item = 0)"
)
FROM_FOLDERS = f"SELECT {FOLDER} FROM collections c JOIN spaces s ON s.id = c.space_id"  # noqa: S608

ROOT = Statement(
    f"{FROM_FOLDERS} WHERE c.space_id = :space AND c.tool = :tool AND c.parent_id IS NULL"
)
_CHILD = Statement(f"{FROM_FOLDERS} WHERE c.parent_id = :parent AND c.name = :name")
BY_ID = Statement(f"{FROM_FOLDERS} WHERE c.id = :id")
_ITEM = by_sight("SELECT {item} FROM items i WHERE i.folder_id = :folder AND {name} = :name{sees}")
_FOLDERS_AFTER = Statement(
    f"{FROM_FOLDERS} WHERE c.parent_id = :folder AND c.name > :after ORDER BY c.name LIMIT :limit"
)
_ITEMS_AFTER = by_sight(
    "SELECT {item} FROM items i WHERE i.folder_id = :folder AND {name} > :after{sees}"
    " ORDER BY {name} LIMIT :limit"
)
_PROPERTIES = Statement(
    "SELECT name, value FROM properties WHERE folder_id = :folder AND item_id = :item"
)
_FEW = 8  # nodes that have no more properties than can be read at once
ANY_PROPERTIES = Statement(
    "SELECT 1 FROM properties WHERE folder_id = :folder AND item_id > 0 LIMIT 1"
)
_BY_ID = by_sight("SELECT {item} FROM items i WHERE i.id = :id AND i.folder_id = :folder{sees}")
_BODY = Statement("SELECT id, size, data, file FROM blobs WHERE id = :id")


def folder(context: ReadContext, row: Row) -> Folder:
    """A folder from a row of ``FOLDER``. Raises ``NotFound`` where the actor may not know it."""
    context.learn((row[0], row[1], row[14], row[2], row[12]))
    return _as_seen(plain_folder(row, context.require(row[0], Right.LOOKUP)))


def _as_seen(found: Folder) -> Folder:
    """Who cannot read a folder does not learn how much is in it, nor when that changed."""
    if Right.READ in found.rights:
        return found
    return replace(found, items=0, size=0, modified=found.created)


def _if_known(context: ReadContext, row: Row) -> Folder | None:
    """A folder from a row of ``FOLDER``; None where the actor may not know it."""
    try:
        return folder(context, row)
    except NotFound:
        return None


def plain_folder(row: Row, rights: Right) -> Folder:
    """A folder from a row of ``FOLDER``, with rights that somebody has found out."""
    values: list[Any] = [*row[:2], Tool(row[2]), *row[3:13], tuple(row[13].split()), rights]
    values += [row[14] == 0, bool(row[15])]
    return Folder(*values)


def root_of(context: ReadContext, space_id: int, tool: Tool) -> Folder:
    """The root of a tool in a space. Raises ``NotFound``."""
    row = context.db.one(ROOT, space=space_id, tool=tool.value)
    if row is None:
        raise NotFound
    return folder(context, row)


def node_properties(context: ReadContext, node: Folder | Item) -> Mapping[str, str]:
    """What was set on one node, as far as the actor sees it."""
    if isinstance(node, Item) and node.outlined:
        return {}
    folder_id, item = (node.id, 0) if isinstance(node, Folder) else (node.folder_id, node.id)
    return _told(node, dict(context.db.all(_PROPERTIES, folder=folder_id, item=item)))


def _told(node: Folder | Item, properties: Mapping[str, str]) -> Mapping[str, str]:
    """Those of its properties that are told of a node: where only busy times are, few."""
    if not properties or isinstance(node, Item) or node.tool is not Tool.CALENDAR:
        return properties
    if node.rights & (Right.READ | Right.INSERT):
        return properties
    return {name: properties[name] for name in _OF_BUSY if name in properties}


@dataclass(frozen=True, slots=True)
class FindPath(View[Found]):
    """What lies at a path. Raises ``NotFound`` when what is above it may not be known.

    The octets of an item come along where they are in the database and not more than ``octets``.
    """

    path: TreePath
    properties: bool = True
    octets: int = 0

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> Found:
        path, db = self.path, context.db
        row = db.one(ROOT, space=path.space_id, tool=path.tool.value)
        if row is None:
            raise NotFound
        above: Row | None = None
        for position, name in enumerate(path.names):
            above, row = row, db.one(_CHILD, parent=row[0], name=compared(name))
            if row is None or self._is_hidden(context, above, row, position):
                return self._no_folder(context, above, position)
        found = self._entry(context, folder(context, row))
        return Found(path, found, None if above is None else _if_known(context, above))

    def _no_folder(self, context: ReadContext, above: Row, position: int) -> Found:
        """The path ends with an item, or with nothing."""
        if position < len(self.path.names) - 1:
            folder(context, above)  # who may not know it, may not know what it lacks
            return Found(self.path, None, None)
        parent = folder(context, above)
        items = find_items(context, parent.id, _ITEM, name=compared(self.path.names[-1]))
        return Found(self.path, self._entry(context, items[0]) if items else None, parent)

    def _is_hidden(self, context: ReadContext, above: Row, row: Row, position: int) -> bool:
        """Whether the path ends with the name of a folder that is not told: who sees the own
        things only may give it to one of them."""
        if position < len(self.path.names) - 1 or _if_known(context, row) is not None:
            return False
        parent = _if_known(context, above)
        return parent is not None and sight(context, parent.id) is Sight.OWN

    def _entry(self, context: ReadContext, node: Folder | Item) -> Entry:
        data = None
        if isinstance(node, Item) and node.size <= self.octets:  # may be read, or it is not found
            data = body_of(context, node).data
        return Entry(node, node_properties(context, node) if self.properties else {}, data)


@dataclass(frozen=True, slots=True)
class ReadFolder(View[Folder]):
    """A folder by its number. Raises ``NotFound``."""

    folder_id: int

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> Folder:
        row = context.db.one(BY_ID, id=self.folder_id)
        if row is None:
            raise NotFound
        return folder(context, row)


@dataclass(frozen=True, slots=True)
class ListMembers(View[list[Entry]]):
    """Members of a folder, folders first, those behind ``after``, at most ``limit``.

    There are fewer where their properties are large, but at least one: see ``with_properties``.
    """

    folder_id: int
    after: Folder | Item | None = None
    limit: int = 500
    properties: bool = True

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> list[Entry]:
        db, after = context.db, self.after
        nodes: list[Folder | Item] = []
        if not isinstance(after, Item):
            name = compared(after.name) if after is not None else ""
            rows = db.all(_FOLDERS_AFTER, folder=self.folder_id, after=name, limit=self.limit)
            nodes += visible_folders(context, rows)
            if len(rows) == self.limit and not nodes:  # none of these may be known: go on
                last = rows[-1]
                return replace(self, after=plain_folder(last, Right.NONE)).read(context)
            if len(rows) == self.limit:
                return with_properties(context, self.folder_id, nodes, self.properties)
        name = compared(after.name) if isinstance(after, Item) else ""
        left = self.limit - len(nodes)
        nodes += find_items(context, self.folder_id, _ITEMS_AFTER, after=name, limit=left)
        return with_properties(context, self.folder_id, nodes, self.properties)


@dataclass(frozen=True, slots=True)
class ReadNamed(View[list[Entry]]):
    """Items of a folder by name, with their octets where ``blobs`` is given.

    Names that do not exist are left out. Stops when ``budget`` octets are read, but not before
    the first item.
    """

    folder_id: int
    names: tuple[str, ...]
    blobs: FileBlobs | None = None
    budget: int = 0
    properties: bool = True

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> list[Entry]:
        some_sight(context, self.folder_id)
        found: dict[str, Item] = {}
        names = [compared(name) for name in self.names]
        for start in range(0, len(names), NAMES_AT_ONCE):
            some = names[start : start + NAMES_AT_ONCE]
            some += [some[-1]] * (NAMES_AT_ONCE - len(some)) if len(names) > 1 else []
            listed = find_items(context, self.folder_id, _NAMED[len(some)], **_numbered(some))
            found |= {compared(item.name): item for item in listed}
        items = [found[name] for name in dict.fromkeys(names) if name in found]
        return read_bodies(context, self.folder_id, items, self.blobs, self.budget, self.properties)


def _numbered(values: Iterable[str]) -> dict[str, str]:
    return {f"n{number}": value for number, value in enumerate(values)}


def _named(count: int) -> Mapping[Sight, Statement]:
    places = ", ".join(f":n{number}" for number in range(count))
    return by_sight(
        "SELECT {item} FROM items i WHERE i.folder_id = :folder"  # noqa: S608
        f" AND {{name}} IN ({places}){{sees}}"
    )


_NAMED = {count: _named(count) for count in (1, NAMES_AT_ONCE)}


@dataclass(frozen=True, slots=True)
class LocateItem(View[MessageBody]):
    """Where the octets of an item are: in ``data``, or in a file of the blob store.

    ``item`` is as the actor has found it. Raises ``NotFound`` where it does not see it any more.
    """

    item: Item

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.item.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> MessageBody:
        how, kept = some_sight(context, self.item.folder_id), context.kept_back(self.item.folder_id)
        if kept or how is not Sight.ALL:
            now = find_items(context, self.item.folder_id, _BY_ID, id=self.item.id)
            if not now or now[0].etag != self.item.etag:
                raise NotFound
        # The item may have been replaced since it was found: its octets are still there.
        return body_of(context, self.item)


# --- what the views have in common ----------------------------------------------------------------


def body_of(context: ReadContext, item: Item) -> MessageBody:
    """Where the octets are of an item that the actor sees. Raises ``NotFound``."""
    if item.outlined:
        how = some_sight(context, item.folder_id)
        octets = outlines_of(context, how, [item.id]).get(item.id, b"")
        return MessageBody(item.blob_id, len(octets), octets, None, b"")
    row = context.db.one(_BODY, id=item.blob_id)
    if row is None:
        raise NotFound
    context.hand_out([(row[0], row[1])])
    return MessageBody(row[0], row[1], row[2], row[3], b"")


def visible_folders(
    context: ReadContext, rows: Sequence[Row], needed: Right = Right.LOOKUP
) -> list[Folder]:
    """Those where the actor has the needed rights, of rows of ``FOLDER``."""
    if not rows:
        return []
    facts = [CollectionFacts(r[0], r[1], r[14], Tool(r[2]), r[12]) for r in rows]
    rights = context.rights(facts, needed)
    return [_as_seen(plain_folder(row, rights[row[0]])) for row in rows if row[0] in rights]


def with_properties(
    context: ReadContext, folder_id: int, nodes: Sequence[Folder | Item], wanted: bool = True
) -> list[Entry]:
    """Entries of members of one folder, with one query for each kind however many there are.

    Without properties nothing is left out. With them, the first entries, at least one, whose
    properties have ``PROPERTIES_AT_ONCE`` characters together.
    """
    if not wanted or not nodes:
        return [*map(Entry, nodes)]
    found: dict[tuple[int, int], dict[str, str]] = {}
    conditions = _of_members(context, folder_id, nodes)
    if conditions and len(nodes) > _FEW:
        nodes = _fitting(context, folder_id, nodes, conditions)
        conditions = _of_members(context, folder_id, nodes)
    for condition in conditions:
        _gather(context, found, condition)
    if not found:
        return [*map(Entry, nodes)]
    nothing: dict[str, str] = {}
    return [
        Entry(
            node,
            _told(
                node,
                found.get(
                    (node.id, 0) if isinstance(node, Folder) else (folder_id, node.id), nothing
                ),
            ),
        )
        for node in nodes
    ]


def _of_members(context: ReadContext, folder_id: int, nodes: Sequence[Folder | Item]) -> list[str]:
    """Which rows are the properties of these members."""
    conditions = []
    folders = [node.id for node in nodes if isinstance(node, Folder)]
    if folders:
        conditions.append(f"folder_id IN ({number_list(folders)}) AND item_id = 0")
    items = [node.id for node in nodes if isinstance(node, Item) and not node.outlined]
    if items and context.db.one(ANY_PROPERTIES, folder=folder_id) is not None:
        conditions.append(f"folder_id = {int(folder_id)} AND item_id IN ({number_list(items)})")
    return conditions


def _fitting(
    context: ReadContext,
    folder_id: int,
    nodes: Sequence[Folder | Item],
    conditions: Iterable[str],
) -> Sequence[Folder | Item]:
    """As many of the first nodes, at least one, as have not too many properties together."""
    sizes: dict[tuple[int, int], int] = {}
    for condition in conditions:
        statement = Statement(
            "SELECT folder_id, item_id, SUM(LENGTH(name) + LENGTH(value))"  # noqa: S608
            f" FROM properties WHERE {condition} GROUP BY folder_id, item_id"
        )
        sizes |= {(row[0], row[1]): int(row[2]) for row in context.db.all(statement)}
    left = PROPERTIES_AT_ONCE
    for position, node in enumerate(nodes):
        key = (node.id, 0) if isinstance(node, Folder) else (folder_id, node.id)
        left -= sizes.get(key, 0)
        if left < 0 and position:
            return nodes[:position]
    return nodes


def _gather(
    context: ReadContext, found: dict[tuple[int, int], dict[str, str]], condition: str
) -> None:
    statement = Statement(
        f"SELECT folder_id, item_id, name, value FROM properties WHERE {condition}"  # noqa: S608
    )
    for folder_id, item_id, name, value in context.db.all(statement):
        found.setdefault((folder_id, item_id), {})[name] = value


def read_bodies(
    context: ReadContext,
    folder_id: int,
    items: Sequence[Item],
    blobs: FileBlobs | None,
    budget: int,
    properties: bool = True,
) -> list[Entry]:
    """Entries of items with their octets, up to a budget; without ``blobs`` none are read."""
    if blobs is None:
        return with_properties(context, folder_id, items, properties)
    context.hand_out([(item.blob_id, item.size) for item in items])
    taken, octets = 0, 0
    for item in items:
        if taken and octets + item.size > budget:
            break
        taken, octets = taken + 1, octets + item.size
    items = items[:taken]
    data = _octets(context, folder_id, items, blobs)
    entries = with_properties(context, folder_id, items, properties)
    return [
        Entry(node, properties, data.get(node.id, b""))
        for node, properties, _ in entries
        if isinstance(node, Item)
    ]


def _octets(
    context: ReadContext, folder_id: int, items: Sequence[Item], blobs: FileBlobs
) -> dict[int, bytes]:
    """The octets of items of a folder, by their numbers."""
    how = some_sight(context, folder_id)
    data = outlines_of(context, how, [item.id for item in items if item.outlined])
    bodies: dict[int, bytes] = {}
    whole = [item for item in items if not item.outlined]
    for start in range(0, len(whole), NAMES_AT_ONCE):
        some = [item.blob_id for item in whole[start : start + NAMES_AT_ONCE]]
        statement = Statement(
            f"SELECT id, size, data, file FROM blobs WHERE id IN ({number_list(some)})"  # noqa: S608
        )
        for id_, size, inline, file in context.db.all(statement):
            bodies[id_] = blobs.read(file, 0, size) if inline is None else bytes(inline)
    return data | {item.id: bodies.get(item.blob_id, b"") for item in whole}
