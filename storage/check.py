"""Recounts what the store keeps twice, and looks for what belongs to nothing.

Read-only unless asked to repair. Every test ends with it, and ``folkmoot check`` calls it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from folkmoot.storage.blobs.fs import FileBlobs, digest
from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.gate import Administration, Need
from folkmoot.storage.index import trigrams
from folkmoot.storage.limits import mend_limits, wrong_limits
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.policy import Charge
from folkmoot.storage.seen import mend_seen, seen_too_much
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.views.base import View
from folkmoot.storage.views.kept_uids import forget_kept, wrong_kept

_COUNTERS = Statement(
    "SELECT c.id, c.messages, c.unseen, c.deleted, c.size, COUNT(m.uid),"
    " COALESCE(SUM(CASE WHEN m.flags & 1 = 0 THEN 1 ELSE 0 END), 0),"
    " COALESCE(SUM(CASE WHEN m.flags & 8 = 8 THEN 1 ELSE 0 END), 0),"
    " CAST(COALESCE(SUM(m.size), 0) AS BIGINT),"
    " COALESCE(MAX(m.uid), 0), COALESCE(MAX(m.modseq), 0),"
    " c.uidnext, c.modseq"
    " FROM collections c LEFT JOIN messages m ON m.mailbox_id = c.id WHERE c.tool = 'mail'"
    " GROUP BY c.id, c.messages, c.unseen, c.deleted, c.size, c.uidnext, c.modseq"
)
_ITEM_COUNTERS = Statement(
    "SELECT c.id, c.messages, c.unseen, c.deleted, c.size, COUNT(i.id), 0, 0,"
    " CAST(COALESCE(SUM(i.size), 0) AS BIGINT), 0, COALESCE(MAX(i.modseq), 0), 1, c.modseq"
    " FROM collections c LEFT JOIN items i ON i.folder_id = c.id WHERE c.tool <> 'mail'"
    " GROUP BY c.id, c.messages, c.unseen, c.deleted, c.size, c.modseq"
)
_SET_COUNTERS = Statement(
    "UPDATE collections SET messages = :messages, unseen = :unseen, deleted = :deleted,"
    " size = :size WHERE id = :id"
)
_LOCK_COLLECTIONS = Statement("SELECT id FROM collections ORDER BY id FOR UPDATE")
_USAGE = Statement(
    "SELECT u.space_id, u.tool, u.bytes_used, u.items_used,"
    " CAST(COALESCE(SUM(c.size), 0) AS BIGINT), CAST(COALESCE(SUM(c.messages), 0) AS BIGINT)"
    # What is shared one by one is charged where it is kept.
    " FROM usage u LEFT JOIN collections c ON c.space_id = u.space_id AND c.tool = u.tool"
    " AND c.special_use NOT IN ('shared', 'colleagues')"
    " GROUP BY u.space_id, u.tool, u.bytes_used, u.items_used"
)
_SET_USAGE = Statement(
    "UPDATE usage SET bytes_used = :bytes, items_used = :items"
    " WHERE space_id = :space AND tool = :tool"
)
_LOG_AHEAD = Statement(
    "SELECT l.collection_id, MAX(l.modseq), c.modseq FROM changes l"
    " JOIN collections c ON c.id = l.collection_id"
    " GROUP BY l.collection_id, c.modseq HAVING MAX(l.modseq) > c.modseq"
)
_LOST_LOG = Statement(
    "SELECT DISTINCT l.collection_id FROM changes l"
    " LEFT JOIN collections c ON c.id = l.collection_id WHERE c.id IS NULL"
)
_LOST_NOTES = Statement(
    "SELECT DISTINCT a.collection_id FROM annotations a"
    " LEFT JOIN collections c ON c.id = a.collection_id AND c.space_id = a.space_id"
    " WHERE a.collection_id <> 0 AND c.id IS NULL"
)
_SIZES = Statement(
    "SELECT m.mailbox_id, m.uid, m.size, b.size FROM messages m JOIN blobs b ON b.id = m.blob_id"
    " WHERE m.size <> b.size"
)
_NO_CONTENT = Statement(
    "SELECT m.mailbox_id, m.uid FROM messages m LEFT JOIN contents c ON c.blob_id = m.blob_id"
    " WHERE c.blob_id IS NULL"
)
_NO_KEYS = Statement(
    "SELECT c.blob_id FROM contents c LEFT JOIN message_keys k ON k.blob_id = c.blob_id"
    " WHERE k.blob_id IS NULL"
)
_UNINDEXED = Statement(
    "SELECT k.blob_id FROM message_keys k LEFT JOIN search_texts t ON t.blob_id = k.blob_id"
    " WHERE (k.state = 2) <> (t.blob_id IS NOT NULL)"
)
_LOST_ITEMS = Statement(
    "SELECT i.id, i.size, b.size FROM items i LEFT JOIN blobs b ON b.id = i.blob_id"
    " WHERE b.id IS NULL OR b.size <> i.size"
)
_BARE_ITEMS = Statement(
    "SELECT i.id, c.tool FROM items i JOIN collections c ON c.id = i.folder_id"
    " LEFT JOIN calendar_objects o ON o.item_id = i.id AND o.folder_id = i.folder_id"
    " LEFT JOIN contact_cards k ON k.item_id = i.id AND k.folder_id = i.folder_id"
    " WHERE (c.tool = 'calendar') <> (o.item_id IS NOT NULL)"
    " OR (c.tool = 'contacts') <> (k.item_id IS NOT NULL)"
)
_WRONG_CLASS = Statement(
    "SELECT i.id FROM items i JOIN calendar_objects o ON o.item_id = i.id"
    " WHERE (i.privacy = 0) <> (o.classification = 'PUBLIC')"
    " OR (i.privacy = 1) <> (o.outline IS NOT NULL)"
)
_LOST_PROPERTIES = Statement(
    "SELECT p.folder_id, p.item_id FROM properties p"
    " LEFT JOIN collections c ON c.id = p.folder_id"
    " LEFT JOIN items i ON i.id = p.item_id AND i.folder_id = p.folder_id"
    " WHERE c.id IS NULL OR (p.item_id > 0 AND i.id IS NULL)"
)
_LOST_MEMBERS = Statement(
    "SELECT l.folder_id FROM locks l LEFT JOIN collections c ON c.id = l.folder_id"
    " WHERE c.id IS NULL UNION SELECT t.folder_id FROM tombstones t"
    " LEFT JOIN collections c ON c.id = t.folder_id WHERE c.id IS NULL"
)
_SAME_NAME = Statement(
    "SELECT i.folder_id, i.name FROM items i"
    " JOIN collections c ON c.parent_id = i.folder_id AND c.name = i.name"
)
_STRAY = Statement(
    "SELECT c.id FROM collections c JOIN collections p ON p.id = c.parent_id"
    " WHERE p.space_id <> c.space_id OR p.tool <> c.tool OR c.member_modseq > p.modseq"
)
# A sync that is cut short goes on behind a number, so no two members have the same.
_SAME_NUMBER = Statement(
    "SELECT n.folder_id, n.modseq FROM (SELECT folder_id, modseq FROM items"
    " UNION ALL SELECT folder_id, modseq FROM tombstones"
    " UNION ALL SELECT parent_id, member_modseq FROM collections"
    " WHERE tool <> 'mail' AND parent_id IS NOT NULL"
    " UNION ALL SELECT home_id, modseq FROM bindings WHERE hidden = 0 AND modseq > 0) n"
    " GROUP BY n.folder_id, n.modseq HAVING COUNT(*) > 1"
)
_LOST_BINDINGS = Statement(
    "SELECT p.home_id, p.collection_id FROM binding_properties p LEFT JOIN bindings b"
    " ON b.home_id = p.home_id AND b.collection_id = p.collection_id WHERE b.home_id IS NULL"
    " UNION SELECT b.home_id, b.collection_id FROM bindings b"
    " JOIN collections c ON c.id = b.home_id WHERE c.parent_id IS NOT NULL OR b.modseq > c.modseq"
)
_LATE_TOMBSTONES = Statement(
    "SELECT DISTINCT t.folder_id FROM tombstones t JOIN collections c ON c.id = t.folder_id"
    " WHERE t.modseq > c.modseq OR t.modseq <= c.log_floor"
)
_INDEXED = Statement("SELECT COUNT(*) FROM search_texts")
_OWNERS = Statement(
    "SELECT s.id FROM spaces s LEFT JOIN accounts a ON a.id = s.owner_account_id"
    " LEFT JOIN groups g ON g.space_id = s.id AND s.owner_account_id = 0"
    " WHERE g.id IS NULL AND (a.id IS NULL OR a.space_id <> s.id)"
)
_LOST_GROUPS = Statement(
    "SELECT g.id FROM groups g LEFT JOIN spaces s ON s.id = g.space_id"
    " LEFT JOIN addresses d ON d.address = g.address"
    " LEFT JOIN members m ON m.group_id = g.id AND m.account_id = g.admin_account_id"
    " WHERE s.id IS NULL OR s.owner_account_id <> 0 OR m.account_id IS NULL"
    " OR d.group_id IS NULL OR d.group_id <> g.id"
)
_LOST_MEMBERSHIPS = Statement(
    "SELECT m.group_id, m.account_id FROM members m LEFT JOIN groups g ON g.id = m.group_id"
    " LEFT JOIN accounts a ON a.id = m.account_id WHERE g.id IS NULL OR a.id IS NULL"
)
_LOST_ADDRESSES = Statement(
    "SELECT address FROM addresses WHERE (account_id IS NULL) = (group_id IS NULL)"
)
# Of things that are not there, to principals that are not, and to those whom the owner meets in
# no group any more.
_LOST_GRANTS = Statement(
    "SELECT n.id FROM grants n LEFT JOIN collections c ON c.id = n.collection_id"
    " LEFT JOIN spaces o ON o.id = n.space_id LEFT JOIN groups g ON g.space_id = n.grantee"
    " LEFT JOIN spaces s ON s.id = n.grantee LEFT JOIN groups own ON own.space_id = n.space_id"
    " WHERE c.id IS NULL OR c.space_id <> n.space_id OR (c.parent_id IS NULL AND n.item = 0)"
    " OR NOT EXISTS ("
    "SELECT 1 FROM members a WHERE a.account_id = o.owner_account_id AND (a.group_id = g.id"
    " OR EXISTS (SELECT 1 FROM members b WHERE b.group_id = a.group_id"
    " AND b.account_id = s.owner_account_id)) UNION ALL"
    " SELECT 1 FROM members b WHERE b.group_id = own.id"
    " AND (b.account_id = s.owner_account_id OR g.id = own.id))"
)
# Items that are not there, links that do not show what they stand for, and links of nothing.
_LOST_LINKS = Statement(
    "SELECT n.id FROM grants n JOIN collections c ON c.id = n.collection_id"
    " LEFT JOIN messages m ON m.mailbox_id = n.collection_id AND m.uid = n.item"
    " LEFT JOIN items i ON i.folder_id = n.collection_id AND i.id = n.item"
    " LEFT JOIN messages lm ON lm.mailbox_id = n.link_collection AND lm.uid = n.link_item"
    " LEFT JOIN items li ON li.folder_id = n.link_collection AND li.id = n.link_item"
    " WHERE n.item > 0 AND ((c.tool = 'mail' AND (m.uid IS NULL OR (n.link_item > 0"
    " AND (lm.uid IS NULL OR lm.blob_id <> m.blob_id))))"
    " OR (c.tool <> 'mail' AND (i.id IS NULL OR (n.link_item > 0"
    " AND (li.id IS NULL OR li.blob_id <> i.blob_id OR li.etag <> i.etag)))))"
)
_STRAY_LINKS = Statement(
    "SELECT c.id, c.messages, COUNT(n.id) FROM collections c"
    " LEFT JOIN grants n ON n.link_collection = c.id AND n.link_item > 0"
    " WHERE c.special_use = 'shared' GROUP BY c.id, c.messages HAVING c.messages <> COUNT(n.id)"
)
_LOST_SEEN = Statement(
    "SELECT n.mailbox_id, n.account_id FROM seen n JOIN collections c ON c.id = n.mailbox_id"
    " JOIN spaces s ON s.id = c.space_id"
    " WHERE s.owner_account_id = n.account_id OR c.tool <> 'mail'"
)
_CREDITS = Statement(
    "SELECT c.holder_kind, c.holder_id, c.amount, CAST(COALESCE(SUM(e.amount), 0) AS BIGINT)"
    " FROM credits c LEFT JOIN credit_entries e ON e.holder_kind = c.holder_kind"
    " AND e.holder_id = c.holder_id AND e.currency = c.currency"
    " GROUP BY c.holder_kind, c.holder_id, c.amount"
    " HAVING c.amount <> CAST(COALESCE(SUM(e.amount), 0) AS BIGINT)"
)
_GAPS = Statement(
    "SELECT s.year, s.last, COUNT(p.id) FROM receipt_series s"
    " LEFT JOIN payments p ON SUBSTR(p.number, 1, 5) = CAST(s.year AS TEXT) || '-'"
    " GROUP BY s.year, s.last HAVING COUNT(p.id) <> s.last"
)
_FILES = Statement("SELECT file, size, digest FROM blobs WHERE file IS NOT NULL")
_INLINE = Statement(
    "SELECT id, size, digest, data FROM blobs WHERE id > :after ORDER BY id LIMIT 50"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be. ``repairable`` findings are mended by ``Recount``."""

    what: str
    repairable: bool = False


