"""Plain values of the tree: calendars, address books, folders, and the items that they hold.

A *folder* is any collection that is not a mailbox (a calendar and an address book are folders
too); its *members* are items and folders. Names are kept as given and compared in Unicode's NFC.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from folkmoot.storage.types import Right, Tool

#: Collections that RFC 6638 gives to a calendar home, in ``Folder.special_use``.
SCHEDULE_INBOX = "schedule-inbox"
SCHEDULE_OUTBOX = "schedule-outbox"
#: The calendar or address book that is there from the start and takes invitations.
DEFAULT = "default"
#: Classes of items: for all who may read, with an outline for others, for nobody else.
#: # rfc5545#3.8.1.3
PUBLIC, CONFIDENTIAL, PRIVATE = range(3)
#: Seconds between the first and the last moment of a calendar object beyond which it is ``long``.
LONG = 32 * 86_400


@dataclass(frozen=True, slots=True)
class TreePath:
    """A place: the names of all levels below the root of a tool in a space; () is the root."""

    space_id: int
    tool: Tool
    names: tuple[str, ...] = ()

    @property
    def parent(self) -> TreePath:
        """The place above; of the root, the root."""
        return TreePath(self.space_id, self.tool, self.names[:-1])

    def below(self, name: str) -> TreePath:
        """The place of a member."""
        return TreePath(self.space_id, self.tool, (*self.names, name))


@dataclass(frozen=True, slots=True)
class Folder:
    """A collection of the tree. Times are seconds since 1970 UTC.

    ``name`` is "" for the root of a tool, whose ``parent_id`` is None. ``modseq`` numbers the
    changes of its members, ``member_modseq`` is its own number among those of its parent.
    ``items`` and ``size`` (octets) count the items directly in it. ``components`` are those that
    a calendar takes (VEVENT …); () is all of them. ``of_group`` says that a group owns it,
    ``shared`` that its owner has granted rights on it, ``bound`` that it is of others and found in
    the actor's own home.
    """

    id: int
    space_id: int
    tool: Tool
    parent_id: int | None
    name: str
    modseq: int
    member_modseq: int
    log_floor: int
    created: int
    modified: int
    items: int
    size: int
    special_use: str
    components: tuple[str, ...]
    rights: Right
    of_group: bool = False
    shared: bool = False
    bound: bool = False


class Item(NamedTuple):
    """An item of a folder, without its octets. Times are seconds since 1970 UTC.

    ``etag`` has no quotes. ``media_type`` is "" where the client gave none. ``component`` is what
    a calendar object is of (VEVENT, VTODO …), or the kind of a contact ("individual", "group" …);
    "" for a document. ``schedule_tag`` (RFC 6638) is "" where there is none.
    ``creator`` is the account that put it there, or 0. ``outlined`` says that this is what others
    see of a confidential one, or of one in a calendar of which they see busy times only.
    """

    id: int
    folder_id: int
    name: str
    modseq: int
    created: int
    modified: int
    size: int
    etag: str
    media_type: str
    blob_id: int
    component: str
    schedule_tag: str
    creator: int = 0
    privacy: int = PUBLIC
    outlined: bool = False


class LockScope(enum.StrEnum):
    """Whether others may hold a lock beside this one (RFC 4918 section 6.2)."""

    EXCLUSIVE = "exclusive"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Lock:
    """A write lock. ``root`` is where it was taken; ``owner`` is what the client wrote (XML).

    ``timeout`` is seconds as granted, ``expires`` seconds since 1970. ``infinite`` says that it
    covers all below its root.
    """

    token: str
    root: TreePath
    scope: LockScope
    infinite: bool
    owner: str
    account_id: int
    timeout: int
    expires: int


class Entry(NamedTuple):
    """A node with what belongs to it.

    ``properties`` are those that clients may set, dead or live, as whole elements:
    ``{namespace}name`` to XML. ``data`` are the octets of an item where they were asked for.
    """

    node: Folder | Item
    properties: Mapping[str, str] = {}
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What lies at a path: ``entry`` is None where nothing does, ``parent`` is None where nothing
    lies above it either, for a root, and where the actor may not know what is above. ``via`` is the
    folder of a group that shows the item, where a link was followed to it."""

    path: TreePath
    entry: Entry | None
    parent: Folder | None
    via: Folder | None = None


@dataclass(frozen=True, slots=True)
class Synced:
    """The answer of ``Tree.changes``: what changed, by number, and what is gone.

    ``modseq`` is what to ask with next time; ``more`` says that there is more already.
    ``removed`` are names of members. ``began`` is to be asked with as well: the number that the
    folder had when a first look began that is not finished yet, else 0.
    """

    modseq: int
    entries: tuple[Entry, ...]
    removed: tuple[str, ...]
    more: bool
    began: int = 0


