"""How much of the items in a collection is seen: the rule, from rights and the class of an item.

Whoever may put things into a collection, but not read it, sees what they put there themselves, and
may replace it. In calendars, those who may not share them find nothing of private entries of
others, and of confidential ones an outline: their times. What a group has in the collection for
single items was shared as it is by its owner, whatever class it has. Of a calendar that is shared
as busy times there are outlines only, of what makes its owner busy.
"""

from __future__ import annotations

import enum
from typing import Final

from folkmoot.storage.policy import CollectionFacts
from folkmoot.storage.types import Right, Tool
from folkmoot.storage.types_sharing import SHARED_ITEMS
from folkmoot.storage.types_tree import PRIVATE, PUBLIC

#: What who put an item into a collection that they cannot read may do with it.
OF_CREATORS: Final = Right.READ | Right.EDIT
#: What others may do with a confidential item itself; its outline is read with the calendar.
OF_CONFIDENTIAL: Final = Right.LOOKUP | Right.BUSY

#: What is given where a calendar is shared as busy times.
BUSY_ONLY: Final = Right.LOOKUP | Right.BUSY


class Sight(enum.Enum):
    """How much of the items of a collection is seen: all, what is not private, the own ones, or
    outlines of what makes busy, under names that tell nothing."""

    ALL = enum.auto()
    PUBLIC = enum.auto()
    OWN = enum.auto()
    BUSY = enum.auto()


def sight_of(facts: CollectionFacts, rights: Right) -> Sight | None:
    """What somebody with these rights sees of the items of a collection; None: nothing."""
    if Right.READ in rights:
        bare = facts.tool is not Tool.CALENDAR or facts.special == SHARED_ITEMS
        return Sight.ALL if bare or Right.SHARE in rights else Sight.PUBLIC
    if Right.INSERT in rights:
        return Sight.OWN
    busy = facts.tool is Tool.CALENDAR and BUSY_ONLY in rights
    return Sight.BUSY if busy else None


def on_item(facts: CollectionFacts, rights: Right, privacy: int, *, mine: bool) -> Right:
    """The rights on one item, of those on its collection; ``mine``: the actor put it there."""
    match sight_of(facts, rights):
        case Sight.OWN:
            return rights | OF_CREATORS if mine else Right.NONE
        case Sight.BUSY:
            return rights & BUSY_ONLY
        case Sight.PUBLIC if not mine and privacy != PUBLIC:
            return Right.NONE if privacy == PRIVATE else rights & OF_CONFIDENTIAL
        case _:
            return rights
