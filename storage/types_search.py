"""What to search for in a mailbox: a tree of plain values, without protocol words.

Texts are compared without regard to case, as substrings of decoded text. Dates are compared by
day without regard to time zone, as RFC 9051 section 6.4.4 wants: internal dates in their own
zone, sent dates as the Date field says.
"""

from __future__ import annotations

import enum
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from folkmoot.storage.types_uidset import UidSet


@dataclass(frozen=True, slots=True)
class And:
    """All of the keys; none of them matches everything."""

    keys: tuple[SearchKey, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of the keys at least."""

    keys: tuple[SearchKey, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not this key."""

    key: SearchKey


@dataclass(frozen=True, slots=True)
class HasFlags:
    """All bits of ``system`` (see ``Flag``) are set."""

    system: int


@dataclass(frozen=True, slots=True)
class HasKeyword:
    """The keyword is set, whatever its case."""

    keyword: str


@dataclass(frozen=True, slots=True)
class UidIn:
    """The UID is in the set."""

    uids: UidSet


@dataclass(frozen=True, slots=True)
class Larger:
    """More octets than this."""

    octets: int


@dataclass(frozen=True, slots=True)
class Smaller:
    """Fewer octets than this."""

    octets: int


@dataclass(frozen=True, slots=True)
class ModseqAtLeast:
    """Changed at this modseq or later."""

    modseq: int


@dataclass(frozen=True, slots=True)
class InternalDate:
    """Arrived on ``since`` or later and before ``before``; None leaves a side open."""

    since: date | None
    before: date | None


@dataclass(frozen=True, slots=True)
class SavedDate:
    """Came into this mailbox on ``since`` or later and before ``before``, by days of UTC."""

    since: date | None
    before: date | None


@dataclass(frozen=True, slots=True)
class ArrivedBetween:
    """Internal date ``since`` or later and before ``before``, in seconds since 1970 UTC."""

    since: int | None
    before: int | None


@dataclass(frozen=True, slots=True)
class BlobIs:
    """The message has this content (``MessageColumn.BLOB``)."""

    blob_id: int


@dataclass(frozen=True, slots=True)
class ThreadIs:
    """The message belongs to the conversation with this root (``content.sortkeys.thread_root``)."""

    root: int


@dataclass(frozen=True, slots=True)
class SentDate:
    """The Date field says ``since`` or later and before ``before``; None leaves a side open."""

    since: date | None
    before: date | None


@dataclass(frozen=True, slots=True)
class HeaderContains:
    """A field of this name (lower case) is there and holds the text; "" asks for presence."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class BodyContains:
    """The text of a body part holds this."""

    text: str


@dataclass(frozen=True, slots=True)
class TextContains:
    """The header or the text of a body part holds this."""

    text: str


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """What the key looks for is there more or less (see ``storage.content.fuzzy``)."""

    key: HeaderContains | BodyContains | TextContains


SearchKey = (
    And
    | Or
    | Not
    | HasFlags
    | HasKeyword
    | UidIn
    | Larger
    | Smaller
    | ModseqAtLeast
    | InternalDate
    | SavedDate
    | ArrivedBetween
    | BlobIs
    | ThreadIs
    | SentDate
    | HeaderContains
    | BodyContains
    | TextContains
    | Fuzzy
)


def searches_content(key: SearchKey) -> bool:
    """Whether a key asks for words that are in the body of a message."""
    match key:
        case And(keys) | Or(keys):
            return any(map(searches_content, keys))
        case Not(inner) | Fuzzy(inner):
            return searches_content(inner)
        case BodyContains() | TextContains():
            return True
    return False


class SortField(enum.Enum):
    """What messages are sorted by (RFC 5256 section 3, RFC 5957)."""

    ARRIVAL = enum.auto()
    CC = enum.auto()
    DATE = enum.auto()
    FROM = enum.auto()
    SIZE = enum.auto()
    SUBJECT = enum.auto()
    TO = enum.auto()
    DISPLAYFROM = enum.auto()
    DISPLAYTO = enum.auto()
    RELEVANCY = enum.auto()  # RFC 6203: of the fuzzy keys of the search, the best first


@dataclass(frozen=True, slots=True)
class SortCriterion:
    """One level of sorting; ``reverse`` puts the greatest first."""

    field: SortField
    reverse: bool = False


class ThreadAlgorithm(enum.Enum):
    """How messages are gathered into conversations (RFC 5256 section 3)."""

    ORDEREDSUBJECT = enum.auto()
    REFERENCES = enum.auto()
    REFS = enum.auto()


@dataclass(frozen=True, slots=True)
class Order:
    """UIDs in an order, and their modseqs where they were asked for. Nobody may change them."""

    uids: array[int]
    modseqs: array[int]


@dataclass(frozen=True, slots=True)
class Threads:
    """Conversations in order; ``children`` are the answers to a message, in order.

    Messages are UIDs. A negative number stands for a message that is not there.
    """

    roots: tuple[int, ...]
    children: Mapping[int, Sequence[int]]
