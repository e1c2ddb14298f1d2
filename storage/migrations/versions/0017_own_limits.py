"""Own limits of spaces, below those of their plans; both are kept beside what counts.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("plan_bytes", "plan_items", "own_bytes", "own_items"):
        op.add_column("usage", sa.Column(column, sa.BigInteger(), nullable=True))
    # So far all limits are those of plans.
    op.execute("UPDATE usage SET plan_bytes = bytes_limit, plan_items = items_limit")
