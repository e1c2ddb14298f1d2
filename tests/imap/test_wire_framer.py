"""The framer: commands out of octets, however they arrive."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.protocols.imap.framer import (
    AFTER_LOGIN,
    Close,
    Command,
    Continue,
    Event,
    Framer,
    Limits,
    Line,
    Literal,
    LiteralHeader,
    MemorySink,
    Refuse,
    Rejected,
    Sink,
    SinkFailed,
)

SMALL = Limits(max_line=40, max_literals=3, max_memory=30, max_discard=60)


def plain(event: Event) -> object:
    """An event in a form that compares by value: literals as their octets."""
    if not isinstance(event, Command):
        return event
    parts: list[object] = []
    for segment in event.segments:
        if isinstance(segment, Literal):
            assert isinstance(segment.sink, MemorySink)
            parts.append((segment.size, segment.sync, segment.binary, segment.sink.value))
        else:
            parts.append(segment)
    return parts


def drain(framer: Framer) -> list[object]:
    """All events that are ready."""
    events: list[object] = []
    while (event := framer.next_event()) is not None:
        events.append(plain(event))
    return events


def frame(octets: bytes, limits: Limits = AFTER_LOGIN) -> list[object]:
    """All events of `octets` that arrive at once."""
    framer = Framer(limits)
    framer.feed(octets)
    return drain(framer)


def rejected(event: object) -> tuple[bytes | None, str, str | None]:
    """Tag, status and code of a Rejected event."""
    assert isinstance(event, Rejected), event
    return event.tag, event.refusal.status, event.refusal.code


@dataclass
class SpySink:
    """A sink that notes what happens to it."""

    log: list[str]

    def write(self, data: bytes, /) -> None:
        self.log.append(f"write {len(data)}")

    def close(self) -> None:
        self.log.append("close")

    def abort(self) -> None:
        self.log.append("abort")


def test_pipelined_commands_come_one_at_a_time() -> None:
    """A packet with DONE and the next commands (as phones send it) loses nothing."""
    framer = Framer(AFTER_LOGIN)
    framer.feed(b"DONE\r\nA1 NOOP\r\nA2 LOGOUT\r\nA3")
    assert framer.next_line(100) == Line(b"DONE")
    assert framer.pending == len(b"A1 NOOP\r\nA2 LOGOUT\r\nA3")
    assert framer.next_event() == Command((b"A1 NOOP",))
    assert framer.next_event() == Command((b"A2 LOGOUT",))
    assert framer.next_event() is None
    assert framer.pending == 2


def test_literals_of_each_kind() -> None:
    """Synchronising, non-synchronising, binary and empty literals reach the command whole."""
    # rfc9051#4.3, rfc7888#3
    events = frame(b"a LOGIN {3}\r\nx\r\n {0+}\r\n ~{2}\r\n\0\n ~{1+}\r\nz end\r\nb NOOP\r\n")
    assert events == [
        Continue(),
        Continue(),
        [b"a LOGIN ", (3, True, False, b"x\r\n"), b" ", (0, False, False, b""), b" ",
         (2, True, True, b"\0\n"), b" ", (1, False, True, b"z"), b" end"],
        [b"b NOOP"],
    ]  # fmt: skip


def test_continuation_comes_before_the_octets() -> None:
    """The client of a synchronising literal is told to go on before it has sent anything."""
    # rfc9051#4.3
    framer = Framer(AFTER_LOGIN)
    framer.feed(b"a X {1}\r\n")
    assert framer.next_event() == Continue()
    assert framer.next_event() is None


def test_line_ends() -> None:
    """A bare LF ends a line; a CR alone does not and spoils the command."""
    assert frame(b"a NOOP\nb NOOP\r\n") == [[b"a NOOP"], [b"b NOOP"]]
    events = frame(b"a NO\rOP\r\nb NOOP\r\r\nc NOOP\r\n")
    assert [rejected(event)[0] for event in events[:2]] == [b"a", b"b"]
    assert events[2] == [b"c NOOP"]


def test_nul_spoils_one_command_only() -> None:
    """A NUL in a line is answered BAD; its literal is not taken for commands."""
    events = frame(b"a X \0 {7+}\r\nb NOOP\n rest\r\nc NOOP\r\n")
    assert rejected(events[0]) == (b"a", "BAD", None)
    assert events[1:] == [[b"c NOOP"]]


def test_line_too_long() -> None:
    """A line at the limit passes, one octet more is refused, and the next command works."""
    assert frame(b"a" * 40 + b"\r\n", SMALL) == [[b"a" * 40]]
    events = frame(b"a " + b"x" * 39 + b"\r\nb NOOP\r\n", SMALL)
    assert rejected(events[0]) == (b"a", "BAD", "LIMIT")
    assert events[1:] == [[b"b NOOP"]]


def test_line_limit_counts_all_lines_of_a_command() -> None:
    """Text between literals counts as well, so that many literals do not multiply the limit."""
    piece = b"x" * 16 + b" {1+}\r\ny"
    events = frame(b"a " + piece * 2 + b"\r\n" + b"b NOOP\r\n", SMALL)
    assert rejected(events[0]) == (b"a", "BAD", "LIMIT")
    assert events[1:] == [[b"b NOOP"]]


def test_literal_after_an_overlong_line_is_swallowed() -> None:
    """What a client announces as literal is never read as a command (no smuggling)."""
    inside = b"b DELETE INBOX\r\n"
    header = b" {%d+}\r\n" % len(inside)
    events = frame(b"a " + b"x" * 60 + header + inside + b"\r\nc NOOP\r\n",
                   Limits(40, 3, 30, 200))  # fmt: skip
    assert len(events) == 2
    assert rejected(events[0])[0] == b"a"
    assert events[1] == [b"c NOOP"]


def test_absurd_sizes() -> None:
    """Sizes of any number of digits are refused without computing them."""
    digits = b"9" * 5000
    refused, after = frame(b"a X {" + digits + b"}\r\nb NOOP\r\n")
    assert rejected(refused) == (b"a", "BAD", "TOOBIG")
    assert after == [b"b NOOP"]
    assert isinstance(frame(b"a X {" + digits + b"+}\r\n")[0], Close)
    long_line = b"x" * 70_000 + b"{" + digits
    assert isinstance(frame(b"a " + long_line + b"+}\r\n")[0], Close)


def test_refused_literal_that_waits() -> None:
    """No continuation is sent, the command is over, and the next line is a command."""
    framer = Framer(AFTER_LOGIN, lambda header: Refuse("No", "NO", "OVERQUOTA"))
    framer.feed(b"a APPEND x {1000000}\r\nb NOOP\r\n")
    events = drain(framer)
    assert rejected(events[0]) == (b"a", "NO", "OVERQUOTA")
    assert events[1:] == [[b"b NOOP"]]


def test_refused_literal_that_does_not_wait() -> None:
    """Its octets are swallowed, with the rest of the command and the literals in it."""
    framer = Framer(AFTER_LOGIN, lambda header: Refuse("No", "NO", "TOOBIG"))
    framer.feed(b"a APPEND x {9+}\r\nb NOOP\r\n! {8+}\r\nc NOOP\r\n done\r\nd NOOP\r\n")
    events = drain(framer)
    assert rejected(events[0]) == (b"a", "NO", "TOOBIG")
    assert events[1:] == [[b"d NOOP"]]


def test_refused_flood_closes() -> None:
    """A refused literal over the limit of what is swallowed ends the connection at once."""
    framer = Framer(SMALL, lambda header: Refuse("No"))
    framer.feed(b"a X {61+}\r\n")
    assert isinstance(framer.next_event(), Close)
    framer.feed(b"b NOOP\r\n")
    assert framer.next_event() is None
    assert framer.pending == 0


def test_endless_line_closes() -> None:
    """A line without an end costs neither memory nor patience."""
    framer = Framer(SMALL)
    events: list[Event] = []
    for _ in range(20):
        framer.feed(b"x" * 10)
        while (event := framer.next_event()) is not None:
            events.append(event)
        assert framer.pending <= 60
    assert len(events) == 1
    assert isinstance(events[0], Close)


def test_limits_of_literals() -> None:
    """The number of literals, and their total in memory, are limited per command."""
    many = frame(b"a " + b"{1+}\r\nx" * 4 + b"\r\nb NOOP\r\n", SMALL)
    assert rejected(many[0]) == (b"a", "BAD", "LIMIT")
    assert many[1:] == [[b"b NOOP"]]
    large = frame(b"a {20+}\r\n" + b"x" * 20 + b"{11}\r\nb NOOP\r\n", SMALL)
    assert rejected(large[0]) == (b"a", "BAD", "TOOBIG")
    assert large[1:] == [[b"b NOOP"]]
    fits = frame(b"a {20+}\r\n" + b"x" * 20 + b"{10+}\r\n" + b"y" * 10 + b"\r\n", SMALL)
    assert len(fits) == 1
    assert not isinstance(fits[0], Rejected)


def test_decision_sees_the_command_so_far() -> None:
    """The server decides from tag, name, mailbox, size and kind, before any octet is taken."""
    seen: list[LiteralHeader] = []

    def decide(header: LiteralHeader) -> Sink:
        seen.append(header)
        return MemorySink()

    framer = Framer(AFTER_LOGIN, decide)
    framer.feed(b"a APPEND {5+}\r\nINBOX (\\Seen) ~{70000}\r\n")
    assert framer.next_event() == Continue()
    assert (seen[0].prefix, seen[0].size, seen[0].sync, seen[0].binary) == (
        (b"a APPEND ",), 5, False, False,
    )  # fmt: skip
    assert (seen[1].size, seen[1].sync, seen[1].binary) == (70000, True, True)
    assert seen[1].prefix[0] == b"a APPEND "
    assert seen[1].prefix[2] == b" (\\Seen) "


def test_spooling_sink_may_hold_more_than_memory() -> None:
    """The limit of memory does not bind a sink of the server's own; octets pass through."""
    log: list[str] = []
    framer = Framer(SMALL, lambda header: SpySink(log))
    framer.feed(b"a APPEND x {100}\r\n")
    assert framer.next_event() == Continue()
    for _ in range(10):
        framer.feed(b"y" * 10)
        assert framer.next_event() is None
        assert framer.pending == 0
    assert log == ["write 10"] * 10 + ["close"]
    framer.feed(b"\r\n")
    assert isinstance(framer.next_event(), Command)
    assert "abort" not in log


