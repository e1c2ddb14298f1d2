"""DKIM signatures (RFC 6376) for outgoing mail, with the body read once in bounded memory."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import dkim

from folkmoot.protocols.smtp.paths import ascii_domain

log = logging.getLogger(__name__)

_NEWLINES = b"\r\n" * 4096


@dataclass(frozen=True, slots=True)
class DkimKey:
    """The signing key of a domain: ``pem`` is an RSA private key (PKCS#1 or PKCS#8)."""

    selector: str
    pem: bytes


class BodyHash:
    """SHA-256 of a body in the "simple" form of RFC 6376 section 3.4.3; line ends are CRLF."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._newlines = 0
        self._held = b""

    def update(self, octets: bytes) -> None:
        """Take more of the body."""
        octets = self._held + octets
        self._held = b"\r" if octets.endswith(b"\r") else b""
        if self._held:
            octets = octets[:-1]
        text = octets.rstrip(b"\r\n")
        newlines = (len(octets) - len(text)) // 2
        if not text:
            self._newlines += newlines
            return
        for start in range(0, self._newlines, 4096):
            self._hash.update(_NEWLINES[: 2 * min(4096, self._newlines - start)])
        self._hash.update(text)
        self._newlines = newlines

    def value(self) -> bytes:
        """Return the hash in base64; empty lines at the end count as one line end."""
        self._hash.update(b"\r\n")
        return b64encode(self._hash.digest())


class _HeaderSigner(dkim.DKIM):  # type: ignore[misc]
    """Signs a header block; the hash of the body is known already."""

    def __init__(self, header: bytes, body_hash: bytes) -> None:
        super().__init__(header)
        self._body_hash = body_hash

    def gen_header(self, fields: Any, *arguments: Any, **keywords: Any) -> Any:
        known = [(name, self._body_hash if name == b"bh" else value) for name, value in fields]
        return super().gen_header(known, *arguments, **keywords)


class Signer:
    """Signs for the domains that have a key."""

    def __init__(self, keys: Mapping[str, DkimKey]) -> None:
        self._keys = {ascii_domain(domain) or domain: key for domain, key in keys.items()}

    def key(self, domain: str) -> DkimKey | None:
        """Return the key for a domain, None when its mail is not signed."""
        return self._keys.get(ascii_domain(domain) or domain)

    async def field(self, domain: str, header: bytes, body: AsyncIterator[bytes]) -> bytes:
        """Return the DKIM-Signature field for a message, b"" when it cannot be signed.

        ``header`` is the header block, ``body`` yields what follows it; line ends are CRLF.
        """
        key = self.key(domain)
        if key is None:
            return b""
        hashed = BodyHash()
        async for chunk in body:
            hashed.update(chunk)
        signer = (ascii_domain(domain) or domain).encode()
        return await asyncio.to_thread(_sign, header, hashed.value(), signer, key)


def _sign(header: bytes, body_hash: bytes, domain: bytes, key: DkimKey) -> bytes:
    try:
        signed: bytes = _HeaderSigner(header, body_hash).sign(
            key.selector.encode(), domain, key.pem, canonicalize=(b"relaxed", b"simple")
        )
    except (dkim.DKIMException, ValueError, IndexError) as error:
        # A strange header is no reason to keep the mail back.
        log.warning("cannot sign for %s: %s", domain.decode(), error)
        return b""
    return signed
