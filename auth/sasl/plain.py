"""SASL PLAIN (RFC 4616)."""

from __future__ import annotations

from typing import ClassVar

from folkmoot.auth.sasl.steps import BadExchange, Challenge, Credentials, Step, decode


class Plain:
    """One message: authorization identity, name and password with NUL between them."""

    name: ClassVar[str] = "PLAIN"
    plaintext: ClassVar[bool] = True
    bound: ClassVar[bool] = False

    def start(self, initial: bytes | None) -> Step:
        """Take the message, or ask for it."""
        return Challenge(b"") if initial is None else self.step(initial)

    def step(self, response: bytes) -> Step:
        """rfc4616#2. Raises ``BadExchange``."""
        parts = response.split(b"\0")
        if len(parts) != 3 or not parts[1] or not parts[2]:
            raise BadExchange("PLAIN needs two NULs, a name and a password")
        authzid, authcid, password = (decode(part) for part in parts)
        return Credentials(authcid, password, authzid)
