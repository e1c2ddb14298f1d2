"""The life of a server's process."""

from __future__ import annotations

import asyncio
import logging

import pytest

from folkmoot.server.run import _Process
from folkmoot.storage.errors import ShuttingDown


class Cut:
    """A server that is stopped while it reloads."""

    async def start(self) -> None:
        """Nothing to do."""

    async def reload(self) -> None:
        """The store takes nothing more."""
        raise ShuttingDown

    async def stop(self) -> None:
        """Nothing to do."""


@pytest.mark.parametrize(("ending", "level"), [(False, logging.ERROR), (True, logging.INFO)])
def test_a_reload_that_the_end_cuts_short_is_no_error(
    caplog: pytest.LogCaptureFixture, ending: bool, level: int
) -> None:
    """SIGHUP, and SIGTERM soon after it: nobody is woken by that."""
    process = _Process(None, Cut, -1)
    process._ending = ending
    with caplog.at_level(logging.INFO, "folkmoot"):
        asyncio.run(process._reload_server(Cut()))
    assert [(each.levelno, bool(each.exc_info)) for each in caplog.records] == [(level, not ending)]
