"""The client side: scripts of requests and answers, many of them at a time in one thread.

A script is a generator that yields what to send and how to see that the answer is complete, and
gets the answer. Nothing here parses more than it must: the clients should not be the limit.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import selectors
import socket
import time
from collections.abc import Callable, Generator, Sequence

from benchmarks.serve import HOST, PASSWORD

Complete = Callable[[bytes], bool]
Script = Generator[tuple[bytes, Complete], bytes, None]

TIMEOUT = 120.0
_CHUNK = 1 << 18


class Failed(Exception):
    """The server's answer was not the one that the measurement is about."""


class Imap:
    """One blocking connection. ``run`` throws the answer away as it comes, so it can be large."""

    def __init__(self, port: int, name: str, select: str | None = None) -> None:
        self.socket = socket.create_connection((HOST, port), TIMEOUT)
        self._tags = itertools.count(1)
        self._until(b"* OK ")
        self.run(b'LOGIN "%b" "%b"' % (name.encode(), PASSWORD.encode()))
        if select is not None:
            self.run(b"SELECT %b" % select.encode())

    def _until(self, begin: bytes) -> int:
        """Read to the end of a line that begins so; the number of octets that came."""
        tail, count = b"\r\n", 0
        while True:
            data = self.socket.recv(_CHUNK)
            if not data:
                raise Failed("the server closed the connection")
            count += len(data)
            tail = (tail + data)[-1000:]
            if tail.endswith(b"\r\n") and begin in tail:
                return count

    def run(self, command: bytes) -> int:
        """Run a command, which must succeed; the octets of its answer."""
        tag = b"bench%d" % next(self._tags)
        self.socket.sendall(tag + b" " + command + b"\r\n")
        return self._completed(tag)

    def ask(self, command: bytes) -> bytes:
        """Run a command, which must succeed, for its answer; ``run`` for what may be large."""
        kept = bytearray()
        tag = b"bench%d" % next(self._tags)
        self.socket.sendall(tag + b" " + command + b"\r\n")
        self._completed(tag, kept)
        return bytes(kept)

    def _completed(self, tag: bytes, kept: bytearray | None = None) -> int:
        begin = b"\r\n" + tag + b" "
        tail, count = b"\r\n", 0
        while True:
            data = self.socket.recv(_CHUNK)
            if not data:
                raise Failed("the server closed the connection")
            count += len(data)
            if kept is not None:
                kept += data
            tail = (tail + data)[-1000:]
            if tail.endswith(b"\r\n") and (at := tail.rfind(begin)) >= 0:
                if not tail.startswith(begin + b"OK", at):
                    raise Failed(tail[at:].decode(errors="replace").strip())
                return count

    def idle(self) -> None:
        """Begin IDLE."""
        self.socket.sendall(b"idle IDLE\r\n")
        self._until(b"+ ")

    def done(self) -> None:
        """End IDLE."""
        self.socket.sendall(b"DONE\r\n")
        self._completed(b"idle")

    def wait(self, word: bytes) -> float:
        """The time when a line with this word had come."""
        self._until(word)
        return time.perf_counter()

    def closed(self) -> float:
        """The time when the server had closed the connection, or the mailbox."""
        with contextlib.suppress(Failed):
            self._until(b"BYE")
        return time.perf_counter()

    def close(self) -> None:
        """Drop the connection."""
        self.socket.close()


def logins(name: str, port: int, times: int) -> float:
    """Connect, sign in and leave; the seconds that it took."""
    begin = time.perf_counter()
    for _ in range(times):
        Imap(port, name).close()
    return time.perf_counter() - begin


def race(port: int, scripts: Sequence[Script], *openings: Sequence[bytes]) -> float:
    """Run scripts side by side, each on its connection; the seconds from first to last octet.

    ``openings`` is what the connections send, line by line, before the clock starts: one for all,
    or one for each.
    """
    sockets = [socket.create_connection((HOST, port), TIMEOUT) for _ in scripts]
    for one, opening in zip(sockets, itertools.cycle(openings), strict=False):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _answer(one, b"*")
        for line in opening:
            one.sendall(line)
            _answer(one, line.split(b" ", 1)[0])
    begin = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for one, script in zip(sockets, scripts, strict=True):
            _Runner(selector, one, script)
        while selector.get_map():
            ready = selector.select(TIMEOUT)
            if not ready:
                raise Failed("no answer in time")
            for key, _ in ready:
                key.data.more()
    seconds = time.perf_counter() - begin
    for one in sockets:
        one.close()
    return seconds


class _Runner:
    def __init__(
        self, selector: selectors.BaseSelector, connection: socket.socket, script: Script
    ) -> None:
        self._selector = selector
        self._socket = connection
        self._script = script
        self._buffer = b""
        selector.register(connection, selectors.EVENT_READ, self)
        request, self._complete = next(script)
        connection.sendall(request)

    def more(self) -> None:
        data = self._socket.recv(_CHUNK)
        if not data:
            raise Failed("the server closed the connection")
        self._buffer += data
        if not self._complete(self._buffer):
            return
        answer, self._buffer = self._buffer, b""
        try:
            request, self._complete = self._script.send(answer)
        except StopIteration:
            self._selector.unregister(self._socket)
        else:
            self._socket.sendall(request)


