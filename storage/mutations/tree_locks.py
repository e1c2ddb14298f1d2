"""Mutations of locks (RFC 4918 section 9.10).

Locks are advice between clients of those who may write anyway: whether one is in the way is looked
up by ``sharing.guard`` in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import LimitReached, NotFound
from folkmoot.storage.gate import Need, OnCollection, OnItem
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Right
from folkmoot.storage.types_tree import LockRequest
from folkmoot.storage.views.sight import compared
from folkmoot.storage.views.tree_locks import HOLDS, real_name

DEFAULT_TIMEOUT = 3600  # seconds
LONGEST_TIMEOUT = 86_400
MAX_LOCKS = 5_000  # in one space
MAX_OWNER = 4_096  # characters of what a client writes about itself

_INSERT = Statement(
    "INSERT INTO locks (token, space_id, folder_id, name, scope, infinite, owner, account_id,"
    " timeout, expires) VALUES (:token, :space, :folder, :name, :scope, :infinite, :owner,"
    " :account, :timeout, :expires)"
)
_EXPIRED = Statement(f"DELETE FROM locks WHERE space_id = :space AND NOT ({HOLDS})")  # noqa: S608
_COUNT = Statement("SELECT COUNT(*) FROM locks WHERE space_id = :space")
_REFRESH = Statement(
    "UPDATE locks SET timeout = :timeout, expires = :expires"
    " WHERE token = :token AND folder_id = :folder"
)
_DELETE = Statement("DELETE FROM locks WHERE token = :token AND folder_id = :folder")


def _editing(folder_id: int, item_id: int) -> Need:
    if item_id:
        return OnItem(folder_id, item_id, Right.EDIT)
    return OnCollection(folder_id, Right.EDIT)


def _granted(timeout: int | None) -> int:
    return max(1, min(DEFAULT_TIMEOUT if timeout is None else timeout, LONGEST_TIMEOUT))


@dataclass(frozen=True, slots=True)
class TakeLock(Mutation[str]):
    """Lock a folder (``name`` "") or a member of it; returns the token. Raises ``LimitReached``.

    Here and below ``item_id`` is the item's, where the lock is one item's.
    """

    folder_id: int
    name: str
    request: LockRequest
    item_id: int = 0

    def needs(self) -> Sequence[Need]:
        return [_editing(self.folder_id, self.item_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> str:
        space = context.facts(self.folder_id).space_id
        context.db.run(_EXPIRED, space=space, now=context.now)
        if len(self.request.owner) > MAX_OWNER:
            raise LimitReached("The description of the lock's owner is too long.")
        if context.db.value(_COUNT, space=space) >= MAX_LOCKS:
            raise LimitReached("There are too many locks.")
        timeout = _granted(self.request.timeout)
        token = f"urn:uuid:{uuid.uuid4()}"  # rfc4918#6.5
        context.db.run(
            _INSERT,
            token=token,
            space=space,
            folder=self.folder_id,
            # What others call it, who may have another one of the name that its creator knows.
            name=real_name(context, self.folder_id, compared(self.name)) or compared(self.name),
            scope=self.request.scope.value,
            infinite=int(self.request.infinite),
            owner=self.request.owner,
            account=context.actor.account_id,
            timeout=timeout,
            expires=context.now + timeout,
        )
        return token


@dataclass(frozen=True, slots=True)
class RefreshLock(Mutation[None]):
    """Begin the time of a lock anew. Raises ``NotFound``. # rfc4918#9.10.2"""

    folder_id: int
    token: str
    timeout: int | None
    item_id: int = 0

    def needs(self) -> Sequence[Need]:
        return [_editing(self.folder_id, self.item_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        timeout = _granted(self.timeout)
        done = context.db.run(
            _REFRESH,
            token=self.token,
            folder=self.folder_id,
            timeout=timeout,
            expires=context.now + timeout,
        )
        if not done:
            raise NotFound


@dataclass(frozen=True, slots=True)
class ReleaseLock(Mutation[None]):
    """End a lock. Raises ``NotFound``. # rfc4918#9.11"""

    folder_id: int
    token: str
    item_id: int = 0

    def needs(self) -> Sequence[Need]:
        return [_editing(self.folder_id, self.item_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        if not context.db.run(_DELETE, token=self.token, folder=self.folder_id):
            raise NotFound
