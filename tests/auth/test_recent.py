"""Login records that are remembered for a moment: nothing is known longer than it holds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from folkmoot.auth import recent
from folkmoot.auth.recent import LIFETIME, RecentRecords
from folkmoot.storage.bus.local import Bus
from folkmoot.storage.types import Account, AccountState, Hint, LoginRecord, Topic
from folkmoot.storage.views.accounts import ReadLoginRecord
from tests.auth.support import Clock
from tests.kit import reactor
from tests.kit.dav import Dav
from tests.kit.server import TestServer


def record(number: int) -> LoginRecord:
    """What is known of an account."""
    name, now = f"person{number}@example.test", datetime.now(UTC)
    account = Account(number, number, name, "", AccountState.ACTIVE, "free", False, now, now)
    return LoginRecord(account, 1, [], None)


class World:
    """Records, a clock and a bus of which all hints arrive at once."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.bus = Bus(lambda call: call())
        self.records = RecentRecords(self.bus, self.clock)

    def put(self, number: int) -> None:
        """Read and remember one."""
        self.records.put(f"name{number}", record(number), self.bus.mark())

    def known(self, number: int) -> bool:
        """Whether one is remembered."""
        found = self.records.get(f"name{number}")
        assert found is None or found.account.id == number
        return found is not None


def test_a_changed_account_is_forgotten() -> None:
    """That one, and no other; all of them where it is not known what changed."""
    world = World()
    world.put(1)
    world.put(2)
    world.bus.publish([Hint(Topic.ACCOUNT, 1)])
    assert (world.known(1), world.known(2)) == (False, True)
    world.put(1)
    world.bus.publish([Hint(Topic.ALL, 0)])
    assert (world.known(1), world.known(2)) == (False, False)
    assert world.bus.watched(Topic.ACCOUNT) == []


def test_what_changed_while_it_was_read_is_not_kept() -> None:
    """The hint came before anybody listened."""
    world = World()
    mark = world.bus.mark()
    world.bus.publish([Hint(Topic.ACCOUNT, 1)])
    world.records.put("name1", record(1), mark)
    assert not world.known(1)


def test_records_get_old_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither time nor many people let them pile up, nor what listens for their changes."""
    monkeypatch.setattr(recent, "SIZE", 3)
    world = World()
    for number in range(1, 5):
        world.put(number)
        world.put(number)
    assert [world.known(number) for number in range(1, 5)] == [False, True, True, True]
    world.clock.now += LIFETIME
    assert not any(world.known(number) for number in range(1, 5))
    assert world.bus.watched(Topic.ACCOUNT) == []


def test_requests_in_a_row_read_the_account_once(
    server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a device whose password stays good does not notice that another one's was revoked."""
    dav, read, seen = Dav(server), ReadLoginRecord.read, []

    def note(self: ReadLoginRecord, context: object) -> LoginRecord | None:
        seen.append(self.address)
        return read(self, context)  # type: ignore[arg-type]

    monkeypatch.setattr(ReadLoginRecord, "read", note)
    address = dav.account.address
    assert {dav.call("PROPFIND", "", Depth="0").status for _ in range(5)} == {207}
    assert seen.count(address) == 2  # the first request has noted the use of the account
    reactor.call(lambda: server.accounts.add_app_password(address, "telephone"))
    assert dav.call("PROPFIND", "", Depth="0").status == 207
    reactor.call(lambda: server.accounts.revoke_app_password(address, "telephone"))
    assert dav.call("PROPFIND", "", Depth="0").status == 207
    assert seen.count(address) == 3
    reactor.call(lambda: server.accounts.set_password(address, "another one"))
    assert dav.call("PROPFIND", "", Depth="0").status == 401
