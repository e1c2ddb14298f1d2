"""Members of collections as finished responses, page by page."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from folkmoot.protocols.dav.plan import Plan
from folkmoot.protocols.dav.remembered import Question, listings_of
from folkmoot.protocols.dav.request import Request, refuse
from folkmoot.protocols.dav.resources import Kind, Resource, folder_node
from folkmoot.protocols.dav.table import Table
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import Entry, Folder, Item

Page = tuple[str, list[Entry]]
Columns = Sequence[Sequence[Any]]


class _Rendered(NamedTuple):
    text: str
    kept: list[Entry]
    last: bool


async def members(request: Request, resource: Resource, plan: Plan) -> AsyncIterator[Page]:
    """Responses of the direct members, with the entries that are folders.

    Those of a folder without folders are remembered while nothing changes in it.
    """
    listings, question = listings_of(request), _question(request, resource, plan)
    state = (resource.folder.modseq, int(resource.folder.rights))
    known = listings.get(question, state) if question is not None else None
    if known is not None:
        yield known, []
        return
    texts: list[str] = []
    async for text, kept in _read(request, resource, plan):
        if kept and isinstance(kept[0].node, Folder):
            question = None
        if question is not None:
            texts.append(text)
        yield text, kept
    if question is not None:
        listings.put(question, state, "".join(texts))


def _question(request: Request, resource: Resource, plan: Plan) -> Question | None:
    """Who asks for what; None where the answer cannot be remembered.

    It also depends on the folder's number, and on the rights that the gate has just given.
    """
    asked = plan.key
    if asked is None:
        return None
    who = (request.tree.actor.account_id, request.agent)  # some get another type of contacts
    return (*who, resource.folder.id, resource.node.href, asked)


async def _read(request: Request, resource: Resource, plan: Plan) -> AsyncIterator[Page]:
    """Responses page by page, with the entries that are folders or came last."""
    tool = resource.folder.tool
    # In homes of calendars and address books there is also what is of others.
    home = resource.kind is Kind.HOME and tool is not Tool.DOCUMENTS
    table = plan.table(tool) if not home else None
    found = table is not None and await _page_of(request, resource, table, "")
    if not table or not found:
        async for page in _read_entries(request, resource, plan):
            yield page
        return
    while found.text:
        yield found.text, []
        if found.last:
            return
        found = await _page_of(request, resource, table, found.name)
        assert found is not None, "only the first page may be none"


class _Printed(NamedTuple):
    text: str
    name: str
    last: bool


async def _page_of(
    request: Request, resource: Resource, table: Table, after: str
) -> _Printed | None:
    """The responses of items behind a name; None where not all that there is are plain items."""
    base, limit = resource.node.href, request.limits.page

    def render(columns: Columns) -> _Printed:
        names = columns[0]
        if not names:
            return _Printed("", after, True)
        return _Printed(table.text(request, base, columns), names[-1], len(names) < limit)

    return await request.tree.columns(
        resource.folder.id, table.fields, render, after=after, limit=limit
    )


async def _read_entries(request: Request, resource: Resource, plan: Plan) -> AsyncIterator[Page]:
    """The same where each member has to be looked at."""
    folder, base = resource.folder, resource.node.href
    after: Folder | Item | None = None

    limit = request.limits.page

    def render(entries: list[Entry]) -> _Rendered:
        # Items come behind folders: a short page that ends with one is the last.
        # Where they have properties, it may be these that were too much for a longer one.
        last = not entries or (
            len(entries) < limit
            and isinstance(entries[-1].node, Item)
            and not any(entry.properties for entry in entries)
        )
        return _Rendered(plan.members(base, folder, entries), _kept(entries), last)

    while True:
        if plan.paged:
            entries = await request.tree.entries(
                folder.id, lambda entries: entries, after=after, limit=limit
            )
            await plan.prefetch_page(resource, [entry.node for entry in entries])
            page = render(entries)
        else:
            page = await request.tree.entries(folder.id, render, after=after, limit=limit)
        if page.kept:
            yield page.text, page.kept
        if page.last:
            return
        after = page.kept[-1].node


def _kept(entries: list[Entry]) -> list[Entry]:
    folders = [*takewhile(lambda entry: isinstance(entry.node, Folder), entries)]
    return folders if len(folders) == len(entries) else [*folders, entries[-1]]


async def everything_below(request: Request, resource: Resource, plan: Plan) -> list[str]:
    """Responses of all that is below a folder.

    Raises ``DavError`` 403 (propfind-finite-depth) when that is more than ``DavLimits.deep``.
    """
    found: list[str] = []
    left, room = request.limits.deep, request.limits.deep_characters
    waiting = deque([resource])
    while waiting:
        here = waiting.popleft()
        left -= here.folder.items
        if left < 0:
            raise refuse("propfind-finite-depth", text="There is too much below: ask by levels.")
        async for text, entries in members(request, here, plan):
            found.append(text)
            room -= len(text)
            if room < 0:
                raise refuse("propfind-finite-depth", text="There is too much: ask by levels.")
            for entry in entries:
                if isinstance(entry.node, Folder):
                    left -= 1
                    path = here.tree_path.below(entry.node.name)
                    href = request.urls.href(path, collection=True)
                    node = folder_node(href, entry.node, entry.properties)
                    waiting.append(Resource(node, path, here.folder))
    return found
