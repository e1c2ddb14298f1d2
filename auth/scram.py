"""SCRAM-SHA-256 as the server sees it: stored records, messages, proofs (RFC 5802, RFC 7677).

Everything here is plain computation; the exchange itself is ``auth.sasl.scram``.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from folkmoot.auth.passwords import prepare_password
from folkmoot.auth.saslprep import saslprep

SCHEME = "SCRAM-SHA-256"
MIN_ITERATIONS = 4096  # rfc7677#4
# A compromise: the record must not be much easier to attack than the argon2 hash beside it, and
# widespread clients refuse more than 65,536 or compute them on a phone.
DEFAULT_ITERATIONS = 32_768
SALT_OCTETS = 16
MAX_NONCE_OCTETS = 512

_NONCE = re.compile(rb"[\x21-\x2b\x2d-\x7e]+")


class ScramError(Exception):
    """A message that breaks the rules of SCRAM; the text is for logs only."""


@dataclass(frozen=True, slots=True)
class ScramRecord:
    """What the server keeps instead of the password (RFC 5802 section 3)."""

    iterations: int
    salt: bytes
    stored_key: bytes
    server_key: bytes

    @classmethod
    def from_password(
        cls, password: str, iterations: int = DEFAULT_ITERATIONS, salt: bytes | None = None
    ) -> ScramRecord:
        """Make a record; slow (PBKDF2), so call it in a worker thread.

        Raises ``PasswordRefused`` as ``prepare_password`` does, ``ValueError`` for too few
        iterations.
        """
        if iterations < MIN_ITERATIONS:
            raise ValueError(f"SCRAM needs at least {MIN_ITERATIONS} iterations")
        salt = secrets.token_bytes(SALT_OCTETS) if salt is None else salt
        salted = hashlib.pbkdf2_hmac(
            "sha256", prepare_password(password).encode(), salt, iterations
        )
        stored_key = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
        return cls(iterations, salt, stored_key, _hmac(salted, b"Server Key"))

    @classmethod
    def parse(cls, text: str) -> ScramRecord:
        """Read the stored text form; raises ``ValueError``."""
        scheme, _, rest = text.partition("$")
        parameters, _, keys = rest.partition("$")
        iterations, _, salt = parameters.partition(":")
        stored, _, server = keys.partition(":")
        if scheme != SCHEME:
            raise ValueError("not a SCRAM-SHA-256 record")
        return cls(int(iterations), _unbase64(salt), _unbase64(stored), _unbase64(server))

    def __str__(self) -> str:
        """``SCRAM-SHA-256$iterations:salt$stored:server``, the binary parts in base64."""
        salt, stored, server = (
            b64encode(part).decode() for part in (self.salt, self.stored_key, self.server_key)
        )
        return f"{SCHEME}${self.iterations}:{salt}${stored}:{server}"


def fake_record(secret: bytes, name: str, iterations: int) -> ScramRecord:
    """A record that no proof fits, with a salt that is always the same for a name.

    ``secret`` belongs to the server and outlives restarts, as real salts do: otherwise asking
    twice would tell made-up salts from real ones.
    """
    salt = _hmac(secret, b"salt\0" + name.encode("utf-8", "surrogatepass"))[:SALT_OCTETS]
    return ScramRecord(iterations, salt, secrets.token_bytes(32), secrets.token_bytes(32))


@dataclass(frozen=True, slots=True)
class ClientFirst:
    """The client's first message taken apart; ``binding`` is the name after ``p=`` or ""."""

    flag: str
    binding: str
    authzid: str
    name: str
    nonce: bytes
    gs2_header: bytes
    bare: bytes


@dataclass(frozen=True, slots=True)
class ClientFinal:
    """The client's final message taken apart; ``without_proof`` is part of what is signed."""

    channel: bytes
    nonce: bytes
    proof: bytes
    without_proof: bytes


