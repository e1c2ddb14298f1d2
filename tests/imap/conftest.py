"""Servers with other settings than the usual one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from folkmoot.protocols.imap.session import ImapLimits
from tests.kit.databases import Databases
from tests.kit.server import MakeServer, TestServer


@pytest.fixture
def make(databases: Databases, tmp_path: Path) -> MakeServer:
    """Builds a server with limits, TLS and plaintext logins as given; use it in ``with``."""

    @contextmanager
    def build(
        limits: ImapLimits | None = None, *, tls: bool = False, plaintext_logins: bool = True
    ) -> Iterator[TestServer]:
        url = databases.fresh("sqlite")
        server = TestServer(url, tmp_path, limits, tls=tls, plaintext_logins=plaintext_logins)
        try:
            yield server
        finally:
            server.stop()

    return build
