"""Items of folders, and what is kept beside them for calendars, contacts and locks."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from folkmoot.storage.tables.metadata import Id, metadata

items = Table(
    "items",
    metadata,
    Column("id", Id, primary_key=True),
    Column("folder_id", BigInteger, ForeignKey("collections.id"), nullable=False),
    Column("name", Text, nullable=False),  # in NFC, by which names are compared
    Column("shown", Text, nullable=False),  # as it was given
    # A number of its own in the folder: a sync that is cut short goes on behind it.
    Column("modseq", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("modified", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("etag", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("schedule_tag", Text, nullable=False),
    Column("blob_id", BigInteger, ForeignKey("blobs.id"), nullable=False, index=True),
    # The account that put it there; 0: from before this was recorded, or the system.
    Column("creator", BigInteger, nullable=False, server_default="0"),
    # 0 for all who may read, 1: others see the time only (CONFIDENTIAL), 2: others see nothing.
    Column("privacy", SmallInteger, nullable=False, server_default="0"),
    # What its creator calls it who sees the own items only, where another one had that name.
    Column("asked", Text, nullable=False, server_default=""),  # in NFC
    UniqueConstraint("folder_id", "name"),
    Index("ix_items_folder_id_modseq", "folder_id", "modseq"),
    sqlite_autoincrement=True,
)

tombstones = Table(
    "tombstones",  # members that are gone, items and folders
    metadata,
    Column("folder_id", BigInteger, nullable=False),
    Column("modseq", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("shown", Text, nullable=False),
    # Of the item that is gone, or that some do not see any more.
    Column("creator", BigInteger, nullable=False, server_default="0"),
    Column("privacy", BigInteger, nullable=False, server_default="0"),
    # Its number if it made its owner busy: what it was called where only that was seen.
    Column("busy_item", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("folder_id", "modseq"),
    sqlite_with_rowid=False,
)

properties = Table(
    "properties",  # what clients set on folders (item_id 0) and items
    metadata,
    Column("folder_id", BigInteger, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),  # {namespace}name
    Column("value", Text, nullable=False),  # the whole element
    PrimaryKeyConstraint("folder_id", "item_id", "name"),
    sqlite_with_rowid=False,
)

locks = Table(
    "locks",
    metadata,
    Column("token", Text, primary_key=True),
    Column("space_id", BigInteger, ForeignKey("spaces.id"), nullable=False, index=True),
    # The folder itself where name is "", else its member of that name (in NFC).
    Column("folder_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("infinite", SmallInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("account_id", BigInteger, nullable=False, index=True),
    Column("timeout", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Index("ix_locks_folder_id", "folder_id"),
)

calendar_objects = Table(
    "calendar_objects",  # what queries need of an item of a calendar, computed when it is stored
    metadata,
    Column("item_id", Id, ForeignKey("items.id", ondelete="CASCADE"), primary_key=True),
    Column("folder_id", BigInteger, nullable=False),
    Column("uid", Text, nullable=False),
    Column("component", Text, nullable=False),
    # 1 where the time between first and last is long (recurring, or without end): those of a
    # calendar are few, the others are found by their last moment.
    Column("long", SmallInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("floating", SmallInteger, nullable=False),
    # Instances as packed (start, end, kind), complete between these moments.
    Column("covered_from", BigInteger, nullable=False),
    Column("covered_until", BigInteger, nullable=False),
    Column("spans", LargeBinary, nullable=False),
    Column("has_alarm", SmallInteger, nullable=False),
    Column("organizer", Text, nullable=False),
    Column("classification", Text, nullable=False),
    # Folded values that text is looked for in, before an object is read.
    Column("text", Text, nullable=False),
    # What others see of a confidential one.
    Column("outline", LargeBinary, nullable=True),
    # What those see who learn busy times only; nothing where it makes nobody busy.
    Column("busy", LargeBinary, nullable=True),
    UniqueConstraint("folder_id", "uid"),
    Index("ix_calendar_objects_folder_id_long_last", "folder_id", "long", "last"),
)

contact_cards = Table(
    "contact_cards",  # what queries need of an item of an address book
    metadata,
    Column("item_id", Id, ForeignKey("items.id", ondelete="CASCADE"), primary_key=True),
    Column("folder_id", BigInteger, nullable=False),
    Column("uid", Text, nullable=False),
    Column("text", Text, nullable=False),
    UniqueConstraint("folder_id", "uid"),
)
