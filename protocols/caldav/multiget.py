"""The report calendar-multiget (RFC 4791 section 7.9)."""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.caldav.answering import Answering, not_found, plan_of
from folkmoot.protocols.caldav.data import DataAsked
from folkmoot.protocols.caldav.times import zone_asked
from folkmoot.protocols.caldav.words import CALENDAR, cal
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.multistatus import Multistatus
from folkmoot.protocols.dav.names import escape, printable
from folkmoot.protocols.dav.registry import report
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.dav.xml import Element, hrefs
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types_tree import TreePath

MAX_HREFS: Final = 50_000


@report(cal("calendar-multiget"), Kind.IN_TREE, CALENDAR)
async def calendar_multiget(request: Request, resource: Resource, root: Element) -> None:
    """The objects that the request lists by URL."""
    request.written = resource.tree_path
    data = DataAsked(request, root)
    listed, lost = _by_calendar(request, resource, root)
    answer = Multistatus(request.exchange)
    for path, wanted in listed.items():
        calendar = await _calendar(request, resource, path)
        if calendar is None:
            lost += wanted.values()
            continue
        zone = zone_asked(root, calendar.node)
        plan = plan_of(request, root, data, zone)
        await plan.prefetch(calendar)
        await Answering(request, calendar, plan, data.wanted).named(answer, wanted)
    await answer.add(not_found(lost))
    await answer.end()


def _by_calendar(
    request: Request, resource: Resource, root: Element
) -> tuple[dict[TreePath, dict[str, str]], list[str]]:
    """Names with URLs as they were given, by the calendar that they are in; and URLs of nothing
    that is within the scope of the report."""
    given = hrefs(root, MAX_HREFS)
    if not given:
        raise DavError(400, text="calendar-multiget lists no resources.")
    listed: dict[TreePath, dict[str, str]] = {}
    lost: list[str] = []
    here = resource.tree_path
    for href in given:
        path = request.tree_path(href)
        url = escape(printable(href))
        if path is None or not _within(path, here) or len(path.names) != 2:
            lost.append(url)
        else:
            listed.setdefault(path.parent, {})[path.names[-1]] = url
    return listed, lost


def _within(path: TreePath, here: TreePath) -> bool:
    if (path.space_id, path.tool) != (here.space_id, here.tool):
        return False
    return path.names[: len(here.names)] == here.names


async def _calendar(request: Request, resource: Resource, path: TreePath) -> Resource | None:
    if path == resource.path:
        return resource
    try:
        found = await request.locate(path)
    except NotFound:
        return None
    return found if found.kind is Kind.FOLDER else None