@dataclass(frozen=True, slots=True)
class CheckStore(View[list[Finding]]):
    """All findings. ``deep`` also reads every body and compares its digest."""

    blobs: FileBlobs
    deep: bool = False

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def read(self, context: ReadContext) -> list[Finding]:
        checks: list[Callable[[Db], Iterator[Finding]]] = [
            _counters,
            _usage,
            _log,
            _messages,
            _items,
            _index,
            _groups,
            _billing,
            _seen,
            _kept,
            self._files,
        ]
        if self.deep:
            checks.append(self._bodies)
        return [finding for check in checks for finding in check(context.db)]

    def _files(self, db: Db) -> Iterator[Finding]:
        known = {row[0]: row[1] for row in db.all(_FILES)}
        present = set(self.blobs.names())
        for name, size in known.items():
            if name not in present:
                yield Finding(f"body file {name} is missing")
            elif self.blobs.path(name).stat().st_size != size:
                yield Finding(f"body file {name} does not have {size} octets")

    def _bodies(self, db: Db) -> Iterator[Finding]:
        after = 0
        while rows := db.all(_INLINE, after=after):
            for id_, size, hashed, data in rows:
                after = id_
                if data is not None and (len(data) != size or digest(data) != hashed):
                    yield Finding(f"body {id_} is not what was stored")
        for name, size, hashed in db.all(_FILES):
            with contextlib.suppress(FileNotFoundError):  # found missing above
                if self.blobs.digest(name, size) != hashed:
                    yield Finding(f"body file {name} is not what was stored")


