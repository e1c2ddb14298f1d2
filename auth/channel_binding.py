"""What ties a SCRAM exchange to its TLS connection (RFC 5929, RFC 9266)."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL

_EXPORTER_LABEL = b"EXPORTER-Channel-Binding"  # rfc9266#2
_EXPORTER_OCTETS = 32


def end_point(certificate: x509.Certificate) -> bytes | None:
    """``tls-server-end-point``: the certificate's hash; None where RFC 5929 defines none.

    Not to be offered alone on TLS 1.3: clients choose -PLUS and ``tls-exporter`` there, and fail.
    """
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    if algorithm is None:  # such as Ed25519
        return None
    if isinstance(algorithm, hashes.MD5 | hashes.SHA1):  # rfc5929#4.1
        algorithm = hashes.SHA256()
    return certificate.fingerprint(algorithm)


def channel_bindings(connection: SSL.Connection) -> dict[str, bytes]:
    """The bindings of a server's TLS connection, ready for ``Authenticator.sasl``.

    The handshake must be complete. On TLS 1.3 clients bind to ``tls-exporter``; before that, the
    exporter is not safe to use (RFC 9266 section 4.2) and only the end point is given.
    """
    bindings: dict[str, bytes] = {}
    certificate = connection.get_certificate(as_cryptography=True)
    if certificate is not None and (fingerprint := end_point(certificate)) is not None:
        bindings["tls-server-end-point"] = fingerprint
    if connection.get_protocol_version_name() == "TLSv1.3":
        bindings["tls-exporter"] = connection.export_keying_material(
            _EXPORTER_LABEL, _EXPORTER_OCTETS, b""
        )
    return bindings
