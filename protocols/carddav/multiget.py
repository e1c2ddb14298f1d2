"""The report addressbook-multiget (RFC 6352 section 8.7)."""

from __future__ import annotations

from folkmoot.protocols.carddav.answering import answering
from folkmoot.protocols.carddav.data import DataAsked
from folkmoot.protocols.carddav.words import CONTACTS, card
from folkmoot.protocols.dav.answering import by_collection, collection_at, not_found, plan_of
from folkmoot.protocols.dav.multistatus import Multistatus
from folkmoot.protocols.dav.registry import report
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.http.xml import Element


@report(card("addressbook-multiget"), Kind.IN_TREE, CONTACTS)
async def addressbook_multiget(request: Request, resource: Resource, root: Element) -> None:
    """The cards that the request lists by URL; 404 for each that is not there. # rfc6352#8.7"""
    request.written = resource.tree_path
    data = DataAsked(root)
    plan = plan_of(request, root, data.special)
    listed, lost = await by_collection(request, resource, root)
    answer = Multistatus(request.exchange)
    for path, wanted in listed.items():
        book = await collection_at(request, resource, path)
        if book is None:
            lost += wanted.values()
            continue
        await plan.prefetch(book)
        await answering(request, book, plan, data).named(answer, wanted)
    await answer.add(not_found(lost))
    await answer.end()
