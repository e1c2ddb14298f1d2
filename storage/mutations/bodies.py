"""The row of a body: octets in it, or the name of their file."""

from __future__ import annotations

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.txn import WriteContext
from folkmoot.storage.types import Content
from folkmoot.storage.types_tree import ItemContent

_INSERT = Statement(
    "INSERT INTO blobs (digest, size, created, file, data)"
    " VALUES (:digest, :size, :created, :file, :data) RETURNING id"
)


def insert_body(context: WriteContext, content: Content | ItemContent) -> int:
    """Insert the octets of a message or an item; the number of the body."""
    body: int = context.db.value(
        _INSERT,
        digest=content.digest,
        size=content.size,
        created=context.now,
        file=content.file,
        data=content.data,
    )
    return body
