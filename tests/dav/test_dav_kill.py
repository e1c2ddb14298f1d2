"""kill -9 in a storm of PUTs: what was acknowledged is there, and nothing is half there."""

from __future__ import annotations

import http.client
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from folkmoot.storage.upkeep import check
from tests.dav.calendars import calendar, event
from tests.kit.dav import HOME
from tests.kit.http import basic
from tests.kit.ports import free_base
from tests.kit.stores import open_store
from tests.kit.waiting import until
from tests.server.cli import running

CONNECTIONS = 8
ROUNDS = 2
LOGIN = {"Authorization": basic("eve@example.test", "eve-demo")}
LEAST = 200  # requests that are answered before a crash
LARGE = 400_000  # octets: more than what lives in the database


class Storm:
    """Connections that write for as long as the server lives, and note what it acknowledged.

    Each has names of its own, so the last answer for a name says what must be there: octets, or
    None where it was removed. What had no answer yet may have happened or not.
    """

    def __init__(self, port: int, calendar_home: str, round_: int) -> None:
        self._port = port
        self._home = calendar_home
        self._round = round_
        self.count = 0
        self.known: dict[str, bytes | None] = {}
        self.unknown: dict[str, bytes | None] = {}
        self._threads = [
            threading.Thread(target=self._write, args=(number,)) for number in range(CONNECTIONS)
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until every connection has noticed the end."""
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()

    def _write(self, number: int) -> None:
        dice = random.Random(self._round * 100 + number)
        client = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            while True:
                name = f"r{self._round}-{number}-{dice.randrange(40)}"
                if dice.random() < 0.5:
                    path, body = f"{self._home}{name}.ics", _event(name, dice)
                else:
                    size = LARGE if dice.random() < 0.05 else dice.randrange(10, 5_000)
                    path, body = f"{HOME}{name}.bin", dice.randbytes(size)
                removes = dice.random() < 0.1 and self.known.get(path) is not None
                self.unknown[path] = None if removes else body
                if removes:
                    client.request("DELETE", path, headers=LOGIN)
                else:
                    client.request("PUT", path, body, LOGIN)
                answer = client.getresponse()
                answer.read()
                assert answer.status in (201, 204), answer.status
                self.known[path] = self.unknown.pop(path)
                self.count += 1
        except (OSError, http.client.HTTPException):
            client.close()


def _event(uid: str, dice: random.Random) -> bytes:
    lines = ("DTSTART:20270104T100000Z", f"SUMMARY:{dice.random()}", "RRULE:FREQ=WEEKLY;COUNT=9")
    return calendar(event(*lines, uid=uid))


@pytest.mark.slow
def test_kill_in_a_storm_of_puts(tmp_path: Path) -> None:
    """Every PUT and DELETE that was answered survives kill -9, and ``check`` finds nothing."""
    data, base = tmp_path / "data", free_base(143, 993, 587, 465, 24, 80, 443)
    demo = ("demo", "--data", data, "--base-port", base)
    known: dict[str, bytes | None] = {}
    unknown: dict[str, bytes | None] = {}
    dice = random.Random(4711)
    for round_ in range(ROUNDS):
        with running(tmp_path / f"output{round_}", *demo) as server:
            server.wait_for("ready")
            storm = Storm(base + 80, _calendar_of(base + 80), round_)
            until(lambda storm=storm: storm.count > LEAST)  # type: ignore[misc]
            time.sleep(dice.random())
            server.process.send_signal(signal.SIGKILL)
            storm.join()
        known |= storm.known
        unknown |= storm.unknown
    with running(tmp_path / "output", *demo) as server:
        server.wait_for("ready")
        compare(base + 80, known, unknown)
        assert server.stop() == 0
    store = open_store(f"sqlite:///{data / 'folkmoot.db'}", data)
    findings = check(store, deep=True)
    store.close()
    assert not findings


def _calendar_of(port: int) -> str:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = '<D:propfind xmlns:D="DAV:"><D:prop><D:current-user-principal/></D:prop></D:propfind>'
    client.request("PROPFIND", "/dav/", body, {**LOGIN, "Depth": "0"})
    text = client.getresponse().read().decode()
    client.close()
    number = text.partition("/dav/principals/users/")[2].partition("/")[0]
    return f"/dav/calendars/{number}/Calendar/"


def compare(port: int, known: dict[str, bytes | None], unknown: dict[str, bytes | None]) -> None:
    """What was answered is there octet for octet; of what was not, all or nothing."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for path in known.keys() | unknown.keys():
        client.request("GET", path, headers=LOGIN)
        answer = client.getresponse()
        octets = answer.read()
        assert answer.status in (200, 404), (path, answer.status)
        found = octets if answer.status == 200 else None
        allowed = [known.get(path), unknown[path]] if path in unknown else [known[path]]
        assert found in allowed, path
    client.close()
