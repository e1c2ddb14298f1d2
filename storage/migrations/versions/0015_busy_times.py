"""Calendars that are shared as busy times: an outline of each event that makes busy.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.intake import load_calendar
from folkmoot.storage.content.ical.outline import busy

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_AT_ONCE = 200
_LOOKUP, _BUSY = 1, 4
_EVENTS = sa.text(
    "SELECT o.item_id, b.data FROM calendar_objects o JOIN items i ON i.id = o.item_id"
    " JOIN blobs b ON b.id = i.blob_id JOIN collections c ON c.id = o.folder_id"
    " WHERE o.item_id > :after AND o.component = 'VEVENT' AND b.data IS NOT NULL"
    " AND c.special_use NOT IN ('schedule-inbox', 'schedule-outbox')"
    " ORDER BY o.item_id LIMIT :limit"
)
_OUTLINE = sa.text("UPDATE calendar_objects SET busy = :busy WHERE item_id = :item")


def upgrade() -> None:
    op.add_column("calendar_objects", sa.Column("busy", sa.LargeBinary(), nullable=True))
    op.add_column(
        "tombstones", sa.Column("busy_item", sa.BigInteger(), nullable=False, server_default="0")
    )
    # What is granted so far is granted so that it is found.
    rights = {"rights": _LOOKUP | _BUSY, "alone": _BUSY}
    op.execute(
        sa.text(
            "UPDATE grants SET rights = :rights WHERE rights = :alone AND item = 0"
            " AND collection_id IN (SELECT id FROM collections WHERE tool = 'calendar')"
        ).bindparams(**rights)
    )
    _make_outlines()


def _make_outlines() -> None:
    connection = op.get_bind()
    after = 0
    while rows := connection.execute(_EVENTS, {"after": after, "limit": _AT_ONCE}).fetchall():
        after = rows[-1][0]
        for item, octets in rows:
            outline = _outline(bytes(octets))
            if outline is not None:
                connection.execute(_OUTLINE, {"item": item, "busy": outline})


def _outline(octets: bytes) -> bytes | None:
    try:
        return busy(load_calendar(octets))
    except CalendarError:  # it is not shown as busy until it is stored again
        return None
