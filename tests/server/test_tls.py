"""TLS from PEM files: what is offered, how it is reloaded, what binds a login to it."""

from __future__ import annotations

import contextlib
import ssl
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from OpenSSL import SSL

from folkmoot.server.selfsigned import write_self_signed
from folkmoot.server.tls import TlsError, TlsStore, channel_bindings

Pair = tuple[Path, Path]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """A certificate and its key."""
    return make_pair(tmp_path, "mail.example.test")


def make_pair(folder: Path, name: str) -> Pair:
    """Write a new certificate for ``name``."""
    pair = folder / f"{name}.pem", folder / f"{name}-key.pem"
    write_self_signed(*pair, [name])
    return pair


class Wire:
    """A handshake between a server connection and Python's TLS client, in memory."""

    def __init__(self, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = version
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = context.wrap_bio(self.incoming, self.outgoing)

    def twisted(self, server: SSL.Connection) -> SSL.Connection:
        """Shake hands with what a Twisted listener uses."""
        server.set_accept_state()

        def serve(octets: bytes) -> bytes:
            if octets:
                server.bio_write(octets)
            with contextlib.suppress(SSL.WantReadError):
                server.do_handshake()
            try:
                return server.bio_read(2**16)
            except SSL.WantReadError:
                return b""

        self._shake(serve)
        return server

    def _shake(self, serve: Callable[[bytes], bytes]) -> None:
        for _ in range(6):
            with contextlib.suppress(ssl.SSLWantReadError):
                self.client.do_handshake()
            self.incoming.write(serve(self.outgoing.read()))

    def names(self) -> list[str]:
        """The DNS names of the certificate that the client saw."""
        der = self.client.getpeercert(binary_form=True)
        assert der is not None
        found = x509.load_der_x509_certificate(der).extensions
        san = found.get_extension_for_class(x509.SubjectAlternativeName).value
        return san.get_values_for_type(x509.DNSName)


class Transport:
    """As much of a transport as the bindings look at."""

    def __init__(self, handle: SSL.Connection) -> None:
        self.getHandle = lambda: handle


def test_self_signed_files_are_private_and_never_replaced(tmp_path: Path) -> None:
    """Only the server reads the key, and a second call does not destroy the first pair."""
    certificate, key = make_pair(tmp_path, "bücher.example")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    san = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == ["xn--bcher-kva.example", "localhost"]
    assert [str(a) for a in san.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    before = key.read_bytes()
    with pytest.raises(FileExistsError):
        write_self_signed(certificate, key, ["bücher.example"])
    assert key.read_bytes() == before


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_listeners_speak_current_tls(pair: Pair, version: ssl.TLSVersion) -> None:
    """TLS 1.2 and 1.3 work, with authenticated encryption."""
    store = TlsStore(*pair)
    wire = Wire(version)
    wire.twisted(store.connection_creator.serverConnectionForTLS(None))
    assert wire.names() == ["mail.example.test", "localhost"]
    cipher = wire.client.cipher()
    assert cipher is not None
    assert "GCM" in cipher[0] or "CHACHA20" in cipher[0]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
def test_old_tls_is_refused(pair: Pair) -> None:
    """Nothing below TLS 1.2 (RFC 8996)."""
    store = TlsStore(*pair)
    with pytest.raises((ssl.SSLError, SSL.Error)):
        Wire(ssl.TLSVersion.TLSv1_1).twisted(store.connection_creator.serverConnectionForTLS(None))


def test_reload_reaches_the_next_connection(tmp_path: Path, pair: Pair) -> None:
    """A renewed certificate is used without a restart, on objects handed out before."""
    store = TlsStore(*pair)
    creator = store.connection_creator
    open_before = Wire()
    connection = open_before.twisted(creator.serverConnectionForTLS(None))
    for old, new in zip(pair, make_pair(tmp_path, "new.example.test"), strict=True):
        new.replace(old)
    assert store.reload()
    next_one = Wire()
    next_one.twisted(creator.serverConnectionForTLS(None))
    assert next_one.names()[0] == "new.example.test"
    open_before.client.write(b"still here")
    connection.bio_write(open_before.outgoing.read())
    assert connection.recv(100) == b"still here"


@pytest.mark.parametrize("damage", ["garbage", "missing", "other key", "empty"])
def test_a_bad_reload_keeps_the_old_certificate(
    tmp_path: Path, pair: Pair, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake in renewal never takes TLS away; it is logged with the file's name."""
    store = TlsStore(*pair)
    certificate, key = pair
    match damage:
        case "garbage":
            certificate.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
        case "missing":
            key.unlink()
        case "other key":
            make_pair(tmp_path, "other.example.test")[1].replace(key)
        case "empty":
            key.write_text("")
    assert not store.reload()
    assert str(pair[0].parent) in caplog.records[-1].__dict__["why"]
    wire = Wire()
    wire.twisted(store.connection_creator.serverConnectionForTLS(None))
    assert wire.names()[0] == "mail.example.test"
    with pytest.raises(TlsError):
        TlsStore(*pair)


def test_channel_bindings(pair: Pair) -> None:
    """Both ends see the same data; the exporter is only there where RFC 9266 allows it."""
    store = TlsStore(*pair)
    expected = x509.load_pem_x509_certificate(pair[0].read_bytes()).fingerprint(
        store.chain[0].signature_hash_algorithm  # type: ignore[arg-type]
    )
    for version, kinds in (
        (ssl.TLSVersion.TLSv1_2, {"tls-server-end-point"}),
        (ssl.TLSVersion.TLSv1_3, {"tls-server-end-point", "tls-exporter"}),
    ):
        server = Wire(version).twisted(store.connection_creator.serverConnectionForTLS(None))
        bindings = channel_bindings(Transport(server))
        assert set(bindings) == kinds
        assert bindings["tls-server-end-point"] == expected


def test_bindings_before_the_handshake(pair: Pair) -> None:
    """A greeting that goes out before the handshake ends can already name the mechanisms."""
    connection = TlsStore(*pair).connection_creator.serverConnectionForTLS(None)
    connection.set_accept_state()
    assert set(channel_bindings(Transport(connection))) == {"tls-server-end-point"}


def test_no_bindings_without_tls() -> None:
    """A plain connection has nothing to bind to."""
    assert channel_bindings(object()) == {}
