"""IDLE: what one session commits, the others hear within a second."""

from __future__ import annotations

import socket
import time

import pytest

from folkmoot.protocols.imap.session import ImapLimits
from tests.kit import reactor
from tests.kit.clock import HandClock
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.pace import within
from tests.kit.server import MakeServer, TestServer

SOON = 1.0  # seconds


def _two(server: TestServer, messages: int = 0) -> tuple[ImapClient, ImapClient]:
    account = server.account()
    first = server.imap(account, "INBOX")
    for number in range(messages):
        first.append("INBOX", simple(f"number {number}"))
    first.ok("NOOP")
    return first, server.imap(account, "INBOX")


def test_new_mail_is_pushed(server: TestServer) -> None:
    """EXISTS comes while IDLE waits. # rfc9051#6.3.13, rfc2177#3, rfc9051#7.4.1"""
    writer, idle = _two(server)
    tag = idle.idle()
    writer.append("INBOX", simple())
    assert idle.wait_line("EXISTS", SOON) == b"* 1 EXISTS"
    writer.append("INBOX", simple())
    assert idle.wait_line("EXISTS", SOON) == b"* 2 EXISTS"
    assert idle.done(tag).status == "OK"


def test_flags_and_removals_are_pushed(server: TestServer) -> None:
    """FETCH with the flags, then EXPUNGE. # rfc9051#6.3.13"""
    writer, idle = _two(server, 3)
    tag = idle.idle()
    writer.ok("STORE 2 +FLAGS (\\Deleted $Work)")
    assert b"$Work" in idle.wait_line("FLAGS (", SOON)
    assert idle.wait_line("* 2 FETCH", SOON) == b"* 2 FETCH (UID 2 FLAGS (\\Deleted $Work))"
    writer.ok("EXPUNGE")
    assert idle.wait_line("EXPUNGE", SOON) == b"* 2 EXPUNGE"
    idle.done(tag)


def test_both_directions(server: TestServer) -> None:
    """The sessions change places: who was told now tells."""
    one, two = _two(server, 1)
    for writer, idle, flag in ((one, two, "\\Seen"), (two, one, "\\Flagged")):
        tag = idle.idle()
        writer.ok(f"STORE 1 +FLAGS ({flag})")
        assert flag.encode() in idle.wait_line("FETCH", SOON)
        idle.done(tag)


def test_what_happened_before_idle_is_told_at_its_begin(server: TestServer) -> None:
    """No change falls between the last command and IDLE."""
    writer, idle = _two(server)
    writer.append("INBOX", simple())
    idle.start("IDLE")
    assert idle.wait_line("EXISTS", SOON) == b"* 1 EXISTS"


def test_what_another_command_told_is_told_again(server: TestServer) -> None:
    """Thunderbird hears of new mail in IDLE and after NOOP only, and once is enough."""
    writer, idle = _two(server, 1)
    writer.append("INBOX", simple())
    assert b"* 2 EXISTS" in idle.ok("FETCH 1 (UID)").lines
    tag = idle.idle()
    assert idle.wait_line("EXISTS", SOON) == b"* 2 EXISTS"
    idle.done(tag)
    _hears_first_of_flags(writer, idle)


def test_what_noop_told_is_not_told_again(server: TestServer) -> None:
    """Whoever asked for news has heard them."""
    writer, idle = _two(server, 1)
    writer.append("INBOX", simple())
    assert b"* 2 EXISTS" in idle.ok("NOOP").lines
    _hears_first_of_flags(writer, idle)


def _hears_first_of_flags(writer: ImapClient, idle: ImapClient) -> None:
    tag = idle.idle()
    writer.ok("STORE 1 +FLAGS (\\Flagged)")
    assert b"FETCH" in idle.wait_line("*", SOON)
    idle.done(tag)


def test_qresync_sessions_are_pushed_vanished(server: TestServer) -> None:
    """VANISHED in place of EXPUNGE, and MODSEQ with flags. # rfc7162#3.2.10"""
    writer, idle = _two(server, 2)
    idle.ok("ENABLE QRESYNC")
    tag = idle.idle()
    writer.ok("STORE 1 +FLAGS (\\Deleted)")
    assert b"MODSEQ (" in idle.wait_line("FETCH", SOON)
    writer.ok("EXPUNGE")
    assert idle.wait_line("VANISHED", SOON) == b"* VANISHED 1"
    idle.done(tag)


