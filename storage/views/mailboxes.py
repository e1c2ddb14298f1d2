"""Views of mailboxes: the list of a space, one mailbox by id, what changed in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Row, Statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, OnCollection, PerItem
from folkmoot.storage.policy import CollectionFacts
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import MailboxChanges, MailboxInfo, Right, Tool, UidSet
from folkmoot.storage.views.base import View

TREE = Statement(
    "SELECT id, parent_id, name FROM collections WHERE space_id = :space AND tool = 'mail'"
)
_LIST = Statement(
    "SELECT c.id, c.parent_id, c.name, c.special_use, c.modseq, c.uidvalidity, c.uidnext,"
    " c.messages, c.unseen, c.deleted, c.size, s.owner_account_id FROM collections c"
    " JOIN spaces s ON s.id = c.space_id WHERE c.space_id = :space AND c.tool = 'mail'"
)
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
    """All mailboxes of a space that the actor may know, the nameless root first."""

    space_id: int
    account_id: int

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> list[MailboxInfo]:
        rows = context.db.all(_LIST, space=self.space_id)
        visible = context.visible(
            [CollectionFacts(row[0], self.space_id, row[11], Tool.MAIL, row[3]) for row in rows]
        )
        subscribed = {row[0] for row in context.db.all(_SUBSCRIBED, account=self.account_id)}
        tree = Tree(rows)
        result = []
        for row in rows:
            id_ = row[0]
            if id_ not in visible:
                continue
            name = tree.path(id_)
            result.append(
                MailboxInfo(
                    id=id_,
                    space_id=self.space_id,
                    name=name,
                    special_use=row[3],
                    modseq=row[4],
                    uidvalidity=row[5],
                    uidnext=row[6],
                    messages=row[7],
                    unseen=row[8],
                    deleted=row[9],
                    size=row[10],
                    subscribed=name in subscribed,
                    has_children=id_ in tree.children,
                    rights=visible[id_],
                )
            )
        result.sort(key=lambda info: info.name)
        return result


@dataclass(frozen=True, slots=True)
class LocateMailbox(View[int]):
    """The id of a mailbox by the levels of its name: cheaper than the whole list."""

    space_id: int
    levels: tuple[str, ...]

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> int:
        row = context.db.one(_TOP, space=self.space_id, name=self.levels[0])
        for name in self.levels[1:]:
            if row is None:
                break
            row = context.db.one(_CHILD, parent=row[0], name=name)
        if row is None:
            raise NotFound("There is no such mailbox.")
        facts = context.learn(row)
        if facts.id not in context.visible([facts]):
            raise NotFound("There is no such mailbox.")
        return facts.id


@dataclass(frozen=True, slots=True)
class Subscriptions(View[list[str]]):
    """All subscribed names of an account, whether they exist or not."""

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
            known=mine.difference(others),
        )
