"""The page behind an activation link: GET shows what is asked, POST with the password grants it.

Whatever only fetches the link, such as a mail scanner, changes nothing.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from folkmoot.auth.authenticate import Authenticator
from folkmoot.auth.periods import NAMES
from folkmoot.auth.support import SupportDesk
from folkmoot.protocols.http.errors import Refused
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.login import credentials
from folkmoot.protocols.http.pages import document
from folkmoot.storage.errors import AuthenticationFailed, NotFound, StorageError
from folkmoot.storage.types import Actor
from folkmoot.storage.types_support import SupportRequest

MAX_FORM: Final = 4096  # octets
_FIELDS = (
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
_WHERE: Final = "portal"


class SupportPage:
    """An application that finds out itself who asks: with the form, or with Basic credentials.

    ``plaintext_logins`` tells by a client's address whether it may send passwords without TLS.
    """

    def __init__(
        self,
        desk: SupportDesk,
        authenticator: Authenticator,
        plaintext_logins: Callable[[str], bool],
    ) -> None:
        self._desk = desk
        self._authenticator = authenticator
        self._plaintext_logins = plaintext_logins

    async def __call__(self, exchange: Exchange) -> None:
        """Answer, or raise what ``errors.refusal`` knows."""
        if len(exchange.path) != 2:
            raise NotFound
        if exchange.method not in ("GET", "HEAD", "POST"):
            raise Refused(405, fields=[("Allow", "GET, HEAD, POST")])
        if not exchange.secure and not self._plaintext_logins(exchange.peer):
            raise Refused(403, "This is not possible without encryption; use https.")
        token = exchange.path[1]
        try:
            asked = await self._desk.find_link(token)
        except AuthenticationFailed as error:
            await _answer(exchange, 404, "Support access", _text(error.text))
            return
        if exchange.method != "POST":
            await _answer(exchange, 200, "Let support into your account?", _form(asked, ""))
            return
        await self._grant(exchange, token, asked)

    async def _grant(self, exchange: Exchange, token: str, asked: SupportRequest) -> None:
        try:
            actor = await self._sign_in(exchange, asked)
            made = await self._desk.activate(token, actor)
        except StorageError as error:
            status = 403 if not isinstance(error, AuthenticationFailed) else 401
            fields = [("WWW-Authenticate", 'Form realm="Folkmoot"')] if status == 401 else []
            content = _form(asked, error.text)
            await _answer(exchange, status, "Let support into your account?", content, fields)
            return
        await _answer(
            exchange,
            200,
            "Support may come in",
            _text(
                f"{made.grantee} may come into {made.account}. You can withdraw this at any time."
            ),
        )

    async def _sign_in(self, exchange: Exchange, asked: SupportRequest) -> Actor:
        given = exchange.header("Authorization")
        if given is not None:
            name, password = credentials(given)
        else:
            body = await exchange.read_body(MAX_FORM)
            try:
                fields = parse_qs(body.decode("ascii"), max_num_fields=10, encoding="utf-8")
            except ValueError:
                raise AuthenticationFailed from None
            name, password = asked.account, fields.get("password", [""])[0]
        return await self._authenticator.authenticate(name, password, _WHERE, exchange.peer)


async def _answer(
    exchange: Exchange,
    status: int,
    title: str,
    content: str,
    fields: list[tuple[str, str]] | None = None,
) -> None:
    await exchange.respond(status, [*_FIELDS, *(fields or [])], document(title, content))


def _text(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def _form(asked: SupportRequest, problem: str) -> str:
    scope = asked.wish.scope
    far = [f"tools: {', '.join(sorted(scope.tools))}"]
    far += ["looks only" if scope.read_only else "looks and changes"]
    far += ["may take data out in bulk"] if scope.export else ["may not take data out in bulk"]
    far += ["with the spaces of your groups"] if scope.with_groups else []
    rows = {
        "Who": f"{asked.agent} of support",
        "Account": asked.account,
        "Why": asked.wish.reason,
        "How long": NAMES.get(asked.wish.period, asked.wish.period),
        "How far": "; ".join(far),
    }
    listed = "".join(f"<dt>{name}</dt><dd>{html.escape(text)}</dd>" for name, text in rows.items())
    note = f"<p><strong>{html.escape(problem)}</strong></p>" if problem else ""
    return (
        f"<dl>{listed}</dl>{note}"
        '<form method="post"><p><label>Your password<br>'
        '<input type="password" name="password" autocomplete="current-password" required>'
        "</label></p><p><button>Let support in</button></p></form>"
        "<p>If you do not know what this is about, close this page: nothing happens.</p>"
    )
