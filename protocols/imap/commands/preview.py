"""PREVIEW (RFC 8970): the first words of messages; printed by FETCH as any other item."""

from __future__ import annotations

import re
from typing import Final

from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.fetch_items import FetchItem, Preview, fetch_item
from folkmoot.protocols.imap.registry import capability, signed_in

capability("PREVIEW", signed_in)  # rfc8970#3.1

# What else stands in parentheses behind PREVIEW belongs to FETCH: (CHANGEDSINCE 5).
_LAZY: Final = re.compile(rb" \(LAZY\)", re.IGNORECASE)


@fetch_item("PREVIEW")  # rfc8970#6
def _preview(cursor: Cursor) -> FetchItem:
    try:
        cursor.match(_LAZY, "LAZY")
    except BadSyntax:
        return Preview(lazy=False)
    return Preview(lazy=True)
