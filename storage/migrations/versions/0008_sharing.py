"""Grants on collections and items, what each reader has seen, and how groups take mail.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EVERY_TOOL = "mail calendar contacts documents"


def upgrade() -> None:
    op.create_table(
        "grants",
        sa.Column("id", _ID, nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("collection_id", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.BigInteger(), nullable=False),
        sa.Column("grantee", sa.BigInteger(), nullable=False),
        sa.Column("rights", sa.BigInteger(), nullable=False),
        sa.Column("link_collection", sa.BigInteger(), nullable=False),
        sa.Column("link_item", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.id"], name=op.f("fk_grants_space_id")),
        sa.ForeignKeyConstraint(["grantee"], ["spaces.id"], name=op.f("fk_grants_grantee")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint(
            "collection_id", "item", "grantee", name=op.f("uq_grants_collection_id_item_grantee")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_grants_grantee_space_id", "grants", ["grantee", "space_id"])
    op.create_index("ix_grants_space_id", "grants", ["space_id"])
    op.create_index("ix_grants_link", "grants", ["link_collection", "link_item"])
    op.create_table(
        "seen",
        sa.Column("mailbox_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("uids", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["collections.id"],
            name=op.f("fk_seen_mailbox_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_seen_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mailbox_id", "account_id", name=op.f("pk_seen")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_seen_account_id", "seen", ["account_id"])
    op.add_column(
        "groups", sa.Column("posting", sa.Text(), nullable=False, server_default="anyone")
    )
    op.add_column(
        "groups", sa.Column("tools", sa.Text(), nullable=False, server_default=_EVERY_TOOL)
    )
    op.add_column(
        "members", sa.Column("forward", sa.SmallInteger(), nullable=False, server_default="0")
    )
    op.add_column(
        "items", sa.Column("creator", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column(
        "items", sa.Column("privacy", sa.SmallInteger(), nullable=False, server_default="0")
    )
    for privacy, word in ((1, "CONFIDENTIAL"), (2, "PRIVATE")):
        op.execute(
            sa.text(
                "UPDATE items SET privacy = :privacy WHERE id IN"
                " (SELECT item_id FROM calendar_objects WHERE classification = :word)"
            ).bindparams(privacy=privacy, word=word)
        )
