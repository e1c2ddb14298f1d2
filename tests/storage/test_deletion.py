"""Deleting an account leaves nothing of it: every table and every file is looked through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from folkmoot.storage import upkeep
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.index import build
from folkmoot.storage.mutations import (
    accounts,
    billing,
    colleagues,
    credentials,
    domains,
    grants,
    groups,
    mailboxes,
    messages,
    queue,
    scheduling,
    tree_folders,
    tree_items,
    tree_properties,
)
from folkmoot.storage.mutations.annotations import SetAnnotations
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.store import Store
from folkmoot.storage.tables import metadata
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, Annotation, FlagSet, NewMessage, Right, Tool
from folkmoot.storage.types_billing import NewPayment, Notice, NoticeKind, PeriodTerms
from folkmoot.storage.types_groups import NewGroup
from folkmoot.storage.types_mail import MailEnvelope, MailRecipient
from folkmoot.storage.types_scheduling import ScheduleMessage
from folkmoot.storage.types_tree import CardRow, Item, ItemContent, TreePath
from folkmoot.storage.views.accounts import FindAccount
from folkmoot.storage.views.tree import FindPath, ListMembers
from tests.arch import support_world
from tests.arch.gate_world import FILE, MEETING, Person, _filled, _signed_in
from tests.storage.accounts_kit import SYSTEM, make_domain

MARK = "xyzzyplugh"  # in everything that is the person's own
CARD = CardRow("b", "b")
ZELDA = f"zelda.{MARK}@example.test"
KEPT = {
    "audit": "who did what to which account has to be found out afterwards, too",
    "payments": "receipts are kept for as long as the law asks for",
}
#: Columns that name an account or its space.
_ACCOUNT = ("account_id", "owner_account_id", "admin_account_id", "catchall_account_id", "creator")
_SPACE = ("space_id", "grantee")
#: Columns that name one of its mailboxes, folders, calendars and books.
_COLLECTION = (
    "collection_id",
    "mailbox_id",
    "folder_id",
    "home_id",
    "parent_id",
    "link_collection",
)


def _body(size: int = 0) -> bytes:
    filling = f"{MARK} and more\r\n".encode() * (size // 20)
    return f"From: {ZELDA}\r\nSubject: {MARK}\r\n\r\nA {MARK}.\r\n".encode() + filling


@pytest.fixture
def zelda(store: Store) -> Person:
    """An account with something everywhere, in a group and beside others."""
    make_domain(store)
    other, other_actor = _signed_in(store, "other@example.test")
    person = _filled(store, *_signed_in(store, ZELDA), Tool.DOCUMENTS)
    _fill(store, person, other.id, other.space_id, other_actor)
    support_world.set_up(store, person.account.space_id, ZELDA)
    return person


def _fill(store: Store, zelda: Person, other: int, space: int, other_actor: Actor) -> None:
    own, id_ = zelda.account.space_id, zelda.account.id

    def system(*mutations: Mutation[Any]) -> list[Any]:
        return [store.call(SYSTEM, "t", partial(_apply, each)) for each in mutations]

    def self_(*mutations: Mutation[Any]) -> list[Any]:
        return [store.call(zelda.actor, "t", partial(_apply, each)) for each in mutations]

    now = datetime.now(UTC)
    large = store.prepare(_body(600_000))
    inbox, root = zelda.mailboxes["INBOX"], zelda.mailboxes[""]
    self_(
        messages.AppendMessages(inbox, (NewMessage(store.prepare(_body()), FlagSet(), now),)),
        messages.AppendMessages(inbox, (NewMessage(large, FlagSet(keywords=(MARK,)), now),)),
        mailboxes.CreateMailbox(own, root, (MARK, "below")),
        mailboxes.Subscribe(own, id_, MARK, True),
        SetAnnotations(own, inbox, (Annotation("/private/comment", MARK.encode()),)),
        tree_items.CreateItem(
            zelda.folder.id, f"{MARK}.txt", ItemContent(_body(), None, 9, b"e" * 32, "text/plain")
        ),
        tree_properties.SetProperties(zelda.folder.id, 0, {"{a}b": f"<b>{MARK}</b>"}),
        scheduling.SendScheduling(
            zelda.scheduling.calendar_id,
            0,
            Right.INSERT,
            (ScheduleMessage(own, "mailto:a", MARK, b"x"),),
        ),
    )
    envelope = MailEnvelope(ZELDA, (MailRecipient("x@elsewhere.test"),))
    letter = MailEnvelope("", (MailRecipient(ZELDA),))
    terms = PeriodTerms("pro", 5, "EUR", 10**9, 2 * 10**9)
    [choir, *_] = system(groups.CreateGroup(NewGroup("choir@example.test", "Choir", other)))
    system(
        groups.AddMember(choir, id_, {}),
        accounts.AddAddress(id_, f"{MARK}@example.test"),
        credentials.AddAppPassword(id_, MARK, "hash", (), 10),
        domains.SetCatchall("example.test", id_),
        queue.EnqueueMail(id_, envelope, store.prepare(_body()), 3600),
        queue.EnqueueMail(0, letter, store.prepare(_body()), 3600),
        queue.CountSent(id_, 3, None),
        billing.RecordPayment(NewPayment(ZELDA, "manual", "1", 7, "EUR", "We"), 10**9),
        billing.BeginPeriod(id_, terms, 10**9),
        billing.SetNotice(
            id_, NoticeKind.INACTIVE, None, Notice(NoticeKind.INACTIVE, "pro", 1, 2, 3, 4)
        ),
    )
    self_(grants.Share(zelda.folder.id, space, Right.LOOKUP | Right.READ))
    theirs = _filled_for(store, other_actor, space, other)
    store.call(
        other_actor,
        "t",
        partial(_apply, grants.Share(theirs.folder.id, own, Right.LOOKUP | Right.INSERT)),
    )
    self_(tree_items.CreateItem(theirs.folder.id, "from a friend", FILE))
    book = _book(store, zelda)
    self_(
        colleagues.ShowProfile(own, 0, MARK.encode()),
        tree_items.CreateItem(zelda.scheduling.calendar_id, "a", MEETING),
        tree_items.CreateItem(book, "b", replace(FILE, facts=CARD)),
    )
    [old] = self_(tree_folders.CreateFolder(zelda.folder.id, "old"))
    self_(tree_items.CreateItem(old, "gone", FILE))
    gone = store.call_read(zelda.actor, "t", lambda txn: txn.view(ListMembers(old)))
    nodes = [one.node for one in gone]
    self_(*(tree_items.RemoveItem(one) for one in nodes if isinstance(one, Item)))
    # What the server writes while clients look.
    for text in (
        f"INSERT INTO seen (mailbox_id, account_id, uids) VALUES ({inbox}, {id_}, '1')",
        "INSERT INTO mailbox_uids (mailbox_id, uidvalidity, uidnext, modseq, uids)"
        f" VALUES ({inbox}, 1, 1, 1, (SELECT data FROM blobs LIMIT 1))",
        "INSERT INTO bindings (home_id, collection_id, name, state, modseq, hidden)"
        f" VALUES ({book}, 1, '{MARK}', '', 0, 0)",
        "INSERT INTO binding_properties (home_id, collection_id, name, value)"
        f" VALUES ({book}, 1, 'a', '{MARK}')",
    ):
        store.call(SYSTEM, "t", partial(_run, Statement(text)))
    while build.step(store):
        pass


def _filled_for(store: Store, actor: Actor, space: int, account: int) -> Person:
    found = store.call_read(SYSTEM, "t", lambda txn: txn.view(FindAccount("other@example.test")))
    return _filled(store, replace(found, id=account, space_id=space), actor, Tool.DOCUMENTS)


def _book(store: Store, zelda: Person) -> int:
    """An address book."""
    path = TreePath(zelda.account.space_id, Tool.CONTACTS, ("Contacts",))
    entry = store.call_read(zelda.actor, "t", lambda txn: txn.view(FindPath(path))).entry
    assert entry is not None
    return entry.node.id


def _run(statement: Statement, txn: Txn) -> None:
    txn._context.db.run(statement)


def _apply(mutation: Mutation[Any], txn: Txn) -> Any:
    return txn.apply(mutation)


def _tables(store: Store) -> Iterator[tuple[str, list[str], list[tuple[Any, ...]]]]:
    """All tables with their columns and rows."""
    for table in metadata.sorted_tables:
        columns = [column.name for column in table.columns]
        names = ", ".join(f'"{name}"' for name in columns)
        statement = Statement(f'SELECT {names} FROM "{table.name}"')

        def read(txn: Txn, statement: Statement = statement) -> list[tuple[Any, ...]]:
            return txn._context.db.all(statement)

        yield table.name, columns, store.call(SYSTEM, "t", read)


def _marked(value: Any) -> bool:
    text = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    return MARK.encode() in text.lower()  # what is searched is folded


def _collections(store: Store, space: int) -> set[int]:
    """All collections of a space."""
    statement = Statement("SELECT id FROM collections WHERE space_id = :space")
    rows = store.call(SYSTEM, "t", lambda txn: txn._context.db.all(statement, space=space))
    return {row[0] for row in rows}


def traces(store: Store, account: int, space: int, collections: set[int]) -> set[str]:
    """Where something of an account is: ``table.column``, and whether in a file."""
    found = set()
    for table, columns, rows in _tables(store):
        for row in rows:
            for name, value in zip(columns, row, strict=True):
                if (
                    _marked(value)
                    or (name in _ACCOUNT and value == account)
                    or (name in _SPACE and value == space)
                    or (name in _COLLECTION and value in collections)
                    or (table == "accounts" and name == "id" and value == account)
                    or (table == "spaces" and name == "id" and value == space)
                    or (name == "holder_id" and row[columns.index("holder_kind")] == "account")
                ):
                    found.add(f"{table}.{name}")
    for name in store.blobs.names():
        if MARK.encode() in store.blobs.path(name).read_bytes():
            found.add("a file")
    return found


def test_nothing_is_left(store: Store, zelda: Person) -> None:
    """Rows, files, index, locks, grants, queue, money; the trail and the receipts stay."""
    id_, space = zelda.account.id, zelda.account.space_id
    collections = _collections(store, space)
    before = traces(store, id_, space, collections)
    filled = {one.partition(".")[0] for one in before}
    assert filled >= {
        *("accounts", "addresses", "annotations", "app_passwords", "audit", "blobs"),
        *("collections", "contents", "credit_entries", "credits", "domains", "grants", "items"),
        *("locks", "members", "messages", "notices", "payments", "periods", "properties"),
        *("queue_messages", "queue_recipients", "schedule_messages", "search_texts"),
        *("sent_counts", "spaces", "subscriptions", "usage", "a file"),
    }, filled
    store.call(SYSTEM, "t", lambda txn: txn.apply(accounts.DeleteAccount(id_)))
    upkeep.sweep_bodies(store, -1)
    left = traces(store, id_, space, collections)
    assert {one.partition(".")[0] for one in left} == set(KEPT)
    assert "payments.payer" in left


def test_what_is_others_stays(store: Store, zelda: Person) -> None:
    """What the account had put into others' folders stays there, and says no more who did it."""
    store.call(SYSTEM, "t", lambda txn: txn.apply(accounts.DeleteAccount(zelda.account.id)))
    items = Statement("SELECT creator FROM items WHERE name = 'from a friend'")
    rows = store.call(SYSTEM, "t", lambda txn: txn._context.db.all(items))
    assert rows == [(0,)]


def test_no_table_is_forgotten(store: Store, zelda: Person) -> None:
    """A table that names accounts or spaces has a row of this one before it is deleted."""
    space = zelda.account.space_id
    before = traces(store, zelda.account.id, space, _collections(store, space))
    filled = {one.partition(".")[0] for one in before}
    columns = {*_ACCOUNT, *_SPACE, *_COLLECTION, "holder_id"}
    naming = {
        table.name
        for table in metadata.sorted_tables
        if {column.name for column in table.columns} & columns
    }
    # Who administers a group cannot be deleted.
    assert naming - filled == {"groups"}
    store.call(SYSTEM, "t", lambda txn: txn.apply(accounts.DeleteAccount(zelda.account.id)))
