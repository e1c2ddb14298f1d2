"""The calendars of a home."""

from __future__ import annotations

from folkmoot.protocols.caldav.types import is_outbox
from folkmoot.protocols.dav.answering import collections_of
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Resource


async def calendars_below(request: Request, home: Resource) -> list[Resource]:
    """The collections of a home that hold objects: calendars, and the inbox."""
    return [found for found in await collections_of(request, home) if not is_outbox(found.node)]
