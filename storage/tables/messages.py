"""Messages: what a mailbox holds, and the content that copies share."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from folkmoot.storage.tables.metadata import Id, metadata

blobs = Table(
    "blobs",  # octets: in `data` when small, else in the blob store's `file`
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary, nullable=False),  # BLAKE2b, 32 octets
    Column("size", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("file", Text, nullable=True),
    Column("data", LargeBinary, nullable=True),
    sqlite_autoincrement=True,
)

contents = Table(
    "contents",  # what IMAP prints of a message, computed once; shared by all its copies
    metadata,
    Column("blob_id", Id, ForeignKey("blobs.id", ondelete="CASCADE"), primary_key=True),
    Column("envelope", LargeBinary, nullable=False),
    Column("bodystructure", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("parts", LargeBinary, nullable=False),
    # Behind the others, so that reading them does not walk over it.
    Column("header", LargeBinary, nullable=False),
    # NULL for messages from before there were previews: made when asked for.
    Column("preview", Text, nullable=True),
)

messages = Table(
    "messages",
    metadata,
    Column("mailbox_id", BigInteger, ForeignKey("collections.id"), nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("modseq", BigInteger, nullable=False),
    Column("flags", Integer, nullable=False),  # the bits of types.Flag
    Column("keywords", Text, nullable=False),  # sorted, separated by spaces
    Column("size", BigInteger, nullable=False),
    Column("internal_date", BigInteger, nullable=False),  # seconds since 1970 UTC
    Column("internal_zone", Integer, nullable=False),  # minutes east of UTC
    Column("saved", BigInteger, nullable=False),  # when it came into this mailbox
    Column("blob_id", BigInteger, ForeignKey("blobs.id"), nullable=False, index=True),
    PrimaryKeyConstraint("mailbox_id", "uid"),
    sqlite_with_rowid=False,
)
