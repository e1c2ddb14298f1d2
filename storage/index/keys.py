"""The row of keys that each message has: written with it, read by SORT, THREAD and the indexer."""

from __future__ import annotations

import enum
from dataclasses import fields

from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.types import SortKeys


class IndexState(enum.IntEnum):
    """How far the indexer is with a message."""

    BARE = 0  # from before there were keys
    KEYED = 1
    INDEXED = 2
    SCANNED = 3  # too much text for the index: every search looks at the message itself


# Named as in ``SortKeys``, except for a word that SQL keeps for itself.
COLUMNS = tuple("refs" if f.name == "references" else f.name for f in fields(SortKeys))

_INSERT = Statement(
    f"INSERT INTO message_keys (blob_id, state, {', '.join(COLUMNS)})"  # noqa: S608
    f" VALUES (:blob, :state, {', '.join(f':{name}' for name in COLUMNS)})"
)
_UPDATE = Statement(
    f"UPDATE message_keys SET {', '.join(f'{name} = :{name}' for name in COLUMNS)}"  # noqa: S608
    " WHERE blob_id = :blob"
)


def insert_keys(db: Db, blob_id: int, keys: SortKeys) -> None:
    """Write the keys of new content."""
    db.run(_INSERT, blob=blob_id, state=int(IndexState.KEYED), **_values(keys))


def update_keys(db: Db, blob_id: int, keys: SortKeys) -> None:
    """Write the keys of content that came before there were keys."""
    db.run(_UPDATE, blob=blob_id, **_values(keys))


def _values(keys: SortKeys) -> dict[str, object]:
    return {
        "subject": keys.subject,
        "reply": int(keys.reply),
        "sent": keys.sent,
        "sender": keys.sender,
        "recipient": keys.recipient,
        "copied": keys.copied,
        "sender_name": keys.sender_name,
        "recipient_name": keys.recipient_name,
        "message_id": keys.message_id,
        "refs": keys.references,
    }
