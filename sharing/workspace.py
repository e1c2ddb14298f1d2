"""What one session can see and do with mail: the calls that protocols make.

Every call is one transaction through the gate. Names are taken in any form (``storage.names``) and
resolved here, in the same transaction as the operation, so that a rename between the two cannot
hit the wrong mailbox.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from twisted.internet.defer import Deferred

from folkmoot.sharing.mail_changes import FLAGS, Changed, changed, opened
from folkmoot.sharing.mail_places import is_personal
from folkmoot.sharing.mailbox_facts import MailboxFacts, fill
from folkmoot.sharing.message_sharing import share_messages
from folkmoot.storage.errors import NotFound, PermissionDenied, StorageError, Unchangeable
from folkmoot.storage.mutations.flags import StoreFlags
from folkmoot.storage.mutations.mailboxes import (
    DeleteMailbox,
    RenameMailbox,
    Subscribe,
)
from folkmoot.storage.mutations.messages import (
    AppendMessages,
    CopyMessages,
    ExpungeMessages,
    MoveMessages,
)
from folkmoot.storage.mutations.replace import ReplaceMessage
from folkmoot.storage.names import INBOX, mailbox_name
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import (
    AnnotationQuery,
    Appended,
    BodySpool,
    Content,
    Copied,
    Expunged,
    FlagChange,
    FlagSet,
    FlagsStored,
    FlagTexts,
    MailboxChanges,
    MailboxInfo,
    MailboxState,
    MessageBody,
    MessageColumn,
    MessageRow,
    NewMessage,
    Right,
    SearchKey,
    UidSet,
)
from folkmoot.storage.types_search import Order, SortCriterion, ThreadAlgorithm, Threads
from folkmoot.storage.types_sharing import SHARED_ITEMS
from folkmoot.storage.views.bodies import LocateBody, ReadBodies
from folkmoot.storage.views.flag_texts import ReadFlagTexts
from folkmoot.storage.views.mailboxes import ChangesSince, MailboxRights
from folkmoot.storage.views.messages import FetchRows, ReadState
from folkmoot.storage.views.relevance import ScoreMessages
from folkmoot.storage.views.search import SearchMessages
from folkmoot.storage.views.sort import SortMessages
from folkmoot.storage.views.thread import ThreadMessages

R = TypeVar("R")

ALL_UIDS = UidSet.from_ranges([(1, 0xFFFF_FFFF)])


class Workspace(MailboxFacts):
    """Mail as one actor sees it. All methods return Deferreds that fail with storage errors."""

    # --- mailboxes ----------------------------------------------------------------------------

    def mailboxes(self) -> Deferred[list[MailboxInfo]]:
        """All mailboxes that the actor may know: its own, then those of groups and others."""
        return self._read("list", lambda txn: self._all(txn)[0])

    def mailbox(self, name: str, *, deleted_size: bool = False) -> Deferred[MailboxInfo]:
        """One mailbox by its full name. Raises ``NotFound``."""

        def work(txn: ReadTxn) -> MailboxInfo:
            return fill(txn, [self._find(txn, name)], deleted_size, None)[0]

        return self._read("mailbox", work)

    def listed(
        self,
        render: Callable[[list[MailboxInfo], list[str]], R],
        *,
        deleted_size: bool = False,
        annotations: AnnotationQuery | None = None,
    ) -> Deferred[R]:
        """All mailboxes and all subscribed names (also of mailboxes that are gone), each by name.

        They come from one snapshot and are turned into what is needed in the same thread. The
        mailboxes carry their ``deleted_size`` and those ``annotations`` where asked for.
        """

        def work(txn: ReadTxn) -> R:
            mailboxes, subscribed = self._all(txn)
            return render(fill(txn, mailboxes, deleted_size, annotations), subscribed)

        return self._read("list", work)

    def create(self, name: str, special_use: str = "") -> Deferred[MailboxInfo]:
        """Create a mailbox with all missing levels above it."""

        def work(txn: Txn) -> MailboxInfo:
            self._create(txn, name, special_use)
            return self._find(txn, name)

        return self._run("create", work)

    def delete(self, name: str) -> Deferred[MailboxInfo]:
        """Delete a mailbox; returns what it was.

        Raises ``HasChildren``, ``Unchangeable``, ``NotFound``.
        """

        def work(txn: Txn) -> MailboxInfo:
            info = self._find(txn, name)
            txn.apply(DeleteMailbox(info.id))
            return info

        return self._run("delete", work)

    def rename(self, old: str, new: str) -> Deferred[tuple[MailboxInfo, MailboxInfo]]:
        """Rename a mailbox; returns it as it was and as it is.

        Of INBOX, the messages move to a new mailbox and INBOX stays. # rfc9051#6.3.6
        """

        def work(txn: Txn) -> tuple[MailboxInfo, MailboxInfo]:
            info = self._find(txn, old)
            space, parent, levels = self._nearest(txn, new)
            if space != info.space_id:
                raise Unchangeable("A mailbox stays with its owner: move its messages instead.")
            if info.name == INBOX:
                target = self._create(txn, new, "")
                txn.apply(MoveMessages(info.id, ALL_UIDS, target))
                self._copy_annotations(txn, info.id, target)
            else:
                txn.apply(RenameMailbox(info.id, space, parent, levels))
            return info, self._find(txn, new)

        return self._run("rename", work)

    def subscribe(self, name: str, on: bool) -> Deferred[None]:
        """Subscribe to a name, or end that."""
        actor = self.actor
        return self._run(
            "subscribe",
            lambda txn: txn.apply(
                Subscribe(actor.space_id, actor.account_id, mailbox_name(name), on)
            ),
        )

    # --- a selected mailbox -------------------------------------------------------------------

    def open(
        self, name: str, known: tuple[int, int] | None = None
    ) -> Deferred[tuple[MailboxInfo, MailboxState, Changed | None]]:
        """A mailbox by name, its state and what changed since, in one snapshot.

        ``known`` is the UIDVALIDITY and the modseq that a session knows (see ``opened``).
        """

        def work(txn: ReadTxn) -> tuple[MailboxInfo, MailboxState, Changed | None]:
            info = self._find(txn, name)
            return info, *opened(txn, ReadState(info.id, self._store.known_uids), known)

        return self._read("select", work)

    def rights(self, mailbox_id: int) -> Deferred[Right]:
        """What the actor may do in a mailbox now. Fails where it may not read it any more."""
        return self._read("rights", lambda txn: txn.view(MailboxRights(mailbox_id)))

    def state(self, mailbox_id: int) -> Deferred[MailboxState]:
        """The state of a mailbox now."""
        view = ReadState(mailbox_id, self._store.known_uids)
        return self._read("state", lambda txn: txn.view(view))

    def changes_since(
        self, mailbox_id: int, modseq: int, own: frozenset[int] = frozenset()
    ) -> Deferred[Changed]:
        """Changes after ``modseq``, and (uid, flags, keywords, modseq) of what changed.

        ``own`` are the modseqs of flag changes that need no rows (see ``ChangesSince``).
        """
        view = ChangesSince(mailbox_id, modseq, own)
        return self._read("changes", lambda txn: changed(txn, view))

    def flags(self, mailbox_id: int, uids: UidSet) -> Deferred[list[MessageRow]]:
        """(uid, flags, keywords, modseq) of messages."""
        return self.fetch(mailbox_id, uids, FLAGS, lambda rows: rows)

    def fetch(
        self,
        mailbox_id: int,
        uids: UidSet,
        columns: Sequence[MessageColumn],
        render: Callable[[list[MessageRow]], R],
        budget: int = 0,
    ) -> Deferred[R]:
        """Rows of messages (``FetchRows``), turned into what is needed in the same thread."""
        view = FetchRows(mailbox_id, uids, tuple(columns), budget)
        return self._read("fetch", lambda txn: render(txn.view(view)))

    def flag_texts(
        self, mailbox_id: int, uids: UidSet, render: Callable[[FlagTexts], R]
    ) -> Deferred[R]:
        """Flags of many messages (``ReadFlagTexts``), turned into what is needed."""
        return self._read("flags", lambda t: render(t.view(ReadFlagTexts(mailbox_id, uids))))

    def body(self, mailbox_id: int, uid: int) -> Deferred[MessageBody]:
        """Where the octets of one message are. Raises ``NotFound``."""
        return self._read("body", lambda txn: txn.view(LocateBody(mailbox_id, uid)))

    def named_body(self, name: str, uidvalidity: int | None, uid: int) -> Deferred[MessageBody]:
        """The same by the name of a mailbox, which must have this validity if one is given."""

        def work(txn: ReadTxn) -> MessageBody:
            info = self._find(txn, name)
            if uidvalidity not in (None, info.uidvalidity):
                raise NotFound
            return txn.view(LocateBody(info.id, uid))

        return self._read("body", work)

    def bodies(
        self,
        mailbox_id: int,
        uids: Sequence[int],
        columns: Sequence[MessageColumn],
        render: Callable[[list[tuple[MessageRow, MessageBody]]], R],
        budget: int,
        *,
        parts: bool = True,
    ) -> Deferred[R]:
        """Rows (as ``fetch`` gives them) and bodies (``ReadBodies``) of messages, in order."""
        view = ReadBodies(mailbox_id, UidSet.from_ascending(uids), budget, parts)

        def work(txn: ReadTxn) -> R:
            found = txn.view(view)
            if not columns:
                return render([((body.uid,), body) for body in found])
            there = UidSet.from_ascending([body.uid for body in found])
            rows = txn.view(FetchRows(mailbox_id, there, tuple(columns)))
            return render(list(zip(rows, found, strict=True)))

        return self._read("bodies", work)

    def changed(self, mailbox_id: int, modseq: int) -> Deferred[MailboxChanges]:
        """Changes after ``modseq``, without rows."""
        return self._read("changed", lambda txn: txn.view(ChangesSince(mailbox_id, modseq)))

    def store_flags(
        self,
        mailbox_id: int,
        uids: UidSet,
        change: FlagChange,
        flags: FlagSet,
        unchanged_since: int | None = None,
        *,
        tell: bool = False,
    ) -> Deferred[FlagsStored]:
        """Change flags; ``tell`` asks for rows in the result.

        Whoever may change some of them changes these. # rfc4314#4
        """
        mutation = StoreFlags(mailbox_id, uids, change, flags, unchanged_since, tell)

        def work(txn: Txn) -> FlagsStored:
            try:
                return txn.apply(mutation)
            except PermissionDenied:  # before anything was written
                narrowed = mutation.narrowed(txn.view(MailboxRights(mailbox_id)))
                if narrowed is None:
                    raise
                return txn.apply(narrowed)

        return self._run("store", work)

    def expunge(self, mailbox_id: int, uids: UidSet | None = None) -> Deferred[Expunged]:
        """Remove messages with \\Deleted, of ``uids`` or of the whole mailbox."""
        return self._run("expunge", lambda txn: txn.apply(ExpungeMessages(mailbox_id, uids)))

    def copy(self, mailbox_id: int, uids: UidSet, target: str) -> Deferred[Copied]:
        """Copy to a mailbox by name. Raises ``NotFound`` when there is no such mailbox.

        Where a group finds what is shared with it, the messages are shared with it.
        """

        def work(txn: Txn) -> Copied:
            target_id = self._target(txn, target)
            if not is_personal(target):
                info = self._find(txn, target)
                if info.special_use == SHARED_ITEMS:
                    return share_messages(txn, mailbox_id, uids, info)
            return txn.apply(CopyMessages(mailbox_id, uids, target_id))

        return self._run("copy", work)

    def move(self, mailbox_id: int, uids: UidSet, target: str) -> Deferred[Copied]:
        """Move to a mailbox by name."""

        def work(txn: Txn) -> Copied:
            return txn.apply(MoveMessages(mailbox_id, uids, self._target(txn, target)))

        return self._run("move", work)

    def search(self, mailbox_id: int, key: SearchKey) -> Deferred[list[tuple[int, int]]]:
        """(UID, modseq) of the messages that match, ascending."""
        blobs = self._store.blobs
        return self._read("search", lambda txn: txn.view(SearchMessages(mailbox_id, key, blobs)))

    def sort(
        self,
        mailbox_id: int,
        key: SearchKey,
        criteria: tuple[SortCriterion, ...],
        *,
        modseqs: bool = False,
    ) -> Deferred[Order]:
        """The messages that match, sorted; with modseqs only where they are asked for."""
        store, orders = self._store, self._store.known_orders
        view = SortMessages(mailbox_id, key, criteria, store.blobs, modseqs, orders, store.held)
        return self._read("sort", lambda txn: txn.view(view))

    def scores(self, mailbox_id: int, uids: UidSet, key: SearchKey) -> Deferred[dict[int, int]]:
        """How well messages match the fuzzy keys of a search, by UID: 1 to 100."""
        view = ScoreMessages(mailbox_id, uids, key, self._store.blobs)
        return self._read("score", lambda txn: txn.view(view))

    def threads(
        self, mailbox_id: int, key: SearchKey, algorithm: ThreadAlgorithm, up_to: int
    ) -> Deferred[Threads]:
        """The messages that match, up to a UID, in conversations."""
        store, orders = self._store, self._store.known_orders
        view = ThreadMessages(mailbox_id, key, algorithm, up_to, store.blobs, orders, store.held)
        return self._read("thread", lambda txn: txn.view(view))

    # --- new messages -------------------------------------------------------------------------

    def prepare(self, body: bytes | BodySpool) -> Deferred[Content]:
        """Compute what is stored with a message; for large bodies, before ``append``."""
        return self._store.compute(lambda: self._store.prepare(body))  # type: ignore[arg-type]

    def append(
        self,
        name: str,
        messages: Callable[[Callable[[bytes | BodySpool], Content]], Sequence[NewMessage]],
    ) -> Deferred[Appended]:
        """Append messages to a mailbox by name, all or none.

        ``messages`` is called in the database's thread with the store's ``prepare`` and returns
        what to append: for small messages this saves a change of threads.
        """
        store = self._store

        def work(txn: Txn) -> Appended:
            mailbox_id = self._target(txn, name)
            new = tuple(messages(store.prepare))  # type: ignore[arg-type]
            return txn.apply(AppendMessages(mailbox_id, new))

        return self._run("append", work)

    def replace(
        self,
        mailbox_id: int,
        uid: int,
        name: str,
        messages: Callable[[Callable[[bytes | BodySpool], Content]], Sequence[NewMessage]],
    ) -> Deferred[Appended]:
        """Append one message to a mailbox by name and remove another one, both or nothing.

        Raises ``Conflict`` when the old message is gone.
        """
        store = self._store

        def work(txn: Txn) -> Appended:
            target = self._target(txn, name)
            [new] = messages(store.prepare)  # type: ignore[arg-type]
            return txn.apply(ReplaceMessage(mailbox_id, uid, target, new))

        return self._run("replace", work)


__all__ = ["StorageError", "Workspace"]
