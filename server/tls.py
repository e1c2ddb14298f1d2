"""TLS for all listeners: one certificate, read from PEM files, replaced without dropping anybody.

``TlsStore`` hands out an object that looks up the certificate when a handshake begins, so a reload
reaches the next connection.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from zope.interface import implementer  # type: ignore[import-untyped]

from folkmoot.auth import channel_binding

log = logging.getLogger("folkmoot.tls")

# Forward secrecy and authenticated encryption only; TLS 1.3 chooses its own (RFC 9325 section 4.2).
CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)


class TlsError(Exception):
    """The certificate or key cannot be used; the text says which file and why."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """One certificate, ready for use."""

    chain: tuple[x509.Certificate, ...]
    twisted: SSL.Context


class TlsStore:
    """The server's certificate. Raises ``TlsError`` when the first one cannot be used.

    ``connection_creator`` is what ``startTLS`` and ``TLSMemoryBIOFactory`` take.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._now = _load(certificate, key)
        self.connection_creator = _ConnectionCreator(self)

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The certificates in use, the server's own first."""
        return self._now.chain

    @property
    def twisted_context(self) -> SSL.Context:
        """The pyOpenSSL context of the certificate in use."""
        return self._now.twisted

    def reload(self) -> bool:
        """Read the files again. Bad ones are logged, and the present certificate stays."""
        try:
            self._now = _load(self._certificate, self._key)
        except TlsError as error:
            log.error("certificate not reloaded, the present one stays", extra={"why": str(error)})
            return False
        valid_until = self.chain[0].not_valid_after_utc.isoformat()
        log.info("certificate loaded", extra={"valid_until": valid_until})
        return True


@implementer(IOpenSSLServerConnectionCreator)
class _ConnectionCreator:
    """What Twisted's ``startTLS`` and ``TLSMemoryBIOFactory`` take as their context."""

    def __init__(self, store: TlsStore) -> None:
        self._store = store

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:  # noqa: N802
        """A server-side connection with the certificate in use now."""
        return SSL.Connection(self._store.twisted_context, None)


def _load(certificate: Path, key: Path) -> _Loaded:
    chain = _read_chain(certificate)
    try:
        private = serialization.load_pem_private_key(_read(key), None)
    except (ValueError, TypeError):
        raise TlsError(f"{key}: expected a PEM private key without a passphrase") from None
    if private.public_key() != chain[0].public_key():
        raise TlsError(f"{key}: the key does not belong to the first certificate of {certificate}")
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(
        SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_RENEGOTIATION
    )
    context.set_cipher_list(CIPHERS.encode())
    try:
        context.use_certificate(chain[0])
        for link in chain[1:]:
            context.add_extra_chain_cert(link)
        context.use_privatekey(private)  # type: ignore[arg-type]
        context.check_privatekey()
    except (SSL.Error, TypeError) as error:
        raise TlsError(f"{certificate}: the certificate cannot be used: {error}") from None
    return _Loaded(chain, context)


def _read_chain(file: Path) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(_read(file)))
    except ValueError:
        raise TlsError(f"{file}: expected PEM certificates") from None


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(2**20)
    except OSError as error:
        raise TlsError(f"{file}: {error.strerror or 'cannot be read'}") from None


def channel_bindings(transport: Any) -> dict[str, bytes]:
    """The channel binding data of a connection, by type, for ``Authenticator.sasl``.

    ``transport`` is that of a Twisted protocol. Empty without TLS.
    """
    handle = transport.getHandle() if hasattr(transport, "getHandle") else None
    if not isinstance(handle, SSL.Connection):
        return {}
    if handle.get_peer_finished() is None:  # Twisted's protocols begin before the handshake ends
        own = handle.get_certificate(as_cryptography=True)
        end_point = channel_binding.end_point(own) if own is not None else None
        return {"tls-server-end-point": end_point} if end_point is not None else {}
    return channel_binding.channel_bindings(handle)
