"""The UIDs of large mailboxes, kept together in one row each.

Opening a mailbox of 100,000 messages means reading their UIDs from some three hundred pages, which
lie all over the database: seconds on a disk that has to be read first. A row of UIDs is a page or a
few. It is of some moment, and brought up to date from there, like what is remembered in memory
(``known_uids``); the server's upkeep writes it anew when much has happened.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import sub

from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.gate import Administration, Need
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.views.base import View
from folkmoot.storage.views.known_uids import Known

LARGE = 2000  # messages from which on UIDs are kept: those of fewer are on a dozen pages
OUTDATED = 500  # changes after which they are written anew, beside a hundredth of the messages

_KEPT = Statement(
    "SELECT uidvalidity, uidnext, modseq, uids FROM mailbox_uids WHERE mailbox_id = :id"
)
_CURRENT = Statement(
    "SELECT k.mailbox_id, k.uids FROM mailbox_uids k JOIN collections c ON c.id = k.mailbox_id"
    " WHERE c.modseq = k.modseq AND c.uidvalidity = k.uidvalidity"
)
_FORGET = Statement("DELETE FROM mailbox_uids WHERE mailbox_id = :id")
_STATE = Statement("SELECT uidvalidity, uidnext, modseq FROM collections WHERE id = :id")
_UIDS = Statement("SELECT uid FROM messages WHERE mailbox_id = :id AND uid >= :first ORDER BY uid")
_UIDS_JOINED = Statement(
    "SELECT GROUP_CONCAT(uid) FROM (SELECT uid FROM messages"
    " WHERE mailbox_id = :id AND uid >= :first ORDER BY uid)"
)
_OUTDATED = Statement(
    "SELECT c.id FROM collections c LEFT JOIN mailbox_uids k ON k.mailbox_id = c.id"
    " WHERE c.tool = 'mail' AND c.messages >= :large"
    " AND (k.mailbox_id IS NULL OR c.modseq > k.modseq + :changes + c.messages / 100) ORDER BY c.id"
)


def read_kept(db: Db, mailbox_id: int) -> Known | None:
    """What is kept of a mailbox, which may be out of date."""
    row = db.one(_KEPT, id=mailbox_id)
    return None if row is None else Known(row[0], row[1], row[2], unpack(row[3]), None)


def read_uids(db: Db, mailbox_id: int, first: int = 1) -> array[int]:
    """The UIDs of a mailbox from one on, as they are."""
    if not db.is_sqlite:
        return array("I", [uid for (uid,) in db.all(_UIDS, id=mailbox_id, first=first)])
    # One row instead of one for each message, of which each takes Python's lock.
    joined = db.value(_UIDS_JOINED, id=mailbox_id, first=first)
    return array("I", map(int, joined.split(",") if joined else ()))


def wrong_kept(db: Db) -> list[int]:
    """Mailboxes of which other UIDs are kept than they have."""
    rows = db.all(_CURRENT)
    return [id_ for id_, packed in rows if unpack(packed) != read_uids(db, id_)]


def forget_kept(db: Db, mailbox_id: int) -> None:
    """Keep no UIDs of a mailbox."""
    db.run(_FORGET, id=mailbox_id)


def pack(uids: Sequence[int]) -> bytes:
    """Ascending UIDs as a row has them: steps of 32 bits, little-endian, deflated."""
    steps = array("I", uids[:1])
    steps.extend(map(sub, uids[1:], uids[:-1]))
    if sys.byteorder == "big":
        steps.byteswap()
    return zlib.compress(steps.tobytes(), 1)


def unpack(packed: bytes) -> array[int]:
    """What ``pack`` was given."""
    steps = array("I", zlib.decompress(packed))
    if sys.byteorder == "big":
        steps.byteswap()
    return array("I", accumulate(steps))


@dataclass(frozen=True, slots=True)
class OutdatedUids(View[list[int]]):
    """Large mailboxes whose UIDs are not kept yet, or in which much has happened since."""

    large: int = LARGE
    changes: int = OUTDATED

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def read(self, context: ReadContext) -> list[int]:
        rows = context.db.all(_OUTDATED, large=self.large, changes=self.changes)
        return [id_ for (id_,) in rows]


@dataclass(frozen=True, slots=True)
class PackedUids(View[tuple[int, int, int, bytes] | None]):
    """UIDVALIDITY, UIDNEXT, modseq and packed UIDs of a mailbox; None when it is gone."""

    mailbox_id: int

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def read(self, context: ReadContext) -> tuple[int, int, int, bytes] | None:
        row = context.db.one(_STATE, id=self.mailbox_id)
        if row is None:
            return None
        return row[0], row[1], row[2], pack(read_uids(context.db, self.mailbox_id))
