"""The certificate is replaced while people are connected."""

from __future__ import annotations

import imaplib
import smtplib
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from folkmoot.server.selfsigned import write_self_signed
from tests.faults.site import DRIVE, Site, address, password
from tests.kit.databases import Databases
from tests.kit.http import HttpClient
from tests.server.cli import eventually

pytestmark = pytest.mark.slow
TRUSTING = ssl.create_default_context()
TRUSTING.check_hostname = False
TRUSTING.verify_mode = ssl.CERT_NONE


class Secure:
    """One connection of each kind that has TLS, and what its certificate says."""

    def __init__(self, site: Site) -> None:
        self.imaps = imaplib.IMAP4_SSL("127.0.0.1", site.ports["imaps"], ssl_context=TRUSTING)
        self.imap = imaplib.IMAP4("127.0.0.1", site.ports["imap"])
        self.imap.starttls(TRUSTING)
        self.submissions = smtplib.SMTP_SSL(
            "127.0.0.1", site.ports["submissions"], context=TRUSTING, timeout=20
        )
        self.submission = smtplib.SMTP("127.0.0.1", site.ports["submission"], timeout=60)
        self.submission.starttls(context=TRUSTING)
        self.https = HttpClient(
            site.ports["https"], (address("alice"), password("alice")), tls=True
        )
        for client in (self.imaps, self.imap):
            client.login(address("alice"), password("alice"))
        for other in (self.submissions, self.submission):
            other.login(address("alice"), password("alice"))

    def names(self) -> set[str]:
        """The host names in the certificates, of all connections together."""
        sockets = [self.imaps.sock, self.imap.sock, self.submissions.sock, self.submission.sock]
        return {_name(one) for one in [*sockets, self.https.socket]}

    def work(self) -> None:
        """Each of them is still good."""
        assert self.imaps.noop()[0] == self.imap.noop()[0] == "OK"
        assert self.submissions.noop()[0] == self.submission.noop()[0] == 250
        assert self.https.request("GET", DRIVE).status == 200

    def close(self) -> None:
        """Drop the connections."""
        self.imaps.shutdown()
        self.imap.shutdown()
        self.submissions.close()
        self.submission.close()
        self.https.close()


def _name(secure: socket.socket | None) -> str:
    assert isinstance(secure, ssl.SSLSocket)
    der = secure.getpeercert(binary_form=True)
    assert der is not None
    found = x509.load_der_x509_certificate(der).extensions
    names = found.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)[0]


def _write(site: Site, name: str) -> None:
    for file in ("certificate.pem", "key.pem"):
        (site.folder / file).unlink(missing_ok=True)
    write_self_signed(site.folder / "certificate.pem", site.folder / "key.pem", [name])


def test_replaced_while_people_are_connected(databases: Databases, tmp_path: Path) -> None:
    """New connections on all ports get the new one, those that are open live on."""
    site = Site(tmp_path, url=databases.fresh("sqlite"))
    with site.server() as server:
        before = Secure(site)
        assert before.names() == {"mail.example.org"}
        _write(site, "new.example.org")
        server.hup()
        server.wait_for("certificate loaded")
        after = Secure(site)
        assert after.names() == {"new.example.org"}
        before.work()
        for number, break_it in enumerate((_no_key, _other_key, _no_certificate, _half), 1):
            break_it(site)
            server.hup()
            server.wait_for("certificate not reloaded, the present one stays", times=number)
            again = Secure(site)
            assert again.names() == {"new.example.org"}
            again.close()
            _write(site, "unused.example.org")
        _write(site, "last.example.org")
        server.hup()
        server.wait_for("certificate loaded", times=2)
        eventually(lambda: Secure(site).names() == {"last.example.org"})
        before.work()
        after.work()
        site.ended(server)


def _no_key(site: Site) -> None:
    (site.folder / "key.pem").unlink()


def _other_key(site: Site) -> None:
    other = site.folder / "other.pem"
    (site.folder / "key.pem").unlink()
    write_self_signed(other, site.folder / "key.pem", ["other.example.org"])


def _no_certificate(site: Site) -> None:
    (site.folder / "certificate.pem").write_text("not a certificate")


def _half(site: Site) -> None:
    """As it is while somebody copies it."""
    file = site.folder / "certificate.pem"
    file.write_bytes(file.read_bytes()[:300])
