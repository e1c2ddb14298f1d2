"""Outbound mail that waits to be sent."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from folkmoot.storage.tables.metadata import Id, metadata

queue_messages = Table(
    "queue_messages",
    metadata,
    Column("id", Id, primary_key=True),
    # The account that submitted it; 0 for the server itself (bounces).
    Column("account_id", BigInteger, nullable=False, index=True),
    Column("mail_from", Text, nullable=False),  # "" is the null reverse-path
    Column("blob_id", BigInteger, ForeignKey("blobs.id"), nullable=False, index=True),
    Column("utf8", Integer, nullable=False),
    Column("body_8bit", Integer, nullable=False),
    Column("envid", Text, nullable=True),
    Column("ret", Text, nullable=True),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("warned", Integer, nullable=False),
    sqlite_autoincrement=True,
)

queue_recipients = Table(
    "queue_recipients",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "message_id",
        BigInteger,
        ForeignKey("queue_messages.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("address", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("orcpt", Text, nullable=True),
    Column("notify", Text, nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt", BigInteger, nullable=False),
    # A worker that claims the row sets this; after a crash the row is free again at that time.
    Column("lease_until", BigInteger, nullable=False),
    Column("last_reply", Text, nullable=False),
    Index("ix_queue_recipients_next_attempt", "next_attempt"),
    sqlite_autoincrement=True,
)

sent_counts = Table(
    "sent_counts",  # how many recipients outside this server an account wrote to in a day
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("day", Integer, nullable=False),  # days since 1970 UTC
    Column("recipients", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "day"),
    sqlite_with_rowid=False,
)
