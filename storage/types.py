"""Plain values that cross the border of the store. No SQLAlchemy here, and no behaviour.

Words as in the vocabulary of ``docs/architecture.md``: space, tool, collection, item, actor, right.
"""

from __future__ import annotations

import enum
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from folkmoot.storage.types_keys import SortKeys as SortKeys
from folkmoot.storage.types_search import SearchKey as SearchKey
from folkmoot.storage.types_uidset import UidSet as UidSet

if TYPE_CHECKING:
    from folkmoot.storage.types_support import SupportAccess


class Tool(enum.StrEnum):
    """What a space holds; quota is kept per space and tool."""

    MAIL = "mail"
    CALENDAR = "calendar"
    CONTACTS = "contacts"
    DOCUMENTS = "documents"


class Right(enum.IntFlag):
    """What may be done with a collection and what is in it (one bit set for all tools)."""

    NONE = 0
    LOOKUP = 1 << 0
    READ = 1 << 1
    BUSY = 1 << 2
    SEEN = 1 << 3
    FLAGS = 1 << 4
    INSERT = 1 << 5
    POST = 1 << 6
    EDIT = 1 << 7
    DELETE = 1 << 8
    EXPUNGE = 1 << 9
    CREATE = 1 << 10
    REMOVE = 1 << 11
    SHARE = 1 << 12
    SEND_AS = 1 << 13


ALL_RIGHTS = Right((1 << 14) - 1)


class ActorKind(enum.StrEnum):
    """Who acts: a signed-in person, a support agent in the account of one who let it in, or the
    server itself with a stated reason."""

    ACCOUNT = "account"
    SUPPORT = "support"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts in a transaction. Minted by ``folkmoot.auth`` (accounts) or ``Actor.system``.

    ``credential_id`` is the app password used, 0 for the main password.
    ``epoch`` is the account's epoch at login: disabling an account or changing its password
    raises it, and a session with an older epoch is refused by the gate (``Expired``).
    ``hidden_capabilities`` are what IMAP does not offer to this person, in upper case.
    ``withheld`` is what the account's plan does not have; tools among it look absent.
    ``support`` is what an agent may do who acts in the account (``ActorKind.SUPPORT`` only).
    """

    kind: ActorKind
    account_id: int
    space_id: int
    name: str
    reason: str = ""
    credential_id: int = 0
    epoch: int = 0
    hidden_capabilities: frozenset[str] = frozenset()
    withheld: frozenset[Feature] = frozenset()
    support: SupportAccess | None = None

    @classmethod
    def system(cls, reason: str) -> Actor:
        """The server itself, with the reason that the audit trail shows."""
        return cls(ActorKind.SYSTEM, 0, 0, "system", reason)


class Feature(enum.StrEnum):
    """What a plan may withhold."""

    IMAP = "imap"
    SUBMISSION = "submission"
    CALDAV = "caldav"
    CARDDAV = "carddav"
    DRIVE = "drive"
    GROUPS = "groups"
    APP_PASSWORDS = "app_passwords"


#: What opens each tool to the programs that people use.
FEATURE_OF_TOOL = {
    Tool.MAIL: Feature.IMAP,
    Tool.CALENDAR: Feature.CALDAV,
    Tool.CONTACTS: Feature.CARDDAV,
    Tool.DOCUMENTS: Feature.DRIVE,
}


# --- collections -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MailboxInfo:
    """A mailbox as a session lists it; ``name`` is the full path with ``/``.

    ``size`` is the sum of RFC822.SIZE in octets, ``unseen`` and ``deleted`` are counts.
    ``special_use`` is one attribute such as ``\\Sent``, or "".
    """

    id: int
    space_id: int
    name: str
    uidvalidity: int
    uidnext: int
    modseq: int
    messages: int
    unseen: int
    deleted: int
    size: int
    special_use: str
    subscribed: bool
    has_children: bool
    rights: Right
    personal: bool = True  # in the actor's own space
    # Filled in where asked for (``Workspace.mailbox``, ``Workspace.listed``), because these cost
    # more than a counter: octets of messages with \Deleted, and annotations.
    deleted_size: int = 0
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True)
class Annotation:
    """A named value on a mailbox or an account (RFC 5464): ``/private/comment``.

    ``modseq`` numbers the changes of annotations in the space; ``value`` None says that there is
    none (any more).
    """

    entry: str
    value: bytes | None
    modseq: int = 0


@dataclass(frozen=True, slots=True)
class AnnotationQuery:
    """Which annotations: these entries and those below them.

    ``depth`` is how many levels below, None for all of them (RFC 5464 section 4.2.2).
    """

    entries: tuple[str, ...]
    depth: int | None = 0

    def wants(self, entry: str) -> bool:
        """Whether an entry is asked for."""
        for name in self.entries:
            if entry == name:
                return True
            if entry.startswith(f"{name.rstrip('/')}/"):
                below = entry[len(name.rstrip("/")) :].count("/")
                if self.depth is None or below <= self.depth:
                    return True
        return False


@dataclass(frozen=True, slots=True)
class AclEntry:
    """Who has which rights on a collection; ``identifier`` is an account's or a group's address.

    ``always`` are those that cannot be taken away; ``granted`` what was granted (None: nothing),
    on the collection itself (``here``) or above it.
    """

    identifier: str
    rights: Right
    always: Right
    space_id: int
    granted: Right | None = None
    here: bool = False


class AclChange(enum.StrEnum):
    """How SETACL changes rights."""

    REPLACE = "replace"
    ADD = "add"
    REMOVE = "remove"


# --- messages ----------------------------------------------------------------------------------


class Flag(enum.IntFlag):
    """The system flags of RFC 9051 section 2.3.2 as bits; keywords are text beside them."""

    NONE = 0
    SEEN = 1
    ANSWERED = 2
    FLAGGED = 4
    DELETED = 8
    DRAFT = 16


@dataclass(frozen=True, slots=True)
class FlagSet:
    """System flags and keywords of one message; ``keywords`` is sorted, without repetition."""

    system: Flag = Flag.NONE
    keywords: tuple[str, ...] = ()


class FlagChange(enum.StrEnum):
    """How STORE changes flags."""

    REPLACE = "replace"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be stored: prepared content (see ``Content``), flags and arrival time."""

    content: Content
    flags: FlagSet
    internal_date: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """What is computed once from a message, off the reactor, before its transaction.

    ``data`` holds small bodies; large ones lie in the blob store under ``file`` (already synced).
    ``envelope``, ``body``, ``bodystructure`` are finished IMAP wire forms; ``header`` is the header
    block through its empty line; ``parts`` is an encoded ``PartTable``; ``preview`` is the
    beginning of its text, for lists.
    """

    digest: bytes
    size: int
    data: bytes | None
    file: str | None
    envelope: bytes
    body: bytes
    bodystructure: bytes
    header: bytes
    parts: bytes
    preview: str
    keys: SortKeys


