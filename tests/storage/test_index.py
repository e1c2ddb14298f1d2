"""The search index finds what the scan finds, and keeps nothing of what is gone."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from folkmoot.storage.index import build, lookup, texts, trigrams
from folkmoot.storage.index.texts import SEPARATOR
from folkmoot.storage.mutations import index as mutations
from folkmoot.storage.mutations.index import IndexMessages, PrepareIndex
from folkmoot.storage.mutations.messages import CopyMessages, ExpungeMessages
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, SearchKey, UidSet
from folkmoot.storage.types_search import (
    And,
    BodyContains,
    Fuzzy,
    HasFlags,
    HeaderContains,
    Not,
    Or,
    SentDate,
    Smaller,
    TextContains,
    UidIn,
)
from folkmoot.storage.upkeep import check, sweep
from folkmoot.storage.views.index import WaitingMessages
from folkmoot.storage.views.search import SearchMessages
from tests.kit.databases import Databases
from tests.kit.messages import simple
from tests.kit.stores import open_store
from tests.storage.accounts_kit import SYSTEM
from tests.storage.mail_kit import Mail, new_mail, sql, uids

WORDS = [
    "plan", "Planung", "Grüße", "STRASSE", "straße", "İstanbul", "ﬁne", "日本語", "100%", "a_b",
    "\\", "'", '"', "<b>x</b>", "x" * 40, "ab", "\N{PILE OF POO}", "re:", SEPARATOR,
    "=?utf-8?q?=C3=BC?=", "\ufffe", "\uffff", "ÅNGSTRÖM", "e\u0301", "fox jumps",
]  # fmt: skip
FIELDS = ["Subject", "From", "To", "Cc", "Bcc", "X-Tag", "subject", "List-Id"]


@pytest.fixture
def mail(store: Store) -> Mail:
    return new_mail(store)


def find(mail: Mail, key: SearchKey) -> list[int]:
    return [uid for uid, _ in mail.view(SearchMessages(mail.box().id, key, mail.store.blobs))]


def index(store: Store) -> int:
    """Index all that waits; how much it was."""
    build.prepare(store)
    count = 0
    while done := build.step(store):
        count += done
    return count


def unindex(store: Store) -> None:
    """Let the scan answer everything."""
    sql(store, "UPDATE message_keys SET state = 1")


def states(store: Store) -> list[int]:
    return [row[0] for row in sql(store, "SELECT state FROM message_keys ORDER BY blob_id")]


# --- the same as the scan ----------------------------------------------------------------------


def a_message(rnd: random.Random) -> bytes:
    """Some header fields, repeated, folded and broken, and some parts in some charset."""

    def words(count: int) -> str:
        return rnd.choice([" ", "", "\r\n "]).join(rnd.choice(WORDS) for _ in range(count))

    lines = [f"{rnd.choice(FIELDS)}: {words(rnd.randrange(4))}" for _ in range(rnd.randrange(6))]
    if rnd.random() < 0.2:
        lines.append("no field at all")
    charset = rnd.choice(["utf-8", "iso-8859-1", "utf-16", "utf-7", "koi8-r"])
    kind = rnd.choice(["text/plain", "text/html", "application/pdf"])
    part = f"Content-Type: {kind}; charset={charset}\r\n\r\n{words(rnd.randrange(12))}\x00\r\n"
    if rnd.random() < 0.4:
        inner = f"Subject: {words(2)}\r\n\r\n{words(5)}\r\n"
        lines.append("Content-Type: multipart/mixed; boundary=b")
        body = f"--b\r\n{part}--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}--b--\r\n"
        text = "\r\n".join([*lines, "", body])
    else:
        text = "\r\n".join([*lines, part])
    return text.encode(charset if charset == "utf-8" else "utf-8", "surrogatepass")


def misspelt(rnd: random.Random, text: str) -> str:
    """Two words, one of them perhaps with a slip."""
    at = rnd.randrange(len(text) + 1)
    return f"{text[:at]}{rnd.choice(['', 'e', text[at : at + 1] * 2])}{text[at + 1 :]} plan"


def a_key(rnd: random.Random, depth: int = 0) -> SearchKey:
    """A random tree of keys."""
    text = rnd.choice([*WORDS, "", "la", "nun", "%", "jumps", "üße\n", "a\nb", "\r\n", " "])
    if rnd.random() < 0.3:
        text = text[: rnd.randrange(len(text) + 1)] + rnd.choice(WORDS)[:3]
    leaves: list[Callable[[], SearchKey]] = [
        lambda: TextContains(text),
        lambda: BodyContains(text),
        lambda: HeaderContains(rnd.choice(FIELDS).lower(), text),
        lambda: Fuzzy(TextContains(misspelt(rnd, text))),
        lambda: Fuzzy(BodyContains(misspelt(rnd, text))),
        lambda: Fuzzy(HeaderContains(rnd.choice(FIELDS).lower(), misspelt(rnd, text))),
        lambda: HasFlags(Flag.SEEN),
        lambda: Smaller(rnd.randrange(50, 300)),
        lambda: UidIn(UidSet.from_ranges([(rnd.randrange(1, 20), rnd.randrange(20, 60))])),
        lambda: SentDate(None, None),
    ]
    trees: list[Callable[[], SearchKey]] = [
        lambda: And(tuple(a_key(rnd, depth + 1) for _ in range(rnd.randrange(4)))),
        lambda: Or(tuple(a_key(rnd, depth + 1) for _ in range(rnd.randrange(4)))),
        lambda: Not(a_key(rnd, depth + 1)),
    ]
    return rnd.choice([*leaves[:5], *leaves, *(trees if depth < 3 else [])])()


@pytest.mark.parametrize("narrow", [0, 8, 2000])
@pytest.mark.parametrize("few", [0, 10_000])
def test_index_and_scan_agree(
    mail: Mail, few: int, narrow: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random searches of random mail: indexed, partly indexed, and not at all."""
    monkeypatch.setattr(lookup, "FEW", few)
    monkeypatch.setattr(lookup, "NARROW", narrow)
    rnd = random.Random(f"{few} {narrow}")
    inbox = mail.box().id
    mail.append(inbox, *[a_message(rnd) for _ in range(30)], flags=Flag.SEEN)
    mail.append(inbox, *[a_message(rnd) for _ in range(20)])
    keys = [a_key(rnd) for _ in range(150)]
    unindexed = [find(mail, key) for key in keys]
    assert index(mail.store) == 50
    indexed = [find(mail, key) for key in keys]
    sql(mail.store, "UPDATE message_keys SET state = 3 WHERE blob_id % 3 = 0")
    partly = [find(mail, key) for key in keys]
    sql(mail.store, "UPDATE message_keys SET state = 2")
    for key, scanned, *found in zip(keys, unindexed, indexed, partly, strict=True):
        assert found == [scanned, scanned], key
    # Searches that find nothing, or everything, would prove little.
    assert sum(0 < len(scanned) < 50 for scanned in unindexed) > 50


