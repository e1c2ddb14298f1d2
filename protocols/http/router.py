"""Which application answers: by the first name of the path."""

from __future__ import annotations

from collections.abc import Mapping

from folkmoot.protocols.http.errors import Refused
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.login import Login
from folkmoot.protocols.http.pages import Pages
from folkmoot.protocols.http.server import Application
from folkmoot.protocols.http.setup.application import AccountSetup
from folkmoot.protocols.http.target import same_host
from folkmoot.storage.errors import NotFound

# rfc6764#5
WELL_KNOWN = {"caldav": "/dav/", "carddav": "/dav/", "webdav": "/dav/drive/"}


class Router:
    """The application of a listener.

    ``mounts`` are applications for people who signed in, by the first name of the path; the one at
    ``root`` also answers what is not GET at "/", where Windows and Office begin to look. OPTIONS
    without credentials comes to them without an actor: programs ask it before they sign in.
    ``open_mounts`` are applications for which nobody signs in: they find out who asks themselves.
    ``setup`` answers programs that look for the settings of an account.
    """

    def __init__(
        self,
        login: Login,
        pages: Pages,
        mounts: Mapping[str, Application],
        root: str = "dav",
        *,
        open_mounts: Mapping[str, Application] | None = None,
        setup: AccountSetup | None = None,
    ) -> None:
        self._login = login
        self._pages = pages
        self._mounts = dict(mounts)
        self._open_mounts = dict(open_mounts or {})
        self._setup = setup
        self._root = root

    async def __call__(self, exchange: Exchange) -> None:
        """Answer, or raise what ``errors.refusal`` knows."""
        path = exchange.path
        if self._setup is not None and self._setup.has(path):
            await self._setup.answer(exchange)
            return
        if path[:1] == (".well-known",):
            await _well_known(exchange)
            return
        _not_from_elsewhere(exchange)
        _not_packed(exchange)
        if path and path[0] in self._open_mounts:
            await self._open_mounts[path[0]](exchange)
            return
        reading = exchange.method in ("GET", "HEAD")
        if reading and self._pages.has(path):
            await self._pages.answer(exchange)
            return
        application = self._mounts.get(path[0] if path else self._root)
        if application is None:
            if not reading and self._pages.has(path):
                raise Refused(405, fields=[("Allow", "GET, HEAD")])
            raise NotFound
        if exchange.method != "OPTIONS" or exchange.header("Authorization") is not None:
            await self._login.sign_in(exchange)
        unwatch = self._login.watch(exchange)
        try:
            await application(exchange)
        finally:
            unwatch()


def _not_from_elsewhere(exchange: Exchange) -> None:
    """Refuse a form of another site, which a browser sends with the password that it remembers.

    POST is all that such a site can send: for other methods browsers ask first, by OPTIONS, and
    hear of no permission. Programs that are no browsers do not say where they come from.
    """
    # https://fetch.spec.whatwg.org/#origin-header, https://www.w3.org/TR/fetch-metadata/
    if exchange.method != "POST":
        return
    origin, site = exchange.header("Origin"), exchange.header("Sec-Fetch-Site")
    foreign = site in ("cross-site", "same-site")
    if origin is not None:
        foreign = not same_host(origin.partition("://")[2], exchange.host)
    if foreign:
        raise Refused(403, "This was sent by a page of another site.")


def _not_packed(exchange: Exchange) -> None:
    """Refuse bodies that are packed: a few octets could stand for gigabytes. # rfc9110#15.5.16"""
    coding = exchange.header("Content-Encoding")
    if coding is not None and coding.strip().lower() not in ("", "identity"):
        fields = [("Accept-Encoding", "identity")]  # rfc9110#12.5.3
        raise Refused(415, "Bodies have to be sent as they are, not packed.", fields)


async def _well_known(exchange: Exchange) -> None:
    """Redirect, whatever the method, and before anybody has to sign in."""
    place = WELL_KNOWN.get(exchange.path[1]) if len(exchange.path) == 2 else None
    if place is None:
        raise NotFound
    await exchange.respond(
        301, [("Location", place), ("Cache-Control", "max-age=3600")], b"Look there.\n"
    )
