"""Searching a mailbox: every key, combined, on rows, headers and bodies."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from folkmoot.storage.errors import Unavailable
from folkmoot.storage.mutations.messages import AppendMessages
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, SearchKey
from folkmoot.storage.types_search import (
    And,
    BodyContains,
    HasFlags,
    HasKeyword,
    HeaderContains,
    InternalDate,
    Larger,
    ModseqAtLeast,
    Not,
    Or,
    SentDate,
    Smaller,
    TextContains,
    UidIn,
)
from folkmoot.storage.views import search as module
from folkmoot.storage.views.search import SearchMessages
from tests.kit.messages import simple
from tests.storage.mail_kit import Mail, new_mail, new_message, uids


@pytest.fixture
def mail(store: Store) -> Mail:
    return new_mail(store)


def find(mail: Mail, key: SearchKey) -> list[int]:
    """UIDs that match; their modseqs must be the messages' own."""
    inbox = mail.box().id
    found = mail.view(SearchMessages(inbox, key, mail.store.blobs))
    modseqs = mail.modseqs(inbox)
    assert all(modseqs[uid] == modseq for uid, modseq in found)
    return [uid for uid, _ in found]


def test_keys_of_the_row(mail: Mail) -> None:
    """Flags, keywords, UIDs, sizes and modseqs, alone and combined."""
    inbox = mail.box().id
    mail.append(inbox, b"x" * 10, flags=Flag.SEEN | Flag.FLAGGED)
    mail.append(inbox, b"x" * 20, flags=Flag.SEEN, keywords=("$Work",))
    mail.append(inbox, b"x" * 30, keywords=("$Work", "home"))
    last = mail.box().modseq
    for key, expected in (
        (And(()), [1, 2, 3]),
        (HasFlags(Flag.SEEN), [1, 2]),
        (HasFlags(Flag.SEEN | Flag.FLAGGED), [1]),
        (Not(HasFlags(Flag.SEEN)), [3]),
        (HasKeyword("$work"), [2, 3]),
        (HasKeyword("$wor"), []),
        (UidIn(uids("2:9")), [2, 3]),
        (And((UidIn(uids("1:2")), UidIn(uids("2:3")))), [2]),
        (Not(UidIn(uids("2"))), [1, 3]),
        (Larger(20), [3]),
        (Smaller(20), [1]),
        (Or((Larger(20), Smaller(20))), [1, 3]),
        (ModseqAtLeast(last), [3]),
        (And((HasKeyword("$Work"), Not(Or((HasFlags(Flag.SEEN), Larger(99)))))), [3]),
        (Or(()), []),
    ):
        assert find(mail, key) == expected, key


def test_dates_count_in_their_own_zone(mail: Mail) -> None:
    """Internal dates disregard time and zone (RFC 9051 section 6.4.4)."""
    east = datetime(2024, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=14)))
    west = datetime(2024, 2, 28, 23, 30, tzinfo=timezone(-timedelta(hours=12)))
    noon = datetime(2024, 2, 29, 12, tzinfo=UTC)
    messages = tuple(new_message(mail.store, arrived=arrived) for arrived in (east, west, noon))
    mail.apply(AppendMessages(mail.box().id, messages))
    assert find(mail, InternalDate(date(2024, 3, 1), None)) == [1]
    assert find(mail, InternalDate(None, date(2024, 2, 29))) == [2]
    assert find(mail, InternalDate(date(2024, 2, 29), date(2024, 3, 1))) == [3]


def test_sent_dates_survive_what_senders_write(mail: Mail) -> None:
    """Broken Date fields match no date; none of them stops the search of the whole mailbox."""
    fields = [
        "Thu, 29 Feb 2024 23:59:59 -1200",
        "29 Feb 2024 00:00 +0000",
        "Thu, 31 Feb 2024 10:00:00 +0000",
        "Thu, 99999999999999999999 Jan 2024 10:00:00 +0000",
        "1 Jan 99999999999999999999 10:00:00",
        "Thu, " + "9" * 5000 + " Jan 2024 10:00:00",
        "1 Jan 0000 10:00:00",
        "yesterday",
        "",
    ]
    bodies = [f"Date: {field}\r\nSubject: x\r\n\r\n".encode() for field in fields]
    mail.append(mail.box().id, *bodies, b"Subject: none\r\n\r\n", b"Date: \xff\x00\r\n\r\n")
    assert find(mail, SentDate(date(2024, 2, 29), date(2024, 3, 1))) == [1, 2]
    assert find(mail, Not(SentDate(date(2024, 2, 29), date(2024, 3, 1)))) == list(range(3, 12))


def test_headers_are_decoded_and_folded(mail: Mail) -> None:
    """A search in words finds encoded words, without regard to case, and substrings."""
    mail.append(
        mail.box().id,
        simple("=?utf-8?q?Gr=C3=BC=C3=9Fe_aus?= =?utf-8?b?IEvDtmxu?="),
        simple("Nothing", extra="X-Empty:\r\n"),
        b"no header at all",
    )
    for key, expected in (
        (HeaderContains("subject", "GRÜSSE AUS KÖLN"), [1]),
        (HeaderContains("subject", "ot"), [2]),
        (HeaderContains("subject", ""), [1, 2]),
        (HeaderContains("x-empty", ""), [2]),
        (HeaderContains("x-empty", "x"), []),
        (Not(HeaderContains("subject", "")), [3]),
        (TextContains("köln"), [1]),
    ):
        assert find(mail, key) == expected, key


def test_bodies_are_searched_as_text(mail: Mail) -> None:
    """Transfer encodings and charsets are undone; large bodies are read from their files."""
    large = b"pad " * (mail.store.inline_limit // 4) + b"needle\r\n"
    mail.append(
        mail.box().id,
        simple(body="Gr=C3=BC=C3=9Fe\r\n", extra="Content-Transfer-Encoding: quoted-printable\r\n"),
        simple("needle in the subject", body="plain\r\n"),
        simple(body="") + large,
    )
    for key, expected in (
        (BodyContains("grüße"), [1]),
        (BodyContains("needle"), [3]),
        (TextContains("NEEDLE"), [2, 3]),
        (And((BodyContains("needle"), Not(HeaderContains("subject", "needle")))), [3]),
        (Not(TextContains("needle")), [1]),
        (Or((Smaller(1), BodyContains("plain"))), [2]),
    ):
        assert find(mail, key) == expected, key


def test_many_open_messages_come_in_batches(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """More messages than are held at a time: the answer is whole and ascends."""
    monkeypatch.setattr(module, "BATCH", 3)
    mail.append(mail.box().id, *[simple(f"Subject {n}") for n in range(11)])
    key = Or((HeaderContains("subject", "subject 1"), UidIn(uids("5"))))
    assert find(mail, key) == [2, 5, 11]


def test_a_missing_body_file_is_said_to_be_unavailable(mail: Mail) -> None:
    """A lost file stops a body search with an error, but no search that needs no bodies."""
    mail.append(mail.box().id, simple(body="") + b"x" * mail.store.inline_limit)
    (name,) = mail.store.blobs.names()
    path = mail.store.blobs.path(name)
    away = path.with_suffix(".away")
    path.rename(away)
    with pytest.raises(Unavailable):
        find(mail, BodyContains("x"))
    assert find(mail, HeaderContains("subject", "hello")) == [1]
    away.rename(path)
