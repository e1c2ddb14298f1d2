"""Objects as responses of a report, page by page in bounded memory."""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from folkmoot.protocols.caldav.data import DataAsked
from folkmoot.protocols.caldav.words import CALENDAR_DATA, cal
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.multistatus import Multistatus, status_response
from folkmoot.protocols.dav.names import dav, element
from folkmoot.protocols.dav.plan import NamesPlan, Plan
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Resource, member_node
from folkmoot.protocols.dav.xml import Element, child, children, prop_names
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.values import Zone
from folkmoot.storage.types_tree import Entry, Item

R = TypeVar("R")

#: Octets of objects that are read at a time, and characters of their answer from which on the
#: rest of them waits: expanded, a small object can become a large answer.
READ: Final = 1 << 20
WRITTEN: Final = 2 << 20
AT_ONCE: Final = 500

Render = Callable[[list[Entry]], R]


class Page(NamedTuple):
    """Finished responses, and the items that they are of, in order."""

    text: str
    items: list[Item]


@dataclass
class Answering:
    """Makes responses for the objects of one calendar."""

    request: Request
    calendar: Resource
    plan: Plan
    data: bool

    def render(self, entries: list[Entry]) -> Page:
        """The responses of as many entries as make one page. For any thread."""
        base, folder = self.calendar.node.href, self.calendar.folder
        parts: list[str] = []
        items: list[Item] = []
        length = 0
        for entry in entries:
            node = member_node(base, folder, entry)
            try:
                text = self.plan.response(node)
            except CalendarError as error:
                text = status_response(node.href, 507, element(cal(error.precondition)))
            parts.append(text)
            assert isinstance(entry.node, Item)
            items.append(entry.node)
            length += len(text)
            if length > WRITTEN:
                break
        return Page("".join(parts), items)

    async def page(self, read: Callable[[Render[object]], Awaitable[object]]) -> Page:
        """One page of what ``read`` finds; with what properties need that is not in the items."""
        if not self.plan.paged:
            page = await read(self.render)
            assert isinstance(page, Page)
            return page
        entries = await read(lambda found: found)
        assert isinstance(entries, list)
        await self.plan.prefetch_page(self.calendar, [entry.node for entry in entries])
        return await self.request.tree.compute(lambda: self.render(entries))

    async def numbered(self, answer: Multistatus, ids: Sequence[int]) -> None:
        """Add the objects with these numbers."""
        tree, folder = self.request.tree, self.calendar.folder
        at = 0
        while at < len(ids):
            some = ids[at : at + AT_ONCE]
            page = await self.page(
                lambda render, some=some: tree.numbered(  # type: ignore[misc]
                    folder.id, some, render, data=self.data, budget=READ
                )
            )
            await answer.add(page.text)
            at += some.index(page.items[-1].id) + 1 if page.items else len(some)

    async def named(self, answer: Multistatus, wanted: Mapping[str, str]) -> None:
        """Add the objects with these names; ``wanted`` has the URL of each as it was given."""
        tree, folder = self.request.tree, self.calendar.folder
        names = {unicodedata.normalize("NFC", name): href for name, href in wanted.items()}
        keys = [*names]
        at = 0
        while at < len(keys):
            some = keys[at : at + AT_ONCE]
            page = await self.page(
                lambda render, some=some: tree.named(  # type: ignore[misc]
                    folder.id, some, render, data=self.data, budget=READ
                )
            )
            found = [unicodedata.normalize("NFC", item.name) for item in page.items]
            seen = some.index(found[-1]) + 1 if found else len(some)
            missing = set(some[:seen]).difference(found)
            await answer.add(page.text + not_found(names[key] for key in some if key in missing))
            at += seen


def not_found(hrefs: Iterable[str]) -> str:
    """Responses for URLs that lead to nothing."""
    return "".join([status_response(href, 404) for href in hrefs])


def plan_of(request: Request, root: Element, data: DataAsked, zone: Zone) -> Plan:
    """What a report asks for of each object: prop, allprop, propname, or nothing.

    # rfc4791#9.5
    """
    kinds = {str(entry.tag) for entry in children(root)}
    asked = kinds & {dav("prop"), dav("allprop"), dav("propname")}
    if len(asked) > 1:
        raise DavError(400, text="Only one of prop, allprop and propname can be there.")
    if dav("propname") in asked:
        return NamesPlan(request)
    names = prop_names(child(root, dav("prop")))
    return Plan(
        request,
        names,
        everything=dav("allprop") in asked,
        minimal=request.prefers("return=minimal"),
        special={CALENDAR_DATA: data.answer(zone)},
    )
