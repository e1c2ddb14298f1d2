"""SPECIAL-USE and CREATE-SPECIAL-USE (RFC 6154): what mailboxes are for.

LIST prints the attributes (``listing``), CREATE gives them (``mailboxes``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from folkmoot.protocols.imap.cursor import BadSyntax
from folkmoot.protocols.imap.registry import capability, signed_in

capability("SPECIAL-USE", signed_in)  # rfc6154#2
capability("CREATE-SPECIAL-USE", signed_in)  # rfc6154#3

#: Uses that a mailbox can be given. \All, \Flagged and \Important would be searches, not mailboxes.
OFFERED: Final = frozenset({"\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash"})


def the_use(uses: Sequence[str]) -> str:
    """The one use that CREATE asks for, "" for none. BadSyntax with NO [USEATTR] otherwise."""
    if len(uses) > 1 or not OFFERED.issuperset(uses):
        # rfc6154#3
        raise BadSyntax("A mailbox cannot be used so", status="NO", code="USEATTR")
    return uses[0] if uses else ""
