"""What owners share, and with whom: for the command line, files, and people themselves.

Names are taken as people write them: ``documents/Reports/2026`` is a collection, by its tool and
the way to it. All methods return Deferreds that fail with storage errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred

from folkmoot.storage.addresses import normalize_address
from folkmoot.storage.errors import NotFound, Unchangeable
from folkmoot.storage.mutations.grants import Share, Unshare
from folkmoot.storage.names import DELIMITER, mailbox_levels
from folkmoot.storage.store import Store
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import Actor, Right, Tool
from folkmoot.storage.types_sharing import SharedThing
from folkmoot.storage.views.places import FindCollection, SharedOfSpace, SpaceOf

R = TypeVar("R")


class Sharing:
    """What can be done by one actor: an owner shares what is its own, the administrator of a group
    what the group has, and the system (the operator) for anybody."""

    def __init__(self, store: Store, actor: Actor) -> None:
        self._store = store
        self._actor = actor

    def share(self, owner: str, path: str, grantee: str, rights: Right) -> Deferred[None]:
        """Give a group, or a member of a group of the owner, rights on a collection and all below.

        They count instead of those given before. Owner and grantee are addresses. Raises
        ``NotFound``, ``PermissionDenied`` outside common groups, ``Unchangeable`` for what is not
        shared.
        """

        def work(txn: Txn) -> None:
            tool, collection = _collection(txn, owner, path)
            if rights == Right.BUSY and tool is not Tool.CALENDAR:
                raise Unchangeable("Only calendars can be shared as busy times.")
            txn.apply(Share(collection, _space(txn, grantee), rights))

        return self._run("share", work)

    def unshare(self, owner: str, path: str, grantee: str) -> Deferred[None]:
        """Take back what was given on a collection, at once. Raises ``NotFound``."""

        def work(txn: Txn) -> None:
            _, collection = _collection(txn, owner, path)
            txn.apply(Unshare(collection, _space(txn, grantee)))

        return self._run("unshare", work)

    def shared(self, owner: str, path: str = "") -> Deferred[list[SharedThing]]:
        """What an owner shares, in all or on one collection. Raises ``NotFound``."""

        def work(txn: ReadTxn) -> list[SharedThing]:
            found = txn.view(SharedOfSpace(_space(txn, owner)))
            if path:
                _, collection = _collection(txn, owner, path)
                found = [each for each in found if each.grant.collection_id == collection]
            return found

        return self._store.read(self._actor, "shared", work)

    def _run(self, label: str, work: Callable[[Txn], R]) -> Deferred[R]:
        return self._store.run(self._actor, label, work)


def path_of(thing: SharedThing) -> str:
    """The path of a shared collection, as ``Sharing`` reads it."""
    return DELIMITER.join((thing.tool.value, *thing.names))


def _space(txn: ReadTxn, address: str) -> int:
    known = normalize_address(address)
    try:
        return txn.view(SpaceOf(known))
    except NotFound:
        raise NotFound(f"There is no account or group {known}.") from None


def _collection(txn: ReadTxn, owner: str, path: str) -> tuple[Tool, int]:
    """Tool and number of the collection at a path."""
    space = _space(txn, owner)
    first, _, rest = path.removesuffix(DELIMITER).partition(DELIMITER)
    try:
        tool = Tool(first)
    except ValueError:
        names = ", ".join(each.value for each in Tool)
        raise NotFound(f"A path begins with one of {names}.") from None
    levels: tuple[str, ...] = ()
    if rest:
        levels = mailbox_levels(rest) if tool is Tool.MAIL else tuple(rest.split(DELIMITER))
    try:
        return tool, txn.view(FindCollection(space, tool, levels))
    except NotFound:
        raise NotFound(f"There is no collection {path!r} of {owner}.") from None
