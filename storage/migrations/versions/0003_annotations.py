"""Annotations on mailboxes and accounts.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "annotations",
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("collection_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("modseq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.id"], name=op.f("fk_annotations_space_id")),
        sa.PrimaryKeyConstraint(
            "space_id", "collection_id", "account_id", "entry", name=op.f("pk_annotations")
        ),
    )
    op.create_index("ix_annotations_space_id_modseq", "annotations", ["space_id", "modseq"])
    op.create_index("ix_annotations_collection_id", "annotations", ["collection_id"])
