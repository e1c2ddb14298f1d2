"""The doctor's checks: each finds what it is there for."""

from __future__ import annotations

import datetime
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dns.exception
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from folkmoot.config.rules import parse_config
from folkmoot.config.schema import Config
from folkmoot.server import doctor
from folkmoot.server.doctor import Finding
from folkmoot.server.doctor_dns import Dns, examine_dns
from folkmoot.server.selfsigned import write_self_signed
from folkmoot.storage.migrate import upgrade


def config_of(folder: Path, more: str = "", port: int = 0) -> Config:
    """A config with its files in ``folder``."""
    text = (
        '[server]\nhostname = "mail.example.org"\ndata_dir = "data"\n'
        f'[[listener]]\nprotocol = "imap"\nport = {port}\n{more}'
    )
    return parse_config(text, folder / "folkmoot.toml")


def levels(findings: Iterable[Finding]) -> list[str]:
    """The levels; every problem comes with advice."""
    found = list(findings)
    assert all(one.advice for one in found if one.level != doctor.OK)
    return [one.level for one in found]


def test_the_data_folder_must_be_private(tmp_path: Path) -> None:
    """A missing folder and one that others can read are failures."""
    folder = tmp_path / "data"
    assert levels(doctor.data_folder(folder)) == ["fail"]
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    assert levels(doctor.data_folder(folder)) == ["fail"]
    folder.chmod(0o700)
    assert levels(doctor.data_folder(folder)) == ["ok"]


@pytest.mark.parametrize(("free", "level"), [(10**12, "ok"), (10**9, "warn"), (10**6, "fail")])
def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    """Little room warns before mail is refused; the folder need not exist yet."""
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert levels(doctor.disk(tmp_path / "not" / "there")) == [level]


def test_database(tmp_path: Path) -> None:
    """A database that is not there yet is news, one of this version is fine."""
    config = config_of(tmp_path)
    assert levels(doctor.database(config)) == ["warn"]
    (tmp_path / "data").mkdir()
    upgrade(config.database_url)
    assert levels(doctor.database(config)) == ["ok"]


def test_database_that_does_not_answer(tmp_path: Path) -> None:
    """An error inside a check is a finding, not the end of the report."""
    config = config_of(tmp_path, '[database]\nurl = "postgresql://x:y@127.0.0.1:1/none"\n')
    found = list(doctor.guarded("database", lambda: doctor.database(config)))
    assert found[0].level == "fail"


def certificate_of(
    folder: Path, name: str, begin: int, end: int, issuer: str | None = None
) -> Config:
    """A config with a certificate that is valid between two days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or name)]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now + datetime.timedelta(days=begin))
        .not_valid_after(now + datetime.timedelta(days=end, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "c.pem").write_bytes(made.public_bytes(pem))
    (folder / "k.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "k.pem").chmod(0o600)
    return config_of(folder, '[tls]\ncertificate = "c.pem"\nkey = "k.pem"\n')


@pytest.mark.parametrize(
    ("name", "begin", "end", "expected"),
    [
        ("mail.example.org", -1, 90, ["ok", "ok"]),
        ("*.example.org", -1, 90, ["ok", "ok"]),
        ("mail.example.org", -1, 5, ["warn", "ok"]),
        ("mail.example.org", -9, -2, ["fail", "ok"]),
        ("mail.example.org", 2, 90, ["fail", "ok"]),
        ("www.example.org", -1, 90, ["ok", "fail"]),
    ],
)
def test_certificate(tmp_path: Path, name: str, begin: int, end: int, expected: list[str]) -> None:
    """Dates and names are checked as clients check them."""
    config = certificate_of(tmp_path, name, begin, end, issuer="An authority")
    assert levels(doctor.certificate(config)) == expected


def test_certificate_files(tmp_path: Path) -> None:
    """None, one that does not load, a self-signed one and an open key are told apart."""
    assert levels(doctor.certificate(config_of(tmp_path))) == ["warn"]
    config = config_of(tmp_path, '[tls]\ncertificate = "c.pem"\nkey = "k.pem"\n')
    assert levels(doctor.certificate(config)) == ["fail"]
    write_self_signed(tmp_path / "c.pem", tmp_path / "k.pem", ["mail.example.org"])
    assert levels(doctor.certificate(config)) == ["ok", "ok", "warn"]
    (tmp_path / "k.pem").chmod(0o644)
    assert levels(doctor.certificate(config)) == ["ok", "ok", "warn", "fail"]


def test_ports(tmp_path: Path) -> None:
    """A port that answers or is free is fine; one that is taken but silent is not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert levels(doctor.ports(config_of(tmp_path, port=port))) == ["ok"]
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", port))
        assert levels(doctor.ports(config_of(tmp_path, port=port))) == ["fail"]
    assert levels(doctor.ports(config_of(tmp_path, port=port))) == ["ok"]


