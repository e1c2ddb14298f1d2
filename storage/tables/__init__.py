"""The schema. Importing this package defines all tables on one MetaData."""

from folkmoot.storage.tables import (
    annotations,
    audit,
    billing,
    collections,
    items,
    messages,
    principals,
    queue,
    scheduling,
    search,
    sharing,
    support,
)
from folkmoot.storage.tables.metadata import metadata

__all__ = [
    "annotations",
    "audit",
    "billing",
    "collections",
    "items",
    "messages",
    "metadata",
    "principals",
    "queue",
    "scheduling",
    "search",
    "sharing",
    "support",
]
