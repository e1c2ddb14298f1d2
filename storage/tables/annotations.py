"""Annotations: named values that clients keep on mailboxes and accounts (RFC 5464)."""

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
)

from folkmoot.storage.tables.metadata import metadata

annotations_table = Table(
    "annotations",
    metadata,
    Column("space_id", BigInteger, ForeignKey("spaces.id"), nullable=False),
    # 0 for annotations of the account itself ("server annotations").
    Column("collection_id", BigInteger, nullable=False),
    # Whose it is; 0 for those under /shared.
    Column("account_id", BigInteger, nullable=False),
    Column("entry", Text, nullable=False),
    # NULL when it was removed: the row stays for a while, so that sessions hear of it.
    Column("value", LargeBinary, nullable=True),
    # The number of the root of the space's mail at the change.
    Column("modseq", BigInteger, nullable=False),
    PrimaryKeyConstraint("space_id", "collection_id", "account_id", "entry"),
    Index("ix_annotations_space_id_modseq", "space_id", "modseq"),
    Index("ix_annotations_collection_id", "collection_id"),
)
