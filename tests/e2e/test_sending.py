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
    for _ in range(50):
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


@pytest.mark.client("curl")
def test_curl_reads_what_was_sent(demo: Demo) -> None:
    """curl speaks IMAP as well: it lists mailboxes and searches."""
    done = demo.run(
        "curl", "-s", "-k", "--user", "alice@example.test:alice-demo",
        f"imaps://127.0.0.1:{demo.port(993)}/INBOX", "-X", "SEARCH ALL",
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith("* SEARCH")
