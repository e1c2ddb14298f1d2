"""Where programs ask for the settings of an account, before they can sign in.

Nobody is looked up: an answer depends on the config and on the text of the request alone, so it
tells nothing about which accounts there are, by its time neither.
"""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.http.errors import Refused
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.setup import apple, microsoft, mozilla
from folkmoot.protocols.http.setup.services import (
    Services,
    address_of,
    domain_of,
    fields_of_query,
)
from folkmoot.storage.errors import NotFound

MAX_REQUEST: Final = 16 * 1024  # octets; Outlook sends half a kilobyte
PROFILE: Final = ("mail", "apple.mobileconfig")
_MOZILLA: Final = frozenset(
    {("mail", "config-v1.1.xml"), (".well-known", "autoconfig", "mail", "config-v1.1.xml")}
)
_AUTODISCOVER: Final = "autodiscover"
_XML: Final = "text/xml; charset=utf-8"
_JSON: Final = "application/json; charset=utf-8"


class AccountSetup:
    """Answers all the ways in which programs look for settings."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def has(self, path: tuple[str, ...]) -> bool:
        """Whether programs ask here. Outlook writes its path in any case."""
        if path in _MOZILLA or path == PROFILE:
            return True
        return bool(path) and path[0].lower() == _AUTODISCOVER

    async def answer(self, exchange: Exchange) -> None:
        """Answer, or raise what ``errors.refusal`` knows."""
        path = exchange.path
        if path in _MOZILLA:
            await self._mozilla(exchange)
        elif path == PROFILE:
            await self._profile(exchange)
        else:
            await self._microsoft(exchange, tuple(name.lower() for name in path[1:]))

    async def _mozilla(self, exchange: Exchange) -> None:
        _only(exchange, "GET", "HEAD")
        address = fields_of_query(exchange.query).get("emailaddress", "")
        domain = domain_of(address.rpartition("@")[2]) or _domain_asked(exchange.host)
        body = mozilla.document(self._services, domain or self._services.host)
        await _respond(exchange, 200, _XML, body)

    async def _profile(self, exchange: Exchange) -> None:
        _only(exchange, "GET", "HEAD")
        given = fields_of_query(exchange.query).get("email", "").strip()
        address = address_of(given) if given else ""
        if address is None:
            raise Refused(400, "This is no mail address.")
        name = 'attachment; filename="account.mobileconfig"'
        body = apple.profile(self._services, address)
        await _respond(exchange, 200, apple.MEDIA_TYPE, body, [("Content-Disposition", name)])

    async def _microsoft(self, exchange: Exchange, path: tuple[str, ...]) -> None:
        if path == ("autodiscover.xml",):
            await self._version1(exchange)
        elif path == ("autodiscover.json",) or (
            len(path) == 3 and path[:2] == ("autodiscover.json", "v1.0")
        ):
            _only(exchange, "GET", "HEAD")
            status, body = microsoft.answer_json(self._services, fields_of_query(exchange.query))
            await _respond(exchange, status, _JSON, body)
        else:
            raise NotFound

    async def _version1(self, exchange: Exchange) -> None:
        _only(exchange, "GET", "HEAD", "POST")
        if exchange.method == "POST":
            body = microsoft.answer(self._services, await exchange.read_body(MAX_REQUEST))
            await _respond(exchange, 200, _XML, body)
        elif not exchange.secure and self._services.base_url.startswith("https:"):
            # Clients ask so where to find the server with TLS; they POST only there.
            place = self._services.base_url + microsoft.V1_PATH
            await exchange.respond(302, [("Location", place)], b"Look there.\n")
        else:
            await _respond(exchange, 200, _XML, microsoft.answer(self._services, b""))


def _only(exchange: Exchange, *methods: str) -> None:
    if exchange.method not in methods:
        raise Refused(405, fields=[("Allow", ", ".join(methods))])


def _domain_asked(host: str) -> str | None:
    """The domain for which a program asks when it sends no address: that of the host it asked."""
    name = host.rpartition(":")[0] if ":" in host else host
    return domain_of(name.lower().removeprefix("autoconfig."))


async def _respond(
    exchange: Exchange,
    status: int,
    media_type: str,
    body: bytes,
    fields: list[tuple[str, str]] | None = None,
) -> None:
    common = [
        ("Content-Type", media_type),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "private, max-age=300"),
    ]
    await exchange.respond(status, [*common, *(fields or [])], body)
