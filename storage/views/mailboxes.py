"""Views of mailboxes: the list of a space, one mailbox by id, what changed in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from folkmoot.storage.engine.db import Row, Statement, number_list
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, OnCollection, PerItem
from folkmoot.storage.policy import CollectionFacts
from folkmoot.storage.seen import seen_counts
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import MailboxChanges, MailboxInfo, Right, Tool, UidSet
from folkmoot.storage.views.base import View

TREE = Statement(
    "SELECT id, parent_id, name FROM collections WHERE space_id = :space AND tool = 'mail'"
)
_LISTED = (
    "SELECT c.id, c.parent_id, c.name, c.special_use, c.modseq, c.uidvalidity, c.uidnext,"
    " c.messages, c.unseen, c.deleted, c.size, s.owner_account_id, c.space_id FROM collections c"
    " JOIN spaces s ON s.id = c.space_id"
)
_LIST = Statement(f"{_LISTED} WHERE c.space_id = :space AND c.tool = 'mail'")
_LEVEL = (
    "SELECT c.id, c.space_id, s.owner_account_id, c.tool, c.special_use FROM collections c"
    " JOIN spaces s ON s.id = c.space_id WHERE c.name = :name AND c.parent_id = "
)
# The root was there before all else, so it is the first of its space that is looked at.
_TOP = Statement(
    f"{_LEVEL}(SELECT id FROM collections WHERE space_id = :space AND tool = 'mail'"  # noqa: S608
    " AND parent_id IS NULL ORDER BY id LIMIT 1)"
)
_CHILD = Statement(f"{_LEVEL}:parent")
_FACTS_BELOW = Statement(
    "SELECT c.id, c.space_id, s.owner_account_id, c.tool, c.special_use FROM collections c"
    " JOIN spaces s ON s.id = c.space_id WHERE c.id = :id"
)
_SUBSCRIBED = Statement("SELECT name FROM subscriptions WHERE account_id = :account")
_STATE = Statement("SELECT modseq, uidnext, log_floor FROM collections WHERE id = :id")
_SINCE = Statement(
    "SELECT modseq, kind, uids FROM changes WHERE collection_id = :id AND modseq > :since"
    " ORDER BY modseq"
)

# Kinds of rows in the change log of a mailbox.
ADDED = "added"
FLAGGED = "flagged"
REMOVED = "removed"


class Tree:
    """The mailboxes of a space by id, from rows of (id, parent id, name, …)."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = {row[0]: row for row in rows}
        self.children: dict[int, list[int]] = {}
        for row in rows:
            if row[1] is not None:
                self.children.setdefault(row[1], []).append(row[0])
        self._paths: dict[int, str] = {}

    def path(self, id_: int) -> str:
        """The full name with slashes; "" for the root."""
        known = self._paths.get(id_)
        if known is not None:
            return known
        _, parent, name, *_ = self.rows[id_]
        if parent is None:
            path = ""
        else:
            above = self.path(parent)
            path = f"{above}/{name}" if above else name
        self._paths[id_] = path
        return path

    def depth(self, id_: int) -> int:
        """Levels above and including this one; 0 for the root."""
        return self.path(id_).count("/") + 1 if self.path(id_) else 0

    def height(self, id_: int) -> int:
        """Levels below this one."""
        children = self.children.get(id_, ())
        return 1 + max(map(self.height, children)) if children else 0

    def is_below(self, id_: int | None, ancestor: int) -> bool:
        """Whether ``id_`` is the ancestor itself or lies somewhere below it."""
        while id_ is not None:
            if id_ == ancestor:
                return True
            id_ = self.rows[id_][1]
        return False


@dataclass(frozen=True, slots=True)
class ListMailboxes(View[list[MailboxInfo]]):
    """All mailboxes of a space that the actor may know, by name, the nameless root first."""

    space_id: int
    account_id: int

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> list[MailboxInfo]:
        rows = context.db.all(_LIST, space=self.space_id)
        subscribed = {row[0] for row in context.db.all(_SUBSCRIBED, account=self.account_id)}
        return _listed(context, rows, _visible(context, rows), subscribed)


@dataclass(frozen=True, slots=True)
class ListSpaces(View[Mapping[int, list[MailboxInfo]]]):
    """The same of several spaces, by space. Nothing there is said to be subscribed."""

    space_ids: tuple[int, ...]

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> Mapping[int, list[MailboxInfo]]:
        if not self.space_ids:
            return {}
        rows = context.db.all(
            Statement(
                f"{_LISTED} WHERE c.space_id IN ({number_list(self.space_ids)}) AND c.tool = 'mail'"
            )
        )
        visible = _visible(context, rows)
        by_space: dict[int, list[Row]] = {}
        known = {row[12] for row in rows if row[0] in visible}
        for row in rows:
            if row[12] in known:
                by_space.setdefault(row[12], []).append(row)
        return {
            space: _listed(context, found, visible, frozenset())
            for space, found in by_space.items()
        }


