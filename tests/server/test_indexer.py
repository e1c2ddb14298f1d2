"""The worker that fills the search index, and ``folkmoot check --reindex``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from folkmoot.server.indexer import Indexer
from folkmoot.storage.errors import Unavailable
from folkmoot.storage.index import build
from folkmoot.storage.store import Store
from tests.kit.databases import Databases
from tests.kit.messages import simple
from tests.kit.stores import open_store
from tests.storage.mail_kit import new_mail


@pytest.fixture
def store(databases: Databases, tmp_path: Path) -> Store:
    return open_store(databases.fresh("sqlite"), tmp_path)


async def _eventually_done(store: Store, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while build.describe(store).waiting:
            await asyncio.sleep(0.01)


def test_mail_is_indexed_by_and_by(store: Store) -> None:
    """What comes while it runs, and what came before; stopping ends it at once."""
    mail = new_mail(store)
    mail.append(mail.box().id, *[simple(f"Message {n}") for n in range(60)])

    async def scene() -> None:
        indexer = Indexer(store, every=0.01)
        indexer.start()
        await _eventually_done(store)
        assert build.describe(store).messages == 60
        mail.append(mail.box().id, simple("later"))
        await _eventually_done(store)
        await indexer.stop()
        await indexer.stop()
        mail.append(mail.box().id, simple("never"))
        await asyncio.sleep(0.1)
        assert build.describe(store).waiting == 1

    asyncio.run(scene())
    store.close()


def test_storing_mail_goes_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """While more mail comes in with every look, it waits; but not longer than its patience."""
    mail = new_mail(store)
    look, looks = build.backlog, 0

    def backlog(store: Store) -> tuple[int, int]:
        nonlocal looks
        looks += 1
        mail.append(mail.box().id, simple())
        return look(store)

    monkeypatch.setattr(build, "backlog", backlog)

    async def scene(patience: float, done: Callable[[], bool]) -> None:
        indexer = Indexer(store, every=0.01, patience=patience)
        indexer.start()
        async with asyncio.timeout(60):
            while not done():
                await asyncio.sleep(0.01)
        await indexer.stop()

    asyncio.run(scene(600, lambda: looks > 5))
    assert build.describe(store).messages == 0
    asyncio.run(scene(0.05, lambda: build.describe(store).messages > 0))
    store.close()


def test_a_fault_is_not_the_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away for a while comes back."""
    mail = new_mail(store)
    mail.append(mail.box().id, simple())
    step = build.step
    faults = iter([Unavailable(), OSError()])

    def sometimes(store: Store) -> int:
        for fault in faults:
            raise fault
        return step(store)

    monkeypatch.setattr(build, "step", sometimes)

    async def scene() -> None:
        indexer = Indexer(store, every=0.01)
        indexer.start()
        await _eventually_done(store)
        await indexer.stop()

    asyncio.run(scene())
    store.close()
