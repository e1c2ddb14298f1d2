"""Mutations of annotations (RFC 5464)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import InvalidName, LimitReached, PermissionDenied, TooLarge
from folkmoot.storage.gate import Need, OnCollection, OnSpace
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Annotation, Right, Topic

MAX_ENTRY = 256  # octets of a name
MAX_VALUE = 64 * 1024  # octets
MAX_ON_MAILBOX = 100  # entries, of all accounts; also on an account itself
MAX_REMOVED = 100  # names of removed entries that are remembered for a mailbox
MAX_IN_SPACE = 5_000
MAX_OCTETS = 4 * 1024 * 1024  # of all values in a space

SHARED = "/shared/"
PRIVATE = "/private/"

_ROOT = Statement(
    "SELECT id FROM collections WHERE space_id = :space AND tool = 'mail' AND parent_id IS NULL"
)
_SET = Statement(
    "INSERT INTO annotations (space_id, collection_id, account_id, entry, value, modseq)"
    " VALUES (:space, :collection, :account, :entry, :value, :modseq)"
    " ON CONFLICT (space_id, collection_id, account_id, entry)"
    " DO UPDATE SET value = excluded.value, modseq = excluded.modseq"
)
_REMOVE = Statement(
    "UPDATE annotations SET value = NULL, modseq = :modseq WHERE space_id = :space"
    " AND collection_id = :collection AND account_id = :account AND entry = :entry"
    " AND value IS NOT NULL"
)
_ON_MAILBOX = Statement(
    "SELECT COUNT(*) FROM annotations WHERE space_id = :space AND collection_id = :collection"
    " AND value IS NOT NULL"
)
_IN_SPACE = Statement(
    "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(value)), 0) AS BIGINT) FROM annotations"
    " WHERE space_id = :space AND value IS NOT NULL"
)
_OLD_REMOVED = Statement(
    "SELECT account_id, entry FROM annotations WHERE space_id = :space"
    " AND collection_id = :collection AND value IS NULL ORDER BY modseq DESC, entry"
    " LIMIT 1000 OFFSET :kept"
)
_FORGET = Statement(
    "DELETE FROM annotations WHERE space_id = :space AND collection_id = :collection"
    " AND account_id = :account AND entry = :entry"
)


def check_entry(entry: str) -> None:
    """Refuse what cannot name an annotation. Raises ``InvalidName``. # rfc5464#3.2"""
    if not entry.startswith((SHARED, PRIVATE)):
        raise InvalidName("Annotations are named /private/... or /shared/...")
    if len(entry) > MAX_ENTRY or not (entry.isascii() and entry.isprintable()):
        raise InvalidName("An annotation's name is too long or not plain text.")
    if "*" in entry or "%" in entry or "//" in entry or entry.endswith("/"):
        raise InvalidName("An annotation's name has an empty level or a wildcard.")
    if entry != entry.lower():
        raise InvalidName("An annotation's name is kept in lower case.")


@dataclass(frozen=True, slots=True)
class SetAnnotations(Mutation[int]):
    """Set and remove (value None) annotations of a mailbox, all or none; returns their modseq.

    ``collection_id`` 0 stands for the account itself, whose space is ``space_id``: only private
    ones can be set there. Raises ``TooLarge``, ``LimitReached``, ``InvalidName``.
    """

    space_id: int
    collection_id: int
    changes: tuple[Annotation, ...]

    def needs(self) -> Sequence[Need]:
        # rfc5464#3.3: reading is enough for what is the actor's own; what others see takes more.
        rights = Right.LOOKUP | Right.READ
        if any(change.entry.startswith(SHARED) for change in self.changes):
            rights |= Right.FLAGS
        if self.collection_id:
            return [OnCollection(self.collection_id, rights)]
        return [OnSpace(self.space_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()  # bounded by limits of their own

    def write(self, context: WriteContext) -> int:
        space = self.space_id
        if self.collection_id:
            space = context.facts(self.collection_id).space_id
        # The root of the space's mail numbers all changes of annotations.
        modseq = context.bump(context.db.value(_ROOT, space=space)).modseq
        for change in self.changes:
            self._set(context, space, change, modseq)
        self._check_limits(context, space)
        where = {"space": space, "collection": self.collection_id}
        old = context.db.all(_OLD_REMOVED, **where, kept=MAX_REMOVED)
        for account, entry in old:
            context.db.run(_FORGET, **where, account=account, entry=entry)
        context.hint(Topic.SPACE, space, modseq)
        return modseq

    def _set(self, context: WriteContext, space: int, change: Annotation, modseq: int) -> None:
        check_entry(change.entry)
        shared = change.entry.startswith(SHARED)
        if shared and not self.collection_id:
            raise PermissionDenied("What all accounts see of the server is not set by them.")
        key = {
            "space": space,
            "collection": self.collection_id,
            "account": 0 if shared else context.actor.account_id,
            "entry": change.entry,
            "modseq": modseq,
        }
        if change.value is None:
            context.db.run(_REMOVE, **key)
            return
        if len(change.value) > MAX_VALUE:
            raise TooLarge("The value of an annotation is too long.")
        context.db.run(_SET, **key, value=change.value)

    def _check_limits(self, context: WriteContext, space: int) -> None:
        here = context.db.value(_ON_MAILBOX, space=space, collection=self.collection_id)
        row = context.db.one(_IN_SPACE, space=space)
        assert row is not None
        if here > MAX_ON_MAILBOX or row[0] > MAX_IN_SPACE or row[1] > MAX_OCTETS:
            raise LimitReached("There are too many annotations.")
