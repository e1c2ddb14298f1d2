"""The daily job in a server that runs, and that every protocol counts as a use."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from folkmoot.server import daily
from folkmoot.server.daily import Daily
from folkmoot.server.presence import Presence
from folkmoot.server.selfsigned import write_self_signed
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import Unavailable
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor
from folkmoot.storage.views.accounts import FindAccount
from tests.kit.databases import Databases
from tests.kit.http import HttpClient
from tests.kit.stores import open_store
from tests.kit.waiting import until
from tests.quota.office import ADA, DAY, OFFICE, Town
from tests.server.test_wiring import Site, make_config, running

ADA_ORG = "ada@example.org"


@pytest.fixture
def town(databases: Databases, tmp_path: Path) -> Iterator[Town]:
    """A store with one person."""
    store = open_store(databases.fresh("sqlite"), tmp_path)
    town = Town(store)
    town.person()
    yield town
    store.close()


def _run(town: Town, done: Callable[[], bool], **options: Any) -> None:
    """Let the job run until something is true."""

    async def run() -> None:
        paid = options.pop("paid", lambda: None)
        job = Daily(town.store, lambda: town.offers, OFFICE, clock=lambda: town.now, **options)
        job.start()
        await asyncio.sleep(0)
        paid()
        async with asyncio.timeout(60):
            while not done():
                await asyncio.sleep(0.01)
        await job.stop()

    asyncio.run(run())


def test_it_warns_renews_and_sends_receipts(town: Town) -> None:
    """All parts in one round."""
    town.person("bob@example.test", "pro")
    town.credit(1200)
    town.now += 190 * DAY
    town.pay(1, ADA)
    _run(town, lambda: len(_queued(town)) == 2, first=0.0, every=60.0)
    assert sorted(_queued(town)) == [
        "Receipt 2026-000001",
        "Your account ada@example.test will be disabled on 2026-08-09",
    ]
    assert town.facts("bob@example.test").paid_until is not None


def _queued(town: Town) -> list[str]:
    town._read = 0
    return [str(mail["Subject"]) for mail in town.mail()]


def test_a_payment_wakes_it(town: Town) -> None:
    """The receipt does not wait for the next round, and nothing else is done then."""
    town.now += 190 * DAY
    _run(
        town,
        lambda: len(_queued(town)) == 1,
        first=3600.0,
        paid=lambda: town.pay(1, ADA),
    )
    assert _queued(town) == ["Receipt 2026-000001"]


@pytest.mark.parametrize("error", [Unavailable(), OSError(28, "full"), ValueError("a bug")])
def test_one_part_that_fails_stops_no_other(
    town: Town, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Unused accounts are looked after though renewals fail, round after round."""
    rounds: list[str] = []

    def fail(*_: object) -> None:
        rounds.append("renew")
        raise error

    monkeypatch.setattr(daily, "renew", fail)
    town.now += 190 * DAY
    _run(town, lambda: len(rounds) >= 3 and len(_queued(town)) == 1, first=0.0, every=0.01)


def test_open_sessions_are_a_use(town: Town) -> None:
    """A telephone that has been connected for months: the use is noted, once a day."""
    long_ago = 1_000_000
    town.sql("UPDATE accounts SET last_used = :t", t=long_ago)
    town.person("bob@example.test")
    rounds: list[int] = []

    def used() -> tuple[int, ...]:
        rounds.append(1)
        return (town.facts().id,)

    asyncio.run(_looks(town, used, rounds))
    assert town.facts("bob@example.test").last_used is None
    noted = town.facts().last_used
    assert noted is not None
    assert noted > long_ago
    town.sql("UPDATE accounts SET last_used = :t", t=noted - 100)
    asyncio.run(_looks(town, used, rounds))
    assert town.facts().last_used == noted - 100


async def _looks(town: Town, used: Callable[[], tuple[int, ...]], rounds: list[int]) -> None:
    rounds.clear()
    job = Presence(town.store, used, first=0.0, every=0.01)
    job.start()
    async with asyncio.timeout(60):
        while len(rounds) < 3:
            await asyncio.sleep(0.01)
    await job.stop()


# --- a whole server --------------------------------------------------------------------------


@pytest.fixture
def whole(databases: Databases, tmp_path: Path) -> Iterator[Site]:
    """A server that runs."""
    write_self_signed(tmp_path / "certificate.pem", tmp_path / "key.pem", ["localhost"])
    with running(make_config(tmp_path, databases.fresh("sqlite")), tmp_path) as site:
        yield site


def _last_used(store: Store) -> datetime | None:
    view = FindAccount(ADA_ORG)
    return store.call_read(Actor.system("test"), "test", lambda txn: txn.view(view)).last_used


def _forget(store: Store) -> None:
    """As if the last use were years ago."""
    old = Statement("UPDATE accounts SET last_used = 1000000")
    store.call(Actor.system("test"), "test", lambda txn: txn._context.db.run(old))


def _recent(site: Site) -> bool:
    used = _last_used(site.server.core.store)
    return used is not None and (datetime.now(UTC) - used).total_seconds() < 60


def _by_imap(site: Site) -> None:
    site.imap().logout()


def _by_submission(site: Site) -> None:
    port = site.port("submission", "implicit")
    with smtplib.SMTP_SSL("localhost", port, context=site.context()) as client:
        client.login(ADA_ORG, "correct horse")


def _by_dav(site: Site) -> None:
    with HttpClient(site.port("http", "none"), (ADA_ORG, "correct horse")) as client:
        assert client.request("PROPFIND", "/dav/", [("Depth", "0")]).status == 207


@pytest.mark.parametrize("use", [_by_imap, _by_submission, _by_dav])
def test_every_protocol_is_a_use(whole: Site, use: Callable[[Site], None]) -> None:
    """The first login, and one whose password is still remembered, years later."""
    use(whole)
    assert _recent(whole)
    _forget(whole.server.core.store)
    assert not _recent(whole)
    use(whole)
    until(lambda: _recent(whole))


def test_a_session_that_stays_open(whole: Site) -> None:
    """A whole server knows whose sessions are open."""
    client = whole.imap()
    store = whole.server.core.store
    account = store.call_read(
        Actor.system("test"), "test", lambda txn: txn.view(FindAccount(ADA_ORG))
    )
    assert whole.server._in_use() == {account.id}
    client.logout()
    until(lambda: whole.server._in_use() == set())
