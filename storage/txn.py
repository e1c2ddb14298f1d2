"""The transaction: the one place where rights and capacities are enforced.

``ReadTxn.view`` and ``Txn.apply`` are the only ways to data. An apply does, in one database
transaction: authorize, charge the ledger, bump the counters, write, change rows, audit row; any
failure rolls everything back.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from folkmoot.storage.authorize import authorize
from folkmoot.storage.charging import foresee_charge, make_charge
from folkmoot.storage.circle import Circles
from folkmoot.storage.engine.db import Db, Row, Statement
from folkmoot.storage.errors import (
    Expired,
    NotFound,
    PermissionDenied,
    StorageError,
    Unavailable,
)
from folkmoot.storage.gate import (
    Need,
    OnCollection,
    OnItem,
    Operation,
    PerItem,
)
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.policy import (
    AuditEntry,
    Auditor,
    Authorizer,
    Charge,
    CollectionFacts,
    DomainFacts,
    Ledger,
    SpaceFacts,
)
from folkmoot.storage.refusals import count, refused
from folkmoot.storage.sight import Sight, on_item, sight_of
from folkmoot.storage.support import (
    hand_out,
    present,
    refuse_bulk,
    refuse_removal,
    refuse_search,
)
from folkmoot.storage.trail import TrailEntry, concerned, describe, write_trail
from folkmoot.storage.types import Actor, ActorKind, Hint, Right, Tool, Topic, UidSet
from folkmoot.storage.types_tree import PUBLIC
from folkmoot.storage.views.base import View

R = TypeVar("R")

_EPOCH = Statement("SELECT epoch FROM accounts WHERE id = :id AND state = 'active'")
_MADE = Statement("SELECT creator, privacy FROM items WHERE id = :id AND folder_id = :folder")
_FACTS = Statement(
    "SELECT c.id, c.space_id, s.owner_account_id, c.tool, c.special_use FROM collections c"
    " JOIN spaces s ON s.id = c.space_id WHERE c.id = :id"
)
# Counter rows are locked in the order of their ids before anything is computed from them, so
# that two transactions neither count the same message twice nor wait for each other in a ring.
_LOCK = Statement("SELECT id FROM collections WHERE id = :id FOR UPDATE")
_HOLD = Statement(
    "SELECT id FROM collections WHERE space_id = :space AND tool = :tool AND parent_id IS NULL"
    " FOR UPDATE"
)
_BUMP = Statement(
    "UPDATE collections SET modseq = modseq + 1, uidnext = uidnext + :uids,"
    " messages = messages + :messages, unseen = unseen + :unseen, deleted = deleted + :deleted,"
    " size = size + :size WHERE id = :id RETURNING modseq, uidnext, uidvalidity"
)
# Of folders: as many numbers as members change, so that each has one of its own.
_NUMBER = Statement(
    "UPDATE collections SET modseq = modseq + :numbers, messages = messages + :items,"
    " size = size + :size, modified = :now WHERE id = :id RETURNING modseq"
)
_CHANGE = Statement(
    "INSERT INTO changes (collection_id, modseq, kind, uids)"
    " VALUES (:collection, :modseq, :kind, :uids)"
)


@dataclass(frozen=True, slots=True)
class Decisions:
    """Who decides. Required to build a store; there are no defaults."""

    authorizer: Authorizer
    ledger: Ledger
    auditor: Auditor


@dataclass(frozen=True, slots=True)
class Counters:
    """What a mutation adds to (negative: takes from) the counters of a collection."""

    uids: int = 0
    messages: int = 0
    unseen: int = 0
    deleted: int = 0
    size: int = 0


UNCHANGED = Counters()


@dataclass(frozen=True, slots=True)
class Bumped:
    """The counter row after a bump."""

    modseq: int
    uidnext: int
    uidvalidity: int


class ReadContext:
    """What a view or a cost computation may use. Lives as long as the transaction."""

    __slots__ = (
        *("_circles", "_decisions", "_facts", "_handed_out", "_kept", "_rights"),
        *("actor", "db", "now"),
    )

    def __init__(self, db: Db, actor: Actor, decisions: Decisions) -> None:
        self.db = db
        self.now = int(time.time())
        # What an agent of support may do is what was granted to it now.
        self.actor = present(db, actor, self.now) if actor.kind is ActorKind.SUPPORT else actor
        self._decisions = decisions
        # Of this transaction only: a revocation between two transactions always counts.
        self._rights: dict[int, Right] = {}
        self._facts: dict[int, CollectionFacts] = {}
        self._kept: dict[int, frozenset[int]] = {}
        self._circles = Circles(db, self.actor)
        self._handed_out: set[int] = set()  # blobs

    def forget(self) -> None:
        """Look again at everything: what was known may have been rolled back."""
        self._rights.clear()
        self._facts.clear()
        self._kept.clear()
        self._circles = Circles(self.db, self.actor)

    def rights(
        self, facts: Sequence[CollectionFacts], needed: Right = Right.LOOKUP
    ) -> Mapping[int, Right]:
        """Rights of the actor on those of the collections where it has the needed ones."""
        circle = self._circles.of(facts)
        rights = self._decisions.authorizer.rights(self.actor, facts, circle)
        return {id_: right for id_, right in rights.items() if needed in right}

    def visible(self, facts: Sequence[CollectionFacts]) -> Mapping[int, Right]:
        """Rights of the actor on those of the collections that it may know (LOOKUP)."""
        return self.rights(facts)

    def knows(self, spaces: Sequence[SpaceFacts]) -> set[int]:
        """Those of the spaces whose owners the actor may know."""
        circle = self._circles.around(space.owner_account_id for space in spaces)
        return self._decisions.authorizer.knows(self.actor, spaces, circle)

    def leads(self, space: SpaceFacts) -> bool:
        """Whether the actor may change the group that owns a space."""
        circle = self._circles.around([space.owner_account_id])
        return self._decisions.authorizer.may_lead(self.actor, space, circle)

    def manages(self, space: SpaceFacts, *, look: bool = False) -> bool:
        """Whether the actor may change (``look``: see) what belongs to the owner of a space."""
        return self._decisions.authorizer.may_manage(self.actor, space, look=look)

    def administers(self) -> bool:
        """Whether the actor administers all there is, as the operator does."""
        return self._decisions.authorizer.may_administer(self.actor)

    def administers_domain(self, domain: DomainFacts) -> bool:
        """Whether the actor may administer the accounts and groups of a domain."""
        return self._decisions.authorizer.may_administer_domain(self.actor, domain)

    def hand_out(self, bodies: Sequence[tuple[int, int]]) -> None:
        """Say that content goes out: the blobs and how many octets each has. # M7.5

        Every view that gives octets of items calls this before it does. Raises ``ExportRefused``
        where an agent of support may not have them.
        """
        if self.actor.support is not None:
            hand_out(self, bodies, self._handed_out)

    def show_texts(self, items: int) -> None:
        """Say that parts of the content of so many items go out. Raises ``ExportRefused``."""
        refuse_bulk(self.actor, items)

    def search_content(self) -> None:
        """Say that it is looked for words in the content of items. Raises ``ExportRefused``.

        Every view that does so calls this before it does. # M7.5
        """
        refuse_search(self.actor)

    def foresee(self, charge: Charge) -> None:
        """Raise what a charge would raise now: ``OverQuota``, ``TooLarge``."""
        foresee_charge(self.db, charge, self._decisions.ledger)

    def facts(self, collection_id: int) -> CollectionFacts:
        """Owner, space and tool of a collection. Raises ``NotFound``."""
        facts = self._facts.get(collection_id)
        if facts is None:
            row = self.db.one(_FACTS, id=collection_id)
            if row is None:
                raise NotFound
            facts = self.learn(row)
        return facts

    def learn(self, row: Row) -> CollectionFacts:
        """Remember facts that a view has read: (id, space, owner, tool, special use)."""
        facts = self._facts[row[0]] = CollectionFacts(row[0], row[1], row[2], Tool(row[3]), row[4])
        return facts

    def require(self, collection_id: int, needed: Right) -> Right:
        """The actor's rights on a collection.

        Raises ``NotFound`` when it is absent or may not be known, ``PermissionDenied`` when
        rights lack: denied looks like absent, and nobody else makes that choice. Busy times alone
        are told to those too who may not know the calendar itself.
        """
        rights = self._rights.get(collection_id)
        if rights is None:
            facts = self.facts(collection_id)
            rights = self.rights([facts], Right.NONE).get(collection_id, Right.NONE)
            self._rights[collection_id] = rights
        return _all_of(needed, rights)

    def kept_back(self, collection_id: int) -> frozenset[int]:
        """The items of a collection that the actor may not read, though the rest of it."""
        known = self._kept.get(collection_id)
        if known is None:
            facts, decide = self.facts(collection_id), self._decisions.authorizer.rights
            known = self._kept[collection_id] = frozenset(
                item
                for item, circle in self._circles.of_kept(facts).items()
                if Right.READ
                not in decide(self.actor, [facts], circle).get(collection_id, Right.NONE)
            )
        return known

    def require_item(self, collection_id: int, item: int, needed: Right) -> Right:
        """The same for one item, to which more or less may be granted than to its collection."""
        facts = self.facts(collection_id)
        circle = self._circles.of([facts], item)
        granted = self._decisions.authorizer.rights(self.actor, [facts], circle)
        rights = granted.get(collection_id, Right.NONE)
        own = any(grant.distance < 0 for grant in circle.grants.get(collection_id, ()))
        if not own and sight_of(facts, rights) not in (Sight.ALL, None):
            row = self.db.one(_MADE, id=item, folder=collection_id)
            creator, privacy = row or (0, PUBLIC)
            mine = row is not None and creator == self.actor.account_id
            rights = on_item(facts, rights, privacy, mine=mine)
        return _all_of(needed, rights)


class WriteContext(ReadContext):
    """What a mutation may use to write."""

    __slots__ = ("hints", "last_error", "stored", "trail")

    def __init__(self, db: Db, actor: Actor, decisions: Decisions, hints: list[Hint]) -> None:
        super().__init__(db, actor, decisions)
        self.hints = hints
        # Content that this transaction has stored, by digest: several recipients share one row.
        self.stored: dict[bytes, int] = {}
        # Rows of the audit trail, written at the end: who writes there, holds up all others.
        self.trail: list[TrailEntry] = []
        self.last_error: StorageError | None = None  # of which the trail has a row

    def lock(self, collection_ids: Sequence[int]) -> None:
        """Lock counter rows until the end of the transaction. Raises ``NotFound``."""
        if self.db.is_sqlite:  # one writer: it has the whole database for itself
            return
        for collection_id in sorted(set(collection_ids)):
            if self.db.one(_LOCK, id=collection_id) is None:
                raise NotFound

    def bump(self, collection_id: int, counters: Counters = UNCHANGED) -> Bumped:
        """Give the collection its next modseq and change its counters.

        Raises ``NotFound`` when the collection went away.
        """
        row = self.db.one(
            _BUMP,
            id=collection_id,
            uids=counters.uids,
            messages=counters.messages,
            unseen=counters.unseen,
            deleted=counters.deleted,
            size=counters.size,
        )
        if row is None:
            raise NotFound
        return Bumped(*row)

    def number(self, folder_id: int, numbers: int = 1, *, items: int = 0, size: int = 0) -> int:
        """Give a folder its next ``numbers`` modseqs and change its counters; the last of them.

        Tells its subscribers at commit. Raises ``NotFound`` when the folder went away.
        """
        row = self.db.one(
            _NUMBER, id=folder_id, numbers=numbers, items=items, size=size, now=self.now
        )
        if row is None:
            raise NotFound
        modseq: int = row[0]
        self.hint(Topic.COLLECTION, folder_id, modseq)
        return modseq

    def changed(self, collection_id: int, modseq: int, kind: str, uids: UidSet) -> None:
        """Write the change row of a bumped collection and tell its subscribers at commit."""
        self.db.run(_CHANGE, collection=collection_id, modseq=modseq, kind=kind, uids=str(uids))
        self.hint(Topic.COLLECTION, collection_id, modseq)

    def hint(self, topic: Topic, id_: int, number: int = 0) -> None:
        """Publish at commit."""
        self.hints.append(Hint(topic, id_, number))


class ReadTxn:
    """One consistent snapshot, seen by one actor."""

    def __init__(self, context: ReadContext, label: str, decisions: Decisions) -> None:
        self._context = context
        self._label = label
        self._decisions = decisions
        _check_actor(context)

    @property
    def actor(self) -> Actor:
        return self._context.actor

    def view(self, view: View[R]) -> R:
        """Read through the gate. Raises ``NotFound`` or ``PermissionDenied``."""
        needs = view.needs()
        try:
            authorize(self._context, needs)
            result = view.read(self._context)
        except StorageError as error:
            self._note_refused(view, needs, error)
            raise
        self._note(view, needs)
        return result

    def _note(self, operation: Operation, needs: Sequence[Need]) -> None:
        """Leave a row in the trail where the auditor wants one; without it nothing is answered."""
        context, entry = self._context, self._entry(operation, needs)
        if entry is None:
            return
        if not isinstance(context, WriteContext):
            raise Unavailable
        context.trail.append(TrailEntry(entry, concerned(context.db, operation), context.now))

    def _note_refused(
        self, operation: Operation, needs: Sequence[Need], error: StorageError
    ) -> None:
        """Leave a row about what an agent of support was refused."""
        context = self._context
        if self.actor.support is None or not isinstance(context, WriteContext):
            return
        entry = self._entry(operation, needs)
        if entry is not None:
            context.trail.append(refused(entry, error, context.now))
            context.last_error = error

    def _entry(self, operation: Operation, needs: Sequence[Need]) -> AuditEntry | None:
        """What the trail is to say of an operation, if anything."""
        actor = self.actor
        entry = self._decisions.auditor.entry(
            actor, self._label, type(operation).__name__, _touched(needs), operation.audited
        )
        if entry is None:
            return None
        note = operation.trail_note() or (describe(operation) if actor.support is not None else "")
        return AuditEntry(actor, entry.label, entry.operation, entry.collections, note)


class Txn(ReadTxn):
    """A transaction that may write."""

    def __init__(self, context: WriteContext, label: str, decisions: Decisions) -> None:
        super().__init__(context, label, decisions)
        self._write_context = context

    def hold(self, trees: Collection[tuple[int, Tool]]) -> None:
        """Let nobody else change trees (space, tool) until the end of the transaction.

        For work that looks before it writes: what it saw still holds when it writes.
        """
        db = self._write_context.db
        if db.is_sqlite:  # one writer
            return
        for space, tool in sorted(set(trees)):
            db.all(_HOLD, space=space, tool=tool.value)

    def hold_collections(self, collection_ids: Collection[int]) -> None:
        """Lock collections in the order of their ids, for work that applies several mutations in
        another order. What has gone away is for the mutations to find."""
        db = self._write_context.db
        for collection_id in () if db.is_sqlite else sorted(set(collection_ids)):
            db.one(_LOCK, id=collection_id)

    def apply(self, mutation: Mutation[R]) -> R:
        """Write through the gate. Any error rolls the whole transaction back."""
        context = self._write_context
        needs = mutation.needs()
        if any(isinstance(need, PerItem) for need in needs):
            raise TypeError("a mutation names all that it touches")
        try:
            authorize(context, needs)
            self._hold_to_grant(mutation, needs)
            context.lock(_touched(needs))
            for charge in mutation.cost(context):
                make_charge(context.db, charge, self._decisions.ledger)
            result = mutation.write(context)
        except StorageError as error:
            self._note_refused(mutation, needs, error)
            raise
        self._note(mutation, needs)
        return result

    def _hold_to_grant(self, mutation: Mutation[R], needs: Sequence[Need]) -> None:
        """Hold an agent of support to what the customer granted."""
        support = self.actor.support
        if support is None:
            return
        if support.read_only and not mutation.only_notes:
            raise PermissionDenied("Support was let in to look only.")
        refuse_removal(self._write_context, needs)

    def attempt(self, mutation: Mutation[R]) -> R | StorageError:
        """Apply in a savepoint: an error of this one mutation leaves the others standing.

        For one message to several recipients, where one being over quota is only theirs.
        """
        db = self._write_context.db
        hints, trail = len(self._write_context.hints), len(self._write_context.trail)
        stored = dict(self._write_context.stored)
        db.text("SAVEPOINT attempt")
        try:
            result = self.apply(mutation)
        except StorageError as error:
            db.text("ROLLBACK TO SAVEPOINT attempt")
            db.text("RELEASE SAVEPOINT attempt")
            del self._write_context.hints[hints:]
            self._write_context.trail[trail:] = [
                each for each in self._write_context.trail[trail:] if each.refused
            ]
            self._write_context.stored = stored
            self._write_context.forget()
            return error
        db.text("RELEASE SAVEPOINT attempt")
        return result

    def finish(self) -> None:
        """Write what the transaction leaves in the trail: the last thing before its commit."""
        context = self._write_context
        told = count(context.db, [each for each in context.trail if each.refused])
        write_trail(context.db, [*context.trail, *(told or ())])
        context.trail.clear()


def refusals(
    actor: Actor, label: str, error: StorageError, context: WriteContext | None
) -> list[TrailEntry]:
    """What an agent of support was refused in a transaction that ended with an error.

    ``context`` is None where there was none, because the access is over.
    """
    if actor.support is None:
        return []
    last = AuditEntry(actor, label, label, ())
    if context is None:
        return [refused(last, error, int(time.time()))]
    found = [each for each in context.trail if each.refused]
    if error is not context.last_error:  # it looked first, and what it saw was in the way
        last = context.trail[-1].entry if context.trail else last
        found.append(refused(last, error, context.now))
    return found


def _touched(needs: Sequence[Need]) -> list[int]:
    """The collections that an operation names."""
    return [need.collection_id for need in needs if isinstance(need, OnCollection | OnItem)]


def _all_of(needed: Right, rights: Right) -> Right:
    """The rights, if they have what is needed. Raises ``NotFound``, ``PermissionDenied``."""
    if needed == Right.BUSY and Right.BUSY in rights:
        return rights
    if Right.LOOKUP not in rights:
        raise NotFound
    if needed & ~rights:
        raise PermissionDenied
    return rights


def _check_actor(context: ReadContext) -> None:
    """Refuse sessions whose account was disabled or got a new password since they signed in."""
    actor = context.actor
    if actor.kind is not ActorKind.ACCOUNT:
        return
    row = context.db.one(_EPOCH, id=actor.account_id)
    if row is None or row[0] != actor.epoch:
        raise Expired