@dataclass(frozen=True, slots=True)
class Recount(Mutation[None]):
    """Set counters and usage to what is really there."""

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        db = context.db
        if not db.is_sqlite:  # nobody may count beside this
            db.all(_LOCK_COLLECTIONS)
        for row in [*db.all(_COUNTERS), *db.all(_ITEM_COUNTERS)]:
            if row[1:5] != row[5:9]:
                db.run(
                    _SET_COUNTERS,
                    id=row[0],
                    messages=row[5],
                    unseen=row[6],
                    deleted=row[7],
                    size=row[8],
                )
        for space, tool, used, items, size, held in db.all(_USAGE):
            if (used, items) != (size, held):
                db.run(_SET_USAGE, space=space, tool=tool, bytes=size, items=held)
        mend_limits(db)
        mend_seen(db)
        for mailbox in wrong_kept(db):
            forget_kept(db, mailbox)


def _counters(db: Db) -> Iterator[Finding]:
    for row in [*db.all(_COUNTERS), *db.all(_ITEM_COUNTERS)]:
        if tuple(row[1:5]) != tuple(row[5:9]):
            yield Finding(
                f"collection {row[0]} counts {row[1:5]} (members, unseen, deleted, octets),"
                f" but holds {row[5:9]}",
                repairable=True,
            )
        if row[9] >= row[11] and row[9]:
            yield Finding(f"collection {row[0]} holds UID {row[9]}, but its next is {row[11]}")
        if row[10] > row[12]:
            yield Finding(f"collection {row[0]} holds a modseq above its own")


