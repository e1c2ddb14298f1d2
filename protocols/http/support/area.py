"""An area of pages for people who sign in on a page: who they are, their forms, their session."""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from folkmoot.protocols.http.errors import Refused, status_of
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.support.forms import Form, answer, form, lead_to, paragraph, read_form
from folkmoot.protocols.http.support.sessions import WebSession, WebSessions
from folkmoot.storage.errors import AuthenticationFailed, Expired, NotFound, StorageError

W = TypeVar("W")

#: Title and content of a page, as finished HTML.
Page = tuple[str, str]
Show = Callable[[WebSession[W], Exchange], Awaitable[Page]]
#: What a form does; returns HTML that the next page shows once.
Act = Callable[[WebSession[W], Form, Exchange], Awaitable[str]]


class Area(abc.ABC, Generic[W]):
    """``pages`` and ``actions`` are by the last name of the path; the first page is called "".

    What a form of the page ``name`` does is shown on the page of the same name, else on the first.
    """

    root: str
    pages: Mapping[str, Show[W]]
    actions: Mapping[str, Act[W]]

    def __init__(self, cookie: str) -> None:
        self._sessions: WebSessions[W] = WebSessions(cookie)

    @abc.abstractmethod
    async def sign_in(self, given: Form, exchange: Exchange) -> W:
        """Who it is. Raises ``AuthenticationFailed``, ``Throttled``, ``Unavailable``."""

    @abc.abstractmethod
    def sign_in_page(self) -> Page:
        """Title, and the fields of the form."""

    async def is_still(self, who: W) -> bool:
        """Whether somebody who signed in before is let in still."""
        return True

    async def __call__(self, exchange: Exchange) -> None:
        """Answer, or raise what ``errors.refusal`` knows."""
        name = exchange.path[2] if len(exchange.path) == 3 else ""
        if len(exchange.path) > 3 or (name not in self.pages and name not in self._forms()):
            raise NotFound
        allowed = [*(["GET", "HEAD"] if name in self.pages else [])]
        allowed += ["POST"] if name in self._forms() else []
        if exchange.method not in allowed:
            raise Refused(405, fields=[("Allow", ", ".join(allowed))])
        session = await self._session(exchange)
        if exchange.method == "POST":
            await self._post(exchange, name, session)
        elif session is None:
            await self._ask(exchange, 200, "")
        else:
            await self._show(exchange, name, session)

    def _forms(self) -> set[str]:
        return {*self.actions, "sign-in", "sign-out"}

    async def _session(self, exchange: Exchange) -> WebSession[W] | None:
        session = self._sessions.find(exchange)
        if session is not None and not await self.is_still(session.who):
            self._sessions.end(session)
            return None
        return session

    async def _ask(self, exchange: Exchange, status: int, problem: str) -> None:
        """The page to sign in on."""
        title, fields = self.sign_in_page()
        note = paragraph(problem, strong=True) if problem else ""
        challenge = [("WWW-Authenticate", 'Form realm="Folkmoot"')] if status == 401 else []
        content = note + form(f"{self.root}/sign-in", fields, "Sign in")
        await answer(exchange, status, title, content, challenge)

    async def _show(self, exchange: Exchange, name: str, session: WebSession[W]) -> None:
        try:
            title, content = await self.pages[name](session, exchange)
        except Expired as error:
            await self._over(exchange, session, error)
            return
        notice, session.notice = session.notice, ""
        leave = form(f"{self.root}/sign-out", "", "Sign out", session.form_token)
        await answer(exchange, 200, title, f"{notice}{content}<hr>{leave}")

    async def _post(self, exchange: Exchange, name: str, session: WebSession[W] | None) -> None:
        given = await read_form(exchange)
        if name == "sign-in":
            await self._sign_in(exchange, given, session)
            return
        if session is None:
            await lead_to(exchange, self.root)
            return
        if not session.has_token(given.raw("token")):
            raise Refused(403, "This form is from another session; load the page again.")
        if name == "sign-out":
            self._sessions.end(session)
            await lead_to(exchange, self.root, [self._sessions.set_cookie(exchange, None)])
            return
        try:
            session.notice = await self.actions[name](session, given, exchange)
        except Expired as error:
            await self._over(exchange, session, error)
            return
        except StorageError as error:
            session.notice = paragraph(error.text, strong=True)
        await lead_to(exchange, f"{self.root}/{name}" if name in self.pages else self.root)

    async def _sign_in(
        self, exchange: Exchange, given: Form, session: WebSession[W] | None
    ) -> None:
        try:
            who = await self.sign_in(given, exchange)
        except StorageError as error:
            status = 401 if isinstance(error, AuthenticationFailed) else status_of(error)
            await self._ask(exchange, status, error.text)
            return
        if session is not None:
            self._sessions.end(session)
        begun = self._sessions.begin(who)
        await lead_to(exchange, self.root, [self._sessions.set_cookie(exchange, begun)])

    async def _over(self, exchange: Exchange, session: WebSession[W], error: Expired) -> None:
        self._sessions.end(session)
        await self._ask(exchange, 401, error.text)
