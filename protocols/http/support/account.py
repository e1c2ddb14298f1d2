"""What customers see and decide about support: grants, logins, all that was done, help. # M7.7

An agent who comes in by ``account*agent`` sees the own grant and its logins, and changes nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from folkmoot.auth import periods
from folkmoot.auth.authenticate import Authenticator
from folkmoot.auth.help_desk import HelpDesk
from folkmoot.auth.page_tokens import actor_from, actor_values
from folkmoot.auth.support import SupportDesk
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
from folkmoot.protocols.http.support.help import CustomerHelp
from folkmoot.protocols.http.support.scope import scope_fields, scope_of
from folkmoot.storage.types import Actor
from folkmoot.storage.types_support import SupportGrant, scope_text

PROTOCOL: Final = "portal"
_AT_ONCE: Final = 100  # rows on a page of logins and of what was done
_BELOW = re.compile(r"below=([0-9]{1,18})")
_OF_AGENTS: Final = {"": "Grant", "/logins": "Logins"}
_OF_OWNERS: Final = {
    "": "Grants",
    "/grant": "Let support in",
    "/logins": "Logins",
    "/trail": "What was done",
    "/help": "Help",
}

Session = WebSession[Actor]


class AccountArea(Area[Actor]):
    """The pages under ``/support/account``."""

    root = "/support/account"

    def __init__(
        self, desk: SupportDesk, help_desk: HelpDesk, authenticator: Authenticator
    ) -> None:
        super().__init__("support-account", desk)
        self._desk = desk
        self._authenticator = authenticator
        self._zone = ZoneInfo(desk.rules.zone)
        self._help = CustomerHelp(help_desk, self.root)
        self.pages = {
            "": self._grants,
            "grant": self._new,
            "logins": self._logins,
            "trail": self._trail,
            "help": self._help_page,
        }
        self.actions = {
            "grant": self._grant,
            "withdraw": self._withdraw,
            "contact": self._help.contact,
            "book": self._help.book,
            "take-back": self._help.take_back,
        }
        self.shown_on = dict.fromkeys(("contact", "book", "take-back"), "help")

    async def sign_in(self, given: Form, exchange: Exchange) -> Actor:
        name, password = given.text("name"), given.raw("password")
        return await self._authenticator.authenticate(name, password, PROTOCOL, exchange.peer)

    def sign_in_page(self) -> Page:
        return "Support and your account", (
            field("Mail address", "name", required="", autocomplete="username") + password_field()
        )

    def pack(self, who: Actor) -> Mapping[str, Any]:
        return actor_values(who)

    async def unpack(self, values: Mapping[str, Any]) -> Actor | None:
        return actor_from(values)  # the store knows whether that still counts

    # --- pages --------------------------------------------------------------------------------

    async def _grants(self, session: Session, exchange: Exchange) -> Page:
        actor = session.who
        grants = await self._desk.grants("", actor=actor)
        rows = [self._grant_row(each, session) for each in grants]
        heads = ("Who", "Since", "Until", "How far", "Single items read", "State", "")
        text = "Who of support may look into your account, and who might in the last six months."
        content = table(heads, rows) if rows else paragraph("Nobody of support, and nobody had.")
        return _title(actor), _tabs(actor) + paragraph(text) + content

    def _grant_row(self, grant: SupportGrant, session: Session) -> list[str]:
        until = "you withdraw it" if grant.ends is None else moment(grant.ends, self._zone)
        state, button = "holds", ""
        if grant.over is not None:
            ended = "withdrawn" if grant.withdrawn is not None else "ended"
            state = f"{ended} {moment(grant.over, self._zone)}"
        elif session.who.support is None:
            hidden = f'<input type="hidden" name="grant" value="{grant.id}">'
            button = form(f"{self.root}/withdraw", hidden, "Withdraw", session.form_token)
        who = f"the department {grant.grantee}" if grant.is_department else grant.grantee
        read = "any" if grant.scope.export else f"{grant.items_read} of {grant.free_items}"
        texts = [who, moment(grant.starts, self._zone), until, scope_text(grant.scope), read, state]
        return [*map(html.escape, texts), button]

    async def _new(self, session: Session, exchange: Exchange) -> Page:
        names = await self._desk.staff.departments() if session.who.support is None else []
        departments = "".join(f'<option value="{html.escape(each.name)}">' for each in names)
        fields = (
            field("Address of an agent, or name of a department", "to", required="", list="names")
            + f'<datalist id="names">{departments}</datalist>'
            + scope_fields()
            + field("Your time zone (for “until midnight”)", "zone", value=self._zone.key)
        )
        content = form(f"{self.root}/grant", fields, "Let support in", session.form_token)
        note = "Without the permission to take data out, support reads single things up to a limit."
        return "Let support in", _tabs(session.who) + content + paragraph(note)

    async def _logins(self, session: Session, exchange: Exchange) -> Page:
        below = _below(exchange)
        found = await self._desk.logins("", actor=session.who, limit=_AT_ONCE, below=below)
        rows = [
            [
                moment(each.time, self._zone),
                *map(html.escape, (each.agent, each.protocol, each.peer, each.reason)),
            ]
            for each in found
        ]
        content = table(("When", "Who", "With", "From", "Why"), rows)
        if not rows:
            content = paragraph("Nobody of support was in your account.")
        elif len(rows) == _AT_ONCE:
            content += self._earlier("logins", found[-1].id)
        return "Who of support came in", _tabs(session.who) + content

    def _earlier(self, page: str, below: int) -> str:
        return f'<p><a href="{self.root}/{page}?below={below}">Earlier</a></p>'

    async def _trail(self, session: Session, exchange: Exchange) -> Page:
        below = _below(exchange)
        found = await self._desk.trail(
            "", actor=session.who, support=True, limit=_AT_ONCE, below=below
        )
        rows = [
            [
                moment(each.time, self._zone),
                *map(html.escape, (each.agent, each.operation, ", ".join(each.names))),
                html.escape(each.detail),
            ]
            for each in found
        ]
        content = table(("When", "Who", "What", "Where", ""), rows)
        if len(rows) == _AT_ONCE:
            content += self._earlier("trail", found[-1].id)
        return "All that support did", _tabs(session.who) + content

    async def _help_page(self, session: Session, exchange: Exchange) -> Page:
        title, content = await self._help.page(session)
        return title, _tabs(session.who) + content

    # --- what is done -------------------------------------------------------------------------

    async def _grant(self, session: Session, given: Form, exchange: Exchange) -> str:
        made = await self._desk.grant(
            "",
            given.text("to"),
            given.text("period") or periods.DEFAULT,
            scope_of(given),
            zone=given.text("zone"),
            actor=session.who,
        )
        until = "" if made.ends is None else f" until {moment(made.ends, self._zone)}"
        return paragraph(f"{made.grantee} may come in{until}: {scope_text(made.scope)}.")

    async def _withdraw(self, session: Session, given: Form, exchange: Exchange) -> str:
        number = given.number("grant") or -1  # 0 stands for all of them
        await self._desk.withdraw("", number, actor=session.who)
        return paragraph("It is withdrawn; open sessions end now.")


def _below(exchange: Exchange) -> int:
    """The row of the trail before which a page begins."""
    asked = _BELOW.fullmatch(exchange.query)
    return int(asked[1]) if asked is not None else 1 << 62


def _title(actor: Actor) -> str:
    return f"Support and {html.escape(actor.name)}"


def _tabs(actor: Actor) -> str:
    """Links to the pages; an agent has those that it may see."""
    names = _OF_AGENTS if actor.support is not None else _OF_OWNERS
    links = (f'<a href="{AccountArea.root}{path}">{name}</a>' for path, name in names.items())
    who = f"{actor.support.agent} in {actor.name}" if actor.support is not None else actor.name
    return f"<p>{' · '.join(links)} ({html.escape(who)})</p>"
