"""Properties of address books (RFC 6352 section 6.2), and of the home that has them."""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.carddav.words import CONTACTS, card, server
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.props.basic import any_value
from folkmoot.protocols.dav.registry import Column, prop, stored_prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.protocols.http.xml import Element, child, text
from folkmoot.storage.content.vcard.filters import Collation
from folkmoot.storage.content.vcard.intake import VERSIONS

#: Programs that want a card's type without parameters: SOGo's connector takes no other.
_BARE_TYPE: Final = "Thunderbird"
MEDIA_TYPE: Final = "text/vcard; charset=utf-8"

_DATA_TYPES: Final = "".join(
    f'<R:address-data-type content-type="text/vcard" version="{version}"/>' for version in VERSIONS
)
_COLLATIONS: Final = "".join(
    f"<R:supported-collation>{collation.value}</R:supported-collation>" for collation in Collation
)

stored_prop(card("addressbook-description"), Kind.FOLDER, CONTACTS, setter=any_value)


@prop(card("supported-address-data"), Kind.FOLDER, CONTACTS)
def supported_address_data(request: Request, node: Node) -> str:
    """What can be stored, and into what cards are converted. # rfc6352#6.2.2"""
    return _DATA_TYPES


@prop(card("supported-collation-set"), Kind.FOLDER, CONTACTS)
def supported_collation_set(request: Request, node: Node) -> str:
    """How texts can be compared. # rfc6352#8.3.1"""
    return _COLLATIONS


@prop(card("max-resource-size"), Kind.FOLDER, CONTACTS)
def max_resource_size(request: Request, node: Node) -> str:
    """Octets of a card. # rfc6352#6.2.3"""
    return str(request.tree.limits.contacts)


@prop(card("max-image-size"), Kind.FOLDER, CONTACTS)
def max_image_size(request: Request, node: Node) -> str:
    """Octets of a photo, which Apple's programs make smaller where it is larger.

    As base64 in folded lines it takes a third more; an eighth is left to the rest of the card.
    """
    room = request.tree.limits.contacts
    return str((room - room // 8) * 5 // 7)


def _type(request: Request) -> str:
    return "text/vcard" if _BARE_TYPE in request.agent else MEDIA_TYPE


_TYPES: Final = Column("id", lambda request, ids: [_type(request)] * len(ids))


@prop(dav("getcontenttype"), Kind.ITEM, CONTACTS, everything=True, column=_TYPES)
def getcontenttype(request: Request, node: Node) -> str:
    """The media type as GET says it, whatever it was called when it was sent."""
    return _type(request)


def one_href(resource: Resource, value: Element) -> None:
    """A value that is one URL, or empty. Raises ``DavError`` 409."""
    href = child(value, dav("href"))
    if href is None and text(value).strip():
        raise DavError(409, text="The value is no URL.")


# Which card is the user's own: Apple's programs set it, and look for it, on the home.
stored_prop(server("me-card"), Kind.HOME, CONTACTS, setter=one_href)
