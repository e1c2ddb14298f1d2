"""Mutations of the help desk: messages to support, and call-backs that customers book."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import AlreadyExists, InvalidContent, LimitReached, NotFound
from folkmoot.storage.mutations.support_grants import CustomerMutation, customer
from folkmoot.storage.mutations.support_staff import StaffMutation
from folkmoot.storage.txn import WriteContext
from folkmoot.storage.types_support import MAX_BODY, MAX_PHONE, MAX_SUBJECT, HelpKind, NewHelp

MAX_OPEN = 20  # requests of one account that nobody has answered

_OPEN = Statement(
    "SELECT COUNT(*) FROM help_requests WHERE account_id = :account AND closed IS NULL"
)
_BOOKED = Statement(
    "SELECT 1 FROM help_requests WHERE account_id = :account AND kind = 'callback'"
    " AND closed IS NULL"
)
_INSERT = Statement(
    "INSERT INTO help_requests (account_id, kind, subject, body, phone, starts, ends, uid, created,"
    " closed_by) VALUES (:account, :kind, :subject, :body, :phone, :starts, :ends, :uid, :now, '')"
    " RETURNING id"
)
_CLOSE = Statement(
    "UPDATE help_requests SET closed = :now, closed_by = :by WHERE id = :id AND closed IS NULL"
    " RETURNING id"
)
_CANCEL = Statement(
    "UPDATE help_requests SET closed = :now, closed_by = :by WHERE id = :id AND closed IS NULL"
    " AND account_id = :account RETURNING id"
)


@dataclass(frozen=True, slots=True)
class AskHelp(CustomerMutation[int]):
    """Write to support, or book a call-back; returns the number of the request. # M6.2

    Raises ``InvalidContent``, ``AlreadyExists`` (one booking is open already), ``LimitReached``.
    """

    space_id: int
    new: NewHelp
    own: bool = True

    def trail_note(self) -> str:
        return f"{self.new.kind}: {self.new.subject}"

    def write(self, context: WriteContext) -> int:
        owner, new, db = customer(context, self.space_id), self.new, context.db
        _check(new, context.now)
        if new.kind is HelpKind.CALLBACK and db.one(_BOOKED, account=owner.id) is not None:
            raise AlreadyExists("A call-back is booked already; cancel it first.")
        if db.value(_OPEN, account=owner.id) >= MAX_OPEN:
            raise LimitReached("Too many requests wait for an answer.")
        number: int = db.value(
            _INSERT,
            account=owner.id,
            kind=new.kind.value,
            subject=new.subject,
            body=new.body,
            phone=new.phone,
            starts=new.starts,
            ends=new.ends,
            uid=new.uid,
            now=context.now,
        )
        return number


def _check(new: NewHelp, now: int) -> None:
    if not new.subject.strip() or len(new.subject) > MAX_SUBJECT or not new.subject.isprintable():
        raise InvalidContent(f"A subject of 1 to {MAX_SUBJECT} characters is needed.")
    if len(new.body) > MAX_BODY or len(new.phone) > MAX_PHONE or not new.phone.isprintable():
        raise InvalidContent("The message or the phone number is too long.")
    if new.kind is HelpKind.CALLBACK:
        if not new.phone.strip():
            raise InvalidContent("A call-back needs a phone number.")
        if new.starts is None or new.ends is None or not now < new.starts < new.ends:
            raise InvalidContent("A call-back needs a time window in the future.")


@dataclass(frozen=True, slots=True)
class CancelHelp(CustomerMutation[None]):
    """Take a request of one's own back. Raises ``NotFound``."""

    space_id: int
    help_id: int
    own: bool = True

    def trail_note(self) -> str:
        return f"request {self.help_id}"

    def write(self, context: WriteContext) -> None:
        owner, now = customer(context, self.space_id), context.now
        by = owner.address
        row = context.db.one(_CANCEL, id=self.help_id, account=owner.id, by=by, now=now)
        if row is None:
            raise NotFound("There is no such open request.")


@dataclass(frozen=True, slots=True)
class CloseHelp(StaffMutation[None]):
    """A request is answered. Raises ``NotFound``."""

    help_id: int
    by: str

    def trail_note(self) -> str:
        return f"request {self.help_id} by {self.by}"

    def write(self, context: WriteContext) -> None:
        if context.db.one(_CLOSE, id=self.help_id, by=self.by, now=context.now) is None:
            raise NotFound("There is no such open request.")