def test_done_and_the_next_command_in_one_packet(server: TestServer) -> None:
    """iOS does that; the command must not be lost."""
    writer, idle = _two(server, 1)
    for _ in range(5):
        tag = idle.idle()
        writer.ok("STORE 1 +FLAGS (\\Seen)")
        idle.send(b"DONE\r\nA1 NOOP\r\nA2 STATUS INBOX (MESSAGES)\r\n")
        assert idle.finish(tag).status == "OK"
        assert idle.finish("A1").status == "OK"
        assert idle.finish("A2").lines == [b"* STATUS INBOX (MESSAGES 1)"]


def test_idle_and_done_in_one_packet(server: TestServer) -> None:
    """A client that changes its mind at once."""
    client = server.imap(server.account(), "INBOX")
    client.send(b"a IDLE\r\nDONE\r\nb IDLE\r\ndone\r\nc NOOP\r\n")
    for tag in ("a", "b", "c"):
        assert client.finish(tag).status == "OK"


def test_idle_without_a_mailbox(server: TestServer) -> None:
    """Allowed once signed in; nothing is pushed. # rfc9051#6.3.13"""
    account = server.account()
    client = server.imap(account)
    tag = client.idle()
    server.imap(account).append("INBOX", simple())
    assert client.done(tag).lines == []
    assert server.imap().cmd("IDLE").status == "BAD"


@pytest.mark.parametrize("garbage", [b"a NOOP", b"", b"DONE NOW", b"\xff\x00", b"x" * 5000])
def test_ended_by_something_else(server: TestServer, garbage: bytes) -> None:
    """Anything but DONE ends IDLE with BAD; the session goes on. # rfc9051#6.3.13"""
    client = server.imap(server.account(), "INBOX")
    tag = client.idle()
    client.send(garbage + b"\r\n")
    assert client.finish(tag).status == "BAD"
    client.ok("NOOP")


def test_done_in_single_octets(server: TestServer) -> None:
    """Line ends may come late and in pieces."""
    client = server.imap(server.account(), "INBOX")
    tag = client.idle()
    for octet in b"DONE\r\n":
        client.send(bytes([octet]))
        time.sleep(0.005)
    assert client.finish(tag).status == "OK"


def test_fifty_idle_sessions(make: MakeServer) -> None:
    """All of them hear of it, each within the second."""
    with make(ImapLimits(connections_per_account=60)) as server:
        account = server.account()
        sessions = [server.imap(account, "INBOX") for _ in range(50)]
        for session in sessions:
            session.idle()
        writer = server.imap(account, "INBOX")
        with within(2):
            writer.append("INBOX", simple())
            for session in sessions:
                assert session.wait_line("EXISTS", SOON) == b"* 1 EXISTS"


def test_a_client_that_does_not_read_costs_bounded_memory(server: TestServer) -> None:
    """More than 10,000 flag changes: what waits for the client stays small, and others go on."""
    account = server.account()
    writer = server.imap(account, "INBOX")
    for _ in range(5):
        writer.append("INBOX", simple())
    for _ in range(6):
        writer.ok("NOOP")
        writer.ok("COPY 1:* INBOX")
    assert writer.ok("SEARCH RETURN (COUNT) ALL").matching("COUNT 320")
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.settimeout(60)
    deaf.connect(("127.0.0.1", server.imap_port))
    login = f'a LOGIN {account.address} "{account.password}"'
    deaf.sendall(f"{login}\r\nb SELECT INBOX\r\nc IDLE\r\n".encode())
    for number in range(40):
        sign = "-" if number % 2 else "+"
        writer.ok(f"STORE 1:* {sign}FLAGS.SILENT (\\Flagged)")
    assert _waiting(server) < 256 * 1024
    deaf.sendall(b"DONE\r\n")
    seen = b""
    while b"\r\nc OK" not in seen:
        seen += deaf.recv(65536)
    deaf.close()


def _waiting(server: TestServer) -> int:
    """Octets that wait for the slowest client inside the server."""

    def count() -> int:
        return max(
            connection._out_size
            + len(connection.transport.dataBuffer)
            + sum(map(len, connection.transport._tempDataBuffer))
            for connection in server.factory.connections
        )

    return reactor.call(count)


def test_autologout(make: MakeServer) -> None:
    """A client that is silent for too long is told so; one that idles and speaks is not."""
    # rfc9051#5.4
    clock = HandClock()
    with make(ImapLimits(idle_seconds=60), clock=clock) as server:
        account = server.account()
        silent = server.imap(account, "INBOX")
        silent.idle()
        quiet = server.imap(account)
        lively = server.imap(account, "INBOX")
        for _ in range(6):
            clock.advance(20)
            lively.ok("NOOP")
        assert silent.line().startswith(b"* BYE")
        assert silent.at_end()
        assert quiet.line().startswith(b"* BYE")
        lively.ok("NOOP")