def parse_client_first(message: bytes) -> ClientFirst:
    """rfc5802#7 client-first-message. Raises ``ScramError``."""
    parts = message.split(b",")
    if len(parts) < 4:
        raise ScramError("too few attributes")
    flag, authzid, user, nonce = parts[:4]
    binding = ""
    if flag.startswith(b"p="):
        binding = flag[2:].decode("ascii", "replace")
    elif flag not in (b"n", b"y"):
        raise ScramError("bad channel binding flag")
    if authzid and not authzid.startswith(b"a="):
        raise ScramError("bad authorization identity")
    if not user.startswith(b"n="):  # an extension "m=" must be refused as well
        raise ScramError("no user name")
    header = flag + b"," + authzid + b","
    return ClientFirst(
        flag=chr(flag[0]),
        binding=binding,
        authzid=_saslname(authzid[2:]),
        name=_saslname(user[2:]),
        nonce=_nonce(nonce),
        gs2_header=header,
        bare=message[len(header) :],
    )


def parse_client_final(message: bytes) -> ClientFinal:
    """rfc5802#7 client-final-message. Raises ``ScramError``."""
    without_proof, comma, last = message.rpartition(b",")
    parts = without_proof.split(b",")
    if not comma or len(parts) < 2 or not parts[0].startswith(b"c=") or not last.startswith(b"p="):
        raise ScramError("attributes missing or out of order")
    try:
        channel, proof = _unbase64(parts[0][2:]), _unbase64(last[2:])
    except ValueError:
        raise ScramError("bad base64") from None
    return ClientFinal(channel, _nonce(parts[1]), proof, without_proof)


def expected_channel(first: ClientFirst, bindings: Mapping[str, bytes]) -> bytes:
    """What the client must repeat in ``c=``: its header, and the data of the bound channel."""
    data = bindings[first.binding] if first.flag == "p" else b""
    return first.gs2_header + data


def check_binding(first: ClientFirst, plus: bool, bindings: Mapping[str, bytes]) -> None:
    """rfc5802#6: the flag must fit the mechanism and what was offered. Raises ``ScramError``.

    ``bindings`` are the channel bindings of this connection; with any, -PLUS was offered, and a
    client that says ``y`` (it could bind, but was not offered to) is being deceived by somebody.
    """
    if plus != (first.flag == "p"):
        raise ScramError("channel binding flag does not fit the mechanism")
    if first.flag == "y" and bindings:
        raise ScramError("the list of mechanisms was tampered with")
    if first.flag == "p" and first.binding not in bindings:
        raise ScramError("channel binding type not supported")


def verify_proof(record: ScramRecord, auth_message: bytes, proof: bytes) -> bytes | None:
    """The server's signature when the proof is right, otherwise None (RFC 5802 section 3)."""
    if len(proof) != len(record.stored_key):
        return None
    signature = _hmac(record.stored_key, auth_message)
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    if not hmac.compare_digest(hashlib.sha256(client_key).digest(), record.stored_key):
        return None
    return _hmac(record.server_key, auth_message)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _nonce(attribute: bytes) -> bytes:
    nonce = attribute[2:]
    if not attribute.startswith(b"r=") or len(nonce) > MAX_NONCE_OCTETS:
        raise ScramError("bad nonce")
    if not _NONCE.fullmatch(nonce):
        raise ScramError("bad nonce")
    return nonce


def _saslname(encoded: bytes) -> str:
    """rfc5802#5.1: ``=2C`` is a comma, ``=3D`` an equals sign, any other ``=`` an error."""
    if re.search(rb"=(?!2C|3D)", encoded):
        raise ScramError("bad escape in a name")
    try:
        return saslprep(encoded.replace(b"=2C", b",").replace(b"=3D", b"=").decode())
    except ValueError:  # a UnicodeDecodeError is one, too
        raise ScramError("bad name") from None


def _unbase64(text: str | bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
