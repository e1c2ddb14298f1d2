"""sync-collection (RFC 6578): what changed among the members of a collection since a token."""

from __future__ import annotations

from dataclasses import replace

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.listing import members
from folkmoot.protocols.dav.multistatus import Multistatus, status_response
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.plan import Plan
from folkmoot.protocols.dav.privileges import sees_busy_times
from folkmoot.protocols.dav.quoting import quoted
from folkmoot.protocols.dav.registry import report
from folkmoot.protocols.dav.request import INFINITY, Request, refuse
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.dav.synctoken import parse_sync_token, sync_token
from folkmoot.protocols.dav.xml import prop_names
from folkmoot.protocols.http.xml import Element, child, text
from folkmoot.storage.types import Right, Tool
from folkmoot.storage.types_tree import Synced

_TRUNCATED = "<D:number-of-matches-within-limits/>"


@report(dav("sync-collection"), Kind.HOME | Kind.FOLDER)
async def sync_collection(request: Request, resource: Resource, root: Element) -> None:
    """Changed members with properties, removed ones as 404, and the token for next time.

    Without a limit the answer goes on, page by page, until there is nothing new.
    """
    _check_level(request, root)
    folder = resource.folder
    busy = sees_busy_times(folder.rights, folder.tool)
    since, began = _since(root, folder.id, busy)
    limit = _limit(root)
    names = prop_names(child(root, dav("prop")))
    plan = Plan(request, names, minimal=request.prefers("return=minimal"))
    await plan.prefetch(resource)
    answer = Multistatus(request.exchange)
    if (since, began, limit) == (0, 0, None) and _is_listed(resource):
        # All that there is, as PROPFIND tells it; what changes meanwhile is told next time, too.
        async for listed, _ in members(request, resource, plan):
            await answer.add(listed)
        await answer.end(_token_element(folder.id, (folder.modseq, 0), busy))
        return
    left, told = limit, _Told()
    while True:
        page = request.limits.page if left is None else min(left, request.limits.page)
        synced = await request.tree.changes(folder.id, since, page, began=began)
        synced = told.only_new(synced, (since, began))
        if plan.paged:
            await plan.prefetch_page(resource, [entry.node for entry in synced.entries])
        await answer.add(_rendered(resource, plan, synced))
        since, began = synced.modseq, synced.began
        if left is not None:
            left -= len(synced.entries) + len(synced.removed)
        if left == 0 or not synced.more:
            break
    if synced.more:  # rfc6578#3.6
        await answer.add(status_response(resource.node.href, 507, _TRUNCATED))
    await answer.end(_token_element(folder.id, told.until or (since, began), busy))


def _is_listed(resource: Resource) -> bool:
    """Whether a first sync tells what a listing does: not in homes, where things of others are."""
    return resource.kind is Kind.FOLDER and Right.READ in resource.folder.rights


def _token_element(folder_id: int, known: tuple[int, int], busy: bool) -> str:
    return f"<D:sync-token>{sync_token(folder_id, *known, busy=busy)}</D:sync-token>"


class _Told:
    """The members that an answer of several pages has told: each URL stands in it once.

    ``until`` is what to ask with next time if one changed between two pages: what was known before
    the later one. # rfc4918#14.7
    """

    def __init__(self) -> None:
        self._names: set[str] = set()
        self.until: tuple[int, int] | None = None

    def only_new(self, synced: Synced, asked: tuple[int, int]) -> Synced:
        """A page without members that were told before."""
        if not self._names and not synced.more:
            return synced  # the only page
        entries = tuple(one for one in synced.entries if one.node.name not in self._names)
        removed = tuple(name for name in synced.removed if name not in self._names)
        again = len(entries) < len(synced.entries) or len(removed) < len(synced.removed)
        if again and self.until is None:
            self.until = asked
        self._names.update(removed, (one.node.name for one in entries))
        return replace(synced, entries=entries, removed=removed)


def _rendered(resource: Resource, plan: Plan, synced: Synced) -> str:
    base, folder = resource.node.href, resource.folder
    changed = plan.members(base, folder, synced.entries)
    # What a home has are collections, whose URLs end with a slash.
    end = "/" if resource.kind is Kind.HOME and folder.tool is not Tool.DOCUMENTS else ""
    removed = [status_response(f"{base}{quoted(name)}{end}", 404) for name in synced.removed]
    return changed + "".join(removed)


def _check_level(request: Request, root: Element) -> None:
    """sync-level is 1; clients of the drafts say Depth instead. # rfc6578#3.3"""
    found = child(root, dav("sync-level"))
    level = text(found).strip().lower()
    if found is None:
        level = "infinite" if request.depth(1) == INFINITY else "1"
    elif request.depth(0) == INFINITY:
        raise DavError(400, text="sync-collection has Depth 0.")
    if level in ("infinite", "infinity"):
        raise refuse("sync-traversal-supported", text="Sync is by collection here.")
    if level != "1":
        raise DavError(400, text="sync-level is 1 or infinite.")


def _since(root: Element, folder_id: int, busy: bool) -> tuple[int, int]:
    """What the client knows: the number, and what its first look began with."""
    found = child(root, dav("sync-token"))
    if found is None:
        raise DavError(400, text="The sync-token is missing.")
    since = parse_sync_token(text(found), folder_id, busy=busy)
    if since is None:
        raise refuse("valid-sync-token", text="This token is not of this collection.")
    return since


def _limit(root: Element) -> int | None:
    # rfc6578#3.7
    found = child(root, dav("limit"))
    if found is None:
        return None
    number = text(child(found, dav("nresults"))).strip()
    if not (number.isascii() and number.isdigit()) or len(number) > 9 or int(number) < 1:
        raise DavError(400, text="The limit is no number.")
    return int(number)
