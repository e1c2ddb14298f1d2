"""Basic authentication (RFC 7617), on connections where a password may be sent."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from folkmoot.auth.authenticate import Authenticator
from folkmoot.protocols.http.errors import CHALLENGE, Refused
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.storage.errors import AuthenticationFailed

PROTOCOL = "dav"  # what an app password can be limited to
_MOST = 2048  # octets of credentials


class Login:
    """Finds out who sent a request. ``plaintext_logins`` tells by a client's address whether it
    may send passwords without TLS. ``watch`` calls back when the session of an agent of support,
    by its number, is over, and returns what ends that.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        plaintext_logins: Callable[[str], bool],
        watch: Callable[[int, Callable[[], None]], Callable[[], None]] | None = None,
    ) -> None:
        self._authenticator = authenticator
        self._plaintext_logins = plaintext_logins
        self._watch = watch

    def watch(self, exchange: Exchange) -> Callable[[], None]:
        """Cut an agent of support off when its access ends; call the result at the end."""
        support = exchange.actor.support if exchange.signed_in else None
        if support is None or self._watch is None:
            return _nothing
        return self._watch(support.session_id, exchange.cut_off)

    async def sign_in(self, exchange: Exchange) -> None:
        """Give the exchange its actor.

        Raises ``Refused`` (401 without or with unreadable credentials, 403 without TLS), and what
        ``Authenticator.authenticate`` does.
        """
        if not exchange.secure and not self._plaintext_logins(exchange.peer):
            raise Refused(403, "Logins without encryption are not accepted here; use https.")
        given = exchange.header("Authorization")
        if given is None:
            raise Refused(401, "Please sign in.", [("WWW-Authenticate", CHALLENGE)])
        name, password = credentials(given)
        actor = await self._authenticator.authenticate(name, password, PROTOCOL, exchange.peer)
        exchange.sign_in(actor)


def _nothing() -> None:
    """What ends no watch."""


def credentials(field: str) -> tuple[str, str]:
    """Name and password of an Authorization field. Raises ``AuthenticationFailed``.

    They are UTF-8; clients that know nothing of ``charset`` send Latin-1.
    """
    # rfc7617#2
    scheme, _, given = field.partition(" ")
    if scheme.lower() != "basic" or len(given) > _MOST:
        raise AuthenticationFailed
    try:
        octets = base64.b64decode(given.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise AuthenticationFailed from None
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    name, colon, password = text.partition(":")
    if not colon:
        raise AuthenticationFailed
    return name, password
