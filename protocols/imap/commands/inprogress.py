"""INPROGRESS (RFC 9585); the connection sends it (``progress``)."""

from __future__ import annotations

from folkmoot.protocols.imap.registry import capability, signed_in
from folkmoot.protocols.imap.session import Session


def _offered(session: Session) -> bool:
    return signed_in(session) and session.wire.limits.progress_seconds > 0


capability("INPROGRESS", _offered)