@dataclass(frozen=True, slots=True)
class Appended:
    """Where new messages went: their UIDs ascend in the order given."""

    mailbox_id: int
    uidvalidity: int
    uids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Copied:
    """COPYUID data: ``source`` and ``target`` UIDs correspond one by one (RFC 4315 section 3)."""

    uidvalidity: int
    source: tuple[int, ...]
    target: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FlagsStored:
    """Result of a flag change: UIDs changed, UIDs refused by UNCHANGEDSINCE, the new modseq.

    ``rows``, where they were asked for, are (uid, flags, keywords, modseq) of all the messages
    that were named and exist, ascending, as they are now.
    """

    modseq: int
    changed: UidSet
    refused: UidSet
    rows: tuple[MessageRow, ...] = ()


@dataclass(frozen=True, slots=True)
class MailboxChanges:
    """What happened in a mailbox after a modseq.

    ``modseq`` is the mailbox's highest now; ``changed`` holds UIDs whose flags changed or that are
    new (some may be gone again), ``vanished`` the UIDs expunged after ``since``.
    ``complete`` is False when the log no longer reaches back to ``since``: then compare all.
    ``exists`` is False when the mailbox is gone. ``known`` holds those of ``changed`` that nobody
    but whoever asks has changed. ``rights`` are those of whoever asks, now.
    """

    modseq: int
    uidnext: int
    changed: UidSet
    vanished: UidSet
    complete: bool
    exists: bool
    rights: Right
    known: UidSet = field(default_factory=UidSet)


# --- accounts ----------------------------------------------------------------------------------