def test_sinks_of_a_failed_command_are_aborted() -> None:
    """When a later part of the command is refused, what was spooled is thrown away."""
    log: list[str] = []
    answers: list[Sink | Refuse] = [SpySink(log), Refuse("No", "NO")]
    framer = Framer(AFTER_LOGIN, lambda header: answers.pop(0))
    framer.feed(b"a APPEND x {1+}\r\ny {5}\r\n")
    assert isinstance(framer.next_event(), Rejected)
    assert log == ["write 1", "close", "abort"]


def test_lost_connection_aborts_sinks() -> None:
    """A message that was cut off is not kept."""
    log: list[str] = []
    framer = Framer(AFTER_LOGIN, lambda header: SpySink(log))
    framer.feed(b"a APPEND x {9+}\r\nyy")
    assert framer.next_event() is None
    framer.abort()
    assert log == ["write 2", "abort"]


def test_failing_sink_refuses_the_command() -> None:
    """A full disk gives the tagged reply, and the rest of the message is not read as commands."""

    class Full(SpySink):
        def write(self, data: bytes, /) -> None:
            raise SinkFailed(Refuse("Disk full", "NO", "UNAVAILABLE"))

    framer = Framer(SMALL, lambda header: Full([]))
    framer.feed(b"a APPEND x {100+}\r\n")
    for _ in range(10):
        framer.feed(b"b NOOP\r\n..")
        assert framer.next_event() is None
    framer.feed(b"\r\nc NOOP\r\n")
    events = drain(framer)
    assert rejected(events[0]) == (b"a", "NO", "UNAVAILABLE")
    assert events[1:] == [[b"c NOOP"]]


