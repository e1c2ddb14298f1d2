"""Sessions of support count what was refused in them.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "support_sessions",
        sa.Column("refused", sa.BigInteger(), nullable=False, server_default="0"),
    )
