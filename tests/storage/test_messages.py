"""Messages: append, read, expunge, copy, move; counters are checked after every test."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from folkmoot.storage.errors import LimitReached, NotFound
from folkmoot.storage.mutations.messages import (
    MAX_UID,
    AppendMessages,
    CopyMessages,
    ExpungeMessages,
    MoveMessages,
)
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, FlagSet, MessageColumn, UidSet
from folkmoot.storage.views.bodies import LocateBody
from folkmoot.storage.views.messages import FetchRows, ReadState
from tests.kit.messages import simple
from tests.storage.accounts_kit import make_domain
from tests.storage.mail_kit import ALL_UIDS, Mail, new_mail, new_message, sql, uids


@pytest.fixture
def mail(store: Store) -> Mail:
    return new_mail(store)


def test_appended_octets_come_back(mail: Mail) -> None:
    """What was stored is what is read, whatever octets it has."""
    inbox = mail.box().id
    bodies = [simple(), b"", b"\x00\xff no message at all", b"A: b\n\nbare\nlines\n", b"\r\n" * 100]
    appended = mail.append(inbox, *bodies)
    assert appended.uids == (1, 2, 3, 4, 5)
    assert [mail.octets(inbox, uid) for uid in appended.uids] == bodies
    assert appended.uidvalidity == mail.box().uidvalidity


def test_large_bodies_are_files(mail: Mail) -> None:
    """A body over the inline limit lies in one file, and its copies share it."""
    inbox, other = mail.box().id, mail.create("Other")
    body = simple(body="x" * 70 + "\r\n") + b"y" * mail.store.inline_limit
    mail.append(inbox, body)
    mail.apply(CopyMessages(inbox, uids("1"), other))
    assert mail.octets(inbox, 1) == mail.octets(other, 1) == body
    assert len(list(mail.store.blobs.names())) == 1


def test_counters_follow(mail: Mail) -> None:
    """STATUS is one row: its numbers follow every kind of change."""
    inbox = mail.box().id
    mail.append(inbox, simple(), simple(), flags=Flag.SEEN)
    mail.append(inbox, simple())
    box = mail.box()
    assert (box.messages, box.unseen, box.deleted) == (3, 1, 0)
    assert box.size == 3 * len(simple())
    mail.flag(inbox, uids("1,3"), Flag.DELETED | Flag.SEEN)
    box = mail.box()
    assert (box.messages, box.unseen, box.deleted) == (3, 0, 2)
    mail.apply(ExpungeMessages(inbox))
    box = mail.box()
    assert (box.messages, box.unseen, box.deleted, box.size) == (1, 0, 0, len(simple()))
    assert box.uidnext == 4


def test_a_batch_is_all_or_nothing(mail: Mail) -> None:
    """MULTIAPPEND: when the last message fails, none is there (RFC 3502)."""
    inbox = mail.box().id
    good = new_message(mail.store)
    many = tuple(f"k{n}" for n in range(300))
    bad = replace(good, flags=FlagSet(Flag.NONE, many))
    before = mail.box()
    with pytest.raises(LimitReached):
        mail.apply(AppendMessages(inbox, (good, bad)))
    assert mail.box() == before
    assert mail.rows(inbox) == []


def test_uids_are_never_used_again(mail: Mail) -> None:
    """Also after the last message is expunged, the next one gets a new UID (RFC 9051 2.3.1.1)."""
    inbox = mail.box().id
    mail.append(inbox, None, None, flags=Flag.DELETED)
    mail.apply(ExpungeMessages(inbox))
    assert mail.append(inbox).uids == (3,)


def test_uids_end(mail: Mail) -> None:
    """A UID above 32 bits is never given; the refused append leaves nothing."""
    inbox, other = mail.box().id, mail.create("Other")
    mail.append(other)
    sql(mail.store, "UPDATE collections SET uidnext = :n WHERE id = :id", n=MAX_UID - 1, id=inbox)
    assert mail.append(inbox).uids == (MAX_UID - 1,)
    with pytest.raises(LimitReached):
        mail.append(inbox)
    with pytest.raises(LimitReached):
        mail.apply(CopyMessages(other, uids("1"), inbox))
    with pytest.raises(LimitReached):
        mail.apply(MoveMessages(other, uids("1"), inbox))
    assert mail.box().messages == mail.box("Other").messages == 1


def test_dates_keep_their_zone(mail: Mail) -> None:
    """INTERNALDATE prints the zone that APPEND gave, before 1970 and at the ends too."""
    inbox = mail.box().id
    dates = [
        datetime(2024, 2, 29, 23, 59, 59, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        datetime(1969, 12, 31, 12, tzinfo=timezone(-timedelta(hours=9, minutes=30))),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ]
    messages = tuple(new_message(mail.store, arrived=date) for date in dates)
    mail.apply(AppendMessages(inbox, messages))
    rows = mail.rows(inbox, MessageColumn.INTERNAL_DATE)
    assert [(seconds, zone) for _, seconds, zone in rows] == [
        (int(date.timestamp()), (date.utcoffset() or timedelta()) // timedelta(minutes=1))
        for date in dates
    ]


def test_expunge_takes_only_deleted_ones_of_the_set(mail: Mail) -> None:
    """UID EXPUNGE leaves what has no \\Deleted and what was not named (RFC 4315 2.1)."""
    inbox = mail.box().id
    mail.append(inbox, *[None] * 5)
    mail.flag(inbox, uids("1,2,4"), Flag.DELETED)
    assert mail.apply(ExpungeMessages(inbox, uids("2:3,77"))).uids == uids("2")
    nothing = mail.apply(ExpungeMessages(inbox, uids("3")))
    assert (nothing.modseq, nothing.uids) == (0, UidSet())
    assert mail.apply(ExpungeMessages(inbox)).uids == uids("1,4")
    assert [row[0] for row in mail.rows(inbox)] == [3, 5]


def test_copy_keeps_flags_and_dates(mail: Mail) -> None:
    """Copies have the flags, keywords, dates and octets of their originals (RFC 9051 6.4.7)."""
    inbox, other = mail.box().id, mail.create("Other")
    mail.append(other)
    mail.append(inbox, simple("One"), flags=Flag.FLAGGED | Flag.SEEN, keywords=("$Work",))
    mail.append(inbox, simple("Two"))
    columns = (MessageColumn.FLAGS, MessageColumn.INTERNAL_DATE, MessageColumn.ENVELOPE)
    copied = mail.apply(CopyMessages(inbox, uids("1:2,99"), other))
    assert (copied.source, copied.target) == ((1, 2), (2, 3))
    assert copied.uidvalidity == mail.box("Other").uidvalidity
    originals = [row[1:] for row in mail.rows(inbox, *columns)]
    assert [row[1:] for row in mail.rows(other, *columns, which=uids("2:3"))] == originals
    assert "$Work" in mail.view(ReadState(other)).keywords


def test_move_takes_along_and_leaves_nothing(mail: Mail) -> None:
    """MOVE is one step: the messages are in exactly one of the mailboxes (RFC 6851)."""
    inbox, other = mail.box().id, mail.create("Other")
    mail.append(inbox, simple("One"), simple("Two"), simple("Three"), flags=Flag.ANSWERED)
    moved = mail.apply(MoveMessages(inbox, uids("1,3"), other))
    assert (moved.source, moved.target) == ((1, 3), (1, 2))
    assert [row[0] for row in mail.rows(inbox)] == [2]
    assert mail.octets(other, 2) == simple("Three")
    assert mail.flags(other) == {1: (int(Flag.ANSWERED), ""), 2: (int(Flag.ANSWERED), "")}


def test_move_within_a_mailbox_gives_new_uids(mail: Mail) -> None:
    """Moving to the mailbox itself is allowed: same messages, new UIDs, same charge."""
    inbox = mail.box().id
    mail.append(inbox, simple("One"), simple("Two"))
    moved = mail.apply(MoveMessages(inbox, ALL_UIDS, inbox))
    assert moved.target == (3, 4)
    assert [row[0] for row in mail.rows(inbox)] == [3, 4]
    assert mail.octets(inbox, 3) == simple("One")


def test_nothing_to_do_changes_nothing(mail: Mail) -> None:
    """Commands on UIDs that are gone succeed without a change (RFC 9051 6.4.9)."""
    inbox, other = mail.box().id, mail.create("Other")
    before = mail.boxes()
    assert mail.apply(CopyMessages(inbox, uids("5"), other)).target == ()
    assert mail.apply(MoveMessages(inbox, uids("5"), other)).target == ()
    assert not mail.flag(inbox, uids("5"), Flag.SEEN).changed
    assert not mail.apply(ExpungeMessages(inbox)).uids
    assert mail.boxes() == before


def test_state_is_what_select_needs(mail: Mail) -> None:
    """UIDs, the first unseen one, keywords and counters come together."""
    inbox = mail.box().id
    mail.append(inbox, None, None, flags=Flag.SEEN, keywords=("b", "c"))
    mail.append(inbox, None, None, keywords=("a",))
    state = mail.view(ReadState(inbox))
    assert list(state.uids) == [1, 2, 3, 4]
    assert state.first_unseen == 3
    assert state.keywords == ("b", "c", "a")
    assert state.uidnext == 5
    assert state.modseq == mail.box().modseq == max(mail.modseqs(inbox).values())
    mail.flag(inbox, ALL_UIDS, Flag.SEEN)
    assert mail.view(ReadState(inbox)).first_unseen is None


def test_rows_come_in_order_with_the_columns_asked_for(mail: Mail) -> None:
    """Dense, sparse and single sets give the same rows as reading everything."""
    inbox = mail.box().id
    mail.append(inbox, *[None] * 30)
    everything = mail.rows(inbox, MessageColumn.SIZE, MessageColumn.FLAGS, MessageColumn.HEADER)
    assert [row[0] for row in everything] == list(range(1, 31))
    for text in ("7", "1:30", "1,30", "3:5,9,20:25", "2,4,6,8", "30:40", "31"):
        chosen = uids(text)
        rows = mail.rows(
            inbox,
            MessageColumn.SIZE,
            MessageColumn.FLAGS,
            MessageColumn.HEADER,
            which=chosen,
        )
        assert rows == [row for row in everything if row[0] in chosen]


def test_a_budget_bounds_what_is_read_at_once(mail: Mail) -> None:
    """Reading on after the last row brings every message once, and always one at least."""
    inbox = mail.box().id
    mail.append(inbox, *[simple(body="x" * 1000)] * 10)
    seen: list[int] = []
    left = uids("1:3,5:10")
    calls = 0
    while left:
        rows = mail.view(FetchRows(inbox, left, (MessageColumn.ENVELOPE,), budget=2500))
        assert 1 <= len(rows) <= 3
        seen += [row[0] for row in rows]
        left = left.difference(UidSet.from_ranges([(1, seen[-1])]))
        calls += 1
    assert seen == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert calls >= 3
    assert len(mail.view(FetchRows(inbox, ALL_UIDS, (MessageColumn.ENVELOPE,), budget=1))) == 1


def test_a_body_that_is_gone_is_not_found(mail: Mail) -> None:
    """Also in a mailbox that exists."""
    inbox = mail.box().id
    with pytest.raises(NotFound):
        mail.view(LocateBody(inbox, 1))


def test_others_hear_of_nothing_until_it_is_committed(mail: Mail) -> None:
    """A reader sees the state before or after an append, never half of it."""
    inbox = mail.box().id
    stop = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        while not stop.is_set():
            state = mail.view(ReadState(inbox))
            if len(state.uids) % 3 or state.uidnext != len(state.uids) + 1:
                wrong.append(state)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(25):
        mail.append(inbox, None, None, None)
    stop.set()
    reader.join()
    assert wrong == []


def test_concurrent_appends_get_different_uids(mail: Mail) -> None:
    """Eight sessions at once: no UID twice, none missing, commit order is modseq order."""
    inbox = mail.box().id
    results: list[tuple[int, ...]] = []

    def work() -> None:
        for _ in range(5):
            results.append(mail.append(inbox, None, None).uids)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given = sorted(uid for pair in results for uid in pair)
    assert given == list(range(1, 81))
    modseqs = mail.modseqs(inbox)
    assert all(modseqs[first] == modseqs[second] for first, second in results)
    assert sorted(modseqs, key=lambda uid: (modseqs[uid], uid)) == list(range(1, 81))


def test_moves_in_opposite_directions_end(store: Store) -> None:
    """Two sessions that move between two mailboxes neither wait for ever nor lose a message."""
    make_domain(store)
    mail = new_mail(store, domain=False)
    one, two = mail.create("One"), mail.create("Two")
    mail.append(one, *[None] * 6)
    mail.append(two, *[None] * 6)

    def work(source: int, target: int) -> None:
        for _ in range(10):
            mail.apply(MoveMessages(source, ALL_UIDS, target))

    threads = [threading.Thread(target=work, args=pair) for pair in ((one, two), (two, one)) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mail.box("One").messages + mail.box("Two").messages == 12
