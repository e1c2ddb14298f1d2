"""Real submission clients: swaks and msmtp, over STARTTLS and implicit TLS, with AUTH."""

from __future__ import annotations

import time
from pathlib import Path

import imapclient
import pytest

from tests.e2e.conftest import Demo

pytestmark = pytest.mark.e2e


def inbox_subjects(demo: Demo, name: str, wanted: str) -> list[str]:
    """Subjects in a demo account's INBOX, once the wanted one is among them (or after a while)."""
    client = imapclient.IMAPClient("127.0.0.1", demo.port(143), ssl=False)
    client.login(f"{name}@example.test", f"{name}-demo")
    subjects: list[str] = []
    for _ in range(600):
        client.select_folder("INBOX", readonly=True)
        rows = client.fetch(client.search(), ["ENVELOPE"]).values()
        subjects = [(row[b"ENVELOPE"].subject or b"").decode() for row in rows]
        if wanted in subjects:
            break
        time.sleep(0.1)
    client.logout()
    return subjects


@pytest.mark.client("swaks")
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_submits_with_starttls(demo: Demo, mechanism: str) -> None:
    """A message over STARTTLS and AUTH arrives in a colleague's INBOX."""
    subject = f"swaks {mechanism}"
    done = demo.run(
        "swaks", "--server", "127.0.0.1", "--port", str(demo.port(587)), "--tls",
        "--auth", mechanism, "--auth-user", "alice@example.test", "--auth-password", "alice-demo",
        "--from", "alice@example.test", "--to", "bob@example.test",
        "--header", f"Subject: {subject}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert subject in inbox_subjects(demo, "bob", subject)


@pytest.mark.client("swaks")
def test_swaks_may_not_send_as_somebody_else(demo: Demo) -> None:
    """MAIL FROM of another account is refused with a permanent code."""
    done = demo.run(
        "swaks", "--server", "127.0.0.1", "--port", str(demo.port(465)), "--tlsc",
        "--auth", "PLAIN", "--auth-user", "alice@example.test", "--auth-password", "alice-demo",
        "--from", "bob@example.test", "--to", "carol@example.test",
    )  # fmt: skip
    assert done.returncode != 0
    assert "<~* 550 5.7.1" in done.stdout, done.stdout


@pytest.mark.client("swaks")
def test_swaks_delivers_by_lmtp(demo: Demo) -> None:
    """An MTA in front hands a message over by LMTP, with an answer for each recipient."""
    done = demo.run(
        "swaks", "--protocol", "LMTP", "--server", "127.0.0.1", "--port", str(demo.port(24)),
        "--from", "outside@example.org", "--to", "bob@example.test,nobody@example.test",
        "--header", "Subject: by lmtp",
    )  # fmt: skip
    assert "550" in done.stdout, done.stdout
    assert "by lmtp" in inbox_subjects(demo, "bob", "by lmtp")


@pytest.mark.client("msmtp")
def test_msmtp_submits_with_starttls(demo: Demo, tmp_path: Path) -> None:
    """msmtp checks the certificate, signs in with SCRAM and sends."""
    certificate = tmp_path / "server.pem"
    certificate.write_text(demo.certificate)
    config = tmp_path / "msmtprc"
    config.write_text(
        f"account demo\nhost localhost\nport {demo.port(587)}\ntls on\ntls_starttls on\n"
        f"tls_trust_file {certificate}\nauth scram-sha-256\nuser bob@example.test\n"
        "password bob-demo\nfrom bob@example.test\n"
    )
    config.chmod(0o600)
    message = "From: bob@example.test\nTo: alice@example.test\nSubject: by msmtp\n\nHello.\n"
    done = demo.run("msmtp", "-C", config, "-a", "demo", "alice@example.test", stdin=message)
    assert done.returncode == 0, done.stderr
    assert "by msmtp" in inbox_subjects(demo, "alice", "by msmtp")


@pytest.mark.client("msmtp")
def test_msmtp_over_tls(demo: Demo, tmp_path: Path) -> None:
    """What the server offers; recipients of the header, Bcc too, with PLAIN and LOGIN; forgery."""
    (tmp_path / "server.pem").write_text(demo.certificate)
    config = tmp_path / "msmtprc"
    config.write_text(
        f"account demo\nhost localhost\nport {demo.port(465)}\ntls on\ntls_starttls off\n"
        f"tls_trust_file {tmp_path}/server.pem\nuser bob@example.test\npassword bob-demo\n"
        "from bob@example.test\nauth plain\n"
    )
    config.chmod(0o600)
    offered = demo.run("msmtp", "-C", config, "-a", "demo", "--serverinfo").stdout
    assert all(word in offered for word in ("SIZE", "PIPELINING", "DSN", "SCRAM-SHA-256"))
    for mechanism in ("plain", "login"):
        subject = f"msmtp {mechanism} grüße"
        letter = (
            "From: Bob <bob@example.test>\nTo: alice@example.test\nBcc: dave@example.test\n"
            f"Subject: {subject}\n\nOne.\n.\n..two\n"
        )
        words = ("-C", config, "-a", "demo", f"--auth={mechanism}", "-t", "--dsn-notify=never")
        done = demo.run("msmtp", *words, stdin=letter)
        assert done.returncode == 0, done.stderr
        for who in ("alice", "dave"):
            client = imapclient.IMAPClient("127.0.0.1", demo.port(143), ssl=False)
            client.login(f"{who}@example.test", f"{who}-demo")
            body = wait_for(client, f"msmtp {mechanism}")
            assert body.partition(b"\r\n\r\n")[2] == b"One.\r\n.\r\n..two\r\n"
            assert b"Bcc" not in body
            client.logout()
    words = ("-C", config, "-a", "demo", "-f", "alice@example.test", "dave@example.test")
    forged = demo.run("msmtp", *words, stdin="Subject: forged\n\nx\n")
    assert forged.returncode == 65
    assert "550 5.7.1" in forged.stderr


def wait_for(client: imapclient.IMAPClient, subject: str) -> bytes:
    """The message with a subject, once it is in INBOX."""
    for _ in range(600):
        client.select_folder("INBOX", readonly=True)
        if found := client.search(["SUBJECT", subject]):
            row = client.fetch(found[-1:], ["BODY.PEEK[]"])[found[-1]]
            octets: bytes = row[b"BODY[]"]
            return octets
        time.sleep(0.1)
    raise AssertionError(f"{subject} does not come")


@pytest.mark.client("curl")
def test_curl_sends_and_reads(demo: Demo, tmp_path: Path) -> None:
    """A message in parts by submission; mailboxes listed, searched, read in parts, filled."""
    base = ("curl", "-sS", "-k", "-u", "alice@example.test:alice-demo")
    (tmp_path / "note.txt").write_text("a note")
    sent = demo.run(
        *base, "--ssl-reqd", "--url", f"smtp://127.0.0.1:{demo.port(587)}",
        "--mail-from", "alice@example.test", "--mail-rcpt", "alice@example.test",
        "--mail-rcpt", "bob@example.test", "-H", "From: alice@example.test",
        "-H", "Subject: by curl", "-F", "=(;type=multipart/alternative", "-F", "=plain text",
        "-F", "=hyper text;type=text/html", "-F", "=)",
        "-F", f"=@{tmp_path}/note.txt;encoder=base64",
    )  # fmt: skip
    assert sent.returncode == 0, sent.stderr
    assert "by curl" in inbox_subjects(demo, "bob", "by curl")
    assert "by curl" in inbox_subjects(demo, "alice", "by curl")

    def imap(path: str, *words: str | Path) -> str:
        done = demo.run(*base, f"imaps://127.0.0.1:{demo.port(993)}/{path}", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert '* LIST (\\HasNoChildren \\Drafts) "/" Drafts' in imap("")
    found = imap("INBOX?SUBJECT%20%22by%20curl%22").split()
    assert found[:2] == ["*", "SEARCH"]
    assert "plain text" in imap(f"INBOX;MAILINDEX={found[-1]};SECTION=1.1")
    assert "hyper text" in imap(f"INBOX;MAILINDEX={found[-1]};SECTION=1.2")
    letter = tmp_path / "letter"
    letter.write_text("Subject: put by curl\r\n\r\nx\r\n")
    imap("Drafts", "-T", letter)
    assert "EXISTS" in imap("", "-X", "EXAMINE Drafts")
    last = imap("Drafts?SUBJECT%20%22put%20by%22").split()[-1]
    assert "Subject: put by curl" in imap(f"Drafts;MAILINDEX={last};SECTION=HEADER")
