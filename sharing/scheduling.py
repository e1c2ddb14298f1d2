"""Scheduling between calendars of this server (RFC 6638): sending with the change, delivering.

A change of a meeting writes its messages in its own transaction. Each is delivered in one of its
own, by the system, right behind the commit; what a crash leaves behind, ``server.scheduler`` finds.
People elsewhere get no invitations yet: ``_status_elsewhere`` is the place for them.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from dataclasses import replace
from urllib.parse import unquote

from twisted.internet.defer import CancelledError, Deferred

from folkmoot.sharing.intake import calendar_content
from folkmoot.sharing.outgoing import Outgoing, outgoing
from folkmoot.storage.addresses import normalize_address
from folkmoot.storage.blobs.fs import FileBlobs
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.intake import CalendarObject, load_calendar
from folkmoot.storage.content.ical.itip import apply_reply, read_message, request_for
from folkmoot.storage.content.ical.merge import (
    apply_cancel,
    apply_request,
    differs_beyond_answers,
)
from folkmoot.storage.content.ical.people import attendees_of, organizer_of, set_schedule_status
from folkmoot.storage.content.ical.tree import HARD_LIMITS, Component, serialize
from folkmoot.storage.errors import InvalidName, NotFound, RuleBroken, StorageError, Unavailable
from folkmoot.storage.mutations.scheduling import (
    DeliverScheduling,
    DropScheduling,
    SendScheduling,
)
from folkmoot.storage.store import Store
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import Actor, Right, Tool
from folkmoot.storage.types_scheduling import (
    ScheduledObject,
    ScheduleFolders,
    ScheduleHome,
    ScheduleMessage,
)
from folkmoot.storage.types_tree import CalendarRow, Folder, Item, ItemContent, Principal
from folkmoot.storage.views.objects import ReadNumbered
from folkmoot.storage.views.principals import FindPrincipal, ReadPrincipal
from folkmoot.storage.views.scheduling import (
    FindScheduled,
    MeetingsAhead,
    ReadScheduleHome,
    WaitingMessages,
)

log = logging.getLogger("folkmoot.scheduling")

SYSTEM = Actor.system("scheduling")
SENT = "1.2"  # rfc6638#3.2.9: delivered
UNKNOWN_USER = "3.7"  # nobody has this address
NO_SERVICE = "5.2"  # there is no way to invite them
#: Answers of attendees are told to the others as long as there are not more than these.
TELL_OTHERS = 50
#: Meetings that are cancelled with their calendar.
MANY_MEETINGS = 500


# --- sending --------------------------------------------------------------------------------------


def send_changes(
    txn: Txn,
    folder: Folder,
    existing: Item | None,
    content: ItemContent | None,
    blobs: FileBlobs,
    *,
    replies: bool = True,
    keep_answers: bool = False,
) -> tuple[ItemContent | None, bool]:
    """Send what a change of an object in a calendar has to tell, before it is written.

    ``content`` is what is to be stored, None when the object is removed. Returns it as it is to
    be stored in truth, with the status of each delivery, and whether there is anything to be
    delivered. Raises ``RuleBroken``.
    """
    row = content.facts if content is not None else None
    meets = isinstance(row, CalendarRow) and row.organizer != ""
    if not meets and (existing is None or not existing.schedule_tag):
        return content, False
    old = _stored_object(txn, existing, blobs) if existing is not None else None
    new = load_calendar(content.data) if content is not None and content.data else None
    owner = txn.view(ReadPrincipal(folder.space_id))
    if not owner.account_id:  # a group's meetings are in its calendar, for all members to see
        return content, False
    mine = {f"mailto:{each}" for each in owner.addresses}
    people = _People(txn)
    found = outgoing(
        old,
        new,
        mine,
        int(time.time()),
        replies=replies,
        keep_answers=keep_answers,
        is_here=lambda who: people.find(who) is not None,
    )
    if not found.scheduled:
        return content, False
    if new is not None and existing is None:
        _check_unique(txn, folder, new, blobs)
    statuses = _send(txn, folder, existing, content, found, people)
    sent = SENT in statuses.values()
    if content is None or found.stored is None:
        return None, sent
    stored = found.stored
    stored = replace(stored, calendar=set_schedule_status(stored, statuses))
    tag = uuid.uuid4().hex  # rfc6638#3.2.10
    if existing is not None and old is not None and organizer_of(stored) not in mine:
        # An attendee's own answer is no change that its other clients have to look at.
        tag = existing.schedule_tag if _only_answers(old, stored) else tag
    if new is not None and stored.calendar == new.calendar:
        return replace(content, schedule_tag=tag), sent
    octets = serialize(stored.calendar)
    stored_content = calendar_content(octets, content.media_type)
    return replace(stored_content, schedule_tag=tag, changed=True), sent


def _only_answers(old: CalendarObject, new: CalendarObject) -> bool:
    """Whether nothing but answers changed, not even an alarm. # rfc6638#3.2.10"""
    inside = [[part.components for part in each.parts] for each in (old, new)]
    return inside[0] == inside[1] and not differs_beyond_answers(old, new)


