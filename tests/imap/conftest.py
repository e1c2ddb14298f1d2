"""Servers with other settings than the usual one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from folkmoot.protocols.imap.session import ImapLimits
from tests.kit.databases import Databases
from tests.kit.server import MakeServer, TestServer


@pytest.fixture
def make(databases: Databases, tmp_path: Path) -> MakeServer:
    """Builds a server with what ``TestServer`` takes; use it in ``with``."""

    @contextmanager
    def build(limits: ImapLimits | None = None, **options: Any) -> Iterator[TestServer]:
        server = TestServer(databases.fresh("sqlite"), tmp_path, limits, **options)
        try:
            yield server
        finally:
            server.stop()

    return build
