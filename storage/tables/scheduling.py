"""Scheduling messages (RFC 6638) on their way to calendars of this server."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, Table, Text

from folkmoot.storage.tables.metadata import Id, metadata

schedule_messages = Table(
    "schedule_messages",  # written with the change that they tell of, gone when they are delivered
    metadata,
    Column("id", Id, primary_key=True),
    # Whose calendar they are for.
    Column("space_id", BigInteger, ForeignKey("spaces.id"), nullable=False, index=True),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