def test_raw_lines_have_their_own_limit() -> None:
    """A SASL response over its limit is refused, and the line after it is read well."""
    framer = Framer(AFTER_LOGIN)
    framer.feed(b"x" * 10 + b"\r\n" + b"y" * 11 + b"\r\n" + b"z{3+}\r\n")
    assert framer.next_line(10) == Line(b"x" * 10)
    assert rejected(framer.next_line(10)) == (None, "BAD", "LIMIT")
    assert framer.next_line(10) == Line(b"z{3+}")
    assert framer.next_line(10) is None


def test_tag_is_known_only_when_it_is_one() -> None:
    """A reply never carries what is not a tag."""
    assert rejected(frame(b"(a) \0\r\n")[0])[0] is None
    assert rejected(frame(b"+a \0\r\n")[0])[0] is None
    assert rejected(frame(b"a]1 \0\r\n")[0])[0] == b"a]1"
    assert rejected(frame(b"t" * 65 + b" \0\r\n")[0])[0] is None


PIECES = st.sampled_from(
    [b"a1 ", b"\r\n", b"\n", b"\r", b"\0", b"{3}\r\n", b"{3+}\r\n", b"~{2+}\r\nxy", b"{0}\r\n",
     b"{70+}\r\n", b"{31}\r\n", b"{999999999999999999999+}\r\n", b"{", b"}", b"NOOP", b" ",
     b"x" * 41, b"y" * 30, b"abc"]
)  # fmt: skip
STREAMS = st.lists(PIECES | st.binary(max_size=6), max_size=25).map(b"".join)


@given(STREAMS, st.lists(st.integers(1, 30), max_size=20))
@settings(max_examples=300, deadline=None)
def test_cuts_do_not_matter(stream: bytes, cuts: list[int]) -> None:
    """The same octets give the same events whether they come at once, in pieces or one by one."""
    whole = frame(stream, SMALL)
    for sizes in ([1] * len(stream), cuts):
        framer = Framer(SMALL)
        events: list[object] = []
        at = 0
        for size in sizes:
            framer.feed(stream[at : at + size])
            at += size
            events += drain(framer)
        framer.feed(stream[at:])
        events += drain(framer)
        assert events == whole


@given(st.lists(st.sampled_from([b"x", b"yyyy", b"\r", b"\n", b"\r\n", b"z" * 30]), max_size=30))
@settings(max_examples=200, deadline=None)
def test_cuts_do_not_matter_for_raw_lines(pieces: list[bytes]) -> None:
    """Raw lines are cut alike however they arrive."""
    one, many = Framer(SMALL), Framer(SMALL)
    one.feed(b"".join(pieces))
    whole: list[object] = []
    while (line := one.next_line(10)) is not None:
        whole.append(line)
    events: list[object] = []
    for octet in b"".join(pieces):
        many.feed(bytes([octet]))
        while (line := many.next_line(10)) is not None:
            events.append(line)
    assert events == whole
