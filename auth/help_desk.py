"""The help desk: what customers write to support, and call-backs that they book. # M6.2"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from folkmoot.auth.letters import Post
from folkmoot.auth.periods import zone_named
from folkmoot.storage.addresses import normalize_address
from folkmoot.storage.errors import InvalidContent
from folkmoot.storage.mutations.help_desk import AskHelp, CancelHelp, CloseHelp
from folkmoot.storage.opening_hours import is_open, parse_hours
from folkmoot.storage.store import Store
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import Actor
from folkmoot.storage.types_support import HelpKind, HelpRequest, NewHelp
from folkmoot.storage.views.accounts import FindAccount
from folkmoot.storage.views.support import AllHelp, OwnHelp


class HelpDesk:
    """Requests of customers. All methods are coroutines that raise storage errors.

    ``desk`` is the address of the help desk, "" for none; ``hours`` is when call-backs can be
    booked, in the time zone ``zone``. Without an ``actor`` the operator acts.
    """

    def __init__(
        self,
        store: Store,
        post: Post,
        *,
        hostname: str,
        desk: str = "",
        hours: Sequence[str] = ("Mon-Fri 09:00-17:00",),
        zone: str = "UTC",
        reason: str = "administration",
    ) -> None:
        self._store = store
        self._post = post
        self._hostname = hostname
        self._desk = desk
        self._hours = tuple(map(parse_hours, hours))
        self.opening_hours = ", ".join(hours)  # as people read them
        self.zone: ZoneInfo = zone_named(zone)
        self._actor = Actor.system(reason)

    async def contact(
        self, address: str, subject: str, body: str, *, phone: str = "", actor: Actor | None = None
    ) -> HelpRequest:
        """Write to support. Raises ``InvalidContent``, ``LimitReached``."""
        new = NewHelp(HelpKind.CONTACT, subject, body, phone, self._uid())
        return await self._ask(address, new, actor)

    async def book(
        self,
        address: str,
        subject: str,
        phone: str,
        starts: int,
        ends: int,
        *,
        body: str = "",
        actor: Actor | None = None,
    ) -> HelpRequest:
        """Book a call-back in a time window (seconds); the customer gets an invitation.

        Raises ``InvalidContent`` outside the opening hours, ``AlreadyExists`` while one is open.
        """
        if not 0 < starts < ends < 1 << 33 or not is_open(self._hours, starts, ends, self.zone):
            raise InvalidContent(
                f"Call-backs are within {self.opening_hours} ({self.zone.key}), on one day."
            )
        new = NewHelp(HelpKind.CALLBACK, subject, body, phone, self._uid(), starts, ends)
        return await self._ask(address, new, actor)

    async def cancel(self, address: str, help_id: int, *, actor: Actor | None = None) -> None:
        """Take a request back; a booking is called off in the calendars. Raises ``NotFound``."""

        def work(txn: Txn) -> HelpRequest:
            space = self._space(txn, address, actor)
            txn.apply(CancelHelp(space, help_id, own=actor is not None))
            return self._numbered(txn, space, help_id, actor)

        gone = await self._store.run(actor or self._actor, "help cancel", work)
        if gone.help.kind is HelpKind.CALLBACK:
            await self._as_system(lambda txn: self._tell(txn, gone, "CANCEL", "called off"))

    async def close(self, help_id: int, by: str) -> None:
        """A request is answered. Raises ``NotFound``."""
        close = CloseHelp(help_id, by)
        await self._store.run(self._actor, "help close", lambda txn: txn.apply(close))

    async def open_requests(self, *, everything: bool = False) -> list[HelpRequest]:
        """What customers want of support."""
        view = AllHelp(everything)
        return await self._store.read(self._actor, "help", lambda txn: txn.view(view))

    async def requests_of(self, address: str, *, actor: Actor | None = None) -> list[HelpRequest]:
        """What a customer wanted of support; the latest first."""

        def work(txn: ReadTxn) -> list[HelpRequest]:
            return txn.view(OwnHelp(self._space(txn, address, actor), own=actor is not None))

        return await self._store.read(actor or self._actor, "help", work)

    def calendar(self, requests: Iterable[HelpRequest]) -> str:
        """The bookings among some requests, as a calendar for the staff (RFC 5545)."""
        booked = [one for one in requests if one.help.kind is HelpKind.CALLBACK]
        return _calendar("PUBLISH", [self._event(one, "CONFIRMED") for one in booked])

    # --- inside -------------------------------------------------------------------------------

    async def _ask(self, address: str, new: NewHelp, actor: Actor | None) -> HelpRequest:
        def work(txn: Txn) -> HelpRequest:
            space = self._space(txn, address, actor)
            id_ = txn.apply(AskHelp(space, new, own=actor is not None))
            return self._numbered(txn, space, id_, actor)

        made = await self._store.run(actor or self._actor, "help", work)
        await self._as_system(lambda txn: self._write(txn, made))
        return made

    async def _as_system(self, write: Callable[[Txn], None]) -> None:
        """Write letters: customers may not look for the accounts that these go to."""
        await self._store.run(self._actor, "help letters", write)

    def _write(self, txn: Txn, made: HelpRequest) -> None:
        if made.help.kind is HelpKind.CALLBACK:
            self._tell(txn, made, "REQUEST", "booked")
        elif self._desk:
            text = (
                f"From:  {made.account}\nPhone: {made.help.phone or 'none'}\n\n{made.help.body}\n"
            )
            self._post(txn, self._desk, f"[Help {made.id}] {made.help.subject}", text)

    def _tell(self, txn: Txn, made: HelpRequest, method: str, what: str) -> None:
        """Send the invitation to the customer, and to the desk where there is one."""
        cancelled = method == "CANCEL"
        event = self._event(made, "CANCELLED" if cancelled else "CONFIRMED", sequence=cancelled)
        invitation = _calendar(method, [event])
        when = datetime.fromtimestamp(made.help.starts or 0, self.zone)
        until = datetime.fromtimestamp(made.help.ends or 0, self.zone)
        text = (
            f"The call-back of support is {what}.\n\n"
            f"When:   {when:%Y-%m-%d %H:%M} to {until:%H:%M} ({self.zone.key})\n"
            f"Phone:  {made.help.phone}\nAbout:  {made.help.subject}\n\n{made.help.body}\n"
        )
        subject = f"Call-back {what}: {made.help.subject}"
        for address in dict.fromkeys(filter(None, (made.account, self._desk))):
            self._post(txn, address, subject, text, invitation=invitation)

    def _event(self, made: HelpRequest, status: str, *, sequence: bool = False) -> list[str]:
        organizer = self._desk or f"support@{self._hostname}"
        return [
            "BEGIN:VEVENT",
            f"UID:{made.help.uid}",
            f"SEQUENCE:{int(sequence)}",
            f"DTSTAMP:{_utc(made.created)}",
            f"DTSTART:{_utc(made.help.starts or 0)}",
            f"DTEND:{_utc(made.help.ends or 0)}",
            f"SUMMARY:{_escaped(f'Call-back: {made.help.subject}')}",
            f"DESCRIPTION:{_escaped(f'{made.account}, {made.help.phone}')}",
            f"STATUS:{status}",
            f"ORGANIZER:mailto:{organizer}",
            f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{made.account}",
            "END:VEVENT",
        ]

    def _uid(self) -> str:
        return f"{secrets.token_hex(12)}@{self._hostname}"

    def _space(self, txn: ReadTxn, address: str, actor: Actor | None) -> int:
        if actor is not None:
            return actor.space_id
        return txn.view(FindAccount(normalize_address(address))).space_id

    def _numbered(self, txn: ReadTxn, space: int, id_: int, actor: Actor | None) -> HelpRequest:
        found = txn.view(OwnHelp(space, own=actor is not None))
        return next(one for one in found if one.id == id_)


def _calendar(method: str, events: Iterable[list[str]]) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Folkmoot//Help desk//EN"]
    lines += [f"METHOD:{method}"]
    lines += [line for event in events for line in event]
    lines += ["END:VCALENDAR"]
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _folded(line: str) -> list[str]:
    """rfc5545#3.1: lines of at most 75 octets."""
    parts: list[str] = []
    now = ""
    for character in line:
        if len((now + character).encode()) > (74 if parts else 75):
            parts.append(now)
            now = ""
        now += character
    return [parts[0], *(f" {part}" for part in (*parts[1:], now))] if parts else [now]


def _escaped(text: str) -> str:
    """rfc5545#3.3.11"""
    plain = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return " ".join(plain.splitlines())


def _utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%SZ}"
