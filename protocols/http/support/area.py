"""An area of pages for people who sign in on a page: who they are, their forms, their session.

A session is a cookie that scripts and other sites do not get; forms have a token beside it.
"""

from __future__ import annotations

import abc
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from folkmoot.auth.page_tokens import PageToken, PageTokens
from folkmoot.auth.support import SupportDesk
from folkmoot.protocols.http.errors import Refused, status_of
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.support.forms import Form, answer, form, lead_to, paragraph, read_form
from folkmoot.storage.errors import AuthenticationFailed, Expired, NotFound, StorageError

W = TypeVar("W")

#: Title and content of a page, as finished HTML.
Page = tuple[str, str]


@dataclass(frozen=True, slots=True)
class WebSession(Generic[W]):
    """Somebody who has signed in."""

    who: W
    token: PageToken

    @property
    def form_token(self) -> str:
        """What forms of this session's pages have."""
        return self.token.form_token

    def has_token(self, given: str) -> bool:
        """Whether a form is from a page of this session."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.form_token.encode())


Show = Callable[[WebSession[W], Exchange], Awaitable[Page]]
#: What a form does; returns HTML that the page says above all else.
Act = Callable[[WebSession[W], Form, Exchange], Awaitable[str]]


class Area(abc.ABC, Generic[W]):
    """``pages`` and ``actions`` are by the last name of the path; the first page is called "".

    What a form does is shown on the page of its name, or on that which ``shown_on`` names for it,
    else on the first.
    """

    root: str
    pages: Mapping[str, Show[W]]
    actions: Mapping[str, Act[W]]
    shown_on: Mapping[str, str] = {}

    def __init__(self, cookie: str, desk: SupportDesk) -> None:
        self._cookie = cookie
        self._tokens = PageTokens(cookie, desk.secret)
        self._sessions = desk.pages

    @abc.abstractmethod
    async def sign_in(self, given: Form, exchange: Exchange) -> W:
        """Who it is. Raises ``AuthenticationFailed``, ``Throttled``, ``Unavailable``."""

    @abc.abstractmethod
    def sign_in_page(self) -> Page:
        """Title, and the fields of the form."""

    @abc.abstractmethod
    def pack(self, who: W) -> Mapping[str, Any]:
        """Who somebody is, as JSON has it."""

    @abc.abstractmethod
    async def unpack(self, values: Mapping[str, Any]) -> W | None:
        """The same back; None for who is not let in any more."""

    async def __call__(self, exchange: Exchange) -> None:
        """Answer, or raise what ``errors.refusal`` knows."""
        name = exchange.path[2] if len(exchange.path) == 3 else ""
        forms = {*self.actions, "sign-in", "sign-out"}
        if len(exchange.path) > 3 or name not in {*self.pages, *forms}:
            raise NotFound
        allowed = [*(["GET", "HEAD"] if name in self.pages else [])]
        allowed += ["POST"] if name in forms else []
        if exchange.method not in allowed:
            raise Refused(405, fields=[("Allow", ", ".join(allowed))])
        session = await self._session(exchange)
        if exchange.method == "POST":
            await self._post(exchange, name, session)
        elif session is None:
            await self._ask(exchange, 200, "")
        else:
            await self._show(exchange, name, session)

    # --- answers ------------------------------------------------------------------------------

    async def _ask(self, exchange: Exchange, status: int, problem: str) -> None:
        """The page to sign in on."""
        title, fields = self.sign_in_page()
        note = paragraph(problem, strong=True) if problem else ""
        challenge = [("WWW-Authenticate", 'Form realm="Folkmoot"')] if status == 401 else []
        content = note + form(f"{self.root}/sign-in", fields, "Sign in")
        await answer(exchange, status, title, content, challenge)

    async def _show(
        self,
        exchange: Exchange,
        name: str,
        session: WebSession[W],
        notice: str = "",
        status: int = 200,
    ) -> None:
        try:
            title, content = await self.pages[name](session, exchange)
        except Expired as error:
            await self._ask(exchange, 401, error.text)
            return
        leave = form(f"{self.root}/sign-out", "", "Sign out", session.form_token)
        cookie = await self._set_cookie(exchange, session.token)
        await answer(exchange, status, title, f"{notice}{content}<hr>{leave}", [cookie])

    async def _post(self, exchange: Exchange, name: str, session: WebSession[W] | None) -> None:
        given = await read_form(exchange)
        if name == "sign-in":
            await self._sign_in(exchange, given)
            return
        if session is None:
            await lead_to(exchange, self.root)
            return
        if not session.has_token(given.raw("token")):
            raise Refused(403, "This form is from another session; load the page again.")
        if name == "sign-out":
            await self._sessions.end(session.token)
            await lead_to(exchange, self.root, [await self._set_cookie(exchange, None)])
            return
        status = 200
        try:
            notice = await self.actions[name](session, given, exchange)
        except Expired as error:
            await self._ask(exchange, 401, error.text)
            return
        except StorageError as error:
            # 401 would ask the browser for a password that does not help.
            status = 403 if isinstance(error, AuthenticationFailed) else status_of(error)
            notice = paragraph(error.text, strong=True)
        page = name if name in self.pages else self.shown_on.get(name, "")
        await self._show(exchange, page, session, notice, status)

    async def _sign_in(self, exchange: Exchange, given: Form) -> None:
        try:
            who = await self.sign_in(given, exchange)
        except StorageError as error:
            status = 401 if isinstance(error, AuthenticationFailed) else status_of(error)
            await self._ask(exchange, status, error.text)
            return
        token = await self._tokens.begin(self.pack(who))
        await lead_to(exchange, self.root, [await self._set_cookie(exchange, token)])

    # --- the cookie ---------------------------------------------------------------------------

    async def _session(self, exchange: Exchange) -> WebSession[W] | None:
        token = await self._tokens.read(self._given(exchange))
        if token is None or await self._sessions.has_ended(token):
            return None
        who = await self.unpack(token.who)
        return WebSession(who, token) if who is not None else None

    async def _set_cookie(self, exchange: Exchange, token: PageToken | None) -> tuple[str, str]:
        """The header field that gives the browser its cookie, or (None) takes it away."""
        value, age = ("", "; Max-Age=0") if token is None else (await self._tokens.text(token), "")
        secure = "; Secure" if exchange.secure else ""
        text = f"{self._cookie_name(exchange)}={value}; Path=/; HttpOnly; SameSite=Strict"
        return "Set-Cookie", f"{text}{secure}{age}"

    def _cookie_name(self, exchange: Exchange) -> str:
        """With the prefix, no other host of the domain can set it."""
        return f"__Host-{self._cookie}" if exchange.secure else self._cookie

    def _given(self, exchange: Exchange) -> str:
        name = self._cookie_name(exchange)
        for given in exchange.headers("Cookie"):
            for pair in given.split(";"):
                key, _, value = pair.strip().partition("=")
                if key == name:
                    return value
        return ""
