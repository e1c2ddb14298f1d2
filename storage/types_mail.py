"""Plain values of mail in transit: who it is for, what became of it, what waits to be sent."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from folkmoot.storage.errors import StorageError
from folkmoot.storage.types import BodySpool


class Notify(enum.IntFlag):
    """When the sender wants to hear of a recipient (RFC 3461 section 4.1); 0 is "not said"."""

    UNSAID = 0
    SUCCESS = 1
    FAILURE = 2
    DELAY = 4
    NEVER = 8


class Return(enum.StrEnum):
    """How much of the message a failure report gives back (RFC 3461 section 4.3)."""

    UNSAID = ""
    FULL = "FULL"
    HEADERS = "HDRS"


@dataclass(frozen=True, slots=True)
class MailRecipient:
    """One recipient of a message in transit.

    ``original`` is the ORCPT parameter with its xtext decoded (``rfc822;bob@example.org``) or "".
    """

    address: str
    notify: Notify = Notify.UNSAID
    original: str = ""


@dataclass(frozen=True, slots=True)
class MailEnvelope:
    """Who sent a message and who is to get it.

    ``sender`` is "" for the null reverse-path. ``envelope_id`` is ENVID with its xtext decoded.
    ``utf8`` is true when the next hop must know SMTPUTF8 (RFC 6531), ``eight_bit`` when the
    content has octets above 127.
    """

    sender: str
    recipients: tuple[MailRecipient, ...]
    envelope_id: str = ""
    returns: Return = Return.UNSAID
    utf8: bool = False
    eight_bit: bool = False


class Octets(Protocol):
    """The octets of a finished message: in ``data`` when small, else in ``file``."""

    @property
    def size(self) -> int:
        """Count of octets."""

    @property
    def header(self) -> bytes:
        """The header block through its empty line."""

    @property
    def data(self) -> bytes | None:
        """All octets, or None when they lie in a file."""

    @property
    def file(self) -> BodySpool | None:
        """The file with all octets, or None when they are in memory."""


class Standing(enum.StrEnum):
    """What an address is to this server."""

    LOCAL = "local"
    REMOTE = "remote"
    UNKNOWN = "unknown"
    DISABLED = "disabled"
    OVER_QUOTA = "over quota"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Poster:
    """Who writes to an address: an account that has signed in or, where ``account_id`` is 0,
    whoever an envelope names. ``report`` is whether a message from nobody ("") reports on others,
    as those about mail that was sent in the name of a group do.
    """

    account_id: int = 0
    address: str = ""
    report: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where an address leads. ``space_id`` is 0 unless it is one of ours; it is that of an account
    or of a group that takes mail.

    ``detail`` is the subaddress: ``lists`` of ``bob+lists@example.org`` (RFC 5233 section 1).
    """

    standing: Standing
    account_id: int = 0
    space_id: int = 0
    detail: str = ""
    group_id: int = 0


@dataclass(frozen=True, slots=True)
class Forwarding:
    """How a group hands mail on: to the INBOX of each member who wants that, by ``inboxes``."""

    group_id: int
    name: str
    address: str
    inboxes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one recipient of a local delivery: ``error`` is None when it is stored."""

    address: str
    error: StorageError | None = None


class SendState(enum.StrEnum):
    """What became of one attempt to hand a recipient on."""

    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SendResult:
    """The outcome of one attempt for one recipient.

    ``reply`` is the SMTP reply that decided it, as ``550 5.1.1 text`` on one line; ``status`` its
    enhanced status code; ``peer`` the host that said so ("" when no host did).
    ``notified`` is true when the next hop took over the duty to send DSNs (RFC 3461 section 5.2.1).
    """

    address: str
    state: SendState
    status: str
    reply: str
    peer: str = ""
    notified: bool = False


# --- the outbound queue ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message that waits to be sent. ``account_id`` is 0 for the server's own (reports).

    Its octets are in ``data`` when small, else in the blob store's ``file``. ``sender``,
    ``envelope_id``, ``returns``, ``utf8`` and ``eight_bit`` are as in ``MailEnvelope``.
    ``warned`` says that the sender has been told of the delay.
    """

    id: int
    account_id: int
    sender: str
    envelope_id: str
    returns: Return
    utf8: bool
    eight_bit: bool
    created: datetime
    expires: datetime
    warned: bool
    size: int
    data: bytes | None
    file: str | None

    def envelope(self, recipients: tuple[MailRecipient, ...]) -> MailEnvelope:
        """Return the envelope for some of the recipients."""
        return MailEnvelope(
            self.sender, recipients, self.envelope_id, self.returns, self.utf8, self.eight_bit
        )


@dataclass(frozen=True, slots=True)
class QueuedRecipient:
    """One recipient that waits; ``last_reply`` is what the last attempt brought, or ""."""

    id: int
    recipient: MailRecipient
    domain: str
    attempts: int
    next_attempt: datetime
    last_reply: str


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A message and those of its recipients that are looked at or worked on."""

    message: QueuedMessage
    recipients: tuple[QueuedRecipient, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """What an attempt decided for a queued recipient.

    ``retry_in`` is the time to the next attempt in seconds, None when nothing is left to do.
    """

    recipient_id: int
    reply: str
    retry_in: float | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A report to a sender: finished octets, sent from the null reverse-path."""

    recipient: str
    content: bytes
    utf8: bool
