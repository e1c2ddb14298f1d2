"""CAPABILITY, ENABLE, ID, NOOP, CHECK, LOGOUT: what is offered, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot.protocols.imap import registry
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer

BEFORE_LOGIN = {
    "IMAP4rev1",
    "IMAP4rev2",
    "AUTH=LOGIN",
    "AUTH=PLAIN",
    "AUTH=SCRAM-SHA-256",
    "ENABLE",
    "ID",
    "LITERAL+",
    "SASL-IR",
}
AFTER_LOGIN = {
    "IMAP4rev1",
    "IMAP4rev2",
    "APPENDLIMIT=67108864",
    "BINARY",
    "CATENATE",
    "CHILDREN",
    "COMPRESS=DEFLATE",
    "CONDSTORE",
    "CREATE-SPECIAL-USE",
    "ENABLE",
    "ESEARCH",
    "ID",
    "IDLE",
    "LANGUAGE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "LITERAL+",
    "MOVE",
    "MULTIAPPEND",
    "NAMESPACE",
    "OBJECTID",
    "PREVIEW",
    "QRESYNC",
    "REPLACE",
    "SAVEDATE",
    "SEARCHRES",
    "SPECIAL-USE",
    "STATUS=SIZE",
    "UIDPLUS",
    "UNAUTHENTICATE",
    "UNSELECT",
    "UTF8=ACCEPT",
    "WITHIN",
    "XLIST",
}


def _offered(client: ImapClient) -> set[str]:
    [line] = client.ok("CAPABILITY").lines
    words = line.decode().split()
    assert words[:3] == ["*", "CAPABILITY", "IMAP4rev1"]
    assert len(words) == len(set(words))
    return set(words[2:])


def test_capabilities_before_and_after_login(server: TestServer) -> None:
    """Few words before login, the whole list with the completion of it, and the same later."""
    # rfc9051#6.1.1, rfc9051#7.1, rfc9051#7.2.2
    client = server.imap()
    greeting = client.greeting.decode()
    assert set(greeting[greeting.index("CAPABILITY ") + 11 : greeting.index("]")].split()) == (
        BEFORE_LOGIN
    )
    assert _offered(client) == BEFORE_LOGIN
    account = server.account()
    told = client.login(account.address, account.password).code
    offered = set(told.split()[1:])
    assert offered >= AFTER_LOGIN
    assert _offered(client) == offered
    client.ok("SELECT INBOX")
    assert _offered(client) == offered


def test_every_capability_has_tests(server: TestServer) -> None:
    """What is offered beyond the base has a test module that names it."""
    offered = _offered(server.imap(server.account())) - AFTER_LOGIN
    here = Path(__file__)
    tests = "".join(file.read_text() for file in here.parent.glob("test_*.py") if file != here)
    assert not [name for name in offered if name.partition("=")[0] not in tests]


def test_every_command_refuses_states_that_it_is_not_for(server: TestServer) -> None:
    """No command of the table can be given too early, and none ends the session by it."""
    # rfc9051#3
    client = server.imap()
    refused = 0
    for entry in registry.all_commands():
        if not entry.states & registry.State.NOT_AUTHENTICATED:
            assert client.cmd(entry.example).status == "BAD", entry.name
            refused += 1
            client.ok("NOOP")
    assert refused > 20
    client = server.imap(server.account())
    for entry in registry.all_commands():
        if not entry.states & registry.State.AUTHENTICATED:
            assert client.cmd(entry.example).status == "BAD", entry.name
            client.ok("NOOP")


def test_enable(server: TestServer) -> None:
    """ENABLED names what is new; what is unknown is ignored. # rfc9051#6.3.1, rfc5161#3.1"""
    # rfc9051#7.2.1
    client = server.imap(server.account())
    assert client.ok("ENABLE CONDSTORE X-UNKNOWN").lines == [b"* ENABLED CONDSTORE"]
    assert client.ok("ENABLE condstore").lines == [b"* ENABLED"]
    assert client.ok("ENABLE QRESYNC imap4rev2").lines == [b"* ENABLED QRESYNC IMAP4rev2"]
    assert client.ok("ENABLE NONSENSE IDLE").lines == [b"* ENABLED"]
    assert client.cmd("ENABLE").status == "BAD"
    assert server.imap().cmd("ENABLE CONDSTORE").status == "BAD"


