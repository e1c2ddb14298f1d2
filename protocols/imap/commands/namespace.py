"""NAMESPACE (RFC 9051 section 6.3.10, RFC 2342)."""

from __future__ import annotations

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.registry import OK, Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import Session

capability("NAMESPACE", signed_in)  # rfc2342#4


@command("NAMESPACE", State.SIGNED_IN, extension="NAMESPACE")
async def namespace(session: Session, _: None) -> Reply:
    """Personal mailboxes without a prefix; what others share, and what groups have, with one."""
    send_namespace(session)
    return OK


def send_namespace(session: Session) -> None:
    """The NAMESPACE response. # rfc9051#7.3.2"""
    session.wire.send(
        encoder.data(b"NAMESPACE", b'(("" "/"))', b'(("Shared/" "/"))', b'(("Groups/" "/"))')
    )
