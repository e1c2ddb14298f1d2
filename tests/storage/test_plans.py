"""Query plans: what runs often finds its rows by an index, however many there are."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import folkmoot.storage.mutations
import folkmoot.storage.views
from folkmoot.sharing.mail_places import find, locate, nearest, other_mailboxes
from folkmoot.storage import seen as own_seen
from folkmoot.storage import txn
from folkmoot.storage.content.ical.query import CompFilter, PropFilter, TextMatch
from folkmoot.storage.content.ical.spans import TimeRange
from folkmoot.storage.content.ical.zones import UTC
from folkmoot.storage.content.vcard import filters as cards
from folkmoot.storage.content.vcard.filters import Filter
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.engine.sqlite import SqliteDatabase
from folkmoot.storage.mutations.grants import Share
from folkmoot.storage.mutations.mailboxes import DeleteMailbox
from folkmoot.storage.mutations.messages import CopyMessages, ExpungeMessages, MoveMessages
from folkmoot.storage.mutations.queue import ClaimDue, EnqueueMail
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, FlagChange, MessageColumn
from folkmoot.storage.types_mail import MailEnvelope, MailRecipient
from folkmoot.storage.types_search import HasFlags, HeaderContains
from folkmoot.storage.views.base import View
from folkmoot.storage.views.bodies import LocateBody, ReadBodies
from folkmoot.storage.views.flag_texts import ReadFlagTexts
from folkmoot.storage.views.messages import FetchRows, ReadState
from folkmoot.storage.views.objects import FindCards, FindObjects, ReadNumbered
from folkmoot.storage.views.principals import ReadSpaceUsage
from folkmoot.storage.views.search import SearchMessages
from folkmoot.storage.views.tree import FindPath, ListMembers, ReadNamed
from folkmoot.storage.views.tree_changes import ChangesOf
from folkmoot.storage.views.tree_columns import ListColumns
from folkmoot.storage.views.tree_locks import LocksBelow, LocksListed
from tests.dav.cards import card
from tests.kit.databases import Databases
from tests.kit.stores import open_store
from tests.storage.accounts_kit import apply
from tests.storage.mail_kit import Mail, new_mail, uids
from tests.storage.test_seen import WRITE, Choir
from tests.storage.tree_kit import RED, Person, holding, open_world

# Statements that walk over a table because that is what they are for, and how often they run.
COLD = {
    "seen._ALL": "checking, when asked",
    "views.kept_uids._CURRENT": "checking, when asked",
    "views.kept_uids._OUTDATED": "keeping UIDs, every ten minutes",
    "mutations.upkeep._UNUSED": "the sweeper, now and then",
    "mutations.scheduling._OLD": "sweeping inboxes, now and then",
    "mutations.upkeep._LONG": "trimming the log, now and then",
    "mutations.upkeep._MANY_GONE": "trimming the log, now and then",
    "mutations.accounts._DESTROY_ACCOUNT: UPDATE domains SET": "domains are few",
    "mutations.accounts._DESTROY_ACCOUNT: DELETE FROM annotations": "accounts go seldom",
    "mutations.accounts._DESTROY_ACCOUNT: DELETE FROM queue_messages": "accounts go seldom",
    "mutations.accounts._DESTROY_ACCOUNT: UPDATE items SET": "accounts go seldom",
    "views.billing._ENDED": "the directory file is applied",
    "views.billing._NEWEST": "an administrator lists payments, in the order of the key",
    "views.billing._OF_PAYER": "an administrator lists payments, in the order of the key",
    "mutations.colleagues._BOOKS_WITH": "accounts go seldom",
    "mutations.domains._USED": "an administrator deletes a domain",
    "views.accounts._ALL": "an administrator lists all accounts",
    "views.accounts._DOMAINS": "an administrator lists all domains",
    "views.accounts._TWO_DOMAINS": "at most two rows",
    "views.groups._ALL": "an administrator lists all groups",
    "views.groups._IN_DOMAIN": "an administrator lists the groups of a domain",
    "views.blobs._FILES": "the sweeper, now and then",
    "mutations.index._AGAIN": "an administrator has the search index made anew",
    "views.index._TEXTS": "an administrator asks for the size of the search index",
    "views.support._DEPARTMENTS": "departments of support are few",
    "views.support._AGENTS": "agents of support are few",
    "views.support._ALL_HELP": "support lists requests, in the order of the key",
    "views.queue._LIST": "an administrator lists the queue, in the order of the key",
}
SUMMARY = PropFilter("SUMMARY", text_match=TextMatch("lunch"))
FN = cards.PropFilter("FN", text_matches=(cards.TextMatch("jane"),))
_NAME = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")


@pytest.fixture
def path(databases: Databases) -> Path:
    """A database with the present schema."""
    return Path(databases.fresh("sqlite").removeprefix("sqlite:///"))


def modules() -> Iterator[ModuleType]:
    """Every module that reads or writes for clients."""
    yield from (txn, own_seen)
    for package in (folkmoot.storage.mutations, folkmoot.storage.views):
        for info in pkgutil.iter_modules(package.__path__):
            yield importlib.import_module(f"{package.__name__}.{info.name}")


def statements() -> Iterator[tuple[str, str]]:
    """The statements that stand in modules, by name."""
    for module in modules():
        short = module.__name__.removeprefix("folkmoot.storage.")
        for name, value in vars(module).items():
            if isinstance(value, Statement):
                yield f"{short}.{name}", value.sqlite
            elif isinstance(value, tuple):
                for one in value:
                    if isinstance(one, Statement):
                        yield f"{short}.{name}: {' '.join(one.sqlite.split()[:3])}", one.sqlite


def scans(connection: sqlite3.Connection, sql: str) -> list[str]:
    """The steps of a plan that walk over a whole table or index."""
    parameters = dict.fromkeys(_NAME.findall(sql), 1)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()
    # What is due first is found by walking along the index until it is met. The index of what
    # waits to be indexed holds nothing else, and what a subquery or a recursion (``up``, ``tree``)
    # found is looked at below it.
    fine = (
        "CONSTANT ROW",
        "USING INDEX ix_queue_recipients_next_attempt",
        "USING INDEX ix_message_keys_waiting",
        "USING INDEX ix_payments_unmailed",
        "USING INDEX ix_support_grants_untold",
        "USING INDEX ix_support_sessions_open",
    )
    walks = [step for *_, step in plan if step.startswith("SCAN")]
    found = [
        step for step in walks if step not in ("SCAN up", "SCAN tree") and "(subquery" not in step
    ]
    return [step for step in found if not step.endswith(fine)]


def test_statements_find_their_rows_by_an_index(path: Path) -> None:
    """A new statement that scans fails here, until it has an index or a reason in the list."""
    connection = sqlite3.connect(path)
    walked = {}
    for name, sql in statements():
        # Only PostgreSQL locks; the condition is the same.
        if steps := scans(connection, re.sub(" FOR (UPDATE|SHARE)", "", sql)):
            walked[name] = steps
    connection.close()
    assert set(walked) == set(COLD), walked


def test_what_is_built_at_run_time_uses_indexes_too(path: Path, tmp_path: Path) -> None:
    """FETCH, STORE, COPY, SEARCH and the queue's claims, as they really come to the database."""
    store = open_store(f"sqlite:///{path}", tmp_path)
    database = store.database
    assert isinstance(database, SqliteDatabase)
    seen: set[str] = set()
    mail = new_mail(store)
    inbox, other = mail.box().id, mail.create("Other")
    database._writer.set_trace_callback(seen.add)
    _use(store)
    mail.append(inbox, *[None] * 5)
    for text in ("1", "1:3", "1,3,5", "1,900,20000", "1:500"):
        mail.flag(inbox, uids(text), Flag.SEEN, keywords=("$Work",))
        mail.store.call(mail.actor, "t", lambda txn: txn.view(ReadState(inbox)))
        mail.store.call(mail.actor, "t", lambda txn: txn.view(LocateBody(inbox, 1)))
        mail.apply(CopyMessages(inbox, uids(text), other))
    mail.apply(MoveMessages(inbox, uids("2"), other))
    mail.flag(inbox, uids("1"), Flag.DELETED)
    mail.apply(ExpungeMessages(inbox))
    mail.apply(DeleteMailbox(other))
    database._writer.set_trace_callback(None)
    store.close()
    data = [sql for sql in seen if sql.startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))]
    assert len(data) > 40
    connection = sqlite3.connect(path)
    walked = {sql: steps for sql in data if (steps := scans(connection, _bare(sql)))}
    connection.close()
    assert walked == {}


