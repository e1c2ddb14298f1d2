"""UNAUTHENTICATE (RFC 8437): the connection is used again by somebody else."""

from __future__ import annotations

from folkmoot.protocols.imap.registry import (
    Expunges,
    Reply,
    State,
    capability,
    command,
    signed_in,
)
from folkmoot.protocols.imap.session import Session

capability("UNAUTHENTICATE", signed_in)  # rfc8437#3


@command(
    "UNAUTHENTICATE",
    State.SIGNED_IN,
    expunges=Expunges.UNCHECKED,
    extension="UNAUTHENTICATE",
)
async def unauthenticate(session: Session, _: None) -> Reply:
    """RFC 8437 section 3: nothing is left but TLS and what ID told; nothing is expunged."""
    session.sign_out()
    if session.wire.compressed:
        session.wire.compress_after_reply(False)
    return Reply("Signed out")
