"""Views of annotations (RFC 5464): those of a mailbox, of an account, of a whole space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, OnCollection, OnSpace, PerItem
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Annotation, AnnotationQuery, Right
from folkmoot.storage.views.base import View

_OF_ONE = Statement(
    "SELECT entry, value, modseq FROM annotations WHERE space_id = :space"
    " AND collection_id = :collection AND account_id IN (0, :account) AND value IS NOT NULL"
    " ORDER BY entry"
)
_IN_SPACE = Statement(
    "SELECT collection_id, entry, value, modseq FROM annotations WHERE space_id = :space"
    " AND account_id IN (0, :account) AND value IS NOT NULL AND collection_id <> 0"
    " ORDER BY collection_id, entry"
)
_NUMBER = Statement(
    "SELECT modseq FROM collections WHERE space_id = :space AND tool = 'mail' AND parent_id IS NULL"
)
_CHANGED = Statement(
    "SELECT collection_id, entry, modseq FROM annotations WHERE space_id = :space"
    " AND account_id IN (0, :account) AND modseq > :since ORDER BY collection_id, entry"
)
_FACTS = Statement(
    "SELECT c.id, c.space_id, s.owner_account_id, c.tool, c.special_use FROM collections c"
    " JOIN spaces s ON s.id = c.space_id WHERE c.space_id = :space AND c.tool = 'mail'"
)


@dataclass(frozen=True, slots=True)
class MailboxAnnotations(View[tuple[Annotation, ...]]):
    """The shared annotations of a mailbox and the actor's own, by name."""

    mailbox_id: int
    query: AnnotationQuery

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.LOOKUP | Right.READ)]

    def read(self, context: ReadContext) -> tuple[Annotation, ...]:
        space = context.facts(self.mailbox_id).space_id
        return _of_one(context, space, self.mailbox_id, self.query)


@dataclass(frozen=True, slots=True)
class AccountAnnotations(View[tuple[Annotation, ...]]):
    """The annotations of the account itself, by name."""

    space_id: int
    query: AnnotationQuery

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id, look=True)]

    def read(self, context: ReadContext) -> tuple[Annotation, ...]:
        return _of_one(context, self.space_id, 0, self.query)


@dataclass(frozen=True, slots=True)
class SpaceAnnotations(View[Mapping[int, tuple[Annotation, ...]]]):
    """The annotations of all mailboxes of a space that the actor may read, by mailbox."""

    space_id: int
    query: AnnotationQuery

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> Mapping[int, tuple[Annotation, ...]]:
        found: dict[int, list[Annotation]] = {}
        rows = context.db.all(_IN_SPACE, space=self.space_id, account=context.actor.account_id)
        for collection, *annotation in rows:
            if self.query.wants(annotation[0]):
                found.setdefault(collection, []).append(Annotation(*annotation))
        readable = _readable(context, self.space_id) if found else set()
        return {id_: tuple(entries) for id_, entries in found.items() if id_ in readable}


@dataclass(frozen=True, slots=True)
class AnnotationsSince(View[tuple[int, Mapping[int, list[Annotation]]]]):
    """The number of the last change in a space, and what changed after ``since``.

    By mailbox (0: the account itself), with names and numbers only; removed ones among them.
    Raises ``NotFound`` where the actor reads nothing in the space.
    """

    space_id: int
    since: int

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> tuple[int, Mapping[int, list[Annotation]]]:
        own = context.actor.space_id == self.space_id
        if not own and not _readable(context, self.space_id):
            raise NotFound
        number: int = context.db.value(_NUMBER, space=self.space_id) or 0
        found: dict[int, list[Annotation]] = {}
        if number <= self.since:
            return number, found
        rows = context.db.all(
            _CHANGED, space=self.space_id, account=context.actor.account_id, since=self.since
        )
        if not rows:
            return number, found
        readable = _readable(context, self.space_id)
        if own:
            readable.add(0)
        for collection, entry, modseq in rows:
            if collection in readable:
                found.setdefault(collection, []).append(Annotation(entry, None, modseq))
        return number, found


def _readable(context: ReadContext, space_id: int) -> set[int]:
    """The mailboxes of a space that the actor may read."""
    facts = [context.learn(row) for row in context.db.all(_FACTS, space=space_id)]
    return {id_ for id_, rights in context.visible(facts).items() if Right.READ in rights}


def _of_one(
    context: ReadContext, space_id: int, collection_id: int, query: AnnotationQuery
) -> tuple[Annotation, ...]:
    rows = context.db.all(
        _OF_ONE, space=space_id, collection=collection_id, account=context.actor.account_id
    )
    return tuple([Annotation(*row) for row in rows if query.wants(row[0])])