def _usage(db: Db) -> Iterator[Finding]:
    for space, tool, used, items, size, held in db.all(_USAGE):
        if (used, items) != (size, held):
            yield Finding(
                f"space {space} is charged {used} octets and {items} items of {tool},"
                f" but holds {size} and {held}",
                repairable=True,
            )
    for space, tool in wrong_limits(db):
        yield Finding(f"of {tool} in space {space}, not the smaller limit counts", repairable=True)


def _log(db: Db) -> Iterator[Finding]:
    for collection, logged, present in db.all(_LOG_AHEAD):
        yield Finding(f"the log of collection {collection} is at {logged}, beyond its {present}")
    for (collection,) in db.all(_LOST_LOG):
        yield Finding(f"the change log names collection {collection}, which does not exist")
    for (collection,) in db.all(_LOST_NOTES):
        yield Finding(f"annotations are of collection {collection}, which does not exist")
    for (space,) in db.all(_OWNERS):
        yield Finding(f"space {space} has no owner")


def _groups(db: Db) -> Iterator[Finding]:
    for (group,) in db.all(_LOST_GROUPS):
        yield Finding(f"group {group} lacks its space, its address or its administrator")
    for group, account in db.all(_LOST_MEMBERSHIPS):
        yield Finding(f"account {account} is a member of group {group}, but one does not exist")
    for (address,) in db.all(_LOST_ADDRESSES):
        yield Finding(f"the address {address} is not of one account or one group")
    for (grant,) in db.all(_LOST_GRANTS):
        yield Finding(f"grant {grant} is of nothing, or to somebody who shares no group")
    for (grant,) in db.all(_LOST_LINKS):
        yield Finding(f"grant {grant} is of an item that is not there, or not shown as it is")
    for collection, links, grants in db.all(_STRAY_LINKS):
        yield Finding(f"collection {collection} shows {links} items, but {grants} are shared")
    for mailbox, account in db.all(_LOST_SEEN):
        yield Finding(f"account {account} has \\Seen of its own in its own mailbox {mailbox}")


