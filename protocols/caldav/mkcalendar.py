"""MKCALENDAR (RFC 4791 section 5.3.1)."""

from __future__ import annotations

from folkmoot.protocols.caldav.words import CALENDAR, cal, refuse
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.methods.mkcol import make
from folkmoot.protocols.dav.names import dav, element
from folkmoot.protocols.dav.registry import method, methods_of
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.dav.xml import MAX_BODY
from folkmoot.storage.types import Tool


@method("MKCALENDAR", Kind.IN_TREE | Kind.NOTHING, CALENDAR)
async def mkcalendar(request: Request, resource: Resource) -> None:
    """Make a calendar with the properties of the body."""
    root = await request.xml(MAX_BODY)
    if root is not None and root.tag != cal("mkcalendar"):
        raise DavError(415, text="The body is no CALDAV:mkcalendar.")
    if resource.kind is not Kind.NOTHING:
        # rfc4791#5.3.1.1
        allowed = ", ".join(methods_of(resource.kind, resource.node.tool))
        raise DavError(
            405,
            element(dav("resource-must-be-null")),
            text="Something is here already.",
            fields=[("Allow", allowed)],
        )
    if len(resource.tree_path.names) != 1:
        raise _misplaced()
    await make(request, resource, root, "C:mkcalendar-response")


@method("MKCALENDAR", Kind.NOTHING, [tool for tool in Tool if tool not in CALENDAR])
async def elsewhere(request: Request, resource: Resource) -> None:
    """Calendars are made in the homes of calendars only."""
    raise _misplaced()


def _misplaced() -> DavError:
    # rfc4791#5.3.1.1
    return refuse("calendar-collection-location-ok", text="No calendar can be made here.")
