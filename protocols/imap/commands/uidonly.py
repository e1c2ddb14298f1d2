"""UIDONLY (RFC 9586): a client that knows messages by UID alone.

Numbers are refused in commands (``server.NUMBERED``, ``search_plan``), and no response has any:
FETCH becomes UIDFETCH, EXPUNGE becomes VANISHED.
"""

from __future__ import annotations

from folkmoot.protocols.imap.commands.basic import ENABLE_HOOKS, ENABLEABLE
from folkmoot.protocols.imap.registry import capability, signed_in
from folkmoot.protocols.imap.session import Session

capability("UIDONLY", signed_in)  # rfc9586#3.1
ENABLEABLE["UIDONLY"] = "UIDONLY"


async def _enabled(session: Session) -> None:
    if session.view is not None:
        session.view.uid_only = True


ENABLE_HOOKS["UIDONLY"] = _enabled
