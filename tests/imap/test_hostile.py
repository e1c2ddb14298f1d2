"""Input that no mail client sends gets the protocol's own error, and the server goes on."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail

from folkmoot.protocols.imap import registry
from folkmoot.protocols.imap.connection import MAX_BAD, MAX_BAD_BEFORE_LOGIN
from folkmoot.protocols.imap.registry import CommandEntry, Expunges, Reply, State, no_arguments
from folkmoot.protocols.imap.session import ImapLimits, Session
from folkmoot.sharing.workspace import Workspace
from folkmoot.storage.errors import Unavailable
from folkmoot.storage.types import Actor
from tests.kit import reactor
from tests.kit.clock import HandClock
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.pace import within
from tests.kit.server import PASSWORD, MakeServer, TestServer
from tests.kit.waiting import until

SYSTEM = Actor.system("test")


def _signed_in(server: TestServer) -> ImapClient:
    return server.imap(server.account(), "INBOX")


# --- lines -----------------------------------------------------------------------------------


def test_line_too_long(server: TestServer) -> None:
    """A tagged BAD, and the session goes on, before and after login."""
    for client, size in ((server.imap(), 10_000), (_signed_in(server), 100_000)):
        response = client.cmd(b'LIST "" "' + b"x" * size + b'"')
        assert (response.status, response.code) == ("BAD", "LIMIT")
        client.ok("NOOP")


def test_line_without_end(server: TestServer) -> None:
    """A line that never ends is not kept; at some point the connection ends."""
    client = server.imap()

    def flood() -> None:
        for _ in range(200):
            client.send(b"x" * 65536)
            time.sleep(0.002)

    with pytest.raises((ConnectionError, TimeoutError)):
        flood()
    _signed_in(server).ok("NOOP")


@pytest.mark.parametrize(
    "command",
    [
        b"SEARCH " + b"(" * 60_000,
        b"SEARCH " + b"NOT " * 15_000 + b"ALL",
        b"SEARCH " + b"OR " * 15_000 + b"ALL",
        b"FETCH 1 " + b"(" * 60_000,
        b"FETCH 1 (" + b"FLAGS " * 10_000 + b")",
        b"STORE 1 FLAGS " + b"(" * 60_000,
        b'LIST "" ' + b"(" * 60_000,
        b"ID " + b"(" * 60_000,
        b"STATUS INBOX " + b"(" * 60_000,
        b"SELECT INBOX (QRESYNC " + b"(" * 60_000,
        b"FETCH " + b"1," * 30_000 + b"1 FLAGS",
        b"SEARCH UID " + b"9" * 60_000,
    ],
)
def test_parentheses_and_other_floods(server: TestServer, command: bytes) -> None:
    """Nesting and counts are bounded: BAD, at once."""
    client = _signed_in(server)
    with within(2):
        assert client.cmd(command).status == "BAD"
    client.ok("NOOP")


def test_parentheses_beyond_the_line(server: TestServer) -> None:
    """100,000 of them do not even make a line."""
    client = _signed_in(server)
    assert client.cmd(b"SEARCH " + b"(" * 100_000).status == "BAD"
    client.ok("NOOP")


@pytest.mark.parametrize("octets", [b"NO\0OP", b"NOOP\0", b"NO\rOP", b"NOOP \r x"])
def test_nul_and_bare_cr(server: TestServer, octets: bytes) -> None:
    """Octets that no line may hold."""
    client = server.imap()
    assert client.cmd(octets).status == "BAD"
    client.ok("NOOP")


def test_bare_lf_ends_a_line(server: TestServer) -> None:
    """Hand-written clients end lines with LF; that is taken, and answered with CRLF."""
    # rfc9051#2.2
    client = server.imap()
    client.send(b"a NOOP\nb CAPABILITY\n")
    assert client.finish("a").status == "OK"
    assert client.finish("b").status == "OK"


def test_lf_in_a_literal_stays(server: TestServer) -> None:
    """Inside of literals nothing is changed: LF, CR and NUL come back as they were sent."""
    client = _signed_in(server)
    message = b"Subject: x\n\nbare\nlines\rand \x80\xff\n"
    client.append("INBOX", message)
    assert message in client.ok("FETCH 1 BODY.PEEK[]").lines[0]


def test_empty_lines(server: TestServer) -> None:
    """Not a command; the next one is."""
    client = server.imap()
    client.send(b"\r\n\r\na NOOP\r\n")
    assert client.line().startswith(b"* BAD")
    assert client.line().startswith(b"* BAD")
    assert client.line() == b"a OK NOOP completed"


@pytest.mark.parametrize("tag", [b"*", b"+", b"a+b", b"(a)", b"{1}", b'"a"', b"\xff", b"a\\", b"%"])
def test_tags_that_are_none(server: TestServer, tag: bytes) -> None:
    """Answered untagged, never with the octets that were sent as a tag."""
    client = server.imap()
    client.send(tag + b" NOOP\r\n")
    assert client.line().startswith(b"* BAD")
    client.ok("NOOP")


@pytest.mark.parametrize(
    "command", [b"\xff\xfe", b"SELECT \xff", b'SELECT "\xc3"', b"SELECT &AGF-x", b'LIST "" "\xff"']
)
def test_text_that_is_not_utf8(server: TestServer, command: bytes) -> None:
    """BAD, or NO for a name that cannot exist."""
    client = _signed_in(server)
    assert client.cmd(command).status in ("BAD", "NO")
    client.ok("NOOP")


def test_single_octets(server: TestServer) -> None:
    """Commands and literals cut into packets of one octet."""
    account = server.account()
    client = server.imap()
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    script = (
        f'a LOGIN {{{len(account.address)}+}}\r\n{account.address} "{PASSWORD}"\r\n'
        "b APPEND INBOX (\\Seen) {6+}\r\na: b\r\n\r\nc NOOP\r\n"
    )
    for octet in script.encode():
        client.send(bytes([octet]))
    for tag in ("a", "b", "c"):
        assert client.finish(tag).status == "OK"


# --- literals --------------------------------------------------------------------------------


def test_huge_literals(server: TestServer) -> None:
    """A size beyond every limit is refused before any octet of it is sent."""
    client = _signed_in(server)
    for size in (100_000_000, 2**32, 2**64, 10**300):
        assert client.cmd(f"APPEND INBOX {{{size}}}").status in ("NO", "BAD")
        assert client.cmd(f"SELECT {{{size}}}").status == "BAD"
        client.ok("NOOP")


def test_huge_literal_that_the_client_sends_anyway(server: TestServer) -> None:
    """With LITERAL+ the octets come whatever is said: the connection has to end."""
    client = _signed_in(server)
    client.send(b"a APPEND INBOX {100000000000+}\r\n")
    assert client.line().startswith(b"* BYE")
    assert client.at_end()


def test_literal_flood_before_login(server: TestServer) -> None:
    """Before login literals are small and few."""
    client = server.imap()
    assert client.cmd("LOGIN {70000}").status == "BAD"
    many = b"LOGIN " + b"{1+}\r\nx " * 30
    assert client.cmd(many).status == "BAD"
    client.ok("NOOP")
    client.send(b"a LOGIN {10000000+}\r\n")
    assert client.line().startswith(b"* BYE")
    assert client.at_end()


def test_too_much_in_one_multiappend(make: MakeServer) -> None:
    """Messages that are each allowed are not allowed without end in one command."""
    with make(ImapLimits(append=1000)) as server:
        client = _signed_in(server)
        command = b"APPEND INBOX" + b" {900+}\r\n%b" % (b"x" * 900) * 6
        response = client.cmd(command)
        assert (response.status, response.code) == ("NO", "TOOBIG")
        assert client.ok("STATUS INBOX (MESSAGES)").matching("MESSAGES 0")


def test_many_messages_in_one_multiappend(server: TestServer) -> None:
    """Several megabytes of small messages pass through the spool, octet for octet."""
    client = _signed_in(server)
    messages = [simple(f"n {n}", f"{n:06d} 89abcdef 89abcdef\r\n" * 8000) for n in range(12)]
    parts = b"".join(b" {%d+}\r\n%b" % (len(message), message) for message in messages)
    client.ok(b"APPEND INBOX" + parts)
    lines = client.ok("FETCH 1:* BODY.PEEK[]").lines
    for message, line in zip(messages, lines, strict=True):
        assert message in line


def test_unfinished_literal_then_disconnect(server: TestServer) -> None:
    """Small and large literals that break off leave nothing."""
    account = server.account()
    for size in (100, 200_000, 5_000_000):
        client = server.imap(account)
        client.send(b"a APPEND INBOX {%d+}\r\n%b" % (size, b"x" * (size - 1)))
        client.close()
    other = server.imap(account)
    incoming = server.folder / "blobs" / "incoming"
    until(lambda: len(server.factory.connections) == 1 and not list(incoming.iterdir()))
    assert other.ok("STATUS INBOX (MESSAGES)").matching("MESSAGES 0")


# --- many ------------------------------------------------------------------------------------


def test_garbage_ends_the_connection(server: TestServer) -> None:
    """What speaks no IMAP is sent away, sooner before login."""
    for client, limit in (
        (server.imap(), MAX_BAD_BEFORE_LOGIN),
        (_signed_in(server), MAX_BAD),
    ):
        client.send(b"GET / HTTP/1.1\r\n" * 100)
        answers = []
        while not (line := client.line()).startswith(b"* BYE"):
            answers.append(line)
        assert len(answers) == limit
        assert all(answer.startswith(b"GET BAD") for answer in answers)
        assert client.at_end()


@pytest.mark.parametrize("command", [b"NOOP", b"CAPABILITY", b"ID NIL"])
@pytest.mark.parametrize("signed_in", [True, False])
def test_pipelined_commands(server: TestServer, command: bytes, signed_in: bool) -> None:
    """3,000 commands in one packet are answered one by one, in order. # rfc9051#5.5"""
    client = _signed_in(server) if signed_in else server.imap()
    client.send(b"".join(b"p%d %b\r\n" % (number, command) for number in range(3000)))
    for number in range(3000):
        assert client.finish(f"p{number}").status == "OK"