def test_mailboxes_of_others_use_indexes_too(path: Path, tmp_path: Path) -> None:
    """Finding them, flags of each person's own, copies and removals."""
    store = open_store(f"sqlite:///{path}", tmp_path)
    database = store.database
    assert isinstance(database, SqliteDatabase)
    choir = Choir(store)
    inbox, archive = choir.boxes["INBOX"], choir.boxes["Archive"]
    seen: set[str] = set()
    database._writer.set_trace_callback(seen.add)
    for _ in range(3):
        choir.append("bob", inbox, True)
    choir.apply("alice", Share(inbox, choir.people["carol"].space_id, WRITE))
    choir.store_flags("carol", inbox, [1, 2], FlagChange.ADD)
    choir.transfer("carol", inbox, [1], archive, move=True)
    choir.expunge("bob", inbox, [2])
    bob = choir.people["bob"]
    for work in (
        other_mailboxes,
        lambda txn: find(txn, "Groups/Choir/INBOX"),
        lambda txn: locate(txn, "Groups/Choir/INBOX"),
        lambda txn: nearest(txn, "Groups/Choir/New"),
        lambda txn: txn.view(SearchMessages(inbox, HasFlags(Flag.SEEN), store.blobs)),
        lambda txn: txn.view(ReadFlagTexts(inbox, uids("1:9"))),
    ):
        store.call(bob, "test", work)
    database._writer.set_trace_callback(None)
    store.close()
    data = [sql for sql in seen if sql.startswith(("SELECT", "WITH", "UPDATE", "DELETE", "INSERT"))]
    assert len(data) > 40
    connection = sqlite3.connect(path)
    walked = {sql: steps for sql in data if (steps := scans(connection, _bare(sql)))}
    connection.close()
    assert walked == {}


