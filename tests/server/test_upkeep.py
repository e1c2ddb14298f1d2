"""Upkeep of a running server goes on, whatever goes wrong once."""

from __future__ import annotations

import asyncio

import pytest

from folkmoot.server.upkeep import Upkeep
from folkmoot.storage import upkeep
from folkmoot.storage.errors import Unavailable
from folkmoot.storage.store import Store
from tests.kit.server import TestServer


@pytest.mark.parametrize("error", [Unavailable(), OSError(28, "full"), ValueError("a bug")])
def test_it_goes_on_after_a_failure(
    server: TestServer, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """One failure is logged, and the next round works."""
    rounds: list[str] = []

    def sweep(store: Store) -> int:
        rounds.append("sweep")
        if len(rounds) == 1:
            raise error
        return 0

    def trim(store: Store) -> int:
        rounds.append("trim")
        return 0

    monkeypatch.setattr(upkeep, "sweep", sweep)
    monkeypatch.setattr(upkeep, "trim", trim)

    async def run() -> None:
        regular = Upkeep(server.store, first=0.0, every=0.01)
        regular.start()
        async with asyncio.timeout(60):
            while "trim" not in rounds:
                await asyncio.sleep(0.01)
        await regular.stop()

    asyncio.run(run())
    assert rounds[:3] == ["sweep", "sweep", "trim"]
