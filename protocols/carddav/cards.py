"""Methods of cards: GET in the version that the client wants, PUT and POST of nothing but cards."""

from __future__ import annotations

import dataclasses
from typing import Final

from folkmoot.protocols.carddav.accept import version_wanted
from folkmoot.protocols.carddav.books import MEDIA_TYPE
from folkmoot.protocols.carddav.words import CONTACTS, refuse
from folkmoot.protocols.dav.conditions import Read, judge_read
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.inviting import answer_sharing
from folkmoot.protocols.dav.methods.get import answer_item, item_fields, octets_of
from folkmoot.protocols.dav.methods.post import add_member
from folkmoot.protocols.dav.methods.put import put
from folkmoot.protocols.dav.methods.storing import media_type_of
from folkmoot.protocols.dav.registry import MethodHandler, method
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.storage.content.vcard.convert import convert
from folkmoot.storage.content.vcard.intake import CardError
from folkmoot.storage.errors import TooLarge

#: What cards are sent as; programs that send nothing, or the type from before RFC 6350, mean cards.
_TYPES: Final = ("text/vcard", "text/x-vcard", "text/directory", "")
_NEGOTIATED: Final = ("Vary", "Accept")


@method("HEAD", Kind.ITEM, CONTACTS)
@method("GET", Kind.ITEM, CONTACTS)
async def get_card(request: Request, resource: Resource) -> None:
    """The card as it was stored, or in the version that Accept names. # rfc6352#5.1.1"""
    exchange = request.exchange
    wanted = version_wanted(exchange.header("Accept"))
    item = resource.item._replace(media_type=MEDIA_TYPE)
    if not wanted.acceptable:
        raise _unconvertible()
    if wanted.version is None:
        await answer_item(request, item, [_NEGOTIATED])
        return
    stored = await octets_of(request, item)
    try:
        octets = await request.tree.compute(lambda: convert(stored, wanted.version or ""))
    except CardError:
        raise _unconvertible() from None
    if octets == stored:
        await answer_item(request, item, [_NEGOTIATED])
        return
    # A tag that is strong stands for octets, and these are others. # rfc9110#8.8.1
    etag = ("ETag", f'W/"{item.etag}"')
    fields = [etag, *(field for field in item_fields(item) if field[0] != "ETag"), _NEGOTIATED]
    verdict = judge_read(exchange, item)
    if verdict is Read.FAILED:
        raise DavError(412)
    if verdict is Read.NOT_MODIFIED:
        await exchange.respond(304, fields)
        return
    fields.append(("Content-Type", f"{MEDIA_TYPE}; version={wanted.version}"))
    await exchange.respond(200, fields, octets)


def _unconvertible() -> DavError:
    # rfc6352#5.1.1.1
    return refuse(
        "supported-address-data-conversion", 406, "Contacts are given as vCard 3.0 and 4.0."
    )


@method("PUT", Kind.ITEM | Kind.NOTHING, CONTACTS, located=False)
async def put_card(request: Request, resource: Resource) -> None:
    """Store a card. # rfc6352#6.3.2"""
    await _store(request, resource, put)


@method("POST", Kind.FOLDER, CONTACTS)
async def add_card(request: Request, resource: Resource) -> None:
    """Store a card under a name that the server finds, or share the address book. # rfc5995#3.1"""
    if await answer_sharing(request, resource):
        return
    await _store(request, resource, add_member)


async def _store(request: Request, resource: Resource, handler: MethodHandler) -> None:
    """Refuse what is no card, or too large, before it is read. # rfc6352#6.3.2.1"""
    if media_type_of(request).partition(";")[0].strip().lower() not in _TYPES:
        raise refuse("supported-address-data", 415, "Address books take text/vcard only.")
    request.limits = dataclasses.replace(request.limits, max_upload=request.tree.limits.contacts)
    try:
        await handler(request, resource)
    except TooLarge:
        raise refuse("max-resource-size", text="The card is larger than allowed.") from None