def _stored_object(txn: ReadTxn, item: Item, blobs: FileBlobs) -> CalendarObject:
    [entry] = txn.view(ReadNumbered(item.folder_id, (item.id,), blobs, 1, properties=False))
    assert entry.data is not None
    return load_calendar(entry.data)


def _check_unique(txn: ReadTxn, folder: Folder, new: CalendarObject, blobs: FileBlobs) -> None:
    """A meeting is in one calendar of its owner only (RFC 6638 section 3.2.4.1)."""
    other = txn.view(FindScheduled(folder.space_id, folder.id, new.uid, blobs))
    if other is not None:
        raise RuleBroken(
            "This meeting is in one of your calendars already.",
            rule="unique-scheduling-object-resource",
        )


def _send(
    txn: Txn,
    folder: Folder,
    existing: Item | None,
    content: ItemContent | None,
    found: Outgoing,
    people: _People,
) -> dict[str, str]:
    """Write the messages; the status of the delivery to each address."""
    statuses = {who: _status_elsewhere(who) for who in found.elsewhere}
    messages: list[ScheduleMessage] = []
    for who, data in found.messages:
        principal = people.find(who)
        if principal is None:
            statuses[who] = _status_elsewhere(who)
        else:
            messages.append(ScheduleMessage(principal.space_id, found.sender, who, data))
            statuses[who] = SENT
    if messages:
        item = existing.id if existing is not None else 0
        right = Right.INSERT if existing is None else Right.EDIT
        if content is None:
            right = Right.DELETE
        txn.apply(SendScheduling(folder.id, item, right, tuple(messages)))
    return statuses


class _People:
    """Who of this server has an address, each looked for once."""

    def __init__(self, txn: ReadTxn) -> None:
        self._txn = txn
        self._found: dict[str, Principal | None] = {}

    def find(self, who: str) -> Principal | None:
        """The principal of a calendar user address; None for people elsewhere."""
        if who not in self._found:
            self._found[who] = principal_of(self._txn, who)
        return self._found[who]


def principal_of(txn: ReadTxn, who: str) -> Principal | None:
    """Who of this server has a calendar user address (mailto:…)."""
    scheme, _, mail = who.partition(":")
    return principal_at(txn, mail) if scheme == "mailto" else None


def principal_at(txn: ReadTxn, address: str) -> Principal | None:
    """Who of this server has an e-mail address, in whatever form it is written."""
    try:
        return txn.view(FindPrincipal(normalize_address(address)))
    except InvalidName:
        return None


def _status_elsewhere(who: str) -> str:
    """The status of a message to somebody who is not of this server. # rfc6638#3.2.9"""
    return NO_SERVICE if who.startswith("mailto:") else UNKNOWN_USER


# --- delivering -----------------------------------------------------------------------------------


async def deliver_waiting(store: Store) -> None:
    """Deliver all messages that wait, and those that follow from them.

    Raises ``Unavailable`` when the store cannot work now; they wait on.
    """
    # What waits is of everybody: if all who have sent something delivered it at the same time, each
    # of them would do the work of all.
    await store.deliveries.acquire()
    try:
        after = 0
        while waiting := await _waiting(store, after):
            for message in waiting:
                after = message.id
                await _deliver_or_drop(store, message)
    finally:
        store.deliveries.release()


def _waiting(store: Store, after: int) -> Deferred[list[ScheduleMessage]]:
    return store.read(SYSTEM, "scheduling", lambda txn: txn.view(WaitingMessages(after)))


async def _deliver_or_drop(store: Store, message: ScheduleMessage) -> None:
    try:
        await store.run(SYSTEM, "scheduling", lambda txn: deliver(txn, message, store))
    except (Unavailable, CancelledError):  # the message waits on, also where a client has gone
        raise
    except (StorageError, CalendarError) as error:
        # A full calendar, an account that went away: nobody could do anything about it later.
        log.warning("invitation dropped", extra={"why": str(error), "number": message.id})
    except Exception:  # one message that we cannot handle must not keep the others waiting
        log.exception("invitation dropped", extra={"number": message.id})
    else:
        return
    drop = DropScheduling(message.id)
    await store.run(SYSTEM, "scheduling", lambda txn: txn.apply(drop))


def deliver(txn: Txn, message: ScheduleMessage, store: Store) -> None:
    """Put one message where it belongs; does nothing when that has happened already."""
    txn.hold([(message.space_id, Tool.CALENDAR)])
    method, sent = read_message(message.data, HARD_LIMITS)
    home = txn.view(ReadScheduleHome(message.space_id))
    folders = ScheduleFolders(home.inbox_id, calendar_for(home, sent.component))
    existing = txn.view(FindScheduled(message.space_id, folders.calendar_id, sent.uid, store.blobs))
    taken = _Intake(txn, message, method, sent, existing)
    mutation = taken.mutation(folders)
    # In a savepoint: what was charged for a message that somebody else has delivered is undone.
    outcome = txn.attempt(mutation)
    if isinstance(outcome, NotFound) and message not in txn.view(
        WaitingMessages(message.id - 1, 1)
    ):
        return
    if isinstance(outcome, StorageError):
        raise outcome


