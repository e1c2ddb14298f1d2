"""SASL SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side (RFC 5802, RFC 7677)."""

from __future__ import annotations

import hmac
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import ClassVar

from folkmoot.auth.sasl.steps import (
    BadExchange,
    Challenge,
    Finished,
    Identify,
    Proof,
    Step,
)
from folkmoot.auth.scram import (
    ClientFirst,
    ScramError,
    ScramRecord,
    check_binding,
    expected_channel,
    parse_client_final,
    parse_client_first,
    verify_proof,
)


def _fresh_nonce() -> bytes:
    return b64encode(secrets.token_bytes(18))


class ScramSha256:
    """One exchange: client-first, ``provide``, client-final, the client's empty answer.

    ``bindings`` are the channel bindings of the connection by name, empty without TLS.
    """

    name: ClassVar[str] = "SCRAM-SHA-256"
    plaintext: ClassVar[bool] = False
    bound: ClassVar[bool] = False

    def __init__(
        self, bindings: Mapping[str, bytes], make_nonce: Callable[[], bytes] = _fresh_nonce
    ) -> None:
        self._bindings = bindings
        self._make_nonce = make_nonce
        self._next: Callable[[bytes], Step] = self._client_first
        self._first: ClientFirst | None = None
        self._record: ScramRecord | None = None
        self._server_first = b""
        self._nonce = b""

    def start(self, initial: bytes | None) -> Step:
        """Take the client's first message, or ask for it (RFC 4422 section 3: client first)."""
        return Challenge(b"") if initial is None else self.step(initial)

    def step(self, response: bytes) -> Step:
        """Go on with the next message. Raises ``BadExchange``."""
        try:
            return self._next(response)
        except ScramError as error:
            raise BadExchange(str(error)) from None

    def provide(self, record: ScramRecord) -> Challenge:
        """Go on after ``Identify`` with the record of the account, or a made-up one."""
        assert self._first is not None
        self._record = record
        self._nonce = self._first.nonce + self._make_nonce()
        salt = b64encode(record.salt)
        self._server_first = b"r=%b,s=%b,i=%d" % (self._nonce, salt, record.iterations)
        self._next = self._client_final
        return Challenge(self._server_first)

    def _client_first(self, message: bytes) -> Step:
        first = parse_client_first(message)
        check_binding(first, self.bound, self._bindings)
        self._first = first
        return Identify(first.name, first.authzid)

    def _client_final(self, message: bytes) -> Step:
        assert self._first is not None
        assert self._record is not None
        final = parse_client_final(message)
        if not hmac.compare_digest(final.nonce, self._nonce):
            raise ScramError("nonce changed")
        if not hmac.compare_digest(final.channel, expected_channel(self._first, self._bindings)):
            raise ScramError("channel binding differs")
        auth_message = b",".join((self._first.bare, self._server_first, final.without_proof))
        signature = verify_proof(self._record, auth_message, final.proof)
        if signature is None:
            return Proof(None)  # the session ends here
        self._next = self._acknowledged
        return Proof(b"v=" + b64encode(signature))

    def _acknowledged(self, message: bytes) -> Step:
        if message:
            raise ScramError("data after the end")
        return Finished()


class ScramSha256Plus(ScramSha256):
    """The same, tied to the TLS connection."""

    name: ClassVar[str] = "SCRAM-SHA-256-PLUS"
    bound: ClassVar[bool] = True