class AccountState(enum.StrEnum):
    """Whether an account may sign in and receive."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Account:
    """A person who signs in; ``address`` is the primary address and the login name."""

    id: int
    space_id: int
    address: str
    name: str
    state: AccountState
    plan: str
    domain_admin: bool
    created: datetime
    last_used: datetime | None
    hidden_capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AppPassword:
    """A named password for one device, limited to some protocols."""

    id: int
    account_id: int
    name: str
    protocols: tuple[str, ...]
    created: datetime
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class Credential:
    """One secret of an account, as the authenticator needs it.

    ``app_password_id`` is 0 for the main password; ``secret`` is an argon2id hash;
    ``protocols`` is empty when the credential works for every protocol.
    """

    app_password_id: int
    secret: str
    protocols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoginRecord:
    """All that a login needs to know of an account; ``scram`` is the SCRAM-SHA-256 record."""

    account: Account
    epoch: int
    credentials: Sequence[Credential]
    scram: str | None
    withheld: frozenset[Feature] = frozenset()


@dataclass(frozen=True, slots=True)
class Usage:
    """Used and allowed bytes and items of one tool in one space; None means unlimited.

    ``largest_item`` is what one item may have at most, in octets. ``plan_bytes`` and ``plan_items``
    are what the plan allows, of which the own limits may leave less.
    """

    tool: Tool
    bytes_used: int
    bytes_limit: int | None
    items_used: int
    items_limit: int | None
    largest_item: int | None
    plan_bytes: int | None
    plan_items: int | None


@dataclass(frozen=True, slots=True)
class MailUsage:
    """What a space holds of mail: octets and messages, and how many mailboxes of how many."""

    usage: Usage
    mailboxes: int
    mailboxes_limit: int


@dataclass(frozen=True, slots=True)
class Limit:
    """Capacity of one tool: bytes and items, and octets of one item; None means unlimited."""

    bytes: int | None
    items: int | None
    largest: int | None = None


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """Bytes and items that are to be the most in a tool, where its plan gives more.

    None: as many as the plan gives.
    """

    bytes: int | None = None
    items: int | None = None

    def __str__(self) -> str:
        texts = [f"{self.bytes} bytes"] if self.bytes is not None else []
        texts += [f"{self.items} items"] if self.items is not None else []
        return ", ".join(texts) or "as the plan"


# --- hints -------------------------------------------------------------------------------------


class Topic(enum.StrEnum):
    """What a hint is about."""

    COLLECTION = "c"  # id: collection, number: its modseq
    SPACE = "s"  # id: space; collections were created, renamed, removed, (un)subscribed
    ACCOUNT = "a"  # id: account; its epoch changed (disabled, password changed, deleted)
    QUEUE = "q"  # id: 0; outbound mail was queued
    SCHEDULE = "i"  # id: 0; invitations wait for their delivery
    RECEIPT = "r"  # id: 0; a payment was written down, its receipt waits to be sent
    SUPPORT = "h"  # id: session of a support agent; it is over
    ALL = "*"  # another process wrote, or hints were lost: look at everything


@dataclass(frozen=True, slots=True)
class Hint:
    """Something changed; the change log says what. Sent only by a commit."""

    topic: Topic
    id: int
    number: int = 0


# --- bodies ------------------------------------------------------------------------------------


class BodySpool(Protocol):
    """A large body on its way in; see ``storage.blobs``. Write in a worker thread."""

    size: int

    def write(self, data: bytes) -> None:
        """Append octets. Raises OSError when the disk is full."""

    def read(self, offset: int, length: int) -> bytes:
        """Octets that were written; shorter at their end."""

    def discard(self) -> None:
        """Forget it; does nothing once a message was made of it."""


@dataclass(frozen=True, slots=True)
class MailboxState:
    """A mailbox at one moment, as SELECT reports it. ``uids`` ascends (array of type "I")."""

    mailbox_id: int
    modseq: int
    log_floor: int
    uidvalidity: int
    uidnext: int
    keywords: tuple[str, ...]
    first_unseen: int | None
    uids: array[int]
    rights: Right


class FlagTexts(NamedTuple):
    """UIDs and bits of Flag, in decimal and in the same order; keywords of those that have any."""

    uids: list[str]
    flags: list[str]
    keywords: dict[str, str]


class MessageColumn(enum.Enum):
    """What can be read of a message without its body."""

    FLAGS = enum.auto()  # two values: bits of Flag, keywords separated by spaces
    MODSEQ = enum.auto()
    SIZE = enum.auto()
    INTERNAL_DATE = enum.auto()  # two values: seconds since 1970 UTC, minutes east of UTC
    SAVED = enum.auto()
    BLOB = enum.auto()
    ENVELOPE = enum.auto()
    BODYSTRUCTURE = enum.auto()
    BODY = enum.auto()
    HEADER = enum.auto()
    PARTS = enum.auto()
    THREAD = enum.auto()  # two values: digests of references, digest of the message id
    PREVIEW = enum.auto()  # None for messages from before previews were stored


MessageRow = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class MessageBody:
    """The octets of a message: all in ``data``, or in ``file`` of the blob store."""

    uid: int
    size: int
    data: bytes | None
    file: str | None
    parts: bytes  # the table of its parts; empty where that was not asked for


@dataclass(frozen=True, slots=True)
class Expunged:
    """What an expunge removed, and the mailbox's modseq after it."""

    modseq: int
    uids: UidSet
