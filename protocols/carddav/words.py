"""Names in CardDAV's namespaces, and refusals that name one of its conditions."""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.names import CALENDARSERVER, CARDDAV, element
from folkmoot.protocols.dav.registry import compliance
from folkmoot.storage.types import Tool

CONTACTS: Final = (Tool.CONTACTS,)
ADDRESS_DATA: Final = f"{{{CARDDAV}}}address-data"

compliance("addressbook")  # rfc6352#6.1


def card(name: str) -> str:
    """A name of CardDAV's namespace."""
    return f"{{{CARDDAV}}}{name}"


def server(name: str) -> str:
    """A name of calendarserver.org's namespace."""
    return f"{{{CALENDARSERVER}}}{name}"


def refuse(name: str, status: int = 403, text: str = "") -> DavError:
    """A refusal that names a condition of CardDAV."""
    return DavError(status, element(card(name)), text=text)
