"""What somebody has read in a mailbox of others: \\Seen that is their own.

In the mailboxes of one's own space \\Seen is a bit of the message's row. In all others, those of
groups for everybody, it is kept for each account in a set of UIDs, and the bit says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import ActorKind, Flag, SearchKey, UidSet
from folkmoot.storage.types_search import And, HasFlags, Not, Or, UidIn

SEEN = int(Flag.SEEN)
ALL_UIDS = UidSet.from_ranges([(1, 0xFFFF_FFFF)])

_OF_ONE = Statement("SELECT uids FROM seen WHERE mailbox_id = :mailbox AND account_id = :account")
_OF_ACCOUNT = Statement("SELECT mailbox_id, uids FROM seen WHERE account_id = :account")
_OF_MAILBOX = Statement("SELECT account_id, uids FROM seen WHERE mailbox_id = :mailbox")
_SET = Statement(
    "INSERT INTO seen (mailbox_id, account_id, uids) VALUES (:mailbox, :account, :uids)"
    " ON CONFLICT (mailbox_id, account_id) DO UPDATE SET uids = excluded.uids"
)
_ALL = Statement("SELECT mailbox_id, account_id, uids FROM seen")
_UIDS = Statement("SELECT uid FROM messages WHERE mailbox_id = :mailbox")
_MEND = Statement(
    "UPDATE seen SET uids = :uids WHERE mailbox_id = :mailbox AND account_id = :account"
)
_REMOVE = Statement("DELETE FROM seen WHERE mailbox_id = :mailbox AND account_id = :account")


def own_seen(context: ReadContext, mailbox_id: int) -> UidSet | None:
    """What the actor has read in a mailbox; None where the rows say it."""
    actor = context.actor
    owner = context.facts(mailbox_id).owner_account_id
    if actor.kind is ActorKind.SYSTEM or owner == actor.account_id:
        return None
    row = context.db.one(_OF_ONE, mailbox=mailbox_id, account=actor.account_id)
    return UidSet.from_text(row[0]) if row is not None else UidSet()


def seen_counts(context: ReadContext) -> Mapping[int, int]:
    """How many messages the actor has read, by mailbox of others."""
    rows = context.db.all(_OF_ACCOUNT, account=context.actor.account_id)
    return {mailbox: len(UidSet.from_text(uids)) for mailbox, uids in rows}


def with_seen(bits: int, uid: int, seen: UidSet) -> int:
    """The flags of a row as somebody sees them who has read ``seen``."""
    return bits | SEEN if uid in seen else bits & ~SEEN


def keep_seen(context: WriteContext, mailbox_id: int, uids: UidSet) -> None:
    """Make this what the actor has read in a mailbox of others."""
    _keep(context, mailbox_id, context.actor.account_id, uids)


def forget_seen(context: WriteContext, mailbox_id: int, gone: UidSet) -> None:
    """Messages are removed from a mailbox: nobody has read them any more."""
    for account, text in context.db.all(_OF_MAILBOX, mailbox=mailbox_id):
        uids = UidSet.from_text(text)
        left = uids.difference(gone)
        if left != uids:
            _keep(context, mailbox_id, account, left)


def carry_seen(
    context: WriteContext, source_id: int, target_id: int, copies: Mapping[int, int]
) -> None:
    """Messages were copied within a space, new UIDs by old ones: who has read one has read both."""
    rows = context.db.all(_OF_MAILBOX, mailbox=source_id)
    if not rows:
        return
    there: dict[int, str] = dict(context.db.all(_OF_MAILBOX, mailbox=target_id))
    for account, text in rows:
        uids = UidSet.from_text(text)
        read = [new for old, new in copies.items() if old in uids]
        if read:
            known = UidSet.from_text(there.get(account, ""))
            _keep(context, target_id, account, known.union(UidSet.from_iterable(read)))


def _keep(context: WriteContext, mailbox_id: int, account_id: int, uids: UidSet) -> None:
    if uids:
        context.db.run(_SET, mailbox=mailbox_id, account=account_id, uids=str(uids))
    else:
        context.db.run(_REMOVE, mailbox=mailbox_id, account=account_id)


def searched(key: SearchKey, seen: UidSet) -> SearchKey:
    """A search of somebody who has read ``seen``, in which no key asks for \\Seen any more."""
    match key:
        case Not(HasFlags(Flag.SEEN)):
            return UidIn(ALL_UIDS.difference(seen))
        case Not(inner):
            return Not(searched(inner, seen))
        case And(keys):
            return And(tuple([searched(one, seen) for one in keys]))
        case Or(keys):
            return Or(tuple([searched(one, seen) for one in keys]))
        case HasFlags(system) if system & Flag.SEEN:
            rest = int(system) & ~SEEN
            return And((UidIn(seen), HasFlags(rest))) if rest else UidIn(seen)
    return key


def seen_too_much(db: Db) -> Iterator[tuple[int, int, UidSet]]:
    """(mailbox, account, what is right) of who has read what is gone, so that counts are wrong."""
    for mailbox, account, text in db.all(_ALL):
        uids = UidSet.from_text(text)
        present = UidSet.from_iterable(uid for (uid,) in db.all(_UIDS, mailbox=mailbox))
        if uids.difference(present):
            yield mailbox, account, uids.intersection(present)


def mend_seen(db: Db) -> None:
    """Forget what is gone."""
    for mailbox, account, uids in list(seen_too_much(db)):
        db.run(_MEND, mailbox=mailbox, account=account, uids=str(uids))
