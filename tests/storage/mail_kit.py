"""One person's mail for tests of the store: blocking, and through the gate like everybody's."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any, TypeVar

from folkmoot.storage.engine.db import Row, Statement
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.flags import StoreFlags
from folkmoot.storage.mutations.mailboxes import CreateMailbox
from folkmoot.storage.mutations.messages import AppendMessages
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import (
    Appended,
    Flag,
    FlagChange,
    FlagSet,
    FlagsStored,
    Limit,
    MailboxChanges,
    MailboxInfo,
    MessageColumn,
    MessageRow,
    NewMessage,
    Tool,
    UidSet,
)
from folkmoot.storage.views.base import View
from folkmoot.storage.views.bodies import LocateBody
from folkmoot.storage.views.mailboxes import ChangesSince, ListMailboxes
from folkmoot.storage.views.messages import FetchRows
from tests.kit.messages import simple
from tests.storage.accounts_kit import ALICE, SYSTEM, actor_of, make_account, make_domain

R = TypeVar("R")

ALL_UIDS = UidSet.from_ranges([(1, 0xFFFF_FFFF)])
ARRIVED = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
_numbers = itertools.count(1)


def uids(text: str) -> UidSet:
    """``1:3,7`` as a set."""
    return UidSet.from_text(text)


def new_message(
    store: Store,
    body: bytes | None = None,
    flags: Flag = Flag.NONE,
    keywords: tuple[str, ...] = (),
    arrived: datetime = ARRIVED,
) -> NewMessage:
    """A message that is ready to be appended; without ``body`` each is different."""
    if body is None:
        body = simple(f"Message {next(_numbers)}")
    return NewMessage(store.prepare(body), FlagSet(flags, keywords), arrived)


class Mail:
    """What one person does with mail, by mailbox ids."""

    def __init__(self, store: Store, address: str = ALICE) -> None:
        self.store = store
        self.actor = actor_of(store, address)

    def apply(self, mutation: Mutation[R]) -> R:
        return self.store.call(self.actor, "test", lambda txn: txn.apply(mutation))

    def view(self, view: View[R]) -> R:
        return self.store.call_read(self.actor, "test", lambda txn: txn.view(view))

    # --- mailboxes ----------------------------------------------------------------------------

    def boxes(self) -> dict[str, MailboxInfo]:
        """All mailboxes by name; the root is ""."""
        found = self.view(ListMailboxes(self.actor.space_id, self.actor.account_id))
        return {info.name: info for info in found}

    def box(self, name: str = "INBOX") -> MailboxInfo:
        return self.boxes()[name]

    def create(self, name: str, special_use: str = "") -> int:
        levels = tuple(name.split("/"))
        return self.apply(CreateMailbox(self.actor.space_id, self.box("").id, levels, special_use))

    # --- messages -----------------------------------------------------------------------------

    def append(
        self,
        mailbox: int,
        *bodies: bytes | None,
        flags: Flag = Flag.NONE,
        keywords: tuple[str, ...] = (),
    ) -> Appended:
        """Append messages (None: any message); without bodies, one."""
        messages = tuple(
            new_message(self.store, body, flags, keywords) for body in bodies or (None,)
        )
        return self.apply(AppendMessages(mailbox, messages))

    def flag(
        self,
        mailbox: int,
        which: UidSet,
        system: Flag = Flag.NONE,
        keywords: tuple[str, ...] = (),
        change: FlagChange = FlagChange.ADD,
        unchanged_since: int | None = None,
    ) -> FlagsStored:
        flags = FlagSet(system, keywords)
        return self.apply(StoreFlags(mailbox, which, change, flags, unchanged_since))

    def rows(
        self,
        mailbox: int,
        *columns: MessageColumn,
        which: UidSet = ALL_UIDS,
    ) -> list[MessageRow]:
        return self.view(FetchRows(mailbox, which, columns))

    def flags(self, mailbox: int) -> dict[int, tuple[int, str]]:
        """(bits, keywords) by UID."""
        return {row[0]: (row[1], row[2]) for row in self.rows(mailbox, MessageColumn.FLAGS)}

    def modseqs(self, mailbox: int) -> dict[int, int]:
        return {row[0]: row[1] for row in self.rows(mailbox, MessageColumn.MODSEQ)}

    def octets(self, mailbox: int, uid: int) -> bytes:
        """A message as it was stored."""
        body = self.view(LocateBody(mailbox, uid))
        if body.file is not None:
            return self.store.blobs.read(body.file, 0, body.size)
        assert body.data is not None
        return body.data

    def changes(self, mailbox: int, since: int) -> MailboxChanges:
        return self.view(ChangesSince(mailbox, since))


def new_mail(
    store: Store,
    address: str = ALICE,
    *,
    octets: int | None = None,
    items: int | None = None,
    domain: bool = True,
) -> Mail:
    """A new account's mail, with limits; ``domain`` says that its domain must be made first."""
    if domain:
        make_domain(store)
    make_account(store, address, limits={Tool.MAIL: Limit(octets, items)})
    return Mail(store, address)


def sql(store: Store, text: str, **parameters: Any) -> list[Row]:
    """Read or damage the database behind the back of the gate."""
    statement = Statement(text)

    def work(txn: Txn) -> list[Row]:
        db = txn._write_context.db
        if text.startswith("SELECT"):
            return db.all(statement, **parameters)
        db.run(statement, **parameters)
        return []

    return store.call(SYSTEM, "test", work)
