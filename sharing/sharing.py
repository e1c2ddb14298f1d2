"""What owners share, and with whom: for the command line, files, and people themselves.

Names are taken as people write them: ``documents/Reports/2026`` is a folder or a file, by its tool
and the way to it; ``mail/INBOX;UID=7`` is a message. All methods return Deferreds that fail with
storage errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred

from folkmoot.sharing.rights import READ
from folkmoot.storage.addresses import normalize_address
from folkmoot.storage.errors import NotFound, Unchangeable
from folkmoot.storage.mutations.grants import Share, Unshare
from folkmoot.storage.mutations.item_grants import ShareItem, UnshareItem
from folkmoot.storage.names import DELIMITER, mailbox_levels
from folkmoot.storage.store import Store
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import Actor, Right, Tool
from folkmoot.storage.types_sharing import SharedThing
from folkmoot.storage.views.places import FindThing, SharedOfSpace, SpaceOf

R = TypeVar("R")

_MESSAGE = re.compile(r"(.+);UID=([1-9][0-9]{0,9})", re.IGNORECASE)  # rfc5092#7


class Sharing:
    """What can be done by one actor: an owner shares what is its own, the administrator of a group
    what the group has, and the system (the operator) for anybody."""

    def __init__(self, store: Store, actor: Actor) -> None:
        self._store = store
        self._actor = actor

    def share(self, owner: str, path: str, grantee: str, rights: Right) -> Deferred[None]:
        """Give a group rights on an item, or on a collection and all below; on the latter a member
        of a group of the owner can get some, too.

        They count instead of those given before. Owner and grantee are addresses. Raises
        ``NotFound``, ``PermissionDenied`` outside common groups, ``Unchangeable`` for what is not
        shared, ``LimitReached``, ``RuleBroken``.
        """

        def work(txn: Txn) -> None:
            tool, collection, item = _thing(txn, owner, path)
            to = _space(txn, grantee)
            if item and tool is Tool.MAIL and rights & ~READ:
                raise Unchangeable("A single message can be shared for reading only.")
            if item:
                txn.apply(ShareItem(collection, item, to, rights))
            else:
                txn.apply(Share(collection, to, rights))

        return self._run("share", work)

    def unshare(self, owner: str, path: str, grantee: str) -> Deferred[None]:
        """Take back what was given on a thing, at once. Raises ``NotFound``."""

        def work(txn: Txn) -> None:
            _, collection, item = _thing(txn, owner, path)
            to = _space(txn, grantee)
            txn.apply(UnshareItem(collection, item, to) if item else Unshare(collection, to))

        return self._run("unshare", work)

    def shared(self, owner: str, path: str = "") -> Deferred[list[SharedThing]]:
        """What an owner shares, in all or of one thing. Raises ``NotFound``."""

        def work(txn: ReadTxn) -> list[SharedThing]:
            found = txn.view(SharedOfSpace(_space(txn, owner)))
            if path:
                _, *thing = _thing(txn, owner, path)
                found = [
                    each for each in found if [each.grant.collection_id, each.grant.item] == thing
                ]
            return found

        return self._store.read(self._actor, "shared", work)

    def _run(self, label: str, work: Callable[[Txn], R]) -> Deferred[R]:
        return self._store.run(self._actor, label, work)


def path_of(thing: SharedThing) -> str:
    """The path of what is shared, as ``Sharing`` reads it."""
    path = DELIMITER.join((thing.tool.value, *thing.names))
    message = thing.tool is Tool.MAIL and thing.grant.item
    return f"{path};UID={thing.grant.item}" if message else path


def _space(txn: ReadTxn, address: str) -> int:
    known = normalize_address(address)
    try:
        return txn.view(SpaceOf(known))
    except NotFound:
        raise NotFound(f"There is no account or group {known}.") from None


def _thing(txn: ReadTxn, owner: str, path: str) -> tuple[Tool, int, int]:
    """Tool, number of the collection, and item (or 0) of what lies at a path."""
    space = _space(txn, owner)
    first, _, rest = path.removesuffix(DELIMITER).partition(DELIMITER)
    try:
        tool = Tool(first)
    except ValueError:
        names = ", ".join(each.value for each in Tool)
        raise NotFound(f"A path begins with one of {names}.") from None
    uid = 0
    if tool is Tool.MAIL and (message := _MESSAGE.fullmatch(rest)):
        rest, uid = message[1], int(message[2])
    levels: tuple[str, ...] = ()
    if rest:
        levels = mailbox_levels(rest) if tool is Tool.MAIL else tuple(rest.split(DELIMITER))
    try:
        collection, item = txn.view(FindThing(space, tool, levels))
    except NotFound:
        raise NotFound(f"There is nothing at {path!r} of {owner}.") from None
    return tool, collection, uid or item
