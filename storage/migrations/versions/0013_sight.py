"""What is seen of single items: names of uploads, outlines of confidential entries; drop folders.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NAME = "Drop folder"
_ROOTS = sa.text(
    "SELECT c.id, c.space_id, c.modseq FROM collections c JOIN spaces s ON s.id = c.space_id"
    " WHERE c.tool = 'documents' AND c.parent_id IS NULL AND s.owner_account_id <> 0"
)
_TAKEN = sa.text(
    "SELECT 1 FROM collections WHERE parent_id = :root AND name = :name"
    " UNION ALL SELECT 1 FROM items WHERE folder_id = :root AND name = :name"
)
_INSERT = sa.text(
    "INSERT INTO collections (space_id, tool, parent_id, name, shown, special_use, modseq,"
    " uidvalidity, uidnext, member_modseq, created, modified, components)"
    " VALUES (:space, 'documents', :root, :name, :name, 'drop', 1, 0, 1, :number, :now, :now, '')"
)
_NUMBER = sa.text("UPDATE collections SET modseq = :number, modified = :now WHERE id = :root")


def upgrade() -> None:
    op.add_column("items", sa.Column("asked", sa.Text(), nullable=False, server_default=""))
    for table in ("creator", "privacy"):
        op.add_column(
            "tombstones", sa.Column(table, sa.BigInteger(), nullable=False, server_default="0")
        )
    op.add_column("calendar_objects", sa.Column("outline", sa.LargeBinary(), nullable=True))
    # Others see nothing of confidential entries that have no outline yet.
    op.execute(sa.text("UPDATE items SET privacy = 2 WHERE privacy = 1"))
    drop = sa.text("special_use = 'drop'")
    op.create_index(
        "ix_collections_drop",
        "collections",
        ["space_id"],
        sqlite_where=drop,
        postgresql_where=drop,
    )
    _make_drop_folders(int(time.time()))


def _make_drop_folders(now: int) -> None:
    connection = op.get_bind()
    for root, space, modseq in connection.execute(_ROOTS).fetchall():
        name, number = _NAME, 1
        while connection.execute(_TAKEN, {"root": root, "name": name}).first() is not None:
            number += 1
            name = f"{_NAME} ({number})"
        values = {"root": root, "space": space, "name": name, "number": modseq + 1, "now": now}
        connection.execute(_INSERT, values)
        connection.execute(_NUMBER, {"root": root, "number": modseq + 1, "now": now})
