"""NeoMutt in a terminal: a person reads a message, files it, and answers."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from pathlib import Path

import imapclient
import pytest

from tests.e2e.conftest import Demo
from tests.e2e.test_sending import inbox_subjects

pytestmark = [pytest.mark.e2e, pytest.mark.client("NeoMutt")]

CONFIG = """
set folder = "imap://dave@example.test@localhost:{imap}/"
set spool_file = "+INBOX"
set imap_user = "dave@example.test"
set imap_pass = "dave-demo"
set smtp_url = "smtp://dave@example.test@localhost:{submission}/"
set smtp_pass = "dave-demo"
set from = "dave@example.test"
set certificate_file = "{certificate}"
set ssl_verify_host = no
set ssl_starttls = yes
set ssl_force_tls = yes
set record = "+Sent"
set postponed = "+Drafts"
set header_cache = ""
set confirm_append = no
set confirm_create = no
set move = no
set quit = yes
set delete = yes
set wait_key = no
set editor = "true"
set sendmail_wait = 0
set copy = yes
set abort_unmodified = no
set include = yes
set fast_reply = yes
set imap_check_subscribed = yes
set sleep_time = 0
"""


def neomutt(config: Path, push: str, seconds: float = 60.0) -> str:
    """Run NeoMutt in a terminal with keys to press; returns what it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", HOME=str(config.parent), LINES="40", COLUMNS="120")
        os.execvp("neomutt", ["neomutt", "-F", str(config), "-e", f'push "{push}"'])
    shown = b""
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            readable, _, _ = select.select([terminal], [], [], 0.5)
            if readable:
                try:
                    shown += os.read(terminal, 65536)
                except OSError:
                    break
            if os.waitpid(pid, os.WNOHANG)[0]:
                pid = 0
                break
    finally:
        if pid:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
        os.close(terminal)
    return shown.decode("utf-8", "replace")


@pytest.fixture
def config(demo: Demo, tmp_path: Path) -> Path:
    """A configuration for dave with the server's certificate accepted."""
    certificate = tmp_path / "server.pem"
    certificate.write_text(demo.certificate)
    file = tmp_path / "neomuttrc"
    file.write_text(
        CONFIG.format(imap=demo.port(143), submission=demo.port(587), certificate=certificate)
    )
    return file


def test_read_file_and_answer(demo: Demo, config: Path, tmp_path: Path) -> None:
    """A message comes in; NeoMutt saves its text, moves it to Archive, and sends an answer."""
    imap = imapclient.IMAPClient("127.0.0.1", demo.port(143), ssl=False)
    imap.login("dave@example.test", "dave-demo")
    imap.select_folder("INBOX")
    if uids := imap.search():
        imap.delete_messages(uids)
        imap.expunge()
    imap.append(
        "INBOX",
        b"From: alice@example.test\r\nTo: dave@example.test\r\nSubject: Rehearsal\r\n"
        b"Message-ID: <rehearsal@example.test>\r\n\r\nAt seven, bring the scores.\r\n",
    )
    copy = tmp_path / "copy.mbox"
    shown = neomutt(
        config,
        f"<first-entry><copy-message><kill-line>{copy}<enter><reply><send-message>"
        "<save-message><kill-line>=Archive<enter><sync-mailbox><quit>",
    )
    assert copy.exists(), shown
    assert "At seven, bring the scores." in copy.read_text(), shown
    assert "Re: Rehearsal" in inbox_subjects(demo, "alice", "Re: Rehearsal"), shown
    imap.select_folder("Archive")
    assert imap.search(["SUBJECT", "Rehearsal"]), shown
    imap.select_folder("Sent")
    assert imap.search(["SUBJECT", "Re: Rehearsal"]), shown
    imap.select_folder("INBOX")
    assert not imap.search(), shown
