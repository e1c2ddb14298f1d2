"""The soak's own rules: each thing that must not happen is found, and nothing else is."""

from __future__ import annotations

import random

import pytest

from benchmarks.plots import Line, Plot, svg
from benchmarks.soak import bodies
from benchmarks.soak.items import Collection
from benchmarks.soak.journal import Histogram, Journal
from benchmarks.soak.mailbox import SEEN, Mailbox
from benchmarks.soak.truth import SETTLE, Register
from benchmarks.soak.watch import GROWTH_MIB, Sample, trend


@pytest.fixture
def journal() -> Journal:
    """An empty one."""
    return Journal()


# --- what may be read -----------------------------------------------------------------------------


def test_an_acknowledged_write_is_read() -> None:
    """Who asks after the acknowledgement sees it, and not what was there before."""
    register = Register("a")
    write = register.begin("b", 1)
    assert register.may_be(0, 0.5) == {"a"}
    assert register.may_be(0, 1.5) == {"a", "b"}
    register.done(write, 2)
    assert register.may_be(0, 0.5) == {"a"}
    assert register.may_be(1.5, 3) == {"a", "b"}
    assert register.may_be(2.5, 3) == {"b"}


def test_writes_at_the_same_time() -> None:
    """Any of them may be the last one, until a later one replaces both."""
    register = Register(0)
    one, two = register.begin(1, 1), register.begin(2, 1.5)
    register.done(one, 2)
    register.done(two, 2.5)
    assert register.may_be(3, 4) == {1, 2}
    register.done(register.begin(3, 5), 6)
    assert register.may_be(7, 8) == {3}


def test_refused_and_lost_writes() -> None:
    """What was refused is not there; what got no answer may be, until it is replaced later."""
    register = Register(0)
    register.refused(register.begin(1, 1))
    assert register.may_be(2, 3) == {0}
    register.lost(register.begin(2, 4), 4)
    assert register.may_be(100, 101) == {0, 2}
    register.done(register.begin(3, 4 + SETTLE / 2), 4 + SETTLE / 2)
    assert register.may_be(100, 101) == {2, 3}  # it may have come late
    register.done(register.begin(4, 5 + SETTLE), 5 + SETTLE)
    assert register.may_be(100, 101) == {4}


def test_old_writes_take_no_room() -> None:
    """A run of hours keeps what can still be read, and forgets the rest."""
    register = Register(0)
    for number in range(10_000):
        register.done(register.begin(number, number), number + 0.5)
    assert len(register._writes) < 500
    assert register.may_be(9_999.6, 10_000) == {9_999}


# --- mailboxes ------------------------------------------------------------------------------------


def _mailbox(journal: Journal) -> Mailbox:
    """With one message that came at 1, UID 7."""
    mailbox = Mailbox("INBOX")
    message, write = mailbox.expect("soak-a-1-s9", 1)
    message.present.done(write, 1)
    mailbox.found(7, "soak-a-1-s9", journal)
    return mailbox


def _compared(mailbox: Mailbox, view: dict[int, frozenset[str]], journal: Journal) -> list[str]:
    mailbox.compare(view, (5, 6), "p", journal)
    return sorted(journal.wrong)


def test_a_mailbox_as_it_is(journal: Journal) -> None:
    """What is there is no fault."""
    assert _compared(_mailbox(journal), {7: frozenset()}, journal) == []


def test_a_lost_message(journal: Journal) -> None:
    """It was acknowledged, and is not seen: known by its UID, and never seen at all."""
    mailbox = _mailbox(journal)
    assert _compared(mailbox, {}, journal) == ["lost message"]
    message, write = mailbox.expect("soak-a-2-s9", 2)
    message.present.done(write, 2)
    assert _compared(mailbox, {7: frozenset()}, journal) == ["lost message"]
    assert journal.wrong["lost message"] == 3 - 1


def test_a_message_that_is_gone(journal: Journal) -> None:
    """It was expunged before the program asked."""
    mailbox = _mailbox(journal)
    present = mailbox.by_uid[7].present
    present.done(present.begin(False, 2), 3)
    assert _compared(mailbox, {}, journal) == []
    assert _compared(mailbox, {7: frozenset()}, journal) == ["message is gone"]


def test_foreign_and_doubled_messages(journal: Journal) -> None:
    """One that nobody sent here, and one that came twice."""
    mailbox = _mailbox(journal)
    mailbox.found(8, "soak-b-1-s9", journal)
    mailbox.found(9, "soak-a-1-s9", journal)
    assert sorted(journal.wrong) == ["duplicated message", "foreign message"]


def test_flags_of_others(journal: Journal) -> None:
    """A flag that is lost, one that nobody set, and \\Seen of somebody else."""
    mailbox = _mailbox(journal)
    mailbox.shared = True
    message = mailbox.by_uid[7]
    for key in ("$Work", mailbox.key(SEEN, "p")):
        register = message.flag(key)
        register.done(register.begin(True, 2), 3)
    assert _compared(mailbox, {7: frozenset(["$Work", SEEN])}, journal) == []
    mailbox.compare({7: frozenset([SEEN])}, (5, 6), "p", journal)
    mailbox.compare({7: frozenset([SEEN, "$Work"])}, (5, 6), "q", journal)
    mailbox.compare({7: frozenset([SEEN, "$Work", "\\Flagged"])}, (5, 6), "p", journal)
    assert journal.wrong == {"flag": 3}


