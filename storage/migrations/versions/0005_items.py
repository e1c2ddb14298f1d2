"""The tree: items of folders, calendars and address books, properties and locks.

Every space that is there gets its first calendar and address book.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for name, type_, default in (
        ("shown", sa.Text(), ""),
        ("member_modseq", sa.BigInteger(), "0"),
        ("created", sa.BigInteger(), "0"),
        ("modified", sa.BigInteger(), "0"),
        ("components", sa.Text(), ""),
    ):
        op.add_column("collections", sa.Column(name, type_, server_default=default, nullable=False))
    op.create_index(
        "ix_collections_parent_id_member_modseq", "collections", ["parent_id", "member_modseq"]
    )
    op.create_index(
        "ix_collections_root",
        "collections",
        ["space_id", "tool"],
        sqlite_where=sa.text("parent_id IS NULL"),
        postgresql_where=sa.text("parent_id IS NULL"),
    )
    _create_items()
    _create_beside()
    _first_folders()


def _create_items() -> None:
    op.create_table(
        "items",
        sa.Column("id", _ID, nullable=False),
        sa.Column("folder_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("modseq", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("schedule_tag", sa.Text(), nullable=False),
        sa.Column("blob_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["blob_id"], ["blobs.id"], name=op.f("fk_items_blob_id")),
        sa.ForeignKeyConstraint(["folder_id"], ["collections.id"], name=op.f("fk_items_folder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.UniqueConstraint("folder_id", "name", name=op.f("uq_items_folder_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_items_blob_id", "items", ["blob_id"])
    op.create_index("ix_items_folder_id_modseq", "items", ["folder_id", "modseq"])
    op.create_table(
        "tombstones",
        sa.Column("folder_id", sa.BigInteger(), nullable=False),
        sa.Column("modseq", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("folder_id", "modseq", name=op.f("pk_tombstones")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "properties",
        sa.Column("folder_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("folder_id", "item_id", "name", name=op.f("pk_properties")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "locks",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("folder_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("infinite", sa.SmallInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("timeout", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.id"], name=op.f("fk_locks_space_id")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_locks")),
    )
    op.create_index("ix_locks_space_id", "locks", ["space_id"])
    op.create_index("ix_locks_folder_id", "locks", ["folder_id"])
    op.create_index("ix_locks_account_id", "locks", ["account_id"])


def _create_beside() -> None:
    op.create_table(
        "calendar_objects",
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("folder_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("long", sa.SmallInteger(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("floating", sa.SmallInteger(), nullable=False),
        sa.Column("covered_from", sa.BigInteger(), nullable=False),
        sa.Column("covered_until", sa.BigInteger(), nullable=False),
        sa.Column("spans", sa.LargeBinary(), nullable=False),
        sa.Column("has_alarm", sa.SmallInteger(), nullable=False),
        sa.Column("organizer", sa.Text(), nullable=False),
        sa.Column("classification", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_calendar_objects_item_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_calendar_objects")),
        sa.UniqueConstraint("folder_id", "uid", name=op.f("uq_calendar_objects_folder_id_uid")),
    )
    op.create_index(
        "ix_calendar_objects_folder_id_long_last",
        "calendar_objects",
        ["folder_id", "long", "last"],
    )
    op.create_table(
        "contact_cards",
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("folder_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_contact_cards_item_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_contact_cards")),
        sa.UniqueConstraint("folder_id", "uid", name=op.f("uq_contact_cards_folder_id_uid")),
    )


def _first_folders() -> None:
    """What an account that is made now gets: see ``storage.mutations.first_folders``."""
    connection = op.get_bind()
    now = int(time.time())
    connection.execute(
        sa.text(
            "UPDATE collections SET created = :now, modified = :now"
            " WHERE tool <> 'mail' AND parent_id IS NULL"
        ),
        {"now": now},
    )
    roots = connection.execute(
        sa.text(
            "SELECT id, space_id, tool FROM collections"
            " WHERE tool IN ('calendar', 'contacts') AND parent_id IS NULL"
        )
    ).fetchall()
    for root, space, tool in roots:
        for number, (name, use, components, properties) in enumerate(_FIRST[tool], 1):
            folder = connection.execute(
                sa.text(
                    "INSERT INTO collections (space_id, tool, parent_id, name, shown, special_use,"
                    " modseq, uidvalidity, uidnext, member_modseq, created, modified, components)"
                    " VALUES (:space, :tool, :root, :name, :name, :use, 1, 0, 1, :number, :now,"
                    " :now, :components) RETURNING id"
                ),
                {
                    "space": space,
                    "tool": tool,
                    "root": root,
                    "name": name,
                    "use": use,
                    "number": number + 1,
                    "now": now,
                    "components": components,
                },
            ).scalar_one()
            for key, value in properties.items():
                connection.execute(
                    sa.text(
                        "INSERT INTO properties (folder_id, item_id, name, value)"
                        " VALUES (:folder, 0, :key, :value)"
                    ),
                    {"folder": folder, "key": key, "value": value},
                )
        connection.execute(
            sa.text("UPDATE collections SET modseq = :number WHERE id = :root"),
            {"number": len(_FIRST[tool]) + 1, "root": root},
        )


def _displayname(name: str) -> dict[str, str]:
    return {"{DAV:}displayname": f'<displayname xmlns="DAV:">{name}</displayname>'}


_FIRST: dict[str, list[tuple[str, str, str, dict[str, str]]]] = {
    "calendar": [
        ("Calendar", "default", "VEVENT VJOURNAL", _displayname("Calendar")),
        ("Tasks", "", "VTODO", _displayname("Tasks")),
        ("Inbox", "schedule-inbox", "VEVENT VTODO VFREEBUSY", _displayname("Inbox")),
        ("Outbox", "schedule-outbox", "VEVENT VTODO VFREEBUSY", _displayname("Outbox")),
    ],
    "contacts": [("Contacts", "default", "", _displayname("Contacts"))],
}
