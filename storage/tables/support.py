"""Support: departments, agents, what customers granted to them, and what came of it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from folkmoot.storage.tables.metadata import Id, metadata

support_departments = Table(
    "support_departments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

support_agents = Table(
    "support_agents",  # people of the operator: they have no account here by this
    metadata,
    Column("id", Id, primary_key=True),
    Column("address", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("secret", Text, nullable=False),  # argon2id
    Column("totp", Text, nullable=False),  # the secret of the second factor, "" for none
    Column("totp_step", BigInteger, nullable=False),  # the last one used: no code works twice
    # NULL: in no department.
    Column("department_id", BigInteger, ForeignKey("support_departments.id"), nullable=True),
    Column("state", Text, nullable=False),  # active, disabled
    Column("created", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

support_grants = Table(
    "support_grants",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "account_id",
        BigInteger,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    # One of the two.
    Column("agent_id", BigInteger, ForeignKey("support_agents.id"), nullable=True),
    Column("department_id", BigInteger, ForeignKey("support_departments.id"), nullable=True),
    Column("starts", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=True),  # NULL: permanent
    Column("tools", Text, nullable=False),  # separated by spaces
    Column("read_only", SmallInteger, nullable=False),
    Column("export", SmallInteger, nullable=False),
    Column("with_groups", SmallInteger, nullable=False),  # 1: the spaces of the customer's groups
    # Without export: single items that may be read, and octets of them together.
    Column("free_items", BigInteger, nullable=False),
    Column("free_octets", BigInteger, nullable=False),
    Column("granted_by", Text, nullable=False),
    Column("withdrawn", BigInteger, nullable=True),
    # When the server saw that it is over: it does not begin again when a clock goes back.
    Column("ended", BigInteger, nullable=True),
    Column("first_login", BigInteger, nullable=True),
    # What the customer was told by mail: 1 the grant, 2 the first login, 4 the end.
    Column("told", SmallInteger, nullable=False),
    Index(
        "ix_support_grants_untold",
        "id",
        sqlite_where=text("told < 7"),
        postgresql_where=text("told < 7"),
    ),
    sqlite_autoincrement=True,
)

support_sessions = Table(
    "support_sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "grant_id",
        BigInteger,
        ForeignKey("support_grants.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("agent_id", BigInteger, ForeignKey("support_agents.id"), nullable=False),
    Column("key", Text, nullable=False, unique=True),  # SHA-256 of the key, in hex
    Column("reason", Text, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("ended", BigInteger, nullable=True),
    Column("refused", BigInteger, nullable=False, server_default="0"),  # operations
    Index(
        "ix_support_sessions_open",
        "agent_id",
        sqlite_where=text("ended IS NULL"),
        postgresql_where=text("ended IS NULL"),
    ),
    sqlite_autoincrement=True,
)

support_uses = Table(
    "support_uses",  # single items that were read without the permission to export
    metadata,
    Column(
        "grant_id",
        BigInteger,
        ForeignKey("support_grants.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("blob_id", BigInteger, nullable=False),
    Column("octets", BigInteger, nullable=False),
    PrimaryKeyConstraint("grant_id", "blob_id"),
    sqlite_with_rowid=False,
)

page_endings = Table(
    "page_endings",  # sessions of pages whose owner signed out, until they would be over anyway
    metadata,
    Column("nonce", Text, primary_key=True),
    Column("until", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)

support_requests = Table(
    "support_requests",  # agents ask for a grant; a link in a mail answers
    metadata,
    Column("id", Id, primary_key=True),
    Column("agent_id", BigInteger, ForeignKey("support_agents.id"), nullable=False),
    Column(
        "account_id",
        BigInteger,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("token", Text, nullable=False),  # SHA-256 of what the link has, in hex
    Column("reason", Text, nullable=False),
    # What is asked for: a period, tools separated by spaces, and whether to read only, to export
    # and to see the groups.
    Column("period", Text, nullable=False),
    Column("tools", Text, nullable=False),
    Column("read_only", SmallInteger, nullable=False),
    Column("export", SmallInteger, nullable=False),
    Column("with_groups", SmallInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=True),
    sqlite_autoincrement=True,
)

help_requests = Table(
    "help_requests",  # what customers write to support, and call-backs that they book
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "account_id",
        BigInteger,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("kind", Text, nullable=False),  # contact, callback
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("starts", BigInteger, nullable=True),  # of a call-back
    Column("ends", BigInteger, nullable=True),
    Column("uid", Text, nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
    Column("closed", BigInteger, nullable=True),
    Column("closed_by", Text, nullable=False),
    Index(
        "ix_help_requests_one_booking",
        "account_id",
        unique=True,
        sqlite_where=text("kind = 'callback' AND closed IS NULL"),
        postgresql_where=text("kind = 'callback' AND closed IS NULL"),
    ),
    sqlite_autoincrement=True,
)