def test_pipelined_commands_of_many_kinds(server: TestServer) -> None:
    """Each sees what the one before it did."""
    client = server.imap(server.account())
    message = simple()
    script = b"".join(
        b"a%d APPEND INBOX {%d+}\r\n%b\r\nb%d STATUS INBOX (MESSAGES)\r\n"
        % (number, len(message), message, number)
        for number in range(50)
    )
    client.send(script)
    for number in range(50):
        assert client.finish(f"a{number}").status == "OK"
        assert client.finish(f"b{number}").matching(f"MESSAGES {number + 1})")


def test_a_client_that_asks_and_does_not_read(server: TestServer) -> None:
    """Answers are not made without end for somebody who does not take them."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", server.imap_port))
    deaf.settimeout(0.3)

    def flood() -> None:
        for _ in range(1000):
            deaf.sendall(b"a CAPABILITY\r\n" * 5000)

    with pytest.raises(TimeoutError):
        flood()

    def waiting() -> int:
        [connection] = server.factory.connections
        transport = connection.transport
        return (
            connection._out_size
            + len(transport.dataBuffer)
            + sum(map(len, transport._tempDataBuffer))
            + connection._framer.pending
        )

    assert reactor.call(waiting) < 512 * 1024
    _signed_in(server).ok("NOOP")
    deaf.close()


# --- time ------------------------------------------------------------------------------------


def test_slow_login(make: MakeServer) -> None:
    """Who does not sign in is sent away, however busy it seems; also half way in SASL and TLS."""
    clock = HandClock()
    with make(ImapLimits(login_seconds=50, close_seconds=30), tls=True, clock=clock) as server:
        busy, silent, sasl = server.imap(), server.imap(), server.imap()
        sasl.start("AUTHENTICATE PLAIN")
        handshake = socket.create_connection(("127.0.0.1", server.imaps_port), 60)
        until(lambda: sum(len(each.connections) for each in server.factories) == 4)
        rounds = 0

        def chatter() -> None:
            nonlocal rounds
            for rounds in range(20):  # noqa: B007
                busy.ok("NOOP")
                clock.advance(10)

        with pytest.raises((EOFError, ConnectionError)):
            chatter()
        assert rounds == 5
        clock.advance(50)
        assert silent.line().startswith(b"* BYE")
        assert silent.at_end()
        assert sasl.at_end()
        with contextlib.suppress(ConnectionError):
            assert handshake.recv(1) == b""


def test_half_open(server: TestServer) -> None:
    """A client that closes its sending side while commands run does no harm."""
    account = server.account()
    for _ in range(10):
        client = server.imap(account, "INBOX")
        client.start("IDLE")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.at_end()
    until(lambda: not server.factory.connections)


def test_connections_that_are_gone_leave_no_watchers(server: TestServer) -> None:
    """A connection that dies while it selects does not go on to be called back."""
    account = server.account()
    server.imap(account).close()
    until(lambda: not server.factory.connections)
    before = reactor.call(lambda: _subscribers(server))  # of what is remembered of the account
    for _ in range(10):
        client = server.imap(account)
        client.send(b"a SELECT INBOX\r\nb SELECT Drafts\r\nc IDLE\r\n")
        client.close()
    until(lambda: not server.factory.connections)
    time.sleep(0.1)
    assert reactor.call(lambda: _subscribers(server)) == before


def _subscribers(server: TestServer) -> int:
    bus: Any = server.store.bus
    return sum(map(len, bus._subscribers.values()))


# --- our own faults --------------------------------------------------------------------------


def test_a_failed_look_does_not_undo_a_command(
    server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """APPEND is stored: when telling of changes fails, it stays OK, and they are told later."""
    client = _signed_in(server)

    def unavailable(*_: object) -> Deferred[Any]:
        return fail(Unavailable())

    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "changes_since", unavailable)
        assert not client.append("INBOX", simple()).lines
    assert client.ok("SEARCH ALL").lines == [b"* SEARCH", b"* 1 EXISTS"]


@pytest.mark.parametrize("waits", ["IDLE", "NOTIFY SET (selected (MessageNew MessageExpunge))"])
def test_a_push_that_fails_is_made_later(
    server: TestServer, monkeypatch: pytest.MonkeyPatch, waits: str
) -> None:
    """While the store is away nothing is told, and nobody is sent away; then all of it is."""
    account = server.account()
    client, writer = server.imap(account, "INBOX"), server.imap(account)
    tag = client.idle() if waits == "IDLE" else client.ok(waits).code
    failures = threading.Event()

    def unavailable(*_: object) -> Deferred[Any]:
        failures.set()
        return fail(Unavailable())

    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "changes_since", unavailable)
        writer.append("INBOX", simple())
        assert failures.wait(60)
    writer.append("INBOX", simple())
    assert client.wait_line("EXISTS", 5) == b"* 2 EXISTS"
    if tag:
        assert client.done(tag).status == "OK"


@pytest.fixture
def fault() -> Any:
    """A command XFAULT whose handler raises what the test says."""
    registry.load()
    raised: list[BaseException] = []

    async def handler(session: Session, arguments: Any) -> Reply:
        raise raised[0]

    entry = CommandEntry("XFAULT", State.ANY, no_arguments, handler, Expunges.SHOWN, b"XFAULT")
    registry._commands["XFAULT"] = entry
    yield raised.append
    del registry._commands["XFAULT"]


def test_faults_tell_a_log_id_and_nothing_else(
    server: TestServer, fault: Callable[[BaseException], None], caplog: pytest.LogCaptureFixture
) -> None:
    """SERVERBUG with a number to quote; what went wrong stands in the log only. # rfc5530#3"""
    fault(KeyError("secret of bob"))
    client = server.imap()
    response = client.cmd("XFAULT")
    assert (response.status, response.code) == ("NO", "SERVERBUG")
    log_id = response.text.rsplit(" ", 1)[1]
    assert "secret" not in response.text
    assert "KeyError" not in response.text
    [record] = [record for record in caplog.records if log_id in record.getMessage()]
    assert record.exc_info is not None
    client.ok("NOOP")


@pytest.mark.parametrize("command", ["MOVE 1 Archive", "STORE 1 +FLAGS (\\Flagged)", "EXPUNGE"])
def test_leaving_while_a_command_runs(
    server: TestServer, command: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What was begun is done, nobody is told, and nothing is logged: it is no fault."""
    account = server.account()
    client = server.imap(account, "INBOX")
    client.append("INBOX", simple(), "\\Deleted")
    client.ok("NOOP")
    go = threading.Event()
    # Writes come one after the other, so the command waits for this one.
    first = reactor.call(lambda: [server.store.run(SYSTEM, "test", lambda txn: go.wait(20))])
    client.start(command)
    until(lambda: any(each._running for each in server.factory.connections))
    client.close()
    until(lambda: not server.factory.connections)
    go.set()
    server.store.call(SYSTEM, "test", lambda txn: None)
    reactor.call(lambda: first[0])
    witness = server.imap(account)
    [line] = witness.ok("STATUS INBOX (MESSAGES)").lines
    assert line.endswith(b" 1)" if command.startswith("STORE") else b" 0)")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
