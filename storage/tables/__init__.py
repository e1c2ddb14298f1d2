"""The schema. Importing this package defines all tables on one MetaData."""

from folkmoot.storage.tables import audit, collections, messages, principals, queue
from folkmoot.storage.tables.metadata import metadata

__all__ = ["audit", "collections", "messages", "metadata", "principals", "queue"]
