"""Every listener with TLS, as a scanner sees it: versions, ciphers, what is not offered."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.security.conftest import Site

pytestmark = [
    pytest.mark.slow,  # a server process
    pytest.mark.filterwarnings("ignore:ssl.TLSVersion"),
]


def plain(connection: socket.socket) -> None:
    """TLS from the first octet."""


def by_imap(connection: socket.socket) -> None:
    """STARTTLS of RFC 9051."""
    connection.recv(4096)
    connection.sendall(b"a STARTTLS\r\n")
    assert b"a OK" in connection.recv(4096)


def by_smtp(connection: socket.socket) -> None:
    """STARTTLS of RFC 3207."""
    connection.recv(4096)
    connection.sendall(b"EHLO x\r\n")
    assert b"STARTTLS" in connection.recv(4096)
    connection.sendall(b"STARTTLS\r\n")
    assert connection.recv(4096).startswith(b"220")


LISTENERS: dict[str, tuple[int, Callable[[socket.socket], None]]] = {
    "imaps": (993, plain),
    "imap": (143, by_imap),
    "submissions": (465, plain),
    "submission": (587, by_smtp),
    "https": (443, plain),
}


@pytest.fixture(params=LISTENERS)
def listener(request: pytest.FixtureRequest) -> str:
    """Each of them."""
    return str(request.param)


def shake(
    site: Site, listener: str, version: ssl.TLSVersion, ciphers: str = "ALL:@SECLEVEL=0"
) -> tuple[str, str, Any]:
    """Version, cipher and compression of a connection with just this. Raises OSError."""
    offset, upgrade = LISTENERS[listener]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = version
    context.options &= ~ssl.OP_NO_COMPRESSION
    with socket.create_connection(("127.0.0.1", site.base + offset), 20) as connection:
        upgrade(connection)
        with context.wrap_socket(connection) as secure:
            cipher = secure.cipher()
            assert cipher is not None
            return secure.version() or "", cipher[0], secure.compression()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(site: Site, listener: str, version: ssl.TLSVersion) -> None:
    """TLS 1.0 and 1.1 are over. # rfc8996#3"""
    with pytest.raises(OSError, match=r"(?i)ssl|protocol|version|reset"):
        shake(site, listener, version)


def test_current_versions_are_spoken(site: Site, listener: str) -> None:
    """TLS 1.2 and 1.3, with forward secrecy, authenticated encryption, without compression."""
    # rfc9325#4.2, rfc9325#3.3
    for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        spoken, cipher, compression = shake(site, listener, version)
        assert spoken == name
        assert "GCM" in cipher or "POLY1305" in cipher
        assert cipher.startswith(("ECDHE-", "TLS_"))
        assert compression is None


@pytest.mark.parametrize(
    "ciphers",
    # A certificate for ECDSA alone rules out what needs RSA.
    ["ECDHE+AES+SHA1:ECDHE+AES+SHA256", "aNULL", "AES+SHA1"],
)
def test_weak_ciphers_are_refused(site: Site, listener: str, ciphers: str) -> None:
    """No key exchange without forward secrecy, no CBC, nothing anonymous. # rfc9325#4.1"""
    offered = f"{ciphers}:@SECLEVEL=0"
    with contextlib.suppress(ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ciphers(offered)
        with pytest.raises(OSError, match=r"(?i)ssl|handshake|reset"):
            shake(site, listener, ssl.TLSVersion.TLSv1_2, offered)


def test_nobody_renegotiates(site: Site) -> None:
    """A client cannot make the server shake hands again and again. # rfc9325#3.5"""
    for offset in (993, 465, 443):
        place = f"127.0.0.1:{site.base + offset}"
        done = subprocess.run(
            ["openssl", "s_client", "-connect", place, "-tls1_2"],
            input=b"R\nR\n",
            capture_output=True,
            timeout=60,
            check=False,
        )
        said = done.stdout + done.stderr
        assert b"RENEGOTIATING" in said
        assert b"no renegotiation" in said or b"SSL routines" in said, offset