def test_the_tree_uses_indexes_too(path: Path, tmp_path: Path) -> None:
    """Put, find, list, sync, queries, multiget, copies and moves of folders, locks."""
    world = open_world(f"sqlite:///{path}", tmp_path)
    database = world.store.database
    assert isinstance(database, SqliteDatabase)
    seen: set[str] = set()
    alice = world.person("alice")
    database._writer.set_trace_callback(seen.add)
    _use_tree(alice)
    database._writer.set_trace_callback(None)
    world.store.close()
    data = [sql for sql in seen if sql.startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))]
    assert len(data) > 60
    connection = sqlite3.connect(path)
    walked = {sql: steps for sql in data if (steps := scans(connection, _bare(sql)))}
    connection.close()
    assert walked == {}


def _use_tree(alice: Person) -> None:
    """Writes, and reads in the connection that writes, which is the traced one."""
    for folder in ("f", "f/g"):
        alice.make(folder)
        alice.put(f"{folder}/a")
        alice.set(f"{folder}/a", {RED: "<red/>"})
        alice.set(folder, {RED: "<red/>"})
    lock = alice.lock("f/a")
    alice.put("f/a", b"y", holding(lock))
    alice.event("Calendar/1", "1", "RRULE:FREQ=DAILY")
    alice.event("Calendar/2", "2")
    alice.put("contacts:Contacts/1", card(uid="1"))
    docs, calendar, book = (
        alice.folder(place).id for place in ("f", "calendar:Calendar", "contacts:Contacts")
    )
    blobs = alice.world.store.blobs
    events = CompFilter("VEVENT", time_range=TimeRange(0, 10**9), prop_filters=(SUMMARY,))
    views: list[View[Any]] = [
        FindPath(alice.at("f/g/a")),
        ListMembers(docs),
        ListMembers(docs, after=alice.item("f/a")),
        ChangesOf(docs, 2, 10),
        ListColumns(docs, ("name", "etag"), "a", 10),
        ListColumns(calendar, ("name", "etag", "component")),
        ReadNamed(calendar, ("1", "2"), blobs, 10**6),
        ReadNamed(calendar, ("1",), blobs, 10**6),
        ReadNumbered(calendar, tuple(range(300)), blobs, 10**6),
        FindObjects(calendar, CompFilter("VCALENDAR", comp_filters=(events,)), UTC, blobs),
        FindObjects(calendar, CompFilter("VCALENDAR"), UTC, blobs),
        FindCards(book, Filter((FN,)), blobs),
        LocksBelow(docs),
        LocksListed(docs, {docs: "f"}),
        ReadSpaceUsage(docs),
    ]
    for view in views:
        alice.world.store.call(alice.actor, "t", lambda txn, view=view: txn.view(view))  # type: ignore[misc]
    alice.copy("f", "c")
    alice.copy("calendar:Calendar", "calendar:Copy")
    alice.copy("contacts:Contacts", "contacts:Copy")
    alice.move("c", "m")
    alice.copy("m/a", "a")
    alice.move("a", "m/b")
    alice.delete("m/b")
    alice.delete("m")


def _use(store: Store) -> None:
    """Reads with each kind of column and key, and the queue, in the traced connection."""
    mail = Mail(store)
    inbox = mail.box().id
    mail.append(inbox, *[None] * 3)
    views = [
        FetchRows(inbox, uids("1,900,20000"), tuple(MessageColumn), budget=100),
        FetchRows(inbox, uids("1:3"), (MessageColumn.FLAGS, MessageColumn.MODSEQ)),
        SearchMessages(inbox, HeaderContains("subject", "x"), store.blobs),
        *(ReadFlagTexts(inbox, uids(text)) for text in ("1:3", "1,3:5", "1,900,20000")),
        *(ReadBodies(inbox, uids(text), 100, True) for text in ("1", "1:3", "1,3:5", "1,900")),
    ]
    for view in views:
        store.call(mail.actor, "t", lambda txn, view=view: txn.view(view))  # type: ignore[misc]
    recipients = tuple(MailRecipient(f"{n}@elsewhere.test") for n in range(3))
    envelope = MailEnvelope("alice@example.test", recipients)
    apply(store, EnqueueMail(0, envelope, store.prepare(b"x"), 100))
    assert apply(store, ClaimDue(10, 10, frozenset({"busy.test"})))


def _bare(sql: str) -> str:
    """A traced statement without what looks like a parameter in its literals."""
    return re.sub(r"'[^']*'|x'[^']*'", "'x'", sql)
