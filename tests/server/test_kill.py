"""kill -9 in the middle of a storm: what was acknowledged is there, nothing is half there."""

from __future__ import annotations

import hashlib
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from folkmoot.storage.upkeep import check
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.stores import open_store
from tests.server.cli import free_base, running

CONNECTIONS = 8
ROUNDS = 2


class Storm:
    """Connections that append for as long as the server lives, and note what it acknowledged."""

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._seed = seed
        # Mailbox and UID to digest, of messages whose APPEND was completed with OK.
        self.acknowledged: dict[tuple[str, int], str] = {}
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._append, args=(number,)) for number in range(CONNECTIONS)
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until every connection has noticed the end."""
        for thread in self._threads:
            thread.join(30)

    def _append(self, number: int) -> None:
        dice = random.Random(self._seed * 100 + number)
        mailbox = dice.choice(["INBOX", "Archive"])
        try:
            client = ImapClient("127.0.0.1", self._port)
            client.login("eve@example.test", "eve-demo")
            while True:
                # Now and then one that is larger than what lives in the database.
                size = 400_000 if dice.random() < 0.05 else dice.randrange(10, 5000)
                message = simple(f"{number}", body=f"{dice.random()}\r\n" + "x" * size)
                code = client.append(mailbox, message).code
                uid = int(code.split()[-1])
                with self._lock:
                    digest = hashlib.sha256(message).hexdigest()
                    self.acknowledged[mailbox, uid] = digest
        except (OSError, EOFError):
            return


@pytest.mark.slow
def test_kill_in_a_storm_of_appends(tmp_path: Path) -> None:
    """Every APPEND that was answered OK survives kill -9 octet for octet, under its UID."""
    data, base = tmp_path / "data", free_base(143, 993, 587, 465, 24, 80, 443)
    demo = ("demo", "--data", data, "--base-port", base)
    acknowledged: dict[tuple[str, int], str] = {}
    dice = random.Random(4711)
    for round_ in range(ROUNDS):
        with running(tmp_path / f"output{round_}", *demo) as server:
            server.wait_for("ready")
            storm = Storm(base + 143, round_)
            time.sleep(1.0 + dice.random())
            server.process.send_signal(signal.SIGKILL)
            storm.join()
        assert len(storm.acknowledged) > 50, "the storm was none"
        acknowledged |= storm.acknowledged
    with running(tmp_path / "output", *demo) as server:
        server.wait_for("ready")
        compare(base + 143, acknowledged)
        assert server.stop() == 0
    store = open_store(f"sqlite:///{data / 'folkmoot.db'}", data)
    findings = check(store, deep=True)
    store.close()
    assert not findings


def compare(port: int, acknowledged: dict[tuple[str, int], str]) -> None:
    """Every acknowledged message is there octet for octet."""
    client = ImapClient("127.0.0.1", port)
    client.login("eve@example.test", "eve-demo")
    for mailbox in ("INBOX", "Archive"):
        client.ok(f"SELECT {mailbox}")
        for (where, uid), digest in acknowledged.items():
            if where == mailbox:
                [line] = client.ok(f"UID FETCH {uid} BODY.PEEK[]").matching("FETCH")
                body = line.partition(b"}\r\n")[2].removesuffix(b")")
                assert hashlib.sha256(body).hexdigest() == digest, (mailbox, uid)
    client.close()