def _answer(connection: socket.socket, tag: bytes) -> None:
    """Read to the line that begins with the tag, or to the last one of an SMTP answer."""
    data = b""
    last = b""
    while not (data.endswith(b"\r\n") and (last.startswith(tag) or last[3:4] == b" ")):
        data += connection.recv(_CHUNK)
        last = data.splitlines()[-1]
    if last[:1] in b"45" or last.startswith((tag + b" NO", tag + b" BAD")):
        raise Failed(data.decode(errors="replace").strip())


# --- what is sent before the clock starts ---------------------------------------------------------


def imap_login(name: str) -> list[bytes]:
    """Sign in to IMAP."""
    return [b'login LOGIN "%b" "%b"\r\n' % (name.encode(), PASSWORD.encode())]


def submission_login(name: str) -> list[bytes]:
    """Greet and sign in to submission."""
    secret = base64.b64encode(b"\0%b\0%b" % (name.encode(), PASSWORD.encode()))
    return [b"EHLO bench.example.test\r\n", b"AUTH PLAIN " + secret + b"\r\n"]


LMTP_HELLO = [b"LHLO bench.example.test\r\n"]


# --- scripts --------------------------------------------------------------------------------------


def append(mailbox: str, messages: Sequence[bytes]) -> Script:
    """Append messages one after the other, with LITERAL+."""
    for number, message in enumerate(messages):
        tag = b"a%d " % number
        request = b"%bAPPEND %b {%d+}\r\n%b\r\n" % (tag, mailbox.encode(), len(message), message)
        answer = yield request, _line_end
        if not answer.startswith(tag + b"OK"):
            raise Failed(answer.decode(errors="replace").strip())


WORK_OPERATIONS = 10


def work(mailbox: str, messages: Sequence[bytes]) -> Script:
    """For each message, ten commands as mail programs send them, in a mailbox of 200 or more."""
    name = mailbox.encode()
    for number, message in enumerate(messages):
        first = number * 7 % 180 + 1
        sign = b"+" if number % 2 else b"-"
        commands = [
            b"APPEND %b {%d+}\r\n%b" % (name, len(message), message),
            b"FETCH %d:%d (UID FLAGS ENVELOPE RFC822.SIZE)" % (first, first + 19),
            *[b"FETCH %d BODY.PEEK[]" % (first + n) for n in range(4)],
            b"STORE %d %bFLAGS (\\Seen)" % (first, sign),
            b"UID SEARCH UNSEEN",
            b"STATUS INBOX (MESSAGES UNSEEN UIDNEXT)",
            b"NOOP",
        ]
        for place, command in enumerate(commands):
            tag = b"w%d.%d " % (number, place)
            answer = yield tag + command + b"\r\n", _tagged(tag)
            if not answer.rpartition(tag)[2].startswith(b"OK"):
                raise Failed(answer[-1000:].decode(errors="replace").strip())


def _tagged(tag: bytes) -> Complete:
    inside = b"\r\n" + tag
    return lambda data: data.endswith(b"\r\n") and (inside in data or data.startswith(tag))


def send(sender: str, recipient: str, messages: Sequence[bytes]) -> Script:
    """Hand over messages by LMTP or SMTP, with the envelope in one piece (PIPELINING)."""
    envelope = b"MAIL FROM:<%b>\r\nRCPT TO:<%b>\r\nDATA\r\n" % (
        sender.encode(),
        recipient.encode(),
    )
    for message in messages:
        answer = yield envelope, _three_lines
        if b"\r\n354" not in answer:
            raise Failed(answer.decode(errors="replace").strip())
        answer = yield message + b".\r\n", _line_end
        if not answer.startswith(b"250"):
            raise Failed(answer.decode(errors="replace").strip())


def _line_end(data: bytes) -> bool:
    return data.endswith(b"\r\n")


def _three_lines(data: bytes) -> bool:
    return data.endswith(b"\r\n") and data.count(b"\r\n") == 3


# --- messages -------------------------------------------------------------------------------------


def message(number: int, size: int, sender: str) -> bytes:
    """A message of ``size`` octets, different for each number; its lines are those of text."""
    header = (
        f"Return-Path: <{sender}>\r\n"
        "Received: from relay.example.test (relay.example.test [192.0.2.7])\r\n"
        f"\tby mail.example.test with ESMTPS id {number:08x};\r\n"
        "\tFri, 13 Mar 2026 10:11:12 +0100\r\n"
        f"From: Some Person <{sender}>\r\n"
        "To: Another Person <another@example.test>, third@example.test\r\n"
        f"Subject: Minutes of meeting {number}, with a table\r\n"
        "Date: Fri, 13 Mar 2026 10:11:10 +0100\r\n"
        f"Message-ID: <{number}.bench@example.test>\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n"
        "\r\n"
    ).encode()
    return header + text(size - len(header))


def text(size: int) -> bytes:
    """Lines of text, ``size`` octets with CRLF at the end."""
    line = b"The quick brown fox jumps over the lazy dog and is back before it wakes.\r\n"
    return (line * (max(0, size - 2) // len(line) + 1))[: max(0, size - 2)] + b"\r\n"
