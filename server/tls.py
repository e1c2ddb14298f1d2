"""TLS for all listeners: one certificate, read from PEM files, replaced without dropping anybody.

``TlsStore`` hands out an object for Twisted's listeners and one for asyncio's; both look up the
certificate when a handshake begins, so a reload reaches the next connection.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
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


class _Context(ssl.SSLContext):
    """An asyncio context that knows the ``tls-server-end-point`` of its certificate."""

    end_point: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Loaded:
    """One certificate, ready for both kinds of listeners."""

    chain: tuple[x509.Certificate, ...]
    twisted: SSL.Context
    plain: _Context


class TlsStore:
    """The server's certificate. Raises ``TlsError`` when the first one cannot be used.

    ``connection_creator`` is for Twisted (``startTLS``, ``TLSMemoryBIOFactory``), ``ssl_context``
    for asyncio listeners with TLS from the first octet.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._now = _load(certificate, key)
        self.connection_creator = _ConnectionCreator(self)
        self.ssl_context = self._outer()

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The certificates in use, the server's own first."""
        return self._now.chain

    @property
    def plain_context(self) -> ssl.SSLContext:
        """The ``ssl`` context of the certificate in use, for one connection."""
        return self._now.plain

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

    def _outer(self) -> ssl.SSLContext:
        """A context that swaps itself for the current one at each handshake."""
        outer = _load(self._certificate, self._key).plain

        def choose(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
            connection.context = self._now.plain

        outer.sni_callback = choose  # OpenSSL calls it for clients that name no host, too
        return outer


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
    plain = _Context(ssl.PROTOCOL_TLS_SERVER)
    plain.end_point = channel_binding.end_point(chain[0])
    plain.minimum_version = ssl.TLSVersion.TLSv1_2
    plain.set_ciphers(CIPHERS)
    plain.options |= ssl.OP_NO_RENEGOTIATION
    try:
        context.use_certificate(chain[0])
        for link in chain[1:]:
            context.add_extra_chain_cert(link)
        context.use_privatekey(private)  # type: ignore[arg-type]
        context.check_privatekey()
        plain.load_cert_chain(certificate, key)
    except (SSL.Error, ssl.SSLError, TypeError, OSError) as error:
        raise TlsError(f"{certificate}: the certificate cannot be used: {error}") from None
    return _Loaded(chain, context, plain)


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

    ``transport`` is that of a Twisted or asyncio protocol. asyncio's TLS cannot export keying
    material, so it gives ``tls-server-end-point`` only. Empty without TLS.
    """
    if isinstance(transport, asyncio.BaseTransport):
        connection = transport.get_extra_info("ssl_object")
        context = connection.context if connection is not None else None
        if isinstance(context, _Context) and context.end_point is not None:
            return {"tls-server-end-point": context.end_point}
        return {}
    handle = transport.getHandle() if hasattr(transport, "getHandle") else None
    if not isinstance(handle, SSL.Connection):
        return {}
    if handle.get_peer_finished() is None:  # Twisted's protocols begin before the handshake ends
        own = handle.get_certificate(as_cryptography=True)
        end_point = channel_binding.end_point(own) if own is not None else None
        return {"tls-server-end-point": end_point} if end_point is not None else {}
    return channel_binding.channel_bindings(handle)
