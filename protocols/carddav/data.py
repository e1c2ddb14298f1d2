"""CARDDAV:address-data in reports: what of the cards is asked for, and the answers."""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.carddav.words import ADDRESS_DATA, card, refuse
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.multistatus import status_response
from folkmoot.protocols.dav.names import dav, element, escape
from folkmoot.protocols.dav.plan import Answer
from folkmoot.protocols.dav.resources import Node
from folkmoot.protocols.http.xml import Element, child, children
from folkmoot.storage.content.vcard.convert import WantedProp, convert, partial
from folkmoot.storage.content.vcard.intake import VERSIONS
from folkmoot.storage.content.vcard.reading import as_text

MAX_PROPS: Final = 300
MAX_NAME: Final = 200  # characters of a property's name, with its group


class DataAsked:
    """What a report wants of the cards themselves. ``wanted`` is False where it wants nothing.

    Who names no version gets cards as they were stored. The RFC's default would be 3.0, but every
    program of today reads both, and cards that come back poorer than they were sent are what
    people complain about.
    """

    def __init__(self, root: Element) -> None:
        """Raises ``DavError`` (supported-address-data)."""
        props = child(root, dav("prop"))
        found = child(props, ADDRESS_DATA) if props is not None else None
        self.wanted = found is not None
        self._version = _version(found) if found is not None else None
        self._props = _props(found) if found is not None else []

    def text(self, octets: bytes) -> str:
        """A card as it is asked for. Raises ``CardError`` where it cannot be converted."""
        if self._version is not None:
            octets = convert(octets, self._version)
        return as_text(partial(octets, self._props))

    @property
    def special(self) -> dict[str, Answer]:
        """What a plan answers for the property."""
        return {ADDRESS_DATA: self._element}

    def _element(self, node: Node) -> str | None:
        if node.data is None:
            return None
        return f"<R:address-data>{escape(self.text(node.data))}</R:address-data>"


def unconvertible(node: Node) -> str:
    """The response of a card that cannot be given as asked for. # rfc6352#5.1.1.1"""
    return status_response(node.href, 406, element(card("supported-address-data-conversion")))


def _version(found: Element) -> str | None:
    # rfc6352#10.4
    kind = str(found.get("content-type", "text/vcard")).partition(";")[0].strip().lower()
    version = found.get("version")
    if kind not in ("text/vcard", "text/x-vcard"):
        raise refuse("supported-address-data", text="Contacts are given as text/vcard.")
    if version is not None and version.strip() not in VERSIONS:
        raise refuse("supported-address-data", text="Only vCard 3.0 and 4.0 are known here.")
    return version.strip() if version is not None else None


def _props(found: Element) -> list[WantedProp]:
    """Properties to be in the answer; none: all of them. # rfc6352#10.4.2"""
    inside = list(children(found))
    if any(each.tag == card("allprop") for each in inside):
        return []
    asked = [each for each in inside if each.tag == card("prop")]
    if len(asked) > MAX_PROPS:
        raise DavError(400, text="Too many properties of contacts are asked for.")
    props = []
    for each in asked:
        name = str(each.get("name", "")).strip()
        if not 0 < len(name) <= MAX_NAME:
            raise DavError(400, text="A property of contacts has no proper name.")
        props.append(WantedProp(name, str(each.get("novalue", "no")).strip().lower() == "yes"))
    return props
