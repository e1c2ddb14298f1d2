"""Support access; an audit trail that is a chain and only grows.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEPT = 184 * 86_400  # seconds: half a year, in which no row of the trail can be removed

_SQLITE = (
    "CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN"
    " SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
    "CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit"
    f" WHEN OLD.time > CAST(strftime('%s', 'now') AS INTEGER) - {_KEPT} BEGIN"
    " SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
)
_POSTGRES = (
    "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF TG_OP = 'DELETE' THEN"
    f" IF OLD.time <= EXTRACT(EPOCH FROM now()) - {_KEPT} THEN RETURN OLD; END IF;"
    " END IF; RAISE EXCEPTION 'the audit trail is append-only'; END $$",
    "CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit"
    " FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
    "CREATE TRIGGER audit_is_kept BEFORE TRUNCATE ON audit"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
)


def upgrade() -> None:
    op.add_column(
        "accounts", sa.Column("may_grant", sa.SmallInteger(), nullable=False, server_default="1")
    )
    _audit()
    _staff()
    _grants()
    _help()
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRES:
        op.execute(sa.text(statement.replace(":", "\\:")))


def _audit() -> None:
    texts, numbers = ("agent", "prev", "hash"), ("about", "agent_id", "grant_id", "session_id")
    for name in (*numbers[:2], "agent", *numbers[2:], "prev", "hash"):
        kind, default = (sa.Text(), "") if name in texts else (sa.BigInteger(), "0")
        op.add_column("audit", sa.Column(name, kind, nullable=False, server_default=default))
    op.create_index("ix_audit_about", "audit", ["about"])
    op.create_index("ix_audit_time", "audit", ["time"])
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
    )
    op.execute(
        "INSERT INTO audit_chain (id, first, last, hash)"
        " SELECT 1, COALESCE(MAX(id), 0) + 1, COALESCE(MAX(id), 0), '' FROM audit"
    )


def _staff() -> None:
    op.create_table(
        "support_departments",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_departments")),
        sa.UniqueConstraint("name", name=op.f("uq_support_departments_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "support_agents",
        sa.Column("id", _ID, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("totp", sa.Text(), nullable=False),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["support_departments.id"],
            name=op.f("fk_support_agents_department_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_agents")),
        sa.UniqueConstraint("address", name=op.f("uq_support_agents_address")),
        sqlite_autoincrement=True,
    )


def _grants() -> None:
    op.create_table(
        "support_grants",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", sa.BigInteger(), nullable=True),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=True),
        sa.Column("tools", sa.Text(), nullable=False),
        sa.Column("read_only", sa.SmallInteger(), nullable=False),
        sa.Column("export", sa.SmallInteger(), nullable=False),
        sa.Column("with_groups", sa.SmallInteger(), nullable=False),
        sa.Column("free_items", sa.BigInteger(), nullable=False),
        sa.Column("free_octets", sa.BigInteger(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("withdrawn", sa.BigInteger(), nullable=True),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("first_login", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.SmallInteger(), nullable=False),
        _reference("support_grants", "account_id", "accounts.id", "CASCADE"),
        _reference("support_grants", "agent_id", "support_agents.id"),
        _reference("support_grants", "department_id", "support_departments.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_grants")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_support_grants_account_id", "support_grants", ["account_id"])
    op.create_index(
        "ix_support_grants_untold",
        "support_grants",
        ["id"],
        sqlite_where=sa.text("told < 7"),
        postgresql_where=sa.text("told < 7"),
    )
    op.create_table(
        "support_sessions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("grant_id", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        _reference("support_sessions", "grant_id", "support_grants.id", "CASCADE"),
        _reference("support_sessions", "agent_id", "support_agents.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_sessions")),
        sa.UniqueConstraint("key", name=op.f("uq_support_sessions_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_support_sessions_grant_id", "support_sessions", ["grant_id"])
    op.create_index(
        "ix_support_sessions_open",
        "support_sessions",
        ["agent_id"],
        sqlite_where=sa.text("ended IS NULL"),
        postgresql_where=sa.text("ended IS NULL"),
    )
    op.create_table(
        "support_uses",
        sa.Column("grant_id", sa.BigInteger(), nullable=False),
        sa.Column("blob_id", sa.BigInteger(), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        _reference("support_uses", "grant_id", "support_grants.id", "CASCADE"),
        sa.PrimaryKeyConstraint("grant_id", "blob_id", name=op.f("pk_support_uses")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "support_requests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("agent_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("tools", sa.Text(), nullable=False),
        sa.Column("read_only", sa.SmallInteger(), nullable=False),
        sa.Column("export", sa.SmallInteger(), nullable=False),
        sa.Column("with_groups", sa.SmallInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=True),
        _reference("support_requests", "agent_id", "support_agents.id"),
        _reference("support_requests", "account_id", "accounts.id", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_requests")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_support_requests_account_id", "support_requests", ["account_id"])


def _help() -> None:
    op.create_table(
        "help_requests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=True),
        sa.Column("ends", sa.BigInteger(), nullable=True),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        _reference("help_requests", "account_id", "accounts.id", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_requests")),
        sa.UniqueConstraint("uid", name=op.f("uq_help_requests_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_help_requests_account_id", "help_requests", ["account_id"])
    one = "kind = 'callback' AND closed IS NULL"
    op.create_index(
        "ix_help_requests_one_booking",
        "help_requests",
        ["account_id"],
        unique=True,
        sqlite_where=sa.text(one),
        postgresql_where=sa.text(one),
    )


def _reference(
    table: str, column: str, target: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [target], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete
    )
