"""Sessions of browsers: a cookie that scripts and other sites do not get, and a token for forms.

They are in memory only, and few: after a restart people sign in again.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from folkmoot.protocols.http.exchange import Exchange

W = TypeVar("W")

IDLE_SECONDS: Final = 1800.0
LONGEST_SECONDS: Final = 8 * 3600.0
MOST: Final = 2000


def _token() -> str:
    return secrets.token_urlsafe(24)


@dataclass(slots=True)
class WebSession(Generic[W]):
    """Somebody who has signed in. ``notice`` is HTML that the next page shows, once."""

    who: W
    ends: float
    seen: float
    cookie: str = field(default_factory=_token)
    form_token: str = field(default_factory=_token)
    notice: str = ""

    def has_token(self, given: str) -> bool:
        """Whether a form is from a page of this session."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.form_token.encode())


class WebSessions(Generic[W]):
    """The sessions of one kind; ``name`` is that of the cookie."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._sessions: OrderedDict[str, WebSession[W]] = OrderedDict()

    def begin(self, who: W) -> WebSession[W]:
        """A new session; where there are too many, the one that was used least lately goes."""
        now = self._clock()
        session = WebSession(who, now + LONGEST_SECONDS, now)
        self._sessions[session.cookie] = session
        if len(self._sessions) > MOST:
            self._sessions.popitem(last=False)
        return session

    def find(self, exchange: Exchange) -> WebSession[W] | None:
        """The session that a request is of."""
        session = self._sessions.get(self._given(exchange))
        if session is None:
            return None
        now = self._clock()
        if now >= session.ends or now >= session.seen + IDLE_SECONDS:
            self.end(session)
            return None
        session.seen = now
        self._sessions.move_to_end(session.cookie)
        return session

    def end(self, session: WebSession[W]) -> None:
        """Forget it. Idempotent."""
        self._sessions.pop(session.cookie, None)

    def set_cookie(self, exchange: Exchange, session: WebSession[W] | None) -> tuple[str, str]:
        """The header field that gives the browser its cookie, or (None) takes it away."""
        value, age = (session.cookie, "") if session is not None else ("", "; Max-Age=0")
        secure = "; Secure" if exchange.secure else ""
        text = f"{self._cookie_name(exchange)}={value}; Path=/; HttpOnly; SameSite=Strict"
        return "Set-Cookie", f"{text}{secure}{age}"

    def _cookie_name(self, exchange: Exchange) -> str:
        """With the prefix, no other host of the domain can set it."""
        return f"__Host-{self._name}" if exchange.secure else self._name

    def _given(self, exchange: Exchange) -> str:
        name = self._cookie_name(exchange)
        for given in exchange.headers("Cookie"):
            for pair in given.split(";"):
                key, _, value = pair.strip().partition("=")
                if key == name:
                    return value
        return ""
