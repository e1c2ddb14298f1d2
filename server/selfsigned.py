"""Writes a self-signed certificate, for the demo and for the first start of a new server."""

from __future__ import annotations

import datetime
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = datetime.timedelta(days=397)  # what Apple's clients accept at most


def write_self_signed(certificate: Path, key: Path, hostnames: Sequence[str]) -> None:
    """Write a new P-256 key (mode 0600) and a certificate for it, both as PEM.

    It is valid for the host names, localhost and the loopback addresses. Raises
    ``FileExistsError`` rather than replace a file, ``OSError`` when writing fails.
    """
    private = ec.generate_private_key(ec.SECP256R1())
    names = list(dict.fromkeys([*(_a_labels(name) for name in hostnames), "localhost"]))
    pem_key = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    made = _certificate(private, names, datetime.datetime.now(datetime.UTC))
    _write_new(key, pem_key, 0o600)
    _write_new(certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)


def _certificate(
    private: ec.EllipticCurvePrivateKey, names: list[str], now: datetime.datetime
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    loopback = [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")]
    san = [*(x509.DNSName(n) for n in names), *(x509.IPAddress(a) for a in loopback)]
    public = private.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # clients with slow clocks
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(san), critical=False)
        # A CA, so that people can install it as trusted where no other way is left.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(private, hashes.SHA256())
    )


def _a_labels(name: str) -> str:
    return name if name.isascii() else name.encode("idna").decode("ascii")


def _write_new(file: Path, octets: bytes, mode: int) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(octets)