def test_a_word_in_too_much_other_mail(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """More candidates in other mailboxes than are looked at: the answer is the same."""
    monkeypatch.setattr(lookup, "FEW", 0)
    monkeypatch.setattr(lookup, "NARROW", 2)
    other = new_mail(mail.store, "bob@example.test", domain=False)
    other.append(other.box().id, *[simple(body=f"needle {n}\r\n") for n in range(9)])
    mail.append(mail.box().id, simple(body="needle\r\n"), simple(body="hay\r\n"))
    index(mail.store)
    assert find(mail, BodyContains("needle")) == [1]
    assert find(mail, TextContains("hay")) == [2]


def test_copies_share_their_place(mail: Mail) -> None:
    """A copy is found without being indexed again."""
    mail.append(mail.box().id, simple(body="needle\r\n"))
    assert index(mail.store) == 1
    target = mail.create("Copies")
    mail.apply(CopyMessages(mail.box().id, uids("1"), target))
    assert index(mail.store) == 0
    found = mail.view(SearchMessages(target, BodyContains("needle"), mail.store.blobs))
    assert [uid for uid, _ in found] == [1]


# --- its life ----------------------------------------------------------------------------------


def test_an_append_leaves_the_index_alone(mail: Mail) -> None:
    """What costs time is done later; the message is found at once all the same."""
    mail.append(mail.box().id, simple(body="needle\r\n"))
    assert sql(mail.store, "SELECT blob_id FROM search_texts") == []
    assert states(mail.store) == [1]
    assert build.backlog(mail.store)[0] == 1
    assert find(mail, BodyContains("needle")) == [1]


def test_it_is_done_in_steps(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is a transaction of its own, the newest mail first."""
    monkeypatch.setattr(build, "BATCH", 2)
    mail.append(mail.box().id, *[simple(body=f"needle {n}\r\n") for n in range(5)])
    narrows = build.prepare(mail.store)
    assert build.step(mail.store) == 2
    assert states(mail.store) == [1, 1, 1, 2, 2]
    assert find(mail, BodyContains("needle")) == [1, 2, 3, 4, 5]
    monkeypatch.setattr(build, "BATCH", 50)
    monkeypatch.setattr(build, "BATCH_OCTETS", 1)
    assert build.step(mail.store) == 1
    assert index(mail.store) == 2
    assert states(mail.store) == [2] * 5
    facts = build.describe(mail.store)
    assert (facts.waiting, facts.messages) == (0, 5)
    assert facts.texts > 500
    assert bool(facts.trigrams) == narrows


def test_two_indexers_do_not_do_it_twice(mail: Mail) -> None:
    """The command line may rebuild beside a running server."""
    mail.append(mail.box().id, simple())
    build.prepare(mail.store)
    [waiting] = mail.store.call_read(
        SYSTEM, "test", lambda txn: txn.view(WaitingMessages(10, 10_000))
    )
    entries = (build._entry(waiting, mail.store.blobs),)
    for done in (1, 0):
        assert mail.store.call(SYSTEM, "x", lambda txn: txn.apply(IndexMessages(entries))) == done
    gone = (mutations.IndexEntry(999, None),)
    assert mail.store.call(SYSTEM, "x", lambda txn: txn.apply(IndexMessages(gone))) == 0


def test_too_much_text_is_scanned(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """A novel is not indexed, and found."""
    monkeypatch.setattr(texts, "LIMIT", 2000)
    mail.append(mail.box().id, simple(body="x" * 3000 + "needle\r\n"), simple(body="short\r\n"))
    index(mail.store)
    assert states(mail.store) == [3, 2]
    assert find(mail, BodyContains("needle")) == [1]
    assert find(mail, BodyContains("short")) == [2]


def test_files_are_indexed_too(mail: Mail) -> None:
    """Large messages lie in files; one whose file is lost stops nothing."""
    filler = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nneedle\r\n--b\r\n" + (
        b"Content-Type: image/png\r\n\r\n" + b"y" * mail.store.inline_limit
    )
    mail.append(mail.box().id, filler, filler + b"z")
    path = mail.store.blobs.path(max(mail.store.blobs.names()))
    path.rename(path.with_suffix(".away"))
    assert index(mail.store) == 2
    assert sorted(states(mail.store)) == [2, 3]
    path.with_suffix(".away").rename(path)
    assert find(mail, BodyContains("needle")) == [1, 2]


def test_swept_bodies_leave_nothing(mail: Mail) -> None:
    """What was expunged is in no text, no trigram and no key after the sweep."""
    inbox = mail.box().id
    mail.append(inbox, simple(body="secret\r\n"), simple(body="other\r\n"))
    index(mail.store)
    mail.flag(inbox, uids("1"), Flag.DELETED)
    mail.apply(ExpungeMessages(inbox))
    assert sweep(mail.store, -60) == 1
    assert len(states(mail.store)) == 1
    assert [row[0] for row in sql(mail.store, "SELECT body FROM search_texts")] == ["OTHER\r\n"]
    if mail.store.database.url.startswith("sqlite"):
        # Fails if the trigrams are not exactly those of the texts.
        sql(mail.store, "INSERT INTO search_index (search_index) VALUES ('integrity-check')")
        assert sql(mail.store, "SELECT rowid FROM search_index('SEC')") == []
        assert len(sql(mail.store, "SELECT rowid FROM search_index('OTH')")) == 1


def test_rebuilding(mail: Mail) -> None:
    """Everything is made anew, and counted."""
    mail.append(mail.box().id, simple(body="needle\r\n"), simple())
    index(mail.store)
    sql(mail.store, "UPDATE search_texts SET body = 'wrong'")
    assert find(mail, BodyContains("needle")) == []
    heard: list[int] = []
    rebuilt = build.rebuild(mail.store, heard.append)
    assert heard == [2]
    assert rebuilt.facts.messages == 2
    assert rebuilt.seconds > 0
    assert find(mail, BodyContains("needle")) == [1]
    assert check(mail.store) == []


def test_texts_of_another_kind_are_made_anew(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that decodes differently does not search in old texts."""
    mail.append(mail.box().id, simple())
    index(mail.store)
    build.prepare(mail.store)
    assert states(mail.store) == [2]
    monkeypatch.setattr(mutations, "VERSION", "next")
    build.prepare(mail.store)
    assert states(mail.store) == [1]


def test_without_trigrams(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that cannot have them is searched by its texts."""
    create = ("CREATE NONSENSE",)
    monkeypatch.setattr(trigrams, "_CREATE", create[0])
    monkeypatch.setattr(trigrams, "_CREATE_POSTGRES", create)
    monkeypatch.setattr(lookup, "FEW", 0)
    assert not mail.store.call(SYSTEM, "test", lambda txn: txn.apply(PrepareIndex()))
    mail.append(mail.box().id, simple(body="needle\r\n"))
    assert index(mail.store) == 1
    assert states(mail.store) == [2]
    assert find(mail, BodyContains("needle")) == [1]
    assert find(mail, BodyContains("noodle")) == []


def test_mail_from_before_the_index(mail: Mail) -> None:
    """Rows without keys get them with their place in the index."""
    mail.append(mail.box().id, simple("Re: Plan"))
    before = sql(mail.store, "SELECT * FROM message_keys")
    sql(mail.store, "UPDATE message_keys SET state = 0, subject = NULL, refs = NULL, sent = NULL")
    index(mail.store)
    sql(mail.store, "UPDATE message_keys SET state = 1")
    assert sql(mail.store, "SELECT * FROM message_keys") == before
    sql(mail.store, "UPDATE message_keys SET state = 2")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE message_keys SET state = 1",
        "DELETE FROM search_texts",
        "DELETE FROM message_keys",
    ],
)
def test_the_check_finds_damage(databases: Databases, tmp_path: Path, damage: str) -> None:
    """An index that says what is not so is told, and mended by making it anew."""
    store = open_store(databases.fresh("sqlite"), tmp_path)
    mail = new_mail(store)
    mail.append(mail.box().id, simple())
    index(store)
    assert check(store) == []
    sql(store, damage)
    assert check(store)
    store.close()