def _visible(context: ReadContext, rows: Sequence[Row]) -> Mapping[int, Right]:
    facts = [CollectionFacts(row[0], row[12], row[11], Tool.MAIL, row[3]) for row in rows]
    return context.visible(facts)


def _listed(
    context: ReadContext,
    rows: Sequence[Row],
    visible: Mapping[int, Right],
    subscribed: Set[str],
) -> list[MailboxInfo]:
    """Those of the mailboxes of one space that are visible, by name."""
    tree = Tree(rows)
    result = []
    parents = {row[1] for row in rows if row[0] in visible}
    account = context.actor.account_id
    read = seen_counts(context) if any(row[11] != account for row in rows) else {}
    for row in rows:
        id_ = row[0]
        if id_ not in visible:
            continue
        name = tree.path(id_)
        personal = row[11] == account
        result.append(
            MailboxInfo(
                id=id_,
                space_id=row[12],
                name=name,
                special_use=row[3],
                modseq=row[4],
                uidvalidity=row[5],
                uidnext=row[6],
                messages=row[7],
                unseen=row[8] if personal else row[7] - read.get(id_, 0),
                deleted=row[9],
                size=row[10],
                subscribed=name in subscribed,
                has_children=id_ in parents,
                rights=visible[id_],
                personal=personal,
            )
        )
    result.sort(key=lambda info: info.name)
    return result


@dataclass(frozen=True, slots=True)
class LocateMailbox(View[int]):
    """The id of a mailbox by the levels of its name: cheaper than the whole list.

    They are those below the collection ``below``, or (0) below the root of the space.
    """

    space_id: int
    levels: tuple[str, ...]
    below: int = 0

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> int:
        row: Row | None
        if self.below:
            row, levels = context.db.one(_FACTS_BELOW, id=self.below), self.levels
        else:
            row = context.db.one(_TOP, space=self.space_id, name=self.levels[0])
            levels = self.levels[1:]
        for name in levels:
            if row is None:
                break
            row = context.db.one(_CHILD, parent=row[0], name=name)
        if row is None or row[1] != self.space_id:
            raise NotFound("There is no such mailbox.")
        facts = context.learn(row)
        if facts.id not in context.visible([facts]):
            raise NotFound("There is no such mailbox.")
        return facts.id


@dataclass(frozen=True, slots=True)
class MailboxRights(View[Right]):
    """What the actor may do in a mailbox that it may read. Raises ``NotFound``."""

    mailbox_id: int

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ)]

    def read(self, context: ReadContext) -> Right:
        return context.require(self.mailbox_id, Right.READ)


@dataclass(frozen=True, slots=True)
class Subscriptions(View[list[str]]):
    """All subscribed names of an account, whether they exist or not.

    A name with a slash before it is one of groups or others that the account does not want.
    """

    account_id: int

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> list[str]:
        # Filtered by being the actor's own: nobody sees what others subscribe to.
        if self.account_id != context.actor.account_id:
            raise NotFound
        return sorted(row[0] for row in context.db.all(_SUBSCRIBED, account=self.account_id))


@dataclass(frozen=True, slots=True)
class ChangesSince(View[MailboxChanges]):
    """What happened in a mailbox after a modseq, from the change log.

    ``own`` holds modseqs of flag changes that whoever asks made and knows.
    """

    mailbox_id: int
    since: int
    own: frozenset[int] = frozenset()

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ)]

    def read(self, context: ReadContext) -> MailboxChanges:
        row = context.db.one(_STATE, id=self.mailbox_id)
        if row is None:
            raise NotFound
        modseq, uidnext, floor = row
        changed: list[tuple[int, int]] = []
        known: list[tuple[int, int]] = []
        vanished: list[tuple[int, int]] = []
        if modseq != self.since:
            for at, kind, uids in context.db.all(_SINCE, id=self.mailbox_id, since=self.since):
                if kind == REMOVED:
                    into = vanished
                else:
                    into = known if at in self.own and kind == FLAGGED else changed
                into.extend(UidSet.from_text(uids).ranges)
        gone = UidSet.from_ranges(vanished)
        others = UidSet.from_ranges(changed).difference(gone)
        mine = UidSet.from_ranges(known).difference(gone)
        return MailboxChanges(
            modseq=modseq,
            uidnext=uidnext,
            changed=others.union(mine),
            vanished=gone,
            complete=self.since >= floor,
            exists=True,
            rights=context.require(self.mailbox_id, Right.READ),
            known=mine.difference(others),
        )
