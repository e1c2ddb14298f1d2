"""Grants: rights that owners give to others, on collections and on single items."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from folkmoot.storage.tables.metadata import Id, metadata

grants = Table(
    "grants",
    metadata,
    Column("id", Id, primary_key=True),
    Column("space_id", BigInteger, ForeignKey("spaces.id"), nullable=False, index=True),
    Column("collection_id", BigInteger, nullable=False),
    # 0: the whole collection and all below; else the UID of a message or the id of an item.
    Column("item", BigInteger, nullable=False),
    # The space of the group or account that the rights are given to.
    Column("grantee", BigInteger, ForeignKey("spaces.id"), nullable=False),
    Column("rights", BigInteger, nullable=False),  # bits of Right
    # Where a single item is shown: what the group shares, and the UID or id there; else 0.
    Column("link_collection", BigInteger, nullable=False),
    Column("link_item", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    UniqueConstraint("collection_id", "item", "grantee"),
    Index("ix_grants_grantee_space_id", "grantee", "space_id"),
    Index("ix_grants_link", "link_collection", "link_item"),
    sqlite_autoincrement=True,
)

seen = Table(
    "seen",  # what an account has read in a mailbox of somebody else: its own \Seen
    metadata,
    Column(
        "mailbox_id", BigInteger, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False
    ),
    Column(
        "account_id",
        BigInteger,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("uids", Text, nullable=False),  # a UidSet
    PrimaryKeyConstraint("mailbox_id", "account_id"),
    sqlite_with_rowid=False,
)

bindings = Table(
    "bindings",  # what is of others and found in the home of an account, as it was last told
    metadata,
    Column("home_id", BigInteger, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("collection_id", BigInteger, nullable=False, index=True),
    Column("name", Text, nullable=False),
    # A digest of what is shown of it, and the number of the home when that last changed.
    Column("state", Text, nullable=False),
    Column("modseq", BigInteger, nullable=False),
    # 1: the account does not want to see it.
    Column("hidden", SmallInteger, nullable=False),
    PrimaryKeyConstraint("home_id", "collection_id"),
    sqlite_with_rowid=False,
)

binding_properties = Table(
    "binding_properties",  # what an account has set on what it finds in its home
    metadata,
    Column("home_id", BigInteger, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("collection_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),  # {namespace}name
    Column("value", Text, nullable=False),  # the whole element
    PrimaryKeyConstraint("home_id", "collection_id", "name"),
    sqlite_with_rowid=False,
)

profiles = Table(
    "profiles",  # what fellow members see of a person in their address book of colleagues
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    # The card that the person keeps of himself, an item of his; 0: none.
    Column("source", BigInteger, nullable=False),
    # What is shown of it, a vCard; empty: nothing.
    Column("shown", LargeBinary, nullable=False),
    # A digest of the name and the addresses that the finished card has; "": it has to be made anew.
    Column("about", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("blob_id", BigInteger, ForeignKey("blobs.id"), nullable=True, index=True),
)
