"""IDLE (RFC 9051 section 6.3.13): subscribe, look once, then push what is committed."""

from __future__ import annotations

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.cursor import BadSyntax
from folkmoot.protocols.imap.pusher import Pusher
from folkmoot.protocols.imap.registry import OK, Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import Session

capability("IDLE", signed_in)  # rfc2177#3

MAX_DONE = 64  # octets of the line that ends it


@command("IDLE", State.SIGNED_IN, extension="IDLE")
async def idle(session: Session, _: None) -> Reply:
    """Runs until the client sends DONE."""
    session.wire.send(encoder.continuation("idling"))
    view = session.view
    pusher = Pusher(session)
    session.on_change(pusher.wake)
    try:
        if view is not None:
            if view.last_uid > view.listened:
                # Told beside the answer to another command, where Thunderbird does not hear it.
                session.wire.send(b"* %d EXISTS\r\n" % len(view.uids))
            view.dirty = True
        pusher.wake()
        line = await session.wire.next_line(MAX_DONE)
    finally:
        session.on_change(None)
        await pusher.stop()
        if view is not None:
            view.listened = view.last_uid
    if line is None or line.data.strip().upper() != b"DONE":
        raise BadSyntax("Expected DONE")
    return OK
