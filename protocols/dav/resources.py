"""What a URL leads to, as methods, properties and reports see it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from folkmoot.protocols.dav.paths import principal_href
from folkmoot.protocols.dav.quoting import quoted
from folkmoot.storage.types import Right, Tool
from folkmoot.storage.types_tree import Entry, Folder, Item, Principal, TreePath


class Kind(enum.Flag):
    """Kinds of resources; methods, properties and reports say for which they are.

    A SITE only leads to others (``/``, ``/dav/``), a HOME is the root of a tool in a space,
    NOTHING is a URL in a tree that nothing has yet.
    """

    SITE = enum.auto()
    PRINCIPAL = enum.auto()
    HOME = enum.auto()
    FOLDER = enum.auto()
    ITEM = enum.auto()
    NOTHING = enum.auto()
    IN_TREE = HOME | FOLDER | ITEM
    COLLECTION = SITE | PRINCIPAL | HOME | FOLDER
    ANY = COLLECTION | ITEM


ALL_TOOLS = frozenset(Tool)


@dataclass(slots=True)
class Node:
    """One resource. ``rights`` are those on the folder itself, or on the one that has the item.

    ``href`` is the path of its URL, ready for XML. ``properties`` and ``data`` are those of
    ``Entry``. ``title`` names what is no item and no member of a folder. ``of_group`` says that a
    group owns it, or is it.
    """

    href: str
    kind: Kind
    tool: Tool | None = None
    space_id: int = 0
    folder: Folder | None = None
    item: Item | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    rights: Right = Right.NONE
    data: bytes | None = None
    title: str = ""
    principal: Principal | None = None
    of_group: bool = False

    @property
    def owner_href(self) -> str:
        """The URL of the principal that owns it, or that it is."""
        return principal_href(self.space_id, of_group=self.of_group)

    @property
    def name(self) -> str:
        """The last name of its path, as it was given."""
        thing = self.folder or self.item
        return self.title or (thing.name if thing is not None else "")


@dataclass(slots=True)
class Resource:
    """The resource of a request: its node, and where it lies when it is in a tree.

    ``parent`` is the folder above, None where there is none.
    """

    node: Node
    path: TreePath | None = None
    parent: Folder | None = None

    @property
    def kind(self) -> Kind:
        """The kind of its node."""
        return self.node.kind

    @property
    def folder(self) -> Folder:
        """The folder that it is; only for HOME and FOLDER."""
        assert self.node.folder is not None
        return self.node.folder

    @property
    def item(self) -> Item:
        """The item that it is; only for ITEM."""
        assert self.node.item is not None
        return self.node.item

    @property
    def tree_path(self) -> TreePath:
        """Where it lies; only for those in a tree."""
        assert self.path is not None
        return self.path


def member_node(base: str, parent: Folder, entry: Entry) -> Node:
    """The node of a member of a folder whose path in URLs is ``base`` (with a slash)."""
    thing = entry.node
    if isinstance(thing, Item):
        return Node(
            base + quoted(thing.name),
            Kind.ITEM,
            parent.tool,
            parent.space_id,
            None,
            thing,
            entry.properties,
            parent.rights,
            entry.data,
            of_group=parent.of_group,
        )
    return folder_node(f"{base}{quoted(thing.name)}/", thing, entry.properties)


def item_node(folder: Folder) -> Node:
    """A node for the items of a folder, one after the other: making one costs as much as answering
    a property. What is different for each is left out: URL, item, properties and octets."""
    return Node(
        "",
        Kind.ITEM,
        folder.tool,
        folder.space_id,
        rights=folder.rights,
        of_group=folder.of_group,
    )


def folder_node(href: str, folder: Folder, properties: Mapping[str, str]) -> Node:
    """The node of a folder or of a root."""
    return Node(
        href,
        Kind.FOLDER if folder.parent_id is not None else Kind.HOME,
        folder.tool,
        folder.space_id,
        folder,
        None,
        properties,
        folder.rights,
        of_group=folder.of_group,
    )