def _billing(db: Db) -> Iterator[Finding]:
    for kind, holder, amount, entries in db.all(_CREDITS):
        yield Finding(f"the credit of {kind} {holder} is {amount}, its entries make {entries}")
    for year, last, count in db.all(_GAPS):
        yield Finding(f"the receipts of {year} are numbered up to {last}, but there are {count}")


def _seen(db: Db) -> Iterator[Finding]:
    for mailbox, account, _ in seen_too_much(db):
        what = f"account {account} has read messages in mailbox {mailbox} that are not there"
        yield Finding(what, repairable=True)


def _kept(db: Db) -> Iterator[Finding]:
    for mailbox in wrong_kept(db):
        yield Finding(f"the UIDs kept of mailbox {mailbox} are not those that it has", True)


def _messages(db: Db) -> Iterator[Finding]:
    for mailbox, uid, size, real in db.all(_SIZES):
        yield Finding(f"message {uid} in {mailbox} says {size} octets, its body has {real}")
    for mailbox, uid in db.all(_NO_CONTENT):
        yield Finding(f"message {uid} in {mailbox} has no content")


def _items(db: Db) -> Iterator[Finding]:
    for item, size, real in db.all(_LOST_ITEMS):
        yield Finding(f"item {item} says {size} octets, its body has {real}")
    for item, tool in db.all(_BARE_ITEMS):
        yield Finding(f"item {item} of {tool} lacks what queries need, or has it without need")
    for (item,) in db.all(_WRONG_CLASS):
        yield Finding(f"item {item} is of another class than its entry, or has no outline")
    for folder, item in db.all(_LOST_PROPERTIES):
        yield Finding(f"properties are of item {item} in folder {folder}, which does not exist")
    for (folder,) in db.all(_LOST_MEMBERS):
        yield Finding(f"locks or tombstones are of folder {folder}, which does not exist")
    for folder, name in db.all(_SAME_NAME):
        yield Finding(f"folder {folder} has an item and a folder of the name {name!r}")
    for (folder,) in db.all(_STRAY):
        yield Finding(f"folder {folder} is not where its parent is, or ahead of it")
    for folder, number in db.all(_SAME_NUMBER):
        yield Finding(f"two members of folder {folder} have the number {number}")
    for (folder,) in db.all(_LATE_TOMBSTONES):
        yield Finding(f"folder {folder} has tombstones ahead of it, or older than its log")
    for home, collection in db.all(_LOST_BINDINGS):
        yield Finding(f"home {home} has what belongs to nothing of collection {collection}")


def _index(db: Db) -> Iterator[Finding]:
    for (blob,) in db.all(_NO_KEYS):
        yield Finding(f"body {blob} has no keys for sorting")
    for (blob,) in db.all(_UNINDEXED):
        yield Finding(f"the search index says of body {blob} what is not so; --reindex mends it")
    if trigrams.present(db):
        texts, narrowed = db.value(_INDEXED), trigrams.size(db)[1]
        if texts != narrowed:
            yield Finding(f"{texts} messages are indexed, but {narrowed} found; --reindex mends it")
