"""What is of others and found in the homes of accounts.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bindings",
        sa.Column("home_id", sa.BigInteger(), nullable=False),
        sa.Column("collection_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("modseq", sa.BigInteger(), nullable=False),
        sa.Column("hidden", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["home_id"], ["collections.id"], name=op.f("fk_bindings_home_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("home_id", "collection_id", name=op.f("pk_bindings")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_bindings_collection_id", "bindings", ["collection_id"])
    op.create_table(
        "binding_properties",
        sa.Column("home_id", sa.BigInteger(), nullable=False),
        sa.Column("collection_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["home_id"],
            ["collections.id"],
            name=op.f("fk_binding_properties_home_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "home_id", "collection_id", "name", name=op.f("pk_binding_properties")
        ),
        sqlite_with_rowid=False,
    )
