"""A full disk: a clear answer, a session that goes on, and nothing half-written."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest

from folkmoot.storage.blobs.fs import FileBlobs, Spool
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer

LARGE = simple(body="0123456789abcdef\r\n" * 60_000)


def _full(*_: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device: /secret/place")


def _after(calls: int, original: Callable[..., Any]) -> Callable[..., Any]:
    """Works for some calls, then the disk is full."""
    left = [calls]

    def limited(*arguments: Any) -> Any:
        left[0] -= 1
        return original(*arguments) if left[0] >= 0 else _full()

    return limited


def _append(client: ImapClient, message: bytes) -> None:
    response = client.cmd(b"APPEND INBOX {%d+}\r\n%b" % (len(message), message))
    assert (response.status, response.code) == ("NO", "UNAVAILABLE"), response
    assert "secret" not in response.text


def _nothing_stored(server: TestServer, client: ImapClient) -> None:
    client.ok("NOOP")
    assert client.ok("STATUS INBOX (MESSAGES UIDNEXT)").matching("MESSAGES 0 UIDNEXT 1")
    assert not list((server.folder / "blobs" / "incoming").iterdir())
    assert not list(server.store.blobs.names())


@pytest.mark.parametrize(
    ("owner", "method", "calls"),
    [
        (FileBlobs, "spool", 0),  # no file can be made
        (Spool, "write", 0),
        (Spool, "write", 2),  # full in the middle of the message
        (Spool, "keep", 0),  # full when it is synced
    ],
)
def test_large_message(
    server: TestServer, monkeypatch: pytest.MonkeyPatch, owner: type, method: str, calls: int
) -> None:
    """A message that goes through the spool, cut off at each place where the disk may be full."""
    client = server.imap(server.account(), "INBOX")
    with monkeypatch.context() as patch:
        patch.setattr(owner, method, _after(calls, getattr(owner, method)))
        _append(client, LARGE)
    _nothing_stored(server, client)
    client.append("INBOX", LARGE)
    assert LARGE in client.ok("FETCH 1 BODY.PEEK[]").lines[-1]


def test_unknown_fault_of_the_spool(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks while a message is written, it is not stored with a piece missing."""

    def broken(*_: Any) -> Any:
        raise ValueError("secret")

    client = server.imap(server.account(), "INBOX")
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "write", broken)
        response = client.cmd(b"APPEND INBOX {%d+}\r\n%b" % (len(LARGE), LARGE))
        assert (response.status, response.code) == ("NO", "SERVERBUG")
    _nothing_stored(server, client)


def test_multiappend(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at the second of two messages: neither is stored."""
    client = server.imap(server.account(), "INBOX")
    size = len(LARGE)
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "keep", _after(1, Spool.keep))
        response = client.cmd(b"APPEND INBOX {%d+}\r\n%b {%d+}\r\n%b" % (size, LARGE, size, LARGE))
        assert (response.status, response.code) == ("NO", "UNAVAILABLE")
    client.ok("NOOP")
    assert client.ok("STATUS INBOX (MESSAGES)").matching("MESSAGES 0")


def test_database_is_full(server: TestServer) -> None:
    """SQLite's own "disk is full": acknowledged messages stay, the next ones are refused."""
    account = server.account()
    client = server.imap(account, "INBOX")
    client.append("INBOX", simple("first"))
    _pages(server, 1)
    stored, refused = 1, 0
    message = simple("next", "x" * 20_000)
    for _ in range(40):
        response = client.cmd(b"APPEND INBOX {%d+}\r\n%b" % (len(message), message))
        if response.status == "OK":
            stored += 1
        else:
            assert (response.status, response.code) == ("NO", "UNAVAILABLE"), response
            refused += 1
    assert refused
    assert client.ok("STATUS INBOX (MESSAGES)").matching(f"MESSAGES {stored})")
    assert client.ok("FETCH 1 BODY.PEEK[]").lines
    _pages(server, 2**30)
    client.append("INBOX", message)
    assert client.ok("STATUS INBOX (MESSAGES)").matching(f"MESSAGES {stored + 1})")


def _pages(server: TestServer, number: int) -> None:
    """How many pages the database may have; those that it has stay allowed."""

    def work(txn: Txn) -> None:
        txn._write_context.db.text(f"PRAGMA max_page_count = {number}")

    server.store.call(Actor.system("test"), "pages", work)
