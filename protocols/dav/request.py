"""One request as methods, properties and reports see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from folkmoot.protocols.dav import conditions
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.limits import DavLimits
from folkmoot.protocols.dav.names import dav, element
from folkmoot.protocols.dav.paths import (
    BY_NUMBER,
    DRIVE,
    GROUP_PRINCIPALS,
    PARTS,
    Place,
    PrincipalPlace,
    Site,
    Urls,
    principal_href,
    tool_at,
)
from folkmoot.protocols.dav.quoting import quoted_path
from folkmoot.protocols.dav.resources import Kind, Node, Resource, folder_node, member_node
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.target import BadTarget, OtherHost, Target
from folkmoot.protocols.http.xml import Element, parse
from folkmoot.sharing.tree import Tree
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import FEATURE_OF_TOOL, Tool
from folkmoot.storage.types_sharing import DrivePart
from folkmoot.storage.types_tree import Folder, Found, Guard, Item, Principal, TreePath

INFINITY: Final = -1
_SHORT: Final = 32 * 1024  # octets of XML that are read without a change of threads


class Request:
    """A request of somebody who signed in.

    ``facts`` holds what was fetched for properties (see ``registry.prefetch``), ``lasting`` what
    lives as long as the application, by names that those choose who keep it there.
    """

    def __init__(
        self, exchange: Exchange, tree: Tree, limits: DavLimits, lasting: dict[str, Any]
    ) -> None:
        self.exchange = exchange
        self.tree = tree
        self.limits = limits
        self.lasting = lasting
        self.urls = Urls(tree.actor.space_id)
        if tree.actor.withheld:
            self._leave_out()
        self.facts: dict[str, Any] = {}
        self._octets: tuple[int, bytes | None] = (0, None)
        self.written: TreePath | None = None  # where errors of content belong to

    async def mount_others(self) -> None:
        """Look for what others have for whoever asks, where the request can lead to it."""
        wanted = self._parts_wanted() if self.offers(Tool.DOCUMENTS) else ()
        if wanted:
            self.urls.mount(await self.tree.drive_places(wanted))
        elif self.exchange.path == GROUP_PRINCIPALS:
            circle = await self.tree.circle()
            self.urls.groups = [each.space_id for each in circle if each.is_group]

    def _parts_wanted(self) -> Sequence[DrivePart]:
        """The parts of the drive that the URLs of the request can be in."""
        names, header = self.exchange.path, self.exchange.header
        if names[:2] == DRIVE and (header("Destination") or header("If")):
            return [*DrivePart]
        if self.exchange.method == "SEARCH" and names in ((), DRIVE[:1], DRIVE):
            return [*DrivePart]
        return [part for part, site in PARTS.items() if names[:3] == site]

    def _leave_out(self) -> None:
        """Lead to no tool that the plan lacks."""
        urls = self.urls
        urls.mounts = [one for one in urls.mounts if self.offers(one.root.tool)]
        for names in [*urls.sites]:
            tool = tool_at(names)
            if tool is not None and not self.offers(tool):
                del urls.sites[names]

    def offers(self, tool: Tool) -> bool:
        """Whether the plan of whoever asks has a tool."""
        return FEATURE_OF_TOOL[tool] not in self.tree.actor.withheld

    def octets_of(self, item: Item) -> bytes | None:
        """The octets of an item, if they came along when it was found."""
        return self._octets[1] if self._octets[0] == item.blob_id else None

    # --- resources ----------------------------------------------------------------------------

    async def locate(self, place: Place, octets: int = 0) -> Resource:
        """What lies at a place; of kind NOTHING where something could. Raises ``NotFound``.

        ``octets`` are those of ``Tree.find``.
        """
        if isinstance(place, Site):
            href = quoted_path(place.names, collection=True)
            return Resource(Node(href, Kind.SITE, title=self.urls.sites[place.names]))
        if isinstance(place, PrincipalPlace):
            principal = await self.tree.principal(place.space_id)
            if principal.is_group != place.of_group:
                raise NotFound
            return Resource(principal_node(principal))
        return self.at(await self.tree.find(place, octets=octets))

    def at(self, found: Found) -> Resource:
        """The resource of what was found at a path."""
        path, parent = found.path, found.parent
        if found.entry is None:
            node = Node(self.urls.href(path), Kind.NOTHING, path.tool, path.space_id)
            return Resource(node, path, parent)
        thing = found.entry.node
        if isinstance(thing, Folder):
            href = self.urls.href(path, collection=True)
            node = folder_node(href, thing, found.entry.properties)
            node.title = self.home_title(path)
            return Resource(node, path, parent)
        assert parent is not None, "an item lies in a folder"
        self._octets = (thing.blob_id, found.entry.data)
        base = self.urls.href(path.parent, collection=True)
        return Resource(member_node(base, parent, found.entry), path, parent)

    def home_title(self, path: TreePath) -> str:
        """What a folder is called that is mounted at a place of its own; "" for others."""
        if path.tool in BY_NUMBER:
            for mount in self.urls.mounts:
                if mount.root == path:
                    return self.urls.sites[mount.names[:-1]]
            return "" if path.names else str(path.space_id)
        lies = self.urls.mount_of(path)
        if lies is None or len(lies.root.names) != len(path.names):
            return "" if path.names else str(path.space_id)
        return lies.names[-1]

    def target(self, reference: str) -> Target:
        """The target of a URL that the client named. Raises ``DavError`` 400, 502. # rfc4918#8.3"""
        try:
            return self.exchange.local(reference.strip())
        except BadTarget:
            raise DavError(400, text="This is not a URL that can be used here.") from None
        except OtherHost:
            raise DavError(502, text="The URL is on another server.") from None

    def tree_path(self, reference: str) -> TreePath | None:
        """Where a URL that the client named leads to in a tree; None where it does not."""
        try:
            place = self.urls.place(self.exchange.local(reference.strip()).path)
        except (BadTarget, OtherHost, NotFound):
            return None
        return place if isinstance(place, TreePath) else None

    def href(self, path: TreePath) -> str:
        """The URL of a place in a tree, for answers about errors."""
        try:
            return self.urls.href(path)
        except NotFound:
            return "/dav/"

    # --- headers ------------------------------------------------------------------------------

    def guard(self, path: TreePath) -> Guard:
        """The conditions of a write to ``path``. Raises ``DavError`` 400. # rfc9110#13.2.2"""
        return conditions.guard(self.exchange, path, self.tree_path)

    def depth(self, default: int) -> int:
        """The Depth header: 0, 1 or ``INFINITY``. Raises ``DavError`` 400. # rfc4918#10.2"""
        header = self.exchange.header("Depth")
        if header is None:
            return default
        text = header.strip().lower()
        if text in ("0", "1"):
            return int(text)
        # "1,noroot" and "infinity,noroot" are Exchange's older form of depth-noroot.
        if text == "1,noroot":
            return 1
        if text in ("infinity", "infinity,noroot"):
            return INFINITY
        raise DavError(400, text="Depth must be 0, 1 or infinity.")

    def prefers(self, preference: str) -> bool:
        """Whether the client prefers something (RFC 7240): ``return=minimal``, ``depth-noroot``.

        Brief and ",noroot" are the older forms. # rfc8144#2
        """
        words = {
            word.strip().lower().replace('"', "").replace(" ", "")
            for word in (self.exchange.header("Prefer") or "").replace(";", ",").split(",")
        }
        if preference in words:
            return True
        if preference == "return=minimal":
            return (self.exchange.header("Brief") or "").strip().lower() == "t"
        if preference == "depth-noroot":
            return "noroot" in (self.exchange.header("Depth") or "").lower()
        return False

    @property
    def agent(self) -> str:
        """What the client calls itself; "" when it does not say."""
        return self.exchange.header("User-Agent") or ""

    # --- body ---------------------------------------------------------------------------------

    async def xml(self, limit: int) -> Element | None:
        """The body as XML; None without one. Raises ``DavError`` 400, ``TooLarge``."""
        body = await self.exchange.read_body(limit)
        if not body.strip():
            return None
        if len(body) <= _SHORT:
            return parse(body)
        return await self.tree.compute(lambda: parse(body))


def principal_node(principal: Principal) -> Node:
    """The node of an account or of a group."""
    return Node(
        principal_href(principal.space_id, of_group=principal.is_group),
        Kind.PRINCIPAL,
        space_id=principal.space_id,
        principal=principal,
        title=principal.name or principal.addresses[0],
        of_group=principal.is_group,
    )


def refuse(name: str, status: int = 403, text: str = "") -> DavError:
    """A refusal that names a condition of ``DAV:``."""
    return DavError(status, element(dav(name)), text=text)
