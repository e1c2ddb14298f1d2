"""Groups and their members; what a plan lets an account have of both.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TOOLS = ("mail", "calendar", "contacts", "documents")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("group_limit", sa.BigInteger(), nullable=True))
    op.add_column("accounts", sa.Column("member_limit", sa.BigInteger(), nullable=True))
    op.create_table(
        "groups",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("domain_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("admin_account_id", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.id"], name=op.f("fk_groups_space_id")),
        sa.ForeignKeyConstraint(["domain_id"], ["domains.id"], name=op.f("fk_groups_domain_id")),
        sa.ForeignKeyConstraint(
            ["admin_account_id"], ["accounts.id"], name=op.f("fk_groups_admin_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("space_id", name=op.f("uq_groups_space_id")),
        sa.UniqueConstraint("address", name=op.f("uq_groups_address")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_groups_admin_account_id", "groups", ["admin_account_id"])
    op.create_table(
        "members",
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        *(sa.Column(tool, sa.BigInteger(), nullable=False) for tool in _TOOLS),
        sa.Column("joined", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_members_group_id")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_members_account_id")
        ),
        sa.PrimaryKeyConstraint("group_id", "account_id", name=op.f("pk_members")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_members_account_id", "members", ["account_id"])
    # An address is of an account or of a group: one table, so that it cannot be of both.
    with op.batch_alter_table("addresses", schema=None) as batch_op:
        batch_op.alter_column("account_id", existing_type=sa.BigInteger(), nullable=True)
        batch_op.add_column(sa.Column("group_id", sa.BigInteger(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_addresses_group_id"), "groups", ["group_id"], ["id"]
        )
        batch_op.create_index(batch_op.f("ix_addresses_group_id"), ["group_id"], unique=False)
