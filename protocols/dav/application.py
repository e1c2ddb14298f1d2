"""The DAV application: finds the resource and the method, and answers errors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from folkmoot.protocols.dav import methods, props, reports
from folkmoot.protocols.dav.errors import DavError, to_dav
from folkmoot.protocols.dav.limits import DavLimits
from folkmoot.protocols.dav.methods.options import answer_open
from folkmoot.protocols.dav.multistatus import XML_TYPE
from folkmoot.protocols.dav.names import DECLARATIONS, escape
from folkmoot.protocols.dav.paths import Place, tool_at
from folkmoot.protocols.dav.registry import REGISTRY, find_method, load, methods_of
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.sharing.tree import Tree
from folkmoot.storage.errors import NotFound, NotInPlan, StorageError
from folkmoot.storage.types import Actor
from folkmoot.storage.types_tree import Found, TreePath

log = logging.getLogger("folkmoot.dav")

#: Octets of an item that GET reads along with finding it.
READ_AHEAD = 64 * 1024

load(methods, props, reports)


class DavApplication:
    """Answers everything below ``/dav/``, and what is not GET at "/".

    ``tree_of`` gives the tree as an actor sees it. ``packages`` register what they have beside
    this core: ``protocols.drive``, ``protocols.caldav`` …
    """

    def __init__(
        self,
        tree_of: Callable[[Actor], Tree],
        packages: Sequence[ModuleType] = (),
        limits: DavLimits | None = None,
    ) -> None:
        self._tree_of = tree_of
        self._limits = limits or DavLimits()
        self._lasting: dict[str, Any] = {}
        load(*packages)

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request. Errors that are not of the store's set are left to the caller."""
        if not exchange.signed_in:
            # Only OPTIONS comes here so: Windows and Office ask it before they ask for a password.
            await answer_open(exchange)
            return
        request = Request(exchange, self._tree_of(exchange.actor), self._limits, self._lasting)
        try:
            await self._answer(request)
        except StorageError as error:
            await self._refuse(exchange, self._known(request, error))
        except DavError as error:
            await self._refuse(exchange, error)

    async def _answer(self, request: Request) -> None:
        name = request.exchange.method
        await request.mount_others()
        place = self._place(request)
        if isinstance(place, TreePath):
            for intercept in REGISTRY.interceptors:
                if await intercept(request, place):
                    return
            blind = find_method(name, Kind.NOTHING, place.tool)
            if blind is not None and not blind.located:
                await blind.handler(request, request.at(Found(place, None, None)))
                return
        resource = await request.locate(place, READ_AHEAD if name == "GET" else 0)
        kind, tool = resource.kind, resource.node.tool
        entry = find_method(name, kind, tool)
        if entry is not None:
            await entry.handler(request, resource)
        elif name not in REGISTRY.methods:
            raise DavError(501, text="This method is not known here.")
        elif kind is Kind.NOTHING:
            raise NotFound
        else:
            raise DavError(405, fields=[("Allow", ", ".join(methods_of(kind, tool)))])

    def _known(self, request: Request, error: StorageError) -> DavError:
        tool = request.written.tool if request.written is not None else None
        answer = to_dav(error, request.href, request.written)
        if answer.status == 405:
            answer.fields = (("Allow", ", ".join(methods_of(Kind.FOLDER, tool))),)
        return answer

    def _place(self, request: Request) -> Place:
        names = request.exchange.path
        tool = tool_at(names)
        if tool is not None and not request.offers(tool):
            raise NotInPlan
        try:
            return request.urls.place(names)
        except NotFound:
            if request.exchange.method in ("PUT", "MKCOL", "MKCALENDAR", "LOCK"):
                raise DavError(403, text="Nothing can be made at this place.") from None
            raise

    async def _refuse(self, exchange: Exchange, error: DavError) -> None:
        if exchange.started:
            # The answer was on its way: what is cut off is not taken for whole.
            log.warning("answer broken off: %s", error)
            raise error
        if not error.condition:
            text = f"{error.text}\n".encode()
            fields = [("Content-Type", "text/plain; charset=utf-8"), *error.fields]
            await exchange.respond(error.status, fields, text)
            return
        # rfc4918#16
        body = (
            f'<?xml version="1.0" encoding="utf-8"?>\n<D:error{DECLARATIONS}>{error.condition}'
            f"<D:responsedescription>{escape(error.text)}</D:responsedescription></D:error>"
        )
        await exchange.respond(error.status, [XML_TYPE, *error.fields], body.encode())
