"""Groups and people with whom something is shared, as clients name them."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.paths import PrincipalPlace
from folkmoot.protocols.dav.request import Request
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types_tree import Principal

_MAILTO: Final = "mailto:"


async def party_at(request: Request, reference: str) -> Principal | None:
    """The group or account that a URL (of a principal, or ``mailto:``) names.

    None for whoever is in no group with the one who asks, as for whoever does not exist.
    """
    reference = reference.strip()
    if reference[: len(_MAILTO)].lower() == _MAILTO:
        address = unquote(reference[len(_MAILTO) :].partition("?")[0]).strip()
        return await request.tree.party(address) if address else None
    try:
        place = request.urls.place(request.target(reference).path)
        if not isinstance(place, PrincipalPlace):
            return None
        principal = await request.tree.principal(place.space_id)
    except (DavError, NotFound):
        return None
    return principal if principal.is_group == place.of_group else None
