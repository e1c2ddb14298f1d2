"""Sharing as programs ask for it by POST, in two older protocols.

WebDAV resource sharing (draft-pot-webdav-resource-sharing) and that of calendarserver.org
(caldav-sharing): each names people and groups, and what they may do. Nobody has to accept: whoever
is given rights has them, and finds what is shared at once.
"""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.methods.storing import media_type_of
from folkmoot.protocols.dav.names import CALENDARSERVER, dav
from folkmoot.protocols.dav.parties import party_at
from folkmoot.protocols.dav.privileges import MEMBER
from folkmoot.protocols.dav.registry import compliance
from folkmoot.protocols.dav.request import Request, refuse
from folkmoot.protocols.dav.resources import Resource
from folkmoot.protocols.dav.xml import MAX_BODY
from folkmoot.protocols.http.xml import Element, child, children, text
from folkmoot.storage.errors import PermissionDenied, Unchangeable
from folkmoot.storage.types import Right, Tool

compliance("calendarserver-sharing", "resource-sharing")

MAX_SHAREES: Final = 200
READ: Final = MEMBER
READ_WRITE: Final = MEMBER | (
    Right.FLAGS
    | Right.INSERT
    | Right.POST
    | Right.EDIT
    | Right.DELETE
    | Right.EXPUNGE
    | Right.CREATE
    | Right.REMOVE
)
_SHARING_TYPE: Final = "application/davsharing+xml"
_XML_TYPES: Final = ("application/xml", "text/xml")


def server(name: str) -> str:
    """A name of calendarserver.org's namespace."""
    return f"{{{CALENDARSERVER}}}{name}"


async def answer_sharing(request: Request, resource: Resource) -> bool:
    """Answer a POST to a collection that shares it; False for one that does something else."""
    kind = media_type_of(request).partition(";")[0].strip().lower()
    older = kind in _XML_TYPES and resource.node.tool is not Tool.DOCUMENTS
    if kind != _SHARING_TYPE and not older:
        return False
    root = await request.xml(MAX_BODY)
    if root is not None and root.tag == dav("share-resource"):
        asked = _sharees(root)
    elif root is not None and root.tag == server("share"):
        asked = _users(root)
    else:
        raise DavError(400, text="The body says nothing about sharing.")
    if len(asked) > MAX_SHAREES:
        raise DavError(400, text="Too many are named at once.")
    if not resource.node.rights & Right.SHARE:
        raise refuse("need-privileges", text="You may not change who may do what.")
    await _share(request, resource, asked)
    await request.exchange.respond(200)
    return True


async def _share(request: Request, resource: Resource, asked: dict[str, Right | None]) -> None:
    """All of it, or nothing."""
    path = resource.tree_path
    guard = request.guard(path)
    changes: dict[int, Right | None] = {}
    for href, rights in asked.items():
        party = await party_at(request, href)
        if party is None:
            raise refuse("recognized-principal", text=f"{href} is in no group with you.")
        changes[party.space_id] = rights
    try:
        await request.tree.share(path, changes, guard)
    except (PermissionDenied, Unchangeable) as error:
        raise refuse("allowed-principal", text=error.text) from None


def _sharees(root: Element) -> dict[str, Right | None]:
    """Of ``DAV:share-resource``: what each is to have, None for nothing."""
    levels = {dav("read"): READ, dav("read-write"): READ_WRITE, dav("no-access"): None}
    asked: dict[str, Right | None] = {}
    for sharee in children(root):
        if sharee.tag != dav("sharee"):
            continue
        access = child(sharee, dav("share-access"))
        names = [str(each.tag) for each in children(access)] if access is not None else []
        if len(names) != 1 or names[0] not in levels:
            raise DavError(400, text="A sharee may read, read-write, or has no-access.")
        asked[_href(sharee)] = levels[names[0]]
    return asked


def _users(root: Element) -> dict[str, Right | None]:
    """Of calendarserver's ``share``: those that are set, and those that are removed."""
    asked: dict[str, Right | None] = {}
    for step in children(root):
        if step.tag == server("remove"):
            asked[_href(step)] = None
        elif step.tag == server("set"):
            writes = child(step, server("read-write")) is not None
            if not writes and child(step, server("read")) is None:
                raise DavError(400, text="A user may read or read-write.")
            asked[_href(step)] = READ_WRITE if writes else READ
    return asked


def _href(found: Element) -> str:
    href = text(child(found, dav("href"))).strip()
    if not href:
        raise DavError(400, text="Somebody is not named.")
    return href
