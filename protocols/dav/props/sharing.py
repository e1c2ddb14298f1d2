"""What is shared with whom, as the two protocols of sharing tell it (see ``dav.inviting``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from folkmoot.protocols.dav.acl import access_of, fetch_access
from folkmoot.protocols.dav.inviting import server
from folkmoot.protocols.dav.names import dav, escape, printable
from folkmoot.protocols.dav.paths import NOTIFICATIONS
from folkmoot.protocols.dav.quoting import quoted_path
from folkmoot.protocols.dav.registry import prefetch, prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.protocols.dav.types import resource_types
from folkmoot.storage.types import Right
from folkmoot.storage.types_sharing import BOUND_TOOLS, Grant
from folkmoot.storage.types_tree import (
    SCHEDULE_INBOX,
    SCHEDULE_OUTBOX,
    Folder,
    Item,
    Principal,
)

_NOTIFICATIONS: Final = quoted_path(NOTIFICATIONS, collection=True)
_CHANGES: Final = Right.EDIT | Right.INSERT


def _is_shareable(node: Node) -> bool:
    """Whether whoever asks decides what of it is shared."""
    return (
        node.kind is Kind.FOLDER
        and bool(node.rights & Right.SHARE)
        and node.folder is not None
        and node.folder.special_use not in (SCHEDULE_INBOX, SCHEDULE_OUTBOX)
    )


@resource_types
def types_of(node: Node) -> str:
    """Whether it is shared, by oneself or by somebody else; where notifications would be."""
    if node.kind is Kind.SITE:
        return "<S:notification/>" if node.href == _NOTIFICATIONS else ""
    folder = node.folder
    if folder is None or node.tool not in BOUND_TOOLS:
        return ""
    if folder.bound:
        return "" if folder.of_group else "<S:shared/>"
    return "<S:shared-owner/>" if folder.shared and _is_shareable(node) else ""


@prefetch("invites", paged=True)
async def fetch_invites(
    request: Request, resource: Resource, nodes: Sequence[Folder | Item] | None
) -> None:
    """With whom things are shared, and who shares those of others."""
    await fetch_access(request, resource, nodes)
    folders = [resource.node.folder] if nodes is None else nodes
    for each in folders:
        if isinstance(each, Folder) and each.bound and _key(each.space_id) not in request.facts:
            request.facts[_key(each.space_id)] = await request.tree.principal(each.space_id)


@prop(server("allowed-sharing-modes"), Kind.FOLDER, BOUND_TOOLS)
def allowed_sharing_modes(request: Request, node: Node) -> str | None:
    """How it can be shared."""
    return "<S:can-be-shared/>" if _is_shareable(node) else None


@prop(server("invite"), Kind.FOLDER, BOUND_TOOLS, needs="invites")
def cs_invite(request: Request, node: Node) -> str | None:
    """With whom it is shared; to whom it is shared, by whom."""
    owner: Principal | None = request.facts.get(_key(node.space_id))
    if not _is_shareable(node):
        if owner is None or node.of_group:
            return None
        name = escape(printable(owner.name or owner.addresses[0]))
        href = f"<D:href>{node.owner_href}</D:href>"
        return f"<S:organizer>{href}<S:common-name>{name}</S:common-name></S:organizer>"
    users = []
    for grant in _grants(request, node):
        level = "read-write" if grant.rights & _CHANGES else "read"
        users.append(
            f"<S:user><D:href>mailto:{escape(grant.address)}</D:href>"
            f"<S:common-name>{escape(printable(grant.name or grant.address))}</S:common-name>"
            f"<S:invite-accepted/><S:access><S:{level}/></S:access></S:user>"
        )
    return "".join(users)


@prop(server("notification-URL"), Kind.PRINCIPAL)
def notification_url(request: Request, node: Node) -> str:
    """Where there never is anything: what is shared needs no answer."""
    return f"<D:href>{_NOTIFICATIONS}</D:href>"


@prop(dav("share-access"), Kind.FOLDER)
def share_access(request: Request, node: Node) -> str:
    """What it is to whoever asks."""
    if node.folder is not None and _is_shareable(node):
        return "<D:shared-owner/>" if node.folder.shared else "<D:not-shared/>"
    if node.rights & Right.SHARE:
        return "<D:not-shared/>"
    return "<D:read-write/>" if node.rights & _CHANGES else "<D:read/>"


@prop(dav("invite"), Kind.FOLDER, needs="invites")
def invite(request: Request, node: Node) -> str | None:
    """With whom it is shared, for whoever shares it."""
    if not _is_shareable(node):
        return None
    found = []
    for grant in _grants(request, node):
        level = "read-write" if grant.rights & _CHANGES else "read"
        name = escape(printable(grant.name or grant.address))
        found.append(
            f"<D:sharee><D:href>mailto:{escape(grant.address)}</D:href>"
            f"<D:prop><D:displayname>{name}</D:displayname></D:prop>"
            f"<D:share-access><D:{level}/></D:share-access><D:invite-accepted/></D:sharee>"
        )
    return "".join(found)


def _grants(request: Request, node: Node) -> list[Grant]:
    """What is granted on the collection itself, to whoever has any rights by that."""
    access = access_of(request, node)
    if access is None or node.folder is None:
        return []
    here = node.folder.id
    return [each for each, _ in access.grants if each.collection_id == here and each.rights]


def _key(space_id: int) -> str:
    return f"who shares {space_id}"
