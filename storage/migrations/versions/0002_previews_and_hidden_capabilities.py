"""Previews of messages; IMAP capabilities that are hidden from an account's clients.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contents", sa.Column("preview", sa.Text(), nullable=True))
    op.add_column(
        "accounts",
        sa.Column("hidden_capabilities", sa.Text(), nullable=False, server_default=""),
    )
