"""What sorting, threading and searching need of a message; shared by all its copies."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)

from folkmoot.storage.tables.metadata import Id, metadata

message_keys = Table(
    "message_keys",  # one row for each of contents; narrow, because SORT reads them all
    metadata,
    Column("blob_id", Id, ForeignKey("blobs.id", ondelete="CASCADE"), primary_key=True),
    # An IndexState. Keys are NULL in rows from before there were keys, until the indexer comes by.
    Column("state", SmallInteger, nullable=False),
    Column("sent", BigInteger, nullable=True),  # seconds since 1970 UTC; NULL: no readable Date
    Column("message_id", BigInteger, nullable=True),
    Column("reply", SmallInteger, nullable=True),
    Column("subject", Text, nullable=True),
    Column("sender", Text, nullable=True),
    Column("recipient", Text, nullable=True),
    Column("copied", Text, nullable=True),
    Column("sender_name", Text, nullable=True),
    Column("recipient_name", Text, nullable=True),
    Column("refs", LargeBinary, nullable=True),
    # What the indexer has to do, however much it has done.
    Index(
        "ix_message_keys_waiting",
        "blob_id",
        sqlite_where=text("state <> 2"),
        postgresql_where=text("state <> 2"),
    ),
)

search_texts = Table(
    "search_texts",  # the decoded text of a message, folded: what the search index is made of
    metadata,
    Column("blob_id", Id, ForeignKey("blobs.id", ondelete="CASCADE"), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("recipients", Text, nullable=False),
    Column("copied", Text, nullable=False),
    Column("header", Text, nullable=False),
    Column("body", Text, nullable=False),
)
