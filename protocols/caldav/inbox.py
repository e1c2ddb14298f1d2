"""Properties of the scheduling inbox (RFC 6638 section 9, and an older one of Apple's)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from folkmoot.protocols.caldav.times import element_text
from folkmoot.protocols.caldav.types import is_calendar, is_inbox, makes_busy
from folkmoot.protocols.caldav.words import CALENDAR, cal, refuse
from folkmoot.protocols.dav.answering import collections_of
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.methods.proppatch import PROTECTED
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.registry import prefetch, prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.protocols.http.xml import Element, children, text
from folkmoot.storage.types import Right
from folkmoot.storage.types_tree import DEFAULT, Folder, Item

DEFAULT_CALENDAR: Final = cal("schedule-default-calendar-URL")
_FACTS: Final = "calendars of home"


@prefetch("calendars", paged=True)
async def fetch_calendars(
    request: Request, resource: Resource, nodes: Sequence[Folder | Item] | None
) -> None:
    """The calendars beside an inbox: asked for when one is among the resources."""
    if _FACTS in request.facts:
        return
    home = None
    if resource.kind is Kind.HOME:
        home = resource
    elif is_inbox(resource.node):
        home = await request.locate(resource.tree_path.parent)
    if home is not None:
        found = await collections_of(request, home)
        request.facts[_FACTS] = [each.node for each in found if is_calendar(each.node)]


def _calendars(request: Request, node: Node) -> list[Node] | None:
    found: list[Node] | None = request.facts.get(_FACTS) if is_inbox(node) else None
    return found


def _set_default(resource: Resource, value: Element) -> None:
    """A calendar of the same home. # rfc6638#9.2"""
    if not is_inbox(resource.node):
        raise DavError(403, PROTECTED)
    hrefs = [text(each).strip() for each in children(value) if each.tag == dav("href")]
    home = resource.node.href.rstrip("/").rpartition("/")[0] + "/"
    names = hrefs[0].rpartition(home)[2].strip("/") if len(hrefs) == 1 else ""
    if home not in (hrefs or [""])[0] or not names or "/" in names:
        raise refuse("valid-schedule-default-calendar-URL", text="This is no calendar of yours.")


@prop(DEFAULT_CALENDAR, Kind.FOLDER, CALENDAR, needs="calendars", setter=_set_default)
def schedule_default_calendar(request: Request, node: Node) -> str | None:
    """Where invitations are put: the calendar that was chosen while it is there, or the first.

    # rfc6638#9.2
    """
    calendars = _calendars(request, node)
    if calendars is None:
        return None
    stored = node.properties.get(DEFAULT_CALENDAR)
    chosen = element_text(stored).strip().rstrip("/") if stored is not None else ""
    own = [each for each in calendars if each.space_id == node.space_id]
    for each in own:
        if chosen and chosen.endswith(each.href.rstrip("/")):
            return f"<D:href>{each.href}</D:href>"
    for each in own:
        if each.folder is not None and each.folder.special_use == DEFAULT:
            return f"<D:href>{each.href}</D:href>"
    return ""


@prop(cal("calendar-free-busy-set"), Kind.FOLDER, CALENDAR, needs="calendars")
def free_busy_set(request: Request, node: Node) -> str | None:
    """The calendars that make busy, for clients of the drafts of RFC 6638."""
    calendars = _calendars(request, node)
    if calendars is None:
        return None
    return "".join(f"<D:href>{each.href}</D:href>" for each in calendars if _counts(each))


def _counts(calendar: Node) -> bool:
    return bool(calendar.rights & Right.BUSY) and makes_busy(calendar.properties)
