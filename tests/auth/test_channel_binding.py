"""Channel bindings of real TLS connections."""

from __future__ import annotations

import contextlib
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from folkmoot.auth.channel_binding import channel_bindings, end_point

_Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def _certificate(key: _Key, algorithm: hashes.SHA256 | hashes.SHA384 | None) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, algorithm)
    )


def _handshake(version: int) -> tuple[SSL.Connection, SSL.Connection, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key, hashes.SHA256())
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    context.use_privatekey(key)
    context.use_certificate(certificate)
    server, client = (
        SSL.Connection(context, None),
        SSL.Connection(SSL.Context(SSL.TLS_METHOD), None),
    )
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(4):
        for source, target in ((client, server), (server, client)):
            for connection in (source, target):
                with contextlib.suppress(SSL.WantReadError):
                    connection.do_handshake()
            try:
                target.bio_write(source.bio_read(65_536))
            except SSL.WantReadError:
                continue
    return server, client, certificate


def test_tls_1_3_has_both_bindings() -> None:
    """The exporter's value is the same at both ends, the end point is the certificate's hash."""
    # rfc9266#2, rfc5929#4.1
    server, client, certificate = _handshake(SSL.TLS1_3_VERSION)
    bindings = channel_bindings(server)
    der = certificate.public_bytes(serialization.Encoding.DER)
    assert bindings["tls-server-end-point"] == hashlib.sha256(der).digest()
    exported = client.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
    assert bindings["tls-exporter"] == exported
    assert channel_bindings(_handshake(SSL.TLS1_3_VERSION)[0])["tls-exporter"] != exported


def test_tls_1_2_has_the_end_point_only() -> None:
    """RFC 9266 section 4.2: without extended master secret the exporter proves nothing."""
    server, _, _ = _handshake(SSL.TLS1_2_VERSION)
    assert sorted(channel_bindings(server)) == ["tls-server-end-point"]


@pytest.mark.parametrize(("algorithm", "octets"), [(hashes.SHA256(), 32), (hashes.SHA384(), 48)])
def test_the_end_point_uses_the_hash_of_the_signature(
    algorithm: hashes.SHA256 | hashes.SHA384, octets: int
) -> None:
    """RFC 5929 section 4.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    fingerprint = end_point(_certificate(key, algorithm))
    assert fingerprint is not None
    assert len(fingerprint) == octets


def test_signatures_without_a_hash_have_no_end_point() -> None:
    """RFC 5929 defines none for Ed25519: it is not offered."""
    assert end_point(_certificate(ed25519.Ed25519PrivateKey.generate(), None)) is None
