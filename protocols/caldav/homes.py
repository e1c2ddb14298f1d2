"""The calendars of a home."""

from __future__ import annotations

from folkmoot.protocols.caldav.types import is_outbox
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Resource, folder_node
from folkmoot.storage.types_tree import Entry, Folder, Item


async def folders_of(request: Request, home: Resource) -> list[Resource]:
    """All collections of a home."""
    found: list[Entry] = []
    after: Folder | Item | None = None
    while True:
        page = await request.tree.entries(home.folder.id, list, after=after)
        if not page:
            break
        found += page
        after = page[-1].node
    here = home.tree_path
    collections = []
    for entry in found:
        if isinstance(entry.node, Folder):
            path = here.below(entry.node.name)
            node = folder_node(
                request.urls.href(path, collection=True), entry.node, entry.properties
            )
            collections.append(Resource(node, path, home.folder))
    return collections


async def calendars_below(request: Request, home: Resource) -> list[Resource]:
    """The collections of a home that hold objects: calendars, and the inbox."""
    return [found for found in await folders_of(request, home) if not is_outbox(found.node)]
