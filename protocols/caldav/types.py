"""What a collection of the calendar tool is: a calendar, or one of those of RFC 6638."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from folkmoot.protocols.caldav.words import cal
from folkmoot.protocols.dav.resources import Kind, Node
from folkmoot.protocols.dav.types import resource_types
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import SCHEDULE_INBOX, SCHEDULE_OUTBOX

TRANSPARENCY: Final = cal("schedule-calendar-transp")
_SCHEDULING = (SCHEDULE_INBOX, SCHEDULE_OUTBOX)


def is_calendar(node: Node) -> bool:
    """Whether it is a calendar collection. # rfc4791#4.2"""
    return _is_collection(node) and _use(node) not in _SCHEDULING


def is_inbox(node: Node) -> bool:
    """Whether it is the collection where scheduling messages arrive. # rfc6638#2.2"""
    return _is_collection(node) and _use(node) == SCHEDULE_INBOX


def is_outbox(node: Node) -> bool:
    """Whether it is the collection that free-busy requests are posted to. # rfc6638#2.1"""
    return _is_collection(node) and _use(node) == SCHEDULE_OUTBOX


@resource_types
def types_of(node: Node) -> str:
    """What the collection is beside ``DAV:collection``."""
    if not _is_collection(node):
        return ""
    use = _use(node)
    return f"<C:{use}/>" if use in _SCHEDULING else "<C:calendar/>"


def makes_busy(properties: Mapping[str, str]) -> bool:
    """Whether what is in a calendar with these properties makes its owner busy. # rfc6638#9.1"""
    stored = properties.get(TRANSPARENCY)
    return stored is None or "transparent" not in stored


def _is_collection(node: Node) -> bool:
    return node.kind is Kind.FOLDER and node.tool is Tool.CALENDAR


def _use(node: Node) -> str:
    return node.folder.special_use if node.folder is not None else ""
