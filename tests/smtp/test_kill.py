"""kill -9 in the middle of deliveries and submissions: what was acknowledged is there."""

from __future__ import annotations

import signal
import smtplib
import threading
from pathlib import Path

import pytest

from folkmoot.storage.types import Actor
from folkmoot.storage.upkeep import check
from folkmoot.storage.views.queue import ListQueue
from tests.kit.imap import ImapClient
from tests.kit.stores import open_store
from tests.server.cli import eventually, free_base, running

CONNECTIONS = 4


class Storm:
    """Connections that hand in mail for as long as the server lives; notes what it took."""

    def __init__(self, base: int) -> None:
        self._base = base
        self.delivered: list[str] = []
        self.queued: list[str] = []
        self._threads = [
            threading.Thread(target=self._send, args=(number,)) for number in range(CONNECTIONS)
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until every connection has noticed the end."""
        for thread in self._threads:
            thread.join(30)

    def _send(self, connection: int) -> None:
        number = 0
        try:
            lmtp = smtplib.LMTP("127.0.0.1", self._base + 24, timeout=20)
            smtp = smtplib.SMTP("127.0.0.1", self._base + 587, timeout=20)
            smtp.login("alice@example.test", "alice-demo")
            while True:
                number += 1
                name = f"<{connection}.{number}@storm.test>"
                # Now and then one that is larger than what lives in the database.
                body = "x" * 70 + "\r\n"
                body *= 6000 if number % 20 == 0 else 10
                text = f"From: alice@example.test\r\nMessage-ID: {name}\r\n\r\n{body}"
                if number % 3:
                    lmtp.sendmail("a@example.org", ["bob@example.test"], text)
                else:
                    elsewhere = f"{connection}-{number}@example.org"
                    smtp.sendmail("alice@example.test", ["bob@example.test", elsewhere], text)
                    self.queued.append(elsewhere)
                self.delivered.append(name)
        except (OSError, smtplib.SMTPException):
            return


@pytest.mark.slow
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """Messages and queued recipients that were acknowledged survive, each exactly once."""
    data, base = tmp_path / "data", free_base(143, 993, 587, 465, 24, 80, 443)
    demo = ("demo", "--data", data, "--base-port", base)
    with running(tmp_path / "first", *demo) as server:
        server.wait_for("ready")
        storm = Storm(base)
        eventually(lambda: len(storm.delivered) > 200)
        server.process.send_signal(signal.SIGKILL)
        storm.join()
    with running(tmp_path / "second", *demo) as server:
        server.wait_for("ready")
        client = ImapClient("127.0.0.1", base + 143)
        client.login("bob@example.test", "bob-demo")
        client.ok("SELECT INBOX")
        lines = b"".join(client.ok("FETCH 1:* BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]").lines)
        client.close()
        assert server.stop() == 0
    assert len(storm.queued) > 10, "the storm was none"
    assert all(lines.count(name.encode()) == 1 for name in storm.delivered)
    store = open_store(f"sqlite:///{data / 'folkmoot.db'}", data)
    system = Actor.system("test")
    waiting = [
        one.recipient.address
        for entry in store.call_read(system, "t", lambda txn: txn.view(ListQueue(100_000)))
        for one in entry.recipients
    ]
    findings = check(store, deep=True)
    store.close()
    assert set(storm.queued) <= set(waiting)
    assert len(waiting) == len(set(waiting))
    assert not findings