def test_enable_rev2_changes_what_is_sent(server: TestServer) -> None:
    """Names become UTF-8, SEARCH answers with ESEARCH; before that they are as in rev1."""
    # rfc9051#6.3.1
    account = server.account()
    client = server.imap(account, "INBOX")
    client.append("INBOX", simple())
    client.ok("CREATE Entw&APw-rfe")
    assert client.ok('LIST "" "Entw*"').lines[0].endswith(b"Entw&APw-rfe")
    assert client.ok("SEARCH ALL").lines == [b"* SEARCH 1"]
    client.ok("ENABLE IMAP4rev2")
    [line] = client.ok('LIST "" "Entw*"').lines
    assert "Entwürfe" in line.decode()
    [line] = client.ok("SEARCH ALL").lines
    assert line.startswith(b"* ESEARCH (TAG ")
    assert line.endswith(b" ALL 1")


@pytest.mark.parametrize(
    "command",
    [
        b"ID NIL",
        b"ID ()",
        b'ID ("name" "Thunderbird" "version" "128.0" "os" NIL)',
        b"ID ({4+}\r\nname {3+}\r\nfoo)",
    ],
)
def test_id(server: TestServer, command: bytes) -> None:
    """Answered before and after login, with the name and without the version. # rfc2971#3.1"""
    for client in (server.imap(), server.imap(server.account())):
        [line] = client.ok(command).lines
        assert line == b'* ID ("name" "Folkmoot" "vendor" "Folkmoot")'


@pytest.mark.parametrize(
    "command",
    [
        b"ID",
        b"ID (name)",
        b'ID ("name")',
        b'ID ("' + b"x" * 31 + b'" "y")',
        b'ID ("x" "' + b"y" * 1025 + b'")',
        b"ID (" + b" ".join(b'"f%d" "v"' % n for n in range(31)) + b")",
    ],
)
def test_id_beyond_its_bounds(server: TestServer, command: bytes) -> None:
    """RFC 2971 section 3.3 bounds fields, values and their number."""
    client = server.imap()
    assert client.cmd(command).status == "BAD"
    client.ok("NOOP")


def test_noop_and_check_tell_what_others_did(server: TestServer) -> None:
    """Both look at the log; CHECK belongs to a selected mailbox. # rfc9051#6.1.2, rfc3501#6.4.1"""
    account = server.account()
    writer, reader = server.imap(account), server.imap(account, "INBOX")
    writer.append("INBOX", simple())
    assert reader.ok("NOOP").lines == [b"* 1 EXISTS"]
    assert reader.ok("NOOP").lines == []
    writer.append("INBOX", simple())
    assert reader.ok("CHECK").lines == [b"* 2 EXISTS"]
    assert writer.cmd("CHECK").status == "BAD"


def test_removals_are_held_back_while_numbers_are_in_use(server: TestServer) -> None:
    """FETCH, STORE and SEARCH tell no EXPUNGE; their UID forms and NOOP do. # rfc9051#7.5.1"""
    account = server.account()
    writer, reader = server.imap(account, "INBOX"), server.imap(account)
    for _ in range(3):
        writer.append("INBOX", simple())
    reader.ok("SELECT INBOX")
    writer.ok("STORE 1 +FLAGS (\\Deleted)")
    writer.ok("EXPUNGE")
    for command in ("FETCH 2 UID", "STORE 2 +FLAGS (\\Seen)", "SEARCH ALL"):
        response = reader.ok(command)
        assert not response.matching("EXPUNGE"), command
    assert reader.ok("FETCH 3 UID").matching("UID 3")
    assert reader.ok("UID SEARCH ALL").matching("EXPUNGE") == [b"* 1 EXPUNGE"]
    assert reader.ok("FETCH 2 UID").matching("UID 3")


def test_logout(server: TestServer) -> None:
    """BYE, OK, end; in every state, and nothing behind it is carried out. # rfc9051#6.1.3"""
    account = server.account()
    for client in (server.imap(), server.imap(account), server.imap(account, "INBOX")):
        client.send(b"a LOGOUT\r\nb NOOP\r\n")
        assert client.line().startswith(b"* BYE")
        assert client.line().startswith(b"a OK")
        assert client.at_end()
        assert not client._buffer
