"""Members of collections as finished responses, page by page."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator

from folkmoot.protocols.dav.plan import Plan
from folkmoot.protocols.dav.request import Request, refuse
from folkmoot.protocols.dav.resources import Resource, folder_node
from folkmoot.storage.types_tree import Entry, Folder, Item

Page = tuple[str, list[Entry]]


async def members(request: Request, resource: Resource, plan: Plan) -> AsyncIterator[Page]:
    """Responses of the direct members, with the entries that are folders or came last."""
    folder, base = resource.folder, resource.node.href
    after: Folder | Item | None = None

    def render(entries: list[Entry]) -> Page:
        return plan.members(base, folder, entries), _kept(entries)

    while True:
        limit = request.limits.page
        if plan.paged:
            entries = await request.tree.entries(
                folder.id, lambda entries: entries, after=after, limit=limit
            )
            await plan.prefetch_page(resource, [entry.node for entry in entries])
            page = render(entries)
        else:
            page = await request.tree.entries(folder.id, render, after=after, limit=limit)
        if not page[1]:
            return
        yield page
        after = page[1][-1].node


def _kept(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries[:-1] if isinstance(entry.node, Folder)] + entries[-1:]


async def everything_below(request: Request, resource: Resource, plan: Plan) -> list[str]:
    """Responses of all that is below a folder.

    Raises ``DavError`` 403 (propfind-finite-depth) when that is more than ``DavLimits.deep``.
    """
    found: list[str] = []
    left = request.limits.deep
    waiting = deque([resource])
    while waiting:
        here = waiting.popleft()
        left -= here.folder.items
        if left < 0:
            raise refuse("propfind-finite-depth", text="There is too much below: ask by levels.")
        async for text, entries in members(request, here, plan):
            found.append(text)
            for entry in entries:
                if isinstance(entry.node, Folder):
                    left -= 1
                    path = here.tree_path.below(entry.node.name)
                    href = request.urls.href(path, collection=True)
                    node = folder_node(href, entry.node, entry.properties)
                    waiting.append(Resource(node, path, here.folder))
    return found
