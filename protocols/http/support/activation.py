"""The page behind an activation link: GET shows what is asked, POST with the password grants it.

Whatever only fetches the link, such as a mail scanner, changes nothing.
"""

from __future__ import annotations

import html
from typing import Final

from folkmoot.auth.authenticate import Authenticator
from folkmoot.auth.periods import NAMES, TODAY
from folkmoot.auth.support import SupportDesk
from folkmoot.protocols.http.errors import Refused
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.login import credentials
from folkmoot.protocols.http.support.forms import (
    answer,
    check_origin,
    field,
    paragraph,
    read_form,
)
from folkmoot.storage.errors import AuthenticationFailed, StorageError
from folkmoot.storage.types import Actor
from folkmoot.storage.types_support import SupportRequest, scope_text

_WHERE: Final = "portal"


class ActivationPage:
    """An application that finds out itself who asks: with the form, or with Basic credentials."""

    def __init__(self, desk: SupportDesk, authenticator: Authenticator) -> None:
        self._desk = desk
        self._authenticator = authenticator

    async def __call__(self, exchange: Exchange) -> None:
        """Answer, or raise what ``errors.refusal`` knows."""
        if exchange.method not in ("GET", "HEAD", "POST"):
            raise Refused(405, fields=[("Allow", "GET, HEAD, POST")])
        token = exchange.path[1]
        try:
            asked = await self._desk.find_link(token)
        except AuthenticationFailed as error:
            await answer(exchange, 404, "Support access", paragraph(error.text))
            return
        if exchange.method != "POST":
            await answer(exchange, 200, "Let support into your account?", self._form(asked, ""))
            return
        await self._grant(exchange, token, asked)

    async def _grant(self, exchange: Exchange, token: str, asked: SupportRequest) -> None:
        try:
            actor, zone = await self._sign_in(exchange, asked)
            made = await self._desk.activate(token, actor, zone=zone)
        except StorageError as error:
            status = 403 if not isinstance(error, AuthenticationFailed) else 401
            fields = [("WWW-Authenticate", 'Form realm="Folkmoot"')] if status == 401 else []
            content = self._form(asked, error.text)
            await answer(exchange, status, "Let support into your account?", content, fields)
            return
        await answer(
            exchange,
            200,
            "Support may come in",
            paragraph(
                f"{made.grantee} may come into {made.account}. You can withdraw this at any time."
            ),
        )

    async def _sign_in(self, exchange: Exchange, asked: SupportRequest) -> tuple[Actor, str]:
        """Who confirms, and the time zone in which "until midnight" is meant."""
        given, zone = exchange.header("Authorization"), ""
        if given is not None:
            check_origin(exchange)
            name, password = credentials(given)
        else:
            filled_in = await read_form(exchange)
            name, password, zone = asked.account, filled_in.raw("password"), filled_in.text("zone")
        actor = await self._authenticator.authenticate(name, password, _WHERE, exchange.peer)
        return actor, zone

    def _form(self, asked: SupportRequest, problem: str) -> str:
        rows = {
            "Who": f"{asked.agent} of support",
            "Account": asked.account,
            "Why": asked.wish.reason,
            "How long": NAMES.get(asked.wish.period, asked.wish.period),
            "How far": scope_text(asked.wish.scope),
        }
        listed = "".join(
            f"<dt>{name}</dt><dd>{html.escape(text)}</dd>" for name, text in rows.items()
        )
        note = paragraph(problem, strong=True) if problem else ""
        zone = ""
        if asked.wish.period == TODAY:
            zone = field(
                "Your time zone (for “until midnight”)", "zone", value=self._desk.rules.zone
            )
        return (
            f"<dl>{listed}</dl>{note}"
            '<form method="post"><p><label>Your password<br>'
            '<input type="password" name="password" autocomplete="current-password" required>'
            f"</label></p>{zone}<p><button>Let support in</button></p></form>"
            "<p>If you do not know what this is about, close this page: nothing happens.</p>"
        )
