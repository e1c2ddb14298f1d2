"""Answers leave at once."""

from __future__ import annotations

from tests.kit import reactor
from tests.kit.server import TestServer


def test_no_waiting_for_acknowledgements(server: TestServer) -> None:
    """Small answers in a row are not held back by the kernel (Nagle), nor is a pushed change."""
    client = server.imap(server.account())

    def delays() -> list[bool]:
        return [bool(one.transport.getTcpNoDelay()) for one in server.factory.connections]

    assert reactor.call(delays) == [True]
    client.close()
