"""Programs that take mail away: getmail into files, fetchmail on to LMTP."""

from __future__ import annotations

import email
import email.policy
import os
from collections.abc import Iterator
from pathlib import Path

import imapclient
import pytest

from tests.e2e.conftest import Demo
from tests.e2e.test_sending import inbox_subjects

pytestmark = pytest.mark.e2e

GETMAIL = """
[retriever]
type = SimpleIMAPSSLRetriever
server = localhost
port = {port}
username = eve@example.test
password = eve-demo
mailboxes = ("Getmail",)
ca_certs = {certificate}

[destination]
type = MDA_external
path = {script}
arguments = ("{files}",)
unixfrom = false
# Its other destinations refuse to write for root.
allow_root_commands = true

[options]
delete = {delete}
read_all = false
delivered_to = false
received = false
"""

SCRIPT = """#!/bin/sh
exec cat > "$1/$$"
"""

FETCHMAIL = """
poll localhost service {imap} protocol imap:
  user "eve@example.test" there with password "eve-demo" is "bob@example.test" here
  folder "Fetchmail"
  ssl sslcertfile "{certificate}" sslcertck
  lmtp smtphost "127.0.0.1/{lmtp}" smtpname "bob@example.test"
  no keep
"""


@pytest.fixture
def imap(demo: Demo) -> Iterator[imapclient.IMAPClient]:
    """The account that mail is taken from, by another client."""
    with imapclient.IMAPClient("127.0.0.1", demo.port(143), ssl=False) as client:
        client.login("eve@example.test", "eve-demo")
        yield client


@pytest.fixture
def certificate(demo: Demo, tmp_path: Path) -> Path:
    """The server's certificate in a file."""
    file = tmp_path / "server.pem"
    file.write_text(demo.certificate)
    return file


def message(subject: str, body: str = "Text.\r\n") -> bytes:
    """A small message."""
    return (
        f"From: alice@example.test\r\nTo: eve@example.test\r\nSubject: {subject}\r\n"
        f"Message-ID: <{subject.replace(' ', '.')}@fetch.example.test>\r\n\r\n{body}"
    ).encode()


def essence(octets: bytes) -> tuple[str, str]:
    """Id and text of a message, to which programs add fields, and whose line ends they change."""
    parsed = email.message_from_bytes(octets, policy=email.policy.default)
    return str(parsed["Message-ID"]), parsed.get_content().replace("\r\n", "\n").rstrip("\n")


def left(imap: imapclient.IMAPClient, mailbox: str) -> int:
    """How many messages the server has."""
    count = imap.folder_status(mailbox, ["MESSAGES"])[b"MESSAGES"]
    assert isinstance(count, int)
    return count


@pytest.mark.client("getmail")
def test_getmail(
    demo: Demo, imap: imapclient.IMAPClient, certificate: Path, tmp_path: Path
) -> None:
    """Each message comes whole and once; then the program deletes what it has."""
    imap.create_folder("Getmail")
    sent = [message(f"getmail {number}", "Line.\r\n" * number * 100) for number in range(12)]
    for one in sent:
        imap.append("Getmail", one)
    files = tmp_path / "files"
    files.mkdir()
    script = tmp_path / "deliver"
    script.write_text(SCRIPT)
    script.chmod(0o700)
    config = tmp_path / "getmailrc"

    def run(*, delete: bool) -> list[bytes]:
        config.write_text(
            GETMAIL.format(
                port=demo.port(993),
                certificate=certificate,
                script=script,
                files=files,
                delete=delete,
            )
        )
        done = demo.run("getmail", "--getmaildir", tmp_path, "--rcfile", config)
        assert done.returncode == 0, done.stdout + done.stderr
        return [file.read_bytes() for file in files.iterdir()]

    first = run(delete=False)
    assert sorted(map(essence, first)) == sorted(map(essence, sent))
    imap.append("Getmail", message("getmail later"))
    assert len(run(delete=False)) == len(sent) + 1
    assert left(imap, "Getmail") == len(sent) + 1
    imap.append("Getmail", message("getmail last"))
    assert len(run(delete=True)) == len(sent) + 2
    assert left(imap, "Getmail") == 0


@pytest.mark.client("fetchmail")
def test_fetchmail_hands_on_by_lmtp(
    demo: Demo, imap: imapclient.IMAPClient, certificate: Path, tmp_path: Path
) -> None:
    """Mail goes from one account over IMAP and LMTP to another one, and is gone from the first."""
    imap.create_folder("Fetchmail")
    names = [f"fetchmail {number}" for number in range(5)]
    for name in names:
        imap.append("Fetchmail", message(name))
    config = tmp_path / "fetchmailrc"
    config.touch(0o600)
    config.write_text(
        FETCHMAIL.format(imap=demo.port(993), lmtp=demo.port(24), certificate=certificate)
    )
    environment = os.environ | {"HOME": str(tmp_path), "FETCHMAILHOME": str(tmp_path)}
    command = ("fetchmail", "--verbose", "--fetchmailrc", config, "--nosyslog")
    done = demo.run(*command, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(names) <= set(inbox_subjects(demo, "bob", names[-1]))
    assert left(imap, "Fetchmail") == 0
    # 1: there was no mail
    assert demo.run(*command, env=environment).returncode == 1

    bob = imapclient.IMAPClient("127.0.0.1", demo.port(143), ssl=False)
    bob.login("bob@example.test", "bob-demo")
    bob.select_folder("INBOX", readonly=True)
    [uid] = bob.search(["SUBJECT", names[0]])
    got = email.message_from_bytes(
        bob.fetch(uid, ["BODY.PEEK[]"])[uid][b"BODY[]"], policy=email.policy.default
    )
    assert got["Message-ID"] == "<fetchmail.0@fetch.example.test>"
    assert got.get_content().strip() == "Text."
    bob.logout()