def calendar_for(home: ScheduleHome, component: str) -> int:
    """The calendar that a new object goes to (RFC 6638 section 9.2). Raises ``NotFound``.

    It is a list for nothing but tasks where they are tasks, else the calendar that was chosen, or
    the first one, if it takes such objects.
    """
    url = re.search(r">([^<>]*)</[^<>]*href>", home.choice)
    # Whatever stands before it, the last name in a URL is the collection's.
    chosen = unquote(url[1].strip().rstrip("/").rpartition("/")[2]) if url else ""
    fitting = [each for each in home.calendars if not each[3] or component in each[3]]
    if not fitting:
        raise NotFound("There is no calendar that takes such objects.")
    best = max(
        fitting, key=lambda each: (each[3] == ("VTODO",), each[1] == chosen, each[2], -each[0])
    )
    return best[0]


def cancel_all(txn: Txn, folder: Folder, blobs: FileBlobs) -> bool:
    """Cancel, or decline, the meetings of a calendar that is to be removed; whether any were."""
    # rfc6638#3.2.1.3, rfc6638#3.2.2.4
    sent = False
    for item in txn.view(MeetingsAhead(folder.id, MANY_MEETINGS)):
        sent |= send_changes(txn, folder, item, None, blobs)[1]
    return sent


class _Intake:
    """What one message makes of a calendar."""

    def __init__(
        self,
        txn: ReadTxn,
        message: ScheduleMessage,
        method: str,
        sent: CalendarObject,
        existing: ScheduledObject | None,
    ) -> None:
        self._txn = txn
        self._message = message
        self._method = method
        self._sent = sent
        self._existing = existing
        self._known = load_calendar(existing.data) if existing is not None else None

    def mutation(self, folders: ScheduleFolders) -> DeliverScheduling:
        """The delivery."""
        calendar = self._calendar()
        update = inbox = None
        minor = False
        if calendar is not None:
            update = calendar_content(serialize(calendar), "text/calendar; charset=utf-8")
            minor = self._is_minor(update)
            tag = uuid.uuid4().hex
            if minor and self._existing is not None:
                tag = self._existing.item.schedule_tag  # rfc6638#3.2.10
            update = replace(update, schedule_tag=tag)
        name = f"{uuid.uuid4()}.ics"
        if not minor or self._method == "REPLY":
            inbox = calendar_content(
                self._message.data, "text/calendar; charset=utf-8", message_name=name
            )
        return DeliverScheduling(
            self._message.id,
            folders,
            name,
            inbox,
            self._existing.item if self._existing is not None else None,
            name,
            update,
            tuple(self._forwards(calendar)),
        )

    def _calendar(self) -> Component | None:
        """The recipient's calendar object as it becomes; None leaves it."""
        known, sender = self._known, self._message.sender
        if self._method == "REQUEST":
            if known is not None and self._message.recipient == organizer_of(known):
                return None
            self._check_sender(known)
            return apply_request(known, self._sent)
        if known is None:
            return None
        if self._method == "CANCEL":
            self._check_sender(known)
            return apply_cancel(known, self._sent)
        if self._method == "REPLY" and organizer_of(known) == self._message.recipient:
            return apply_reply(known, self._sent, sender)
        return None

    def _check_sender(self, known: CalendarObject | None) -> None:
        """Only its organizer changes a meeting, whoever else knows its UID. # rfc6638#11.2"""
        sender = self._message.sender
        if organizer_of(self._sent) != sender or (known and organizer_of(known) != sender):
            raise RuleBroken("The sender is not the organizer of the meeting.")

    def _is_minor(self, update: ItemContent) -> bool:
        """Whether nothing but answers of attendees changed."""
        if self._known is None or update.data is None:
            return False
        return not differs_beyond_answers(self._known, load_calendar(update.data))

    def _forwards(self, calendar: Component | None) -> list[ScheduleMessage]:
        """An answer is told to the other attendees too (RFC 6638 section 4.2)."""
        if self._method != "REPLY" or calendar is None:
            return []
        found = load_calendar(serialize(calendar))
        others = sorted(attendees_of(found, of_server=True) - {self._message.sender})
        if len(others) > TELL_OTHERS:
            return []
        messages = []
        for who in others:
            principal = principal_of(self._txn, who)
            data = request_for(found, who, int(time.time()))
            if principal is not None and data is not None:
                organizer = self._message.recipient
                messages.append(ScheduleMessage(principal.space_id, organizer, who, data))
        return messages
