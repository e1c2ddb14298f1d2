"""Collections, their counters, subscriptions, the change log and used capacities."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from folkmoot.storage.tables.metadata import Id, metadata

collections = Table(
    "collections",
    metadata,
    Column("id", Id, primary_key=True),
    Column("space_id", BigInteger, ForeignKey("spaces.id"), nullable=False),
    Column("tool", Text, nullable=False),
    # NULL only for the root of a tool, which holds the top-level collections.
    Column("parent_id", BigInteger, ForeignKey("collections.id"), nullable=True),
    Column("name", Text, nullable=False),
    Column("special_use", Text, nullable=False, server_default=""),
    # The counter row of the change log: bumped inside every transaction that changes something,
    # so that commit order is number order.
    Column("modseq", BigInteger, nullable=False),
    # Changes at or below this number may have been trimmed from the log.
    Column("log_floor", BigInteger, nullable=False, server_default="0"),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uidnext", BigInteger, nullable=False),
    # Keywords that messages here have or had, separated by spaces: the FLAGS answer of SELECT.
    Column("keywords", Text, nullable=False, server_default=""),
    # Counters kept by every mutation, so that STATUS is one row; `check` recounts them.
    Column("messages", BigInteger, nullable=False, server_default="0"),
    Column("unseen", BigInteger, nullable=False, server_default="0"),
    Column("deleted", BigInteger, nullable=False, server_default="0"),
    Column("size", BigInteger, nullable=False, server_default="0"),
    # Of folders (calendars, address books, folders of documents). `name` is in NFC there, by which
    # names are compared; `shown` is the name as it was given.
    Column("shown", Text, nullable=False, server_default=""),
    # The number of the parent when this last changed as its member.
    Column("member_modseq", BigInteger, nullable=False, server_default="0"),
    Column("created", BigInteger, nullable=False, server_default="0"),
    Column("modified", BigInteger, nullable=False, server_default="0"),
    # What a calendar takes (VEVENT ...), separated by spaces; empty: everything.
    Column("components", Text, nullable=False, server_default=""),
    UniqueConstraint("parent_id", "name"),
    Index("ix_collections_space_id_tool", "space_id", "tool"),
    Index("ix_collections_parent_id_member_modseq", "parent_id", "member_modseq"),
    Index(
        "ix_collections_drop",
        "space_id",
        sqlite_where=text("special_use = 'drop'"),
        postgresql_where=text("special_use = 'drop'"),
    ),
    Index(
        "ix_collections_root",
        "space_id",
        "tool",
        sqlite_where=text("parent_id IS NULL"),
        postgresql_where=text("parent_id IS NULL"),
    ),
    sqlite_autoincrement=True,
)

subscriptions = Table(
    # By name: RFC 9051 section 6.3.7 keeps names that do not exist. What groups have and others
    # share is subscribed without being here; "/NAME" is one that the account does not want.
    "subscriptions",
    metadata,
    Column(
        "account_id",
        BigInteger,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("name", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "name"),
    sqlite_with_rowid=False,
)

changes = Table(
    "changes",  # the change log: one row per mutation, collection and kind
    metadata,
    Column("collection_id", BigInteger, nullable=False),
    Column("modseq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # a ChangeKind
    Column("uids", Text, nullable=False),  # a UidSet
    PrimaryKeyConstraint("collection_id", "modseq", "kind"),
    sqlite_with_rowid=False,
)

mailbox_uids = Table(
    "mailbox_uids",  # the UIDs of a large mailbox at some moment, to be read with one page
    metadata,
    Column(
        "mailbox_id",
        BigInteger,
        ForeignKey("collections.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uidnext", BigInteger, nullable=False),
    Column("modseq", BigInteger, nullable=False),
    Column("uids", LargeBinary, nullable=False),  # see storage/views/known_uids.py
)

usage = Table(
    "usage",  # what the ledger counts, per space and tool; NULL limits mean unlimited
    # bytes_limit and items_limit are the smaller of the plan's and the own ones (storage/limits.py)
    metadata,
    Column("space_id", BigInteger, ForeignKey("spaces.id"), nullable=False),
    Column("tool", Text, nullable=False),
    Column("bytes_used", BigInteger, nullable=False),
    Column("bytes_limit", BigInteger, nullable=True),
    Column("items_used", BigInteger, nullable=False),
    Column("items_limit", BigInteger, nullable=True),
    Column("largest_item", BigInteger, nullable=True),  # octets of one item
    Column("plan_bytes", BigInteger, nullable=True),
    Column("plan_items", BigInteger, nullable=True),
    Column("own_bytes", BigInteger, nullable=True),
    Column("own_items", BigInteger, nullable=True),
    PrimaryKeyConstraint("space_id", "tool"),
    sqlite_with_rowid=False,
)
