"""Whether what a client takes for granted is so, in the moment of its write.

Conditions (RFC 9110 section 13, the If header of RFC 4918 section 10.4) and locks are looked up in
the transaction that writes, with the tree held: nothing can come between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from folkmoot.sharing.links import followed
from folkmoot.storage.errors import LockedByOther, NotFound, PreconditionFailed
from folkmoot.storage.txn import ReadTxn
from folkmoot.storage.types_tree import (
    Folder,
    Found,
    Guard,
    IfCondition,
    IfList,
    Item,
    TreePath,
)
from folkmoot.storage.views.bound import FindPlace
from folkmoot.storage.views.tree_locks import FoundLock, LocksBelow, LocksOn

Find = Callable[[TreePath], Found]


def check_conditions(txn: ReadTxn, found: Found, guard: Guard) -> None:
    """Raise ``PreconditionFailed`` where something is not as the client says."""
    item = found.entry.node if found.entry is not None else None
    tag = item.etag if isinstance(item, Item) else None
    if guard.match is not None and not _matches(guard.match, item, tag):
        raise PreconditionFailed  # rfc9110#13.1.1
    if guard.none_match is not None and _matches(guard.none_match, item, tag):
        raise PreconditionFailed("It is there already.")  # rfc9110#13.1.2
    since = guard.unmodified_since if guard.match is None else None
    if since is not None and item is not None and item.modified > since:
        raise PreconditionFailed  # rfc9110#13.1.4
    scheduled = item.schedule_tag if isinstance(item, Item) else None
    if guard.schedule_tag is not None and guard.schedule_tag != scheduled:
        raise PreconditionFailed  # rfc6638#3.2.10
    if guard.lists and not any(_list_holds(txn, one) for one in guard.lists):
        raise PreconditionFailed  # rfc4918#10.4


def _matches(tags: tuple[str, ...], node: Folder | Item | None, tag: str | None) -> bool:
    if tags == ("*",):
        return node is not None
    return tag is not None and tag in tags


def _list_holds(txn: ReadTxn, one: IfList) -> bool:
    found: Found | None = None
    if one.path is not None:
        try:
            found = followed(txn, txn.view(FindPlace(one.path, properties=False)))
        except NotFound:
            found = None
    return all(_holds(txn, found, condition) != condition.negated for condition in one.conditions)


def _holds(txn: ReadTxn, found: Found | None, condition: IfCondition) -> bool:
    if found is None:
        return False
    node = found.entry.node if found.entry is not None else None
    if condition.state is not None:  # rfc6578#5
        return isinstance(node, Folder) and (node.id, node.modseq) == condition.state
    if condition.etag:
        return isinstance(node, Item) and node.etag == condition.etag
    return any(one.lock.token == condition.token for one in locks_on(txn, found))


def locks_on(txn: ReadTxn, found: Found, *, membership: bool = False) -> list[FoundLock]:
    """The locks that cover what lies at a path, or would if something did.

    ``membership`` asks for those too that keep members of its parent from coming and going.
    """
    node = found.entry.node if found.entry is not None else None
    locks: list[FoundLock] = []
    if isinstance(node, Folder):
        locks += txn.view(LocksOn(node.id))
        if membership and found.parent is not None:
            above = txn.view(LocksOn(found.parent.id, membership=True))
            known = {one.lock.token for one in locks}
            locks += [one for one in above if one.lock.token not in known]
    elif found.parent is not None:
        name, item = (node.name, node.id) if node is not None else (found.path.names[-1], 0)
        locks += txn.view(LocksOn(found.parent.id, name, membership, item))
    return as_seen(found, locks)


def as_seen(found: Found, locks: list[FoundLock]) -> list[FoundLock]:
    """Locks with the roots that they have for whoever looks at a path: what is of others has names
    of its own in one's home, and where a shared item is kept is not told."""
    path = found.path
    if found.via is not None:
        return [replace(one, lock=replace(one.lock, root=path)) for one in locks]
    return [
        one
        if one.lock.root.space_id == path.space_id
        else replace(one, lock=replace(one.lock, root=_rerooted(path, one.lock.root)))
        for one in locks
    ]


def _rerooted(path: TreePath, root: TreePath) -> TreePath:
    return TreePath(path.space_id, path.tool, (*path.names[:1], *root.names[1:]))


def check_locks(
    txn: ReadTxn, found: Found, guard: Guard, *, membership: bool = False, below: bool = False
) -> None:
    """Raise ``LockedByOther`` unless a token is given for each lock that covers the place.

    ``membership``: the place comes to be or goes away; ``below``: with all under it.
    """
    # rfc4918#7
    locks = locks_on(txn, found, membership=membership)
    node = found.entry.node if found.entry is not None else None
    if below and isinstance(node, Folder):
        locks += as_seen(found, txn.view(LocksBelow(node.id)))
    in_the_way = _unopened(locks, guard.tokens, txn.actor.account_id)
    if in_the_way:
        raise LockedByOther(roots=in_the_way)


def _unopened(
    locks: Iterable[FoundLock], tokens: frozenset[str], account_id: int
) -> list[TreePath]:
    """Roots of locks for which no token was given.

    Of shared locks with one root, the token of one is enough. # rfc4918#7
    """
    opened: dict[TreePath, bool] = {}
    for one in locks:
        mine = one.lock.token in tokens and one.lock.account_id == account_id  # rfc4918#6.4
        opened[one.lock.root] = opened.get(one.lock.root, False) or mine
    return [root for root, is_open in opened.items() if not is_open]
