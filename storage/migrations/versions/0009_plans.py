"""What plans give beside room: largest items, mail in a day, features; plans of domains.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("usage", sa.Column("largest_item", sa.BigInteger(), nullable=True))
    op.add_column("domains", sa.Column("plans", sa.Text(), nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("mail_per_day", sa.BigInteger(), nullable=True))
    op.add_column("accounts", sa.Column("withheld", sa.Text(), nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("reset_secret", sa.Text(), nullable=True))
    op.add_column("accounts", sa.Column("reset_until", sa.BigInteger(), nullable=True))
