"""DKIM signatures that an independent check accepts."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from folkmoot.protocols.smtp.signing import DkimKey, Signer

_KEY = rsa.generate_private_key(65537, 2048)
PEM = _KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
RECORD = b"v=DKIM1; k=rsa; p=" + b64encode(
    _KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
)
HEADER = b"From: Alice <alice@example.test>\r\nTo: x@y.test\r\nSubject: hi\r\n there\r\n\r\n"


def signed(header: bytes, body: bytes, size: int, domain: str = "example.test") -> bytes:
    """The DKIM-Signature field, with the body given in pieces."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    return asyncio.run(Signer({"example.test": DkimKey("s1", PEM)}).field(domain, header, pieces()))


def verifies(message: bytes) -> bool:
    """What dkimpy, which reads the whole message at once, says."""
    return bool(dkim.verify(message, dnsfunc=lambda name, timeout=5: RECORD))


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(
    "body",
    [b"", b"\r\n", b"\r\n\r\n\r\n", b"a\r\n", b"a", b"a\r\n\r\nb \r\n\r\n\r\n", b"\r\n\r\nx\r\n"],
)
def test_signatures_verify(body: bytes, size: int) -> None:
    """Empty lines at the end, wherever pieces break, are counted as RFC 6376 says."""
    # rfc6376#3.4.3
    field = signed(HEADER, body, size)
    assert field.startswith(b"DKIM-Signature: ")
    assert b"d=example.test" in field
    assert verifies(field + HEADER + body)
    assert not verifies(field + HEADER + b"more" + body)
    assert not verifies(field + HEADER.replace(b"hi", b"ho") + body)


def test_without_a_key() -> None:
    """Domains without a key are not signed for."""
    assert signed(HEADER, b"x\r\n", 1, "example.org") == b""


def test_strange_headers_are_sent_unsigned() -> None:
    """A header that cannot be signed is no reason to keep the mail back."""
    assert signed(b"no field at all\r\n\r\n", b"x\r\n", 1) == b""
    assert signed(b" \r\nFrom: a@example.test\r\n\r\n", b"x\r\n", 1) == b""