# --- calendars and the like -----------------------------------------------------------------------


def test_two_who_replace_the_same(journal: Journal) -> None:
    """If-Match lets one of them through; two are a lost change."""
    collection = Collection("x")
    version = collection.item("n").version
    version.done(version.begin("a", 1), 2)
    one, two = version.begin("b", 3), version.begin("c", 3)
    collection.done("n", one, ("a",), (3, 4), journal)
    assert not journal.wrong
    collection.done("n", two, ("a",), (3, 4), journal)
    assert list(journal.wrong) == ["lost change"]


def test_conditions(journal: Journal) -> None:
    """A condition that was passed over, and one that was held against what is true."""
    collection = Collection("x")
    version = collection.item("n").version
    version.done(version.begin("a", 1), 2)
    collection.refused("n", version.begin("b", 3), (None,), (3, 4), journal)
    assert not journal.wrong
    collection.refused("n", version.begin("b", 3), ("a",), (3, 4), journal)
    assert list(journal.wrong) == ["refused without reason"]
    collection.done("n", version.begin("b", 5), (None,), (5, 6), journal)
    assert "condition ignored" in journal.wrong


def test_what_a_sync_tells(journal: Journal) -> None:
    """An old entity tag, a name that is missing, and one that nobody made."""
    collection = Collection("x")
    item = collection.item("n")
    for token, tag, time in (("a", "1", 1), ("b", "2", 3)):
        item.version.done(item.version.begin(token, time), time + 1)
        assert item.tagged(tag, token)
    collection.compare({"n": "2"}, (5, 6), "p", journal)
    assert not journal.wrong
    collection.compare({"n": "1"}, (5, 6), "p", journal)
    collection.compare({}, (5, 6), "p", journal)
    collection.compare({"n": "2", "m": "9"}, (5, 6), "p", journal)
    assert sorted(journal.wrong) == ["foreign item", "lost content", "stale or foreign content"]
    assert not item.tagged("2", "c")


def test_a_part_of_a_collection(journal: Journal) -> None:
    """Of a drop folder one sees the own names only."""
    collection = Collection("x")
    for name in ("p1-a", "p2-a"):
        version = collection.item(name).version
        version.done(version.begin(name, 1), 2)
        collection.item(name).tagged(name, name)
    part = collection.part("p1-")
    part.compare({"p1-a": "p1-a"}, (3, 4), "1", journal)
    assert not journal.wrong
    part.compare({"p1-a": "p1-a", "p2-a": "p2-a"}, (3, 4), "1", journal)
    assert list(journal.wrong) == ["foreign item"]


def test_contents() -> None:
    """A content tells its token, and has the size that this says; mail has no bare line ends."""
    for size in range(200, 300):
        token = bodies.token("p1", 2, size)
        assert len(bodies.text(token)) == len(bodies.file(token, "x")) == size
        lines = bodies.text(token).split(b"\r\n")
        assert not any(b"\r" in line or b"\n" in line for line in lines)
        made = (
            bodies.message(token, "a@b", "c@d"),
            bodies.event(token, "n"),
            bodies.card(token, "n"),
        )
        assert {bodies.found_in(each) for each in made} == {token}


# --- memory and times -----------------------------------------------------------------------------


def _samples(seconds: int, memory: list[float]) -> list[Sample]:
    return [
        Sample(float(at), 0, memory[at], 0, 0, 0, 0, {"x": (300, 1.0, 1.0, 1.0, 1.0)})
        for at in range(seconds)
    ]


def test_a_leak_is_seen() -> None:
    """One KiB for each of 300 operations a second, in three minutes, under noise and peaks."""
    dice = random.Random(1)
    noise = [dice.gauss(0, 2) + 30 * (dice.random() < 0.05) for _ in range(180)]
    leaks = trend(_samples(180, [200 + at * 300 / 1024 + noise[at] for at in range(180)]))
    assert leaks.grows
    assert 700 < leaks.each < 1400
    assert not trend(_samples(180, [200 + each for each in noise])).grows


def test_what_is_no_leak() -> None:
    """Caches that fill in the first half; and runs that are too short to tell."""
    warm = [200.0 + min(at, 80) for at in range(180)]
    assert not trend(_samples(180, warm)).grows
    short = trend(_samples(60, [200.0 + at for at in range(60)]))
    assert short.growth > GROWTH_MIB
    assert not short.grows


def test_percentiles() -> None:
    """To a tenth."""
    times = Histogram()
    for number in range(1, 1001):
        times.add(number / 1000)
    for share in (0.5, 0.95, 0.99):
        assert share <= times.percentile(share) <= share * 1.11
    assert times.percentile(1) == times.slowest == 1


def test_plots_are_drawn() -> None:
    """Lines of any values, in SVG that parses; many points become few."""
    from xml.etree import ElementTree

    values = [0.0, 5.0] * 5000
    line = Line("a & b", [float(at) for at in range(10_000)], values)
    for logarithmic in (False, True):
        root = ElementTree.fromstring(svg([Plot("<t>", "ms", [line], logarithmic)]))
        [drawn] = root.iter("{http://www.w3.org/2000/svg}polyline")
        assert len(drawn.attrib["points"].split()) < 500
    ElementTree.fromstring(svg([Plot("empty", "", [Line("n", [], [])])]))
