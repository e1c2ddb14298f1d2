"""The trail: who did what, written in the transaction of the deed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from folkmoot.storage.tables.metadata import Id, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("account_id", BigInteger, nullable=False, index=True),
    Column("actor_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("collections", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)
