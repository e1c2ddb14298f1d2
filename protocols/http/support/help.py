"""What customers ask of support, and call-backs that they book, as pages for both. # M6.2"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from folkmoot.auth.help_desk import HelpDesk
from folkmoot.auth.support_staff import SignedIn
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.support.area import Page, WebSession
from folkmoot.protocols.http.support.forms import (
    Form,
    field,
    form,
    moment,
    paragraph,
    table,
    text_area,
)
from folkmoot.storage.errors import InvalidContent
from folkmoot.storage.types import Actor
from folkmoot.storage.types_support import (
    MAX_BODY,
    MAX_PHONE,
    MAX_SUBJECT,
    HelpKind,
    HelpRequest,
)

_KINDS: Final = {HelpKind.CONTACT: "message", HelpKind.CALLBACK: "call-back"}
_SHOWN: Final = 50  # requests on a page


class CustomerHelp:
    """The page of a customer, and what its forms do. ``root`` is where their area is."""

    def __init__(self, desk: HelpDesk, root: str) -> None:
        self._desk = desk
        self._root = root

    async def page(self, session: WebSession[Actor]) -> Page:
        """Forms to write and to book, and what was asked before."""
        found = await self._desk.requests_of("", actor=session.who)
        about = field("About", "subject", required="", maxlength=str(MAX_SUBJECT))
        message = text_area("Message", "text", MAX_BODY)
        phone = {"kind": "tel", "autocomplete": "tel", "maxlength": str(MAX_PHONE)}
        writing = about + message + field("Telephone, if that helps", "phone", **phone)
        booking = about + field("Telephone", "phone", required="", **phone)
        booking += field("Day", "day", "date", required="")
        booking += field("Not before", "from", "time", required="")
        booking += field("Not after", "to", "time", required="") + message
        hours = f"Within {self._desk.opening_hours} ({self._desk.zone.key}); one at a time."
        token = session.form_token
        rows = [self._row(each, token) for each in found[:_SHOWN]]
        heads = ("Number", "What", "About", "When", "State", "")
        return "Help", (
            f"<h2>Write to support</h2>{form(f'{self._root}/contact', writing, 'Send', token)}"
            f"<h2>Book a call-back</h2>{paragraph(hours)}"
            f"{form(f'{self._root}/book', booking, 'Book', token)}"
            f"<h2>What you asked for</h2>{table(heads, rows) if rows else paragraph('Nothing.')}"
        )

    def _row(self, asked: HelpRequest, token: str) -> list[str]:
        hidden = f'<input type="hidden" name="number" value="{asked.id}">'
        button = form(f"{self._root}/take-back", hidden, "Take back", token)
        state = (
            "open" if asked.closed is None else f"closed {moment(asked.closed, self._desk.zone)}"
        )
        return [*_cells(asked, self._desk.zone), state, button if asked.closed is None else ""]

    async def contact(self, session: WebSession[Actor], given: Form, exchange: Exchange) -> str:
        """Write to support."""
        subject, text = given.text("subject"), given.text("text")
        made = await self._desk.contact(
            "", subject, text, phone=given.text("phone"), actor=session.who
        )
        return paragraph(f"Your message has the number {made.id}.")

    async def book(self, session: WebSession[Actor], given: Form, exchange: Exchange) -> str:
        """Book a call-back; the times are those of the help desk's zone."""
        day, zone = given.text("day"), self._desk.zone
        window = (_time(day, given.text("from"), zone), _time(day, given.text("to"), zone))
        subject, phone, body = (given.text(name) for name in ("subject", "phone", "text"))
        made = await self._desk.book("", subject, phone, *window, body=body, actor=session.who)
        return paragraph(f"Call-back {made.id} is booked; you have an invitation by mail.")

    async def take_back(self, session: WebSession[Actor], given: Form, exchange: Exchange) -> str:
        """Take a request back."""
        await self._desk.cancel("", given.number("number"), actor=session.who)
        return paragraph("It is taken back.")


class DeskHelp:
    """The page of agents: what waits for an answer, call-backs in the order of their times."""

    def __init__(self, desk: HelpDesk, root: str) -> None:
        self._desk = desk
        self._root = root

    async def page(self, session: WebSession[SignedIn]) -> Page:
        """All that is open."""
        found = sorted(await self._desk.open_requests(), key=lambda each: each.help.starts or 0)
        booked = [each for each in found if each.help.kind is HelpKind.CALLBACK]
        written = [each for each in found if each.help.kind is HelpKind.CONTACT]
        return "Help desk", (
            f"<h2>Call-backs</h2>{self._table(booked, session)}"
            f"<h2>Messages</h2>{self._table(written, session)}"
        )

    def _table(self, found: Iterable[HelpRequest], session: WebSession[SignedIn]) -> str:
        heads = ("Number", "What", "About", "When", "From", "Telephone", "Message", "")
        rows = [self._row(each, session.form_token) for each in found]
        return table(heads, rows) if rows else paragraph("None.")

    def _row(self, asked: HelpRequest, token: str) -> Sequence[str]:
        hidden = f'<input type="hidden" name="number" value="{asked.id}">'
        button = form(f"{self._root}/answered", hidden, "Answered", token)
        texts = (asked.account, asked.help.phone, asked.help.body)
        return [*_cells(asked, self._desk.zone), *map(html.escape, texts), button]

    async def answered(self, session: WebSession[SignedIn], given: Form, exchange: Exchange) -> str:
        """Note that something is answered."""
        await self._desk.close(given.number("number"), session.who.address)
        return paragraph("It is closed.")


def _cells(asked: HelpRequest, zone: ZoneInfo) -> list[str]:
    """Number, kind, subject and time."""
    when = moment(asked.created, zone)
    if asked.help.starts is not None and asked.help.ends is not None:
        until = datetime.fromtimestamp(asked.help.ends, zone)
        when = f"{datetime.fromtimestamp(asked.help.starts, zone):%Y-%m-%d %H:%M}–{until:%H:%M %Z}"
    return [str(asked.id), *map(html.escape, (_KINDS[asked.help.kind], asked.help.subject, when))]


def _time(day: str, time: str, zone: ZoneInfo) -> int:
    """Seconds since 1970. Raises ``InvalidContent``."""
    try:
        return int(
            datetime.strptime(f"{day} {time}", "%Y-%m-%d %H:%M").replace(tzinfo=zone).timestamp()
        )
    except (ValueError, OverflowError):
        raise InvalidContent("A day looks like 2026-12-01, and a time like 09:00.") from None
