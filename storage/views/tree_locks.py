"""Views of locks: those that cover a node, those below a folder (RFC 4918 section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Row, Statement
from folkmoot.storage.gate import Need, OnCollection, OnItem
from folkmoot.storage.sight import Sight
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right, Tool
from folkmoot.storage.types_tree import Lock, LockScope, TreePath
from folkmoot.storage.views.base import View
from folkmoot.storage.views.sight import by_sight, compared, how_seen
from folkmoot.storage.views.tree_below import below

# A lock that was taken in the future is over: the clock has gone back since, and it would last too
# long. Clocks that are set right by some seconds end none.
HOLDS = "expires > :now AND expires - timeout <= :now + 300"
_ANY = Statement(f"SELECT 1 FROM locks WHERE space_id = :space AND {HOLDS} LIMIT 1")  # noqa: S608
_LOCKS = (
    "SELECT l.token, l.folder_id, l.name, COALESCE(i.shown, l.name), l.scope, l.infinite, l.owner,"
    " l.account_id, l.timeout, l.expires FROM locks l"
    " LEFT JOIN items i ON i.folder_id = l.folder_id AND i.name = l.name"
    " WHERE l.folder_id = :folder AND "
)
_OF_FOLDER = Statement(f"{_LOCKS}{HOLDS} ORDER BY l.token")
_OF_NODE = Statement(f"{_LOCKS}{HOLDS} AND l.name IN ('', :name) ORDER BY l.token")
_REAL = by_sight("SELECT i.name FROM items i WHERE i.folder_id = :folder AND {name} = :name{sees}")
_SEEN = by_sight("SELECT {shown} FROM items i WHERE i.folder_id = :folder AND i.name = :key{sees}")
_ABOVE = Statement("SELECT parent_id, shown, space_id, tool FROM collections WHERE id = :id")


@dataclass(frozen=True, slots=True)
class FoundLock:
    """A lock, and the folder that it is kept with: it is of that folder where ``name`` is "",
    else of its member."""

    lock: Lock
    folder_id: int
    name: str


@dataclass(frozen=True, slots=True)
class LocksOn(View[list[FoundLock]]):
    """The locks that cover a node: its own and those that it inherits.

    ``name`` is the member's, or "" for the folder itself; ``item_id`` is the item's. A lock of the
    folder without depth covers its members' being there, which ``membership`` asks for.
    """

    folder_id: int
    name: str = ""
    membership: bool = False
    item_id: int = 0

    def needs(self) -> Sequence[Need]:
        if self.item_id:
            return [OnItem(self.folder_id, self.item_id, Right.LOOKUP)]
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> list[FoundLock]:
        space = context.facts(self.folder_id).space_id
        if context.db.one(_ANY, space=space, now=context.now) is None:
            return []
        key = real_name(context, self.folder_id, compared(self.name))
        found: list[FoundLock] = []
        for number, folder_id in enumerate(_upwards(context, self.folder_id)):
            for one in _locks(context, folder_id, (key or "") if number == 0 else ""):
                own = number == 0 and one.name == key
                whole = one.name == "" and (one.lock.infinite or (self.membership and number == 0))
                if own or whole:
                    found.append(one)
        return found


@dataclass(frozen=True, slots=True)
class LocksBelow(View[list[FoundLock]]):
    """All locks of a folder and of what lies below it."""

    folder_id: int

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> list[FoundLock]:
        space = context.facts(self.folder_id).space_id
        if context.db.one(_ANY, space=space, now=context.now) is None:
            return []
        return [
            one for id_ in below(context, self.folder_id).ids for one in _locks(context, id_, None)
        ]


@dataclass(frozen=True, slots=True)
class LocksListed(View[Mapping[str, list[Lock]]]):
    """The locks that cover the members of a folder, by name in NFC; under "" those that all
    members inherit."""

    folder_id: int
    child_ids: Mapping[int, str]

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> Mapping[str, list[Lock]]:
        space = context.facts(self.folder_id).space_id
        if context.db.one(_ANY, space=space, now=context.now) is None:
            return {}
        found: dict[str, list[Lock]] = {}
        here = path_of(context, self.folder_id)
        for number, folder_id in enumerate(_upwards(context, self.folder_id)):
            for one in _locks(context, folder_id, None if number == 0 else ""):
                if number == 0 and one.name:
                    if one.lock.root.names != here.names:  # it is of one that is seen
                        found.setdefault(compared(one.lock.root.names[-1]), []).append(one.lock)
                elif not one.name and one.lock.infinite:
                    found.setdefault("", []).append(one.lock)
        for id_, name in self.child_ids.items():
            for one in _locks(context, id_, ""):
                if not one.name:
                    found.setdefault(compared(name), []).append(one.lock)
        return found


def _upwards(context: ReadContext, folder_id: int) -> list[int]:
    """The folder, its parent, and so on up to the root."""
    found: list[int] = []
    here: int | None = folder_id
    while here is not None:
        found.append(here)
        here = context.db.value(_ABOVE, id=here)
    return found


def path_of(context: ReadContext, folder_id: int) -> TreePath:
    """Where a folder lies."""
    names: list[str] = []
    parent, shown, space, tool = _above(context, folder_id)
    while parent is not None:
        names.append(shown)
        parent, shown, space, tool = _above(context, parent)
    return TreePath(space, Tool(tool), tuple(reversed(names)))


def _above(context: ReadContext, folder_id: int) -> Row:
    row = context.db.one(_ABOVE, id=folder_id)
    assert row is not None, "folders have parents up to their root"
    return row


def _locks(context: ReadContext, folder_id: int, name: str | None) -> list[FoundLock]:
    """Those of a folder itself and of its member of a name; of all members for None."""
    if name is None:
        rows = context.db.all(_OF_FOLDER, folder=folder_id, now=context.now)
    else:
        rows = context.db.all(_OF_NODE, folder=folder_id, name=name, now=context.now)
    if not rows:
        return []
    here = path_of(context, folder_id)
    known = _seen_as(context, folder_id, {row[2]: row[3] for row in rows if row[2]})
    return [_lock(row, here, known.get(row[2], "")) for row in rows]


def _lock(row: Row, here: TreePath, shown: str) -> FoundLock:
    """A lock from a row; that of a member that is not seen looks like one of the folder."""
    token, folder_id, name, _, scope, infinite, owner, account, timeout, expires = row
    root = here.below(shown) if shown else here
    lock = Lock(token, root, LockScope(scope), bool(infinite), owner, account, timeout, expires)
    return FoundLock(lock, folder_id, name)


# --- names of what is locked, where not all items are seen ----------------------------------------


def real_name(context: ReadContext, folder_id: int, name: str) -> str | None:
    """The name under which locks of a member are kept, by the one that the actor calls it; None
    where the actor would see no such member if it was there."""
    how = how_seen(context, folder_id)
    if how not in (Sight.OWN, Sight.BUSY) or not name:
        return name
    row = context.db.one(_REAL[how], folder=folder_id, name=name, me=context.actor.account_id)
    return row[0] if row is not None else None


def _seen_as(context: ReadContext, folder_id: int, shown: Mapping[str, str]) -> Mapping[str, str]:
    """What the actor calls members, by the names under which locks of them are kept."""
    how = how_seen(context, folder_id)
    if not shown or how is Sight.ALL or how is None:
        return shown
    me = context.actor.account_id
    found: dict[str, str] = {}
    for name in shown:
        row = context.db.one(_SEEN[how], folder=folder_id, key=name, me=me)
        if row is not None:
            found[name] = row[0]
    return found
