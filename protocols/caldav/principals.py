"""What principals have for calendars: homes, addresses, scheduling collections."""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.caldav.words import cal, server
from folkmoot.protocols.dav.names import escape
from folkmoot.protocols.dav.registry import prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import TreePath

#: What the collections of RFC 6638 are called in every home; they cannot be renamed.
INBOX: Final = "Inbox"
OUTBOX: Final = "Outbox"


def home_of(request: Request, space_id: int, *names: str) -> str:
    """The URL of a calendar home, or of a collection in it."""
    return request.urls.href(TreePath(space_id, Tool.CALENDAR, names), collection=True)


@prop(cal("calendar-home-set"), Kind.PRINCIPAL)
def calendar_home_set(request: Request, node: Node) -> str | None:
    """Where its calendars are: one place, because Apple's clients look into one. # rfc4791#6.2.1

    A group's are found in the homes of its members. DAVx5 looks into the homes of all groups that
    one is in: it would find them twice.
    """
    if node.of_group or not request.offers(Tool.CALENDAR):
        return None
    return f"<D:href>{home_of(request, node.space_id)}</D:href>"


@prop(cal("calendar-user-address-set"), Kind.PRINCIPAL)
def calendar_user_address_set(request: Request, node: Node) -> str:
    """How it is invited: by mail addresses, the primary one first, or by its URL.

    # rfc6638#2.4.1
    """
    addresses = node.principal.addresses if node.principal is not None else ()
    hrefs = [f"mailto:{escape(address)}" for address in addresses]
    return "".join(f"<D:href>{href}</D:href>" for href in [*hrefs, node.owner_href])


@prop(cal("calendar-user-type"), Kind.PRINCIPAL)
def calendar_user_type(request: Request, node: Node) -> str:
    """A person or a group. # rfc6638#2.4.2"""
    return "GROUP" if node.of_group else "INDIVIDUAL"


@prop(cal("schedule-inbox-URL"), Kind.PRINCIPAL)
def schedule_inbox_url(request: Request, node: Node) -> str | None:
    """Where invitations arrive; groups are not invited. # rfc6638#2.2.1"""
    if node.of_group or not request.offers(Tool.CALENDAR):
        return None
    return f"<D:href>{home_of(request, node.space_id, INBOX)}</D:href>"


@prop(cal("schedule-outbox-URL"), Kind.PRINCIPAL)
def schedule_outbox_url(request: Request, node: Node) -> str | None:
    """Where one asks for the busy times of others. # rfc6638#2.1.1"""
    if node.of_group or not request.offers(Tool.CALENDAR):
        return None
    return f"<D:href>{home_of(request, node.space_id, OUTBOX)}</D:href>"


@prop(server("email-address-set"), Kind.PRINCIPAL)
def email_address_set(request: Request, node: Node) -> str:
    """Its mail addresses, for Apple's clients."""
    addresses = node.principal.addresses if node.principal is not None else ()
    return "".join(f"<S:email-address>{escape(address)}</S:email-address>" for address in addresses)
