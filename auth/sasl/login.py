"""SASL LOGIN, never standardised (draft-murchison-sasl-login-00); Outlook needs it."""

from __future__ import annotations

from typing import ClassVar

from folkmoot.auth.sasl.steps import BadExchange, Challenge, Credentials, Step, decode


class Login:
    """Asks for the name, then for the password. Some clients send the name at once."""

    name: ClassVar[str] = "LOGIN"
    plaintext: ClassVar[bool] = True
    bound: ClassVar[bool] = False

    def __init__(self) -> None:
        self._authcid: str | None = None

    def start(self, initial: bytes | None) -> Step:
        """Ask for the name, or take it from the initial response."""
        return Challenge(b"Username:") if not initial else self.step(initial)

    def step(self, response: bytes) -> Step:
        """Take the name, then the password. Raises ``BadExchange``."""
        # Some clients end the texts with a NUL, as if they were strings of C.
        text = decode(response.removesuffix(b"\0"))
        if not text:
            raise BadExchange("empty answer")
        if self._authcid is None:
            self._authcid = text
            return Challenge(b"Password:")
        return Credentials(self._authcid, text)
