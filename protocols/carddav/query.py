"""The report addressbook-query (RFC 6352 section 8.6)."""

from __future__ import annotations

from folkmoot.protocols.carddav.answering import answering
from folkmoot.protocols.carddav.data import DataAsked
from folkmoot.protocols.carddav.filters import filter_of
from folkmoot.protocols.carddav.words import CONTACTS, card
from folkmoot.protocols.dav.answering import collections_of, plan_of
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.multistatus import Multistatus, status_response
from folkmoot.protocols.dav.names import dav, element
from folkmoot.protocols.dav.registry import report
from folkmoot.protocols.dav.request import INFINITY, Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.http.xml import Element, child, text

_TRUNCATED = element(dav("number-of-matches-within-limits"))


@report(card("addressbook-query"), Kind.IN_TREE, CONTACTS)
async def addressbook_query(request: Request, resource: Resource, root: Element) -> None:
    """The cards that match a filter, with properties and parts of their data."""
    request.written = resource.tree_path
    data, asked, limit = DataAsked(root), filter_of(root), _limit(root)
    plan = plan_of(request, root, data.special)
    answer = Multistatus(request.exchange)
    left = limit
    for book in await _searched(request, resource):
        ids = await request.tree.find_cards(book.folder.id, asked)
        if resource.kind is Kind.ITEM:
            ids = [id_ for id_ in ids if id_ == resource.item.id]
        cut = left is not None and len(ids) > left
        ids = ids[:left]
        if ids:
            await plan.prefetch(book)
            await answering(request, book, plan, data).numbered(answer, ids)
        if cut:
            # rfc6352#8.6.1: what there is more is said of the URL that was asked
            await answer.add(status_response(resource.node.href, 507, _TRUNCATED))
            break
        left = None if left is None else left - len(ids)
    await answer.end()


async def _searched(request: Request, resource: Resource) -> list[Resource]:
    """The books that are looked through, by Depth: 0 is the resource itself.

    Who says nothing of a book means what is in it.
    """
    # rfc6352#8.6
    if resource.kind is Kind.ITEM:
        return [await request.locate(resource.tree_path.parent)]
    depth = request.depth(1)
    if depth == 0:
        return []
    if resource.kind is Kind.FOLDER:
        return [resource]
    return await collections_of(request, resource) if depth == INFINITY else []


def _limit(root: Element) -> int | None:
    """How many cards there may be in the answer; None for all. # rfc6352#10.6"""
    found = child(root, card("limit"))
    if found is None:
        return None
    number = text(child(found, card("nresults"))).strip()
    if not (number.isascii() and number.isdigit()) or len(number) > 9 or int(number) < 1:
        raise DavError(400, text="The limit is no number.")
    return int(number)
