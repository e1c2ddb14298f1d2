"""Capabilities that are hidden from bad clients: not offered, not obeyed."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot.storage.errors import StorageError
from folkmoot.storage.types_accounts import AccountUpdate
from tests.kit import reactor
from tests.kit.databases import Databases
from tests.kit.imap import ImapClient
from tests.kit.server import TestAccount, TestServer


def _offered(client: ImapClient) -> set[bytes]:
    return set(client.ok("CAPABILITY").lines[0].split()[2:])


def _hide(server: TestServer, account: TestAccount, *names: str) -> None:
    update = AccountUpdate(hidden_capabilities=names)
    reactor.call(lambda: server.accounts.update(account.address, update))


def test_hidden_from_one_account(server: TestServer) -> None:
    """From the next login on; other accounts and sessions that are open keep theirs."""
    account, other = server.account(), server.account()
    before = server.imap(account)
    _hide(server, account, "idle", "COMPRESS", "qresync")
    client = server.imap(account)
    assert _offered(before) - _offered(client) == {b"IDLE", b"COMPRESS=DEFLATE", b"QRESYNC"}
    login = server.imap().cmd(f'LOGIN {account.address} "{account.password}"')
    assert "IDLE" not in login.code.split()
    assert client.cmd("IDLE").status == "BAD"
    assert client.cmd("COMPRESS DEFLATE").status == "BAD"
    assert client.ok("ENABLE QRESYNC CONDSTORE").lines == [b"* ENABLED CONDSTORE"]
    assert client.cmd("MOVE 1 Trash").text.endswith("cannot be given in this state")
    assert _offered(server.imap(other)) == _offered(before)
    _hide(server, account)
    assert _offered(server.imap(account)) == _offered(before)


def test_hidden_from_everybody(databases: Databases, tmp_path: Path) -> None:
    """The config's list counts before login too, also for ways to sign in."""
    hidden = frozenset({"AUTH=PLAIN", "ID", "NAMESPACE", "XLIST"})
    server = TestServer(databases.fresh("sqlite"), tmp_path, hidden=hidden)
    try:
        client = server.imap()
        assert not {b"AUTH=PLAIN", b"ID"} & _offered(client)
        assert b"AUTH=LOGIN" in _offered(client)
        assert client.cmd("ID NIL").status == "BAD"
        assert client.cmd("AUTHENTICATE PLAIN AGEAYg==").status == "NO"
        account = server.account()
        _hide(server, account, "MOVE")
        client.login(account.address, account.password)
        assert not {b"NAMESPACE", b"XLIST", b"MOVE"} & _offered(client)
        for command in ("NAMESPACE", 'XLIST "" "*"'):
            assert client.cmd(command).text == "Unknown command"
        assert client.ok("LANGUAGE en").lines == [b"* LANGUAGE (EN)"]
        client.ok("UNAUTHENTICATE")
        other = server.account()
        client.login(other.address, other.password)
        assert b"MOVE" in _offered(client)
        assert b"XLIST" not in _offered(client)
    finally:
        server.stop()


def test_names_that_cannot_be_hidden(server: TestServer) -> None:
    """What is no capability, and the one that all clients need."""
    account = server.account()
    for name in ("IMAP4rev1", "two words", "", 'q"', "x" * 65):
        with pytest.raises(StorageError):
            _hide(server, account, name)
    with pytest.raises(StorageError):
        _hide(server, account, *(f"X{number}" for number in range(101)))
