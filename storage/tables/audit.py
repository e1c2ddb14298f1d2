"""The trail: who did what, written in the transaction of the deed, never changed.

Each row has the hash of the row before it and its own (``storage/trail.py``).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

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
    # The account that it is about, where that is not the one that acts; 0: none.
    Column("about", BigInteger, nullable=False, server_default="0", index=True),
    # The support agent who acted in the account.
    Column("agent_id", BigInteger, nullable=False, server_default="0"),
    Column("agent", Text, nullable=False, server_default=""),
    Column("grant_id", BigInteger, nullable=False, server_default="0"),
    Column("session_id", BigInteger, nullable=False, server_default="0"),
    # Of the row before, and of this one; empty in rows from before there was a chain.
    Column("prev", Text, nullable=False, server_default=""),
    Column("hash", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)

audit_chain = Table(
    "audit_chain",  # one row: where the chain begins and ends
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),  # the first row that is still kept
    Column("last", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),  # of the last row
)

Index("ix_audit_time", audit.c.time)
