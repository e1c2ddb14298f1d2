"""Mutations of mailboxes themselves: create, delete, rename, subscribe."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import (
    AlreadyExists,
    Conflict,
    HasChildren,
    InvalidName,
    LimitReached,
    NotFound,
    Unchangeable,
)
from folkmoot.storage.gate import Need, OnCollection, OnSpace
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.links import collection_removed
from folkmoot.storage.names import INBOX as INBOX
from folkmoot.storage.names import UNWANTED, is_place, mailbox_levels
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Right, Tool, Topic
from folkmoot.storage.views.mailboxes import TREE, Tree

MAX_DEPTH = 50
MAX_NAME = 255  # octets of one component in UTF-8
MAX_MAILBOXES = 10_000  # in one space: bounds what a LIST may cost
MAX_SUBSCRIPTIONS = 20_000

_INSERT = Statement(
    "INSERT INTO collections (space_id, tool, parent_id, name, special_use, modseq, uidvalidity,"
    " uidnext) VALUES (:space, :tool, :parent, :name, :use, 1, :uidvalidity, 1) RETURNING id"
)
# The root remembers the highest validity that its space has used, so that a mailbox that is
# deleted and made again under its old name is never taken for the old one. rfc9051#2.3.1.1
_NEXT_VALIDITY = Statement(
    "UPDATE collections SET uidvalidity ="
    " CASE WHEN uidvalidity < :now THEN :now ELSE uidvalidity + 1 END"
    " WHERE space_id = :space AND tool = 'mail' AND parent_id IS NULL RETURNING uidvalidity"
)
_ROW = Statement("SELECT space_id, parent_id, name, messages, size FROM collections WHERE id = :id")
_CHILD = Statement("SELECT id FROM collections WHERE parent_id = :id LIMIT 1")
_DELETE_MESSAGES = Statement("DELETE FROM messages WHERE mailbox_id = :id")
_DELETE_CHANGES = Statement("DELETE FROM changes WHERE collection_id = :id")
_DELETE_ANNOTATIONS = Statement("DELETE FROM annotations WHERE collection_id = :id")
_DELETE = Statement("DELETE FROM collections WHERE id = :id")
_MOVE = Statement("UPDATE collections SET parent_id = :parent, name = :name WHERE id = :id")
_TAKEN = Statement("SELECT id FROM collections WHERE parent_id = :parent AND name = :name")
_SUBSCRIBE = Statement(
    "INSERT INTO subscriptions (account_id, name) VALUES (:account, :name)"
    " ON CONFLICT (account_id, name) DO NOTHING"
)
_UNSUBSCRIBE = Statement("DELETE FROM subscriptions WHERE account_id = :account AND name = :name")
_ACCOUNT = Statement("SELECT id FROM accounts WHERE id = :account AND space_id = :space")
_COUNT_SUBSCRIPTIONS = Statement("SELECT COUNT(*) FROM subscriptions WHERE account_id = :account")
_SET_USE = Statement("UPDATE collections SET special_use = :use WHERE id = :id")
_USED = Statement(
    "SELECT id FROM collections WHERE space_id = :space AND tool = 'mail' AND special_use = :use"
)
_ROOT = Statement(
    "SELECT id FROM collections WHERE space_id = :space AND tool = :tool AND parent_id IS NULL"
)


def check_component(name: str) -> None:
    """Refuse what cannot be one level of a mailbox name. Raises ``InvalidName``."""
    if not name:
        raise InvalidName("A mailbox name has an empty level.")
    if any("\ud800" <= c <= "\udfff" for c in name):
        raise InvalidName("A mailbox name must be Unicode text.")
    if len(name.encode()) > MAX_NAME:
        raise InvalidName("A mailbox name is too long.")
    # rfc9051#5.1 and RFC 5198: control characters and line separators have no place in names.
    if any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u2029" for c in name):
        raise InvalidName("A mailbox name cannot hold control characters.")
    if "/" in name:
        raise InvalidName("A level of a mailbox name cannot hold a slash.")
    # No client could list or name it without meaning others too.
    if "*" in name or "%" in name:
        raise InvalidName("A mailbox name cannot hold the wildcards * and %.")
    if not unicodedata.is_normalized("NFC", name):
        raise InvalidName("A mailbox name must be in Unicode's form NFC.")


def insert_mailbox(
    context: WriteContext, space_id: int, parent_id: int, name: str, special_use: str = ""
) -> int:
    """Insert the row of a mailbox; returns its id. The caller has checked the name and the gate."""
    uidvalidity = context.db.value(_NEXT_VALIDITY, space=space_id, now=context.now)
    created: int = context.db.value(
        _INSERT,
        space=space_id,
        tool=Tool.MAIL.value,
        parent=parent_id,
        name=name,
        use=special_use,
        uidvalidity=uidvalidity,
    )
    return created


@dataclass(frozen=True, slots=True)
class CreateMailbox(Mutation[int]):
    """Create a mailbox under ``parent_id`` with the ``levels`` below it; returns its id.

    Missing levels between are created as real mailboxes, because clients lose mail in names
    that cannot be selected. Raises ``AlreadyExists``, ``InvalidName``, ``LimitReached``.
    """

    space_id: int
    parent_id: int
    levels: tuple[str, ...]
    special_use: str = ""

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.parent_id, Right.CREATE)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> int:
        _check_space(context, self.parent_id, self.space_id)
        tree = Tree(context.db.all(TREE, space=self.space_id))
        if len(tree.rows) + len(self.levels) > MAX_MAILBOXES:
            raise LimitReached("There are too many mailboxes.")
        if not self.levels or tree.depth(self.parent_id) + len(self.levels) > MAX_DEPTH:
            raise InvalidName("A mailbox name has too many levels.")
        if self.special_use and context.db.all(_USED, space=self.space_id, use=self.special_use):
            raise Conflict("Another mailbox has this special use.")
        parent = self.parent_id
        for position, name in enumerate(self.levels):
            check_component(name)
            last = position == len(self.levels) - 1
            taken = context.db.one(_TAKEN, parent=parent, name=name)
            if taken is not None and last:
                raise AlreadyExists("The mailbox exists already.")
            if taken is not None:
                _check_level(context, self.space_id, taken[0])
            parent = (
                taken[0]
                if taken is not None
                else insert_mailbox(
                    context, self.space_id, parent, name, self.special_use if last else ""
                )
            )
        context.hint(Topic.SPACE, self.space_id)
        return parent


@dataclass(frozen=True, slots=True)
class DeleteMailbox(Mutation[None]):
    """Delete a mailbox with its messages. Raises ``HasChildren``, ``Unchangeable``."""

    mailbox_id: int

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.REMOVE)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        row = context.db.one(_ROW, id=self.mailbox_id)
        if row is None:
            raise NotFound
        space_id, _, _, messages, size = row
        return [Charge(space_id, Tool.MAIL, -size, -messages)]

    def write(self, context: WriteContext) -> None:
        # Locks the row first: a delivery that runs beside this waits, then finds no mailbox.
        modseq = context.bump(self.mailbox_id).modseq
        row = context.db.one(_ROW, id=self.mailbox_id)
        if row is None:
            raise NotFound
        space_id, parent_id, name, _, _ = row
        if parent_id is None or is_inbox(context, space_id, parent_id, name):
            raise Unchangeable("INBOX cannot be deleted.")
        if context.db.one(_CHILD, id=self.mailbox_id) is not None:
            raise HasChildren("The mailbox has mailboxes below it; delete them first.")
        context.db.run(_DELETE_MESSAGES, id=self.mailbox_id)
        context.db.run(_DELETE_CHANGES, id=self.mailbox_id)
        context.db.run(_DELETE_ANNOTATIONS, id=self.mailbox_id)
        collection_removed(context, self.mailbox_id)
        context.db.run(_DELETE, id=self.mailbox_id)
        context.hint(Topic.COLLECTION, self.mailbox_id, modseq)
        context.hint(Topic.SPACE, space_id)


@dataclass(frozen=True, slots=True)
class RenameMailbox(Mutation[None]):
    """Give a mailbox another name or parent; what lies below it moves along.

    ``levels`` is the new place below ``parent_id``; missing levels between are created.
    """

    mailbox_id: int
    space_id: int
    parent_id: int
    levels: tuple[str, ...]

    def needs(self) -> Sequence[Need]:
        return [
            OnCollection(self.mailbox_id, Right.REMOVE),
            OnCollection(self.parent_id, Right.CREATE),
        ]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        row = context.db.one(_ROW, id=self.mailbox_id)
        if row is None:
            raise NotFound
        space_id, parent_id, name, _, _ = row
        if parent_id is None or is_inbox(context, space_id, parent_id, name):
            raise Unchangeable("INBOX cannot be renamed.")
        if space_id != self.space_id:
            raise Conflict("A mailbox cannot be renamed into another owner's space.")
        _check_space(context, self.parent_id, space_id)
        tree = Tree(context.db.all(TREE, space=space_id))
        if len(tree.rows) + len(self.levels) - 1 > MAX_MAILBOXES:
            raise LimitReached("There are too many mailboxes.")
        if tree.is_below(self.parent_id, self.mailbox_id):
            raise Conflict("A mailbox cannot be moved below itself.")
        depth = tree.depth(self.parent_id) + len(self.levels) + tree.height(self.mailbox_id)
        if depth > MAX_DEPTH:
            raise InvalidName("A mailbox name has too many levels.")
        for level in self.levels:
            check_component(level)
        parent = self._parents(context)
        if context.db.one(_TAKEN, parent=parent, name=self.levels[-1]) is not None:
            raise AlreadyExists("The mailbox exists already.")
        context.db.run(_MOVE, parent=parent, name=self.levels[-1], id=self.mailbox_id)
        context.hint(Topic.SPACE, space_id)

    def _parents(self, context: WriteContext) -> int:
        parent = self.parent_id
        for level in self.levels[:-1]:
            taken = context.db.one(_TAKEN, parent=parent, name=level)
            if taken is not None and taken[0] == self.mailbox_id:
                raise Conflict("A mailbox cannot be moved below itself.")
            if taken is not None:
                _check_level(context, self.space_id, taken[0])
            parent = (
                insert_mailbox(context, self.space_id, parent, level) if taken is None else taken[0]
            )
        return parent


@dataclass(frozen=True, slots=True)
class SetSpecialUse(Mutation[None]):
    """Say what a mailbox is for (RFC 6154); "" for nothing special."""

    mailbox_id: int
    special_use: str

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.CREATE)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        row = context.db.one(_ROW, id=self.mailbox_id)
        if row is None:
            raise NotFound
        context.db.run(_SET_USE, use=self.special_use, id=self.mailbox_id)
        context.hint(Topic.SPACE, row[0])


@dataclass(frozen=True, slots=True)
class Subscribe(Mutation[None]):
    """Add a name to the account's subscriptions, or take it away (``on`` False).

    The name need not exist. Raises ``InvalidName`` for one that never can, ``LimitReached``.
    """

    space_id: int
    account_id: int
    name: str
    on: bool

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        # The gate has looked at the space: the account must be the one that owns it.
        if context.db.one(_ACCOUNT, account=self.account_id, space=self.space_id) is None:
            raise NotFound
        levels = mailbox_levels(self.name)
        for level in levels:
            check_component(level)
        if len(levels) > MAX_DEPTH or len(self.name.encode()) > MAX_NAME * 10:
            raise InvalidName("A mailbox name is too long.")
        context.hint(Topic.SPACE, self.space_id)
        wanted, unwanted = self.name, f"{UNWANTED}{self.name}"
        if not self.on:
            wanted, unwanted = unwanted, wanted
        context.db.run(_UNSUBSCRIBE, account=self.account_id, name=unwanted)
        if not self.on and not is_place(levels):
            return
        if context.db.value(_COUNT_SUBSCRIPTIONS, account=self.account_id) >= MAX_SUBSCRIPTIONS:
            raise LimitReached("There are too many subscriptions.")
        context.db.run(_SUBSCRIBE, account=self.account_id, name=wanted)


def _check_space(context: ReadContext, parent_id: int, space_id: int) -> None:
    """The gate has looked at the parent: what is written must be mail in its space."""
    facts = context.facts(parent_id)
    if facts.space_id != space_id or facts.tool is not Tool.MAIL:
        raise NotFound


def _check_level(context: ReadContext, space_id: int, level: int) -> None:
    """In a space of others, rights may be narrower further down. # rfc4314#4"""
    if space_id != context.actor.space_id:
        context.require(level, Right.CREATE)


def is_inbox(context: ReadContext, space_id: int, parent_id: int, name: str) -> bool:
    """Whether a row is the INBOX of its space: that name, directly under the root."""
    return name == INBOX and parent_id == context.db.value(
        _ROOT, space=space_id, tool=Tool.MAIL.value
    )
