"""Where a person finds mail that is not their own: ``Groups/NAME/…`` and ``Shared/OWNER/NAME/…``.

Everything is looked up in the transaction that uses it, so nothing is left when it is withdrawn.
Mailboxes of one's own that have such a name from before keep it, and hide what others have there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from folkmoot.storage.errors import InvalidName, NotFound, PermissionDenied
from folkmoot.storage.names import (
    DELIMITER,
    GROUPS,
    SHARED,
    UNWANTED,
    is_place,
    mailbox_levels,
    mailbox_name,
)
from folkmoot.storage.txn import ReadTxn
from folkmoot.storage.types import MailboxInfo, Right, Tool
from folkmoot.storage.types_sharing import SHARED_ITEMS
from folkmoot.storage.views.grants import SharedWithMe
from folkmoot.storage.views.groups import MyGroups
from folkmoot.storage.views.mailboxes import ListSpaces, LocateMailbox, MailboxRights

ABSENT = "There is no such mailbox."
#: Names of special mailboxes of others are not subscribed unless asked for.
_WANTED_USES = frozenset({"", SHARED_ITEMS})
_WILD = str.maketrans("*%", "--")


@dataclass(frozen=True, slots=True)
class Place:
    """Part of a space, as the actor finds it: what is below ``top``, or (0) the whole.

    ``prefix`` are the levels of its name here, ``names`` those of ``top`` in its own space.
    """

    prefix: tuple[str, ...]
    space_id: int
    top: int = 0
    names: tuple[str, ...] = ()


def is_personal(name: str) -> bool:
    """Whether a name is in the personal namespace (RFC 2342 section 2)."""
    return not is_place(name.split(DELIMITER))


def other_mailboxes(txn: ReadTxn) -> list[MailboxInfo]:
    """All mailboxes of others that the actor may know, by the names that they have here.

    They are not said to be subscribed.
    """
    found = list(_places(txn))
    trees = txn.view(ListSpaces(tuple({place.space_id for place in found})))
    listed = [info for place in found for info in _renamed(place, trees.get(place.space_id, ()))]
    return sorted(listed, key=lambda info: info.name)


def subscribed_names(names: Collection[str], others: Sequence[MailboxInfo]) -> set[str]:
    """What is subscribed, out of what the store keeps of it and of all mailboxes of others.

    What others have is, where no special use says otherwise, until the person ends it; when it is
    withdrawn nothing is left of it.
    """
    kept = set(names)
    subscribed = {name for name in kept if is_personal(name) and not name.startswith(UNWANTED)}
    for info in others:
        wanted = info.special_use in _WANTED_USES and f"{UNWANTED}{info.name}" not in kept
        if wanted or info.name in kept:
            subscribed.add(info.name)
    return subscribed


def place_of(txn: ReadTxn, levels: Sequence[str]) -> tuple[Place, tuple[str, ...]]:
    """The place that a name leads to, and the levels below it. Raises ``NotFound``."""
    for place in _places(txn, levels[0]):
        depth = len(place.prefix)
        if tuple(levels[:depth]) == place.prefix and (place.top or len(levels) > depth):
            return place, tuple(levels[depth:])
    raise NotFound(ABSENT)


def locate(txn: ReadTxn, name: str) -> int:
    """The id of a mailbox of others. Raises ``NotFound``."""
    place, below = place_of(txn, mailbox_levels(name))
    return txn.view(LocateMailbox(place.space_id, below, place.top))


def find(txn: ReadTxn, name: str) -> MailboxInfo:
    """A mailbox of others. Raises ``NotFound``."""
    wanted = mailbox_name(name)
    place, _ = place_of(txn, mailbox_levels(name))
    tree = txn.view(ListSpaces((place.space_id,))).get(place.space_id, ())
    for info in _renamed(place, tree):
        if info.name == wanted:
            return info
    raise NotFound(ABSENT)


def nearest(txn: ReadTxn, name: str) -> tuple[int, int, tuple[str, ...]]:
    """Where a new mailbox of others would lie: the space, what there is above it, levels below.

    Raises ``InvalidName`` where nothing can be made.
    """
    try:
        place, below = place_of(txn, mailbox_levels(name))
    except NotFound:
        raise InvalidName(
            f"Names under {GROUPS} and {SHARED} stand for what groups have and others share."
        ) from None
    tree = txn.view(ListSpaces((place.space_id,))).get(place.space_id, ())
    known = {info.name: info.id for info in tree}
    for depth in range(len(below) - 1, -1, -1):
        above = DELIMITER.join((*place.names, *below[:depth]))
        if above in known:
            return place.space_id, known[above], below[depth:]
    raise NotFound(ABSENT)


def may_create(txn: ReadTxn, name: str) -> bool:
    """Whether the actor may make a mailbox of others with a name."""
    try:
        _, parent, _ = nearest(txn, name)
        return Right.CREATE in txn.view(MailboxRights(parent))
    except (NotFound, InvalidName, PermissionDenied):
        return False


def group_place(name: str) -> str:
    """``Groups/NAME`` of a mailbox of a group, "" for all others."""
    levels = mailbox_levels(name)
    return DELIMITER.join(levels[:2]) if levels[0] == GROUPS else ""


def group_space(txn: ReadTxn, place: str) -> int:
    """The space of a group by ``Groups/NAME``. Raises ``NotFound``."""
    for found in _places(txn, GROUPS):
        if DELIMITER.join(found.prefix) == place:
            return found.space_id
    raise NotFound("There is no such quota root.")


def _places(txn: ReadTxn, kind: str = "") -> Iterator[Place]:
    """All places of the actor, or those under one first level. Who is in no group has none."""
    groups = txn.view(MyGroups())
    if not groups:
        return
    if kind != SHARED:
        for group in groups:
            yield Place((GROUPS, _level(group.name)), group.space_id)
    if kind != GROUPS:
        for shared in txn.view(SharedWithMe(Tool.MAIL)):
            prefix = (SHARED, _level(shared.owner), _level(shared.name))
            yield Place(prefix, shared.space_id, shared.collection_id, shared.names)


def _level(name: str) -> str:
    """People have names that mailboxes cannot have."""
    return unicodedata.normalize("NFC", name).translate(_WILD)


def _renamed(place: Place, tree: Sequence[MailboxInfo]) -> Iterator[MailboxInfo]:
    """What of a space lies in a place, by the names that it has there."""
    top = DELIMITER.join(place.names)
    prefix = DELIMITER.join(place.prefix)
    for info in tree:
        name = info.name
        if place.top and name == top:
            yield replace(info, name=prefix)
        elif not top and name:
            yield replace(info, name=f"{prefix}{DELIMITER}{name}")
        elif top and name.startswith(f"{top}{DELIMITER}"):
            yield replace(info, name=prefix + name[len(top) :])
