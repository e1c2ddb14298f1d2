"""The value of ``DAV:resourcetype``; calendars and address books add what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from folkmoot.protocols.dav.resources import Kind, Node

TypeOf = Callable[[Node], str]
_ADDED: Final[list[TypeOf]] = []


def resource_types(add: TypeOf) -> TypeOf:
    """Register what adds types (finished XML, or "") to those of ``DAV:``."""
    _ADDED.append(add)
    return add


def resource_type(node: Node) -> str:
    """The types of a resource."""
    if node.kind is Kind.ITEM:
        return ""
    own = "<D:collection/><D:principal/>" if node.kind is Kind.PRINCIPAL else "<D:collection/>"
    return own + "".join([add(node) for add in _ADDED])