def test_open_doors_are_warned_of(tmp_path: Path) -> None:
    """Plaintext passwords and LMTP for everybody are allowed, but said."""
    more = (
        'address = "0.0.0.0"\nplaintext_logins = true\n'
        '[[listener]]\nprotocol = "lmtp"\naddress = "0.0.0.0"\nport = 0\n'
    )
    found = list(doctor.ports(config_of(tmp_path, more)))
    assert [one.level for one in found] == ["warn"] * 4


def test_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is years behind breaks TLS and mail dates."""
    assert levels(doctor.clock())[0] in ("ok", "warn")
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert levels(doctor.clock()) == ["fail"]


class FakeDns(Dns):
    """Answers from a table; None in it stands for a server that does not answer."""

    def __init__(self, table: dict[tuple[str, str], list[str]] | None) -> None:
        self.table = table

    def records(self, name: str, kind: str) -> list[str]:
        """The records in the table."""
        if self.table is None:
            raise dns.exception.Timeout
        return self.table.get((name, kind), [])


GOOD_DNS = {
    ("mail.example.org", "A"): ["9.9.9.9"],
    ("9.9.9.9.in-addr.arpa.", "PTR"): ["Mail.Example.org."],
    ("example.org", "MX"): ["10 mail.example.org."],
    ("example.org", "TXT"): ['"v=spf1 mx" " -all"', '"other"'],
    ("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=none"'],
    ("s1._domainkey.example.org", "TXT"): ['"v=DKIM1; p=AAAA"'],
}


def dns_levels(tmp_path: Path, table: Any) -> list[str]:
    """The levels of the DNS checks for one domain with DKIM."""
    more = '[[dkim]]\ndomain = "example.org"\nselector = "s1"\nkey = "k"\n'
    return levels(examine_dns(config_of(tmp_path, more), ["example.org"], FakeDns(table)))


def test_dns(tmp_path: Path) -> None:
    """Good records are good, and each missing one is found by itself."""
    assert dns_levels(tmp_path, GOOD_DNS) == ["ok"] * 5
    for missing, level in zip(
        GOOD_DNS, ["fail", "warn", "fail", "warn", "warn", "fail"], strict=True
    ):
        table = {name: value for name, value in GOOD_DNS.items() if name != missing}
        found = dns_levels(tmp_path, table)
        assert level in found, missing
        assert [one for one in found if one != "ok"] == [level], missing
    other = {**GOOD_DNS, ("example.org", "MX"): ["10 mx.example.net."]}
    assert dns_levels(tmp_path, other).count("warn") == 1


CLIENT_DNS = {
    ("_imaps._tcp.example.org", "SRV"): ["0 1 993 mail.example.org."],
    ("_submission._tcp.example.org", "SRV"): ["0 1 587 Mail.example.org."],
    ("_caldavs._tcp.example.org", "SRV"): ["5 1 8443 dav.example.org.", "0 1 443 other.test."],
    ("_carddavs._tcp.example.org", "SRV"): ["0 1 8443 dav.example.org."],
    ("autoconfig.example.org", "A"): ["9.9.9.9"],
    ("autodiscover.example.org", "AAAA"): ["2001:db8::1"],
}
CLIENTS = """
[clients]
imap = ["imaps://mail.example.org", "imaps://second.example.org"]
submission = ["smtp://mail.example.org:587"]
[http]
url = "https://dav.example.org:8443"
"""


def client_findings(folder: Path, table: dict[tuple[str, str], list[str]]) -> list[Finding]:
    """What is said of the records by which programs find settings."""
    found = examine_dns(config_of(folder, CLIENTS), ["example.org"], FakeDns(GOOD_DNS | table))
    return list(found)[4:]  # behind those of the host and of mail


def test_records_for_programs(tmp_path: Path) -> None:
    """Those that lead to the best servers are good; each that lacks is written out."""
    assert levels(client_findings(tmp_path, CLIENT_DNS)) == ["ok"] * 3
    for name, kind in CLIENT_DNS:
        table = {key: value for key, value in CLIENT_DNS.items() if key != (name, kind)}
        [wrong] = [one for one in client_findings(tmp_path, table) if one.level != "ok"]
        assert wrong.level == "warn"
        assert wrong.advice.startswith(f"Add: {name}. ")
    [wrong] = client_findings(
        tmp_path, CLIENT_DNS | {("_imaps._tcp.example.org", "SRV"): ["0 1 994 mail.example.org."]}
    )[:1]
    assert wrong.advice == "Add: _imaps._tcp.example.org. SRV 0 1 993 mail.example.org."


def test_outlook_may_be_led_by_srv(tmp_path: Path) -> None:
    """Then it needs no host of its own."""
    table = {key: value for key, value in CLIENT_DNS.items() if key[1] != "AAAA"}
    table["_autodiscover._tcp.example.org", "SRV"] = ["0 0 443 dav.example.org."]
    assert levels(client_findings(tmp_path, table)) == ["ok"] * 3


def test_no_dns_is_one_warning(tmp_path: Path) -> None:
    """A machine without DNS gets one line, not one for each record."""
    assert dns_levels(tmp_path, None) == ["warn"]