# --- conditions of a write ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IfCondition:
    """One condition of an If header: a lock token, an entity tag without quotes, or the state of
    a folder (its number, and that of its last change)."""

    token: str = ""
    etag: str = ""
    negated: bool = False
    state: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class IfList:
    """Conditions that must all hold for the resource at ``path``.

    None is a resource that is none of this server's: it has no tags and no locks.
    """

    path: TreePath | None
    conditions: tuple[IfCondition, ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """What must hold in the moment of a write (RFC 9110 section 13, RFC 4918 section 10.4).

    ``match`` and ``none_match`` are entity tags without quotes, ("*",) for any, None when not
    asked for. ``unmodified_since`` is seconds since 1970. ``lists`` are those of the If header,
    of which one must hold; () is no header. ``tokens`` are all lock tokens that it names.
    ``schedule_tag`` is If-Schedule-Tag-Match (RFC 6638 section 3.2.10).
    """

    match: tuple[str, ...] | None = None
    none_match: tuple[str, ...] | None = None
    unmodified_since: int | None = None
    lists: tuple[IfList, ...] = ()
    tokens: frozenset[str] = frozenset()
    schedule_tag: str | None = None


UNGUARDED = Guard()


# --- writes ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ItemTimes:
    """Times that a client gives to a document; None keeps what the server would set."""

    modified: int | None = None
    created: int | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What a PUT made. ``changed`` says that the octets stored are not those that were sent."""

    item: Item
    created: bool
    changed: bool = False


@dataclass(frozen=True, slots=True)
class NewFolder:
    """A folder to be made: its first properties, and the components of a calendar."""

    properties: Mapping[str, str] = field(default_factory=dict)
    components: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LockRequest:
    """A lock that is asked for; ``timeout`` in seconds, None for as long as it gets."""

    scope: LockScope
    infinite: bool
    owner: str
    timeout: int | None


@dataclass(frozen=True, slots=True)
class Locked:
    """A lock that was taken; ``created`` says that an empty item was made for it."""

    lock: Lock
    created: bool


@dataclass(frozen=True, slots=True)
class Principal:
    """Who owns a space. A group's account is 0. ``addresses`` are e-mail addresses, the primary
    one first."""

    space_id: int
    account_id: int
    name: str
    addresses: tuple[str, ...]

    @property
    def is_group(self) -> bool:
        """Whether it is a group."""
        return self.account_id == 0


@dataclass(frozen=True, slots=True)
class SpaceUsage:
    """Octets and items that a tool of a space holds and may hold; None is no limit."""

    bytes_used: int
    bytes_limit: int | None
    items_used: int
    items_limit: int | None


# --- what is stored of an item --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """What queries need of a calendar object; times are seconds since 1970 UTC.

    Truth values are 0 and 1. ``long`` says that much time lies between ``first`` and ``last``.
    ``spans`` are packed instances, complete from ``covered_from`` to ``covered_until``;
    ``floating`` says that they are in no zone. ``text`` are folded values (see
    ``content.ical.facts``). ``outline`` is what others see of a confidential one, ``busy`` what
    those see who learn busy times only; None where it makes nobody busy.
    """

    uid: str
    component: str
    long: int
    first: int
    last: int
    floating: int
    covered_from: int
    covered_until: int
    spans: bytes
    has_alarm: int
    organizer: str
    classification: str
    text: str
    outline: bytes | None = None
    busy: bytes | None = None


@dataclass(frozen=True, slots=True)
class CardRow:
    """What queries need of a contact (see ``content.vcard.facts``)."""

    uid: str
    text: str


@dataclass(frozen=True, slots=True)
class ItemContent:
    """An item to be stored: octets in ``data``, or in ``file`` of the blob store, with facts.

    ``modified`` and ``created`` are what the client says; None: now, or as it was. ``changed``
    says that these are not the octets that the client sent.
    """

    data: bytes | None
    file: str | None
    size: int
    digest: bytes
    media_type: str
    component: str = ""
    schedule_tag: str = ""
    facts: CalendarRow | CardRow | None = None
    modified: int | None = None
    created: int | None = None
    changed: bool = False

    @property
    def etag(self) -> str:
        """The strong entity tag of these octets, without quotes."""
        return self.digest[:16].hex()

    @property
    def privacy(self) -> int:
        """Its class; what has no outline is not confidential but private."""
        match self.facts:
            case CalendarRow(classification="PUBLIC"):
                return PUBLIC
            case CalendarRow(classification="CONFIDENTIAL", outline=bytes()):
                return CONFIDENTIAL
            case CalendarRow():
                return PRIVATE
            case _:
                return PUBLIC
