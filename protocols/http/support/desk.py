"""Where agents of support open sessions in accounts that let them in, ask to be let in, and find
what customers want of them."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from folkmoot.auth.help_desk import HelpDesk
from folkmoot.auth.periods import DEFAULT
from folkmoot.auth.support import SupportDesk
from folkmoot.auth.support_staff import SignedIn
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.support.area import Area, Page, WebSession
from folkmoot.protocols.http.support.forms import (
    Form,
    field,
    form,
    moment,
    paragraph,
    password_field,
    table,
)
from folkmoot.protocols.http.support.help import DeskHelp
from folkmoot.protocols.http.support.scope import scope_fields, scope_of
from folkmoot.storage.types_support import OpenSession, SupportWish

Session = WebSession[SignedIn]


class DeskArea(Area[SignedIn]):
    """The pages under ``/support/desk``."""

    root = "/support/desk"

    def __init__(self, desk: SupportDesk, help_desk: HelpDesk) -> None:
        super().__init__("support-desk", desk)
        self._desk = desk
        self._zone = ZoneInfo(desk.rules.zone)
        self._help = DeskHelp(help_desk, self.root)
        self.pages = {
            "": self._sessions_page,
            "request": self._request_page,
            "help": self._help_page,
        }
        self.actions = {
            "open": self._open,
            "end": self._end,
            "request": self._request,
            "answered": self._help.answered,
        }
        self.shown_on = {"answered": "help"}

    async def sign_in(self, given: Form, exchange: Exchange) -> SignedIn:
        return await self._desk.staff.sign_in(
            given.text("name"), given.raw("password"), given.text("code"), exchange.peer
        )

    def sign_in_page(self) -> Page:
        return "Agents of support", (
            field("Address", "name", required="", autocomplete="username")
            + password_field()
            + field(
                "Code of the second factor, if you have one",
                "code",
                autocomplete="one-time-code",
                inputmode="numeric",
            )
        )

    def pack(self, who: SignedIn) -> Mapping[str, Any]:
        return asdict(who)

    async def unpack(self, values: Mapping[str, Any]) -> SignedIn | None:
        who = SignedIn(**values)
        return who if await self._desk.staff.is_still(who) else None

    # --- pages --------------------------------------------------------------------------------

    async def _sessions_page(self, session: Session, exchange: Exchange) -> Page:
        found = await self._desk.sessions(session.who)
        fields = field("Address of the customer", "account", required="")
        fields += field("Why (the customer sees this)", "reason", required="", maxlength="500")
        opening = form(f"{self.root}/open", fields, "Open a session", session.form_token)
        rows = [self._row(each, session) for each in found]
        heads = ("Account", "Why", "Since", "Until", "")
        listed = table(heads, rows) if rows else paragraph("None.")
        content = f"<h2>Open a session</h2>{opening}<h2>Your open sessions</h2>{listed}"
        return "Sessions", self._tabs(session) + content

    def _row(self, found: OpenSession, session: Session) -> list[str]:
        hidden = f'<input type="hidden" name="session" value="{found.id}">'
        button = form(f"{self.root}/end", hidden, "End", session.form_token)
        times = (moment(found.opened, self._zone), moment(found.expires, self._zone))
        return [html.escape(found.account), html.escape(found.reason), *times, button]

    async def _request_page(self, session: Session, exchange: Exchange) -> Page:
        fields = field("Address of the customer", "account", required="")
        fields += field("Why (the customer sees this)", "reason", required="", maxlength="500")
        fields += scope_fields()
        asking = form(f"{self.root}/request", fields, "Ask", session.form_token)
        text = "The customer gets a mail with a link, and decides. Ask for no more than you need."
        return "Ask to be let in", self._tabs(session) + paragraph(text) + asking

    async def _help_page(self, session: Session, exchange: Exchange) -> Page:
        title, content = await self._help.page(session)
        return title, self._tabs(session) + content

    def _tabs(self, session: Session) -> str:
        names = {"": "Sessions", "/request": "Ask", "/help": "Help desk"}
        links = " · ".join(f'<a href="{self.root}{path}">{names[path]}</a>' for path in names)
        return f"<p>{links} ({html.escape(session.who.address)})</p>"

    # --- what is done -------------------------------------------------------------------------

    async def _open(self, session: Session, given: Form, exchange: Exchange) -> str:
        account, agent = given.text("account"), session.who
        opened, key = await self._desk.open_as(
            agent, account, given.text("reason"), peer=exchange.peer
        )
        rows = {
            "User name": f"<code>{html.escape(f'{account}*{agent.address}')}</code>",
            "Password": f"<code>{html.escape(key)}</code>",
            "Good until": html.escape(moment(opened.expires, self._zone)),
        }
        listed = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in rows.items())
        return f"<dl>{listed}</dl>" + paragraph("This is shown only now.", strong=True)

    async def _end(self, session: Session, given: Form, exchange: Exchange) -> str:
        await self._desk.end(session.who, given.number("session"))
        return paragraph("The session has ended.")

    async def _request(self, session: Session, given: Form, exchange: Exchange) -> str:
        wish = SupportWish(given.text("reason"), given.text("period") or DEFAULT, scope_of(given))
        await self._desk.request_as(session.who, given.text("account"), wish)
        return paragraph("If there is such an account, its owner has a mail with a link now.")
