"""expand-property (RFC 3253 section 3.8): properties of what properties point to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.multistatus import Multistatus, status_response
from folkmoot.protocols.dav.names import DAV, dav
from folkmoot.protocols.dav.plan import Plan
from folkmoot.protocols.dav.registry import report
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.http.xml import Element, children
from folkmoot.storage.errors import NotFound

MAX_DEPTH = 6
MAX_RESOURCES = 200  # that one report may look at
MAX_PROPERTIES = 500  # in one report
XMLNS = "http://www.w3.org/2000/xmlns/"
_HREF = re.compile(r"<D:href>([^<]*)</D:href>")


@dataclass
class Budget:
    """What a report may still look at."""

    resources: int = MAX_RESOURCES
    properties: int = MAX_PROPERTIES


@report(dav("expand-property"), Kind.ANY)
async def expand_property(request: Request, resource: Resource, root: Element) -> None:
    """The resource with its properties; hrefs in them become responses. # rfc3253#3.8"""
    answer = Multistatus(request.exchange)
    await answer.add(await _response(request, resource, root, Budget(), MAX_DEPTH))
    await answer.end()


async def _response(
    request: Request, resource: Resource, wanted: Element, budget: Budget, depth: int
) -> str:
    """The response of a resource, with the ``DAV:property`` elements in ``wanted``."""
    asked: dict[str, Element] = {}
    for entry in children(wanted):
        if entry.tag == dav("property"):
            asked[f"{{{_namespace(entry)}}}{_local(entry)}"] = entry
    budget.properties -= len(asked)
    if budget.properties < 0:
        raise DavError(400, text="Too many properties are asked for.")
    plan = Plan(request, list(asked))
    await plan.prefetch(resource)
    special = {}
    for name, entry in asked.items():
        if depth and next(children(entry), None) is not None:
            value = plan.value(name, resource.node)
            if value is not None:
                special[name] = await _expanded(request, value, entry, budget, depth - 1)
    values = {name: (lambda node, text=text: text) for name, text in special.items()}
    return Plan(request, list(asked), special=values).response(resource.node)


async def _expanded(
    request: Request, value: str, wanted: Element, budget: Budget, depth: int
) -> str:
    parts: list[str] = []
    end = 0
    for match in _HREF.finditer(value):
        parts.append(value[end : match.start()])
        parts.append(await _target(request, match[1], wanted, budget, depth))
        end = match.end()
    return "".join([*parts, value[end:]])


async def _target(request: Request, href: str, wanted: Element, budget: Budget, depth: int) -> str:
    budget.resources -= 1
    if budget.resources < 0:
        raise DavError(507, text="Too many resources would be looked at.")
    try:
        place = request.urls.place(request.target(unescape(href)).path)
        resource = await request.locate(place)
    except (DavError, NotFound):
        return status_response(href, 404)
    if resource.kind is Kind.NOTHING:
        return status_response(href, 404)
    return await _response(request, resource, wanted, budget, depth)


def _namespace(entry: Element) -> str:
    """The namespace: a URI, but not that of ``xmlns``, which no element can have."""
    namespace = str(entry.get("namespace", DAV))
    if not re.fullmatch(r"[^\s{}<>\"]{0,500}", namespace) or namespace == XMLNS:
        raise DavError(400, text="A property has no proper namespace.")
    return namespace


def _local(entry: Element) -> str:
    name = str(entry.get("name", ""))
    if not re.fullmatch(r"[A-Za-z_][\w.-]{0,100}", name):
        raise DavError(400, text="A property has no proper name.")
    return name
