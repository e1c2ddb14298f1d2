"""APPEND with MULTIAPPEND (RFC 3502), UIDPLUS (RFC 4315), LITERAL+ and APPENDLIMIT."""

from __future__ import annotations

from folkmoot.protocols.imap.grammar import AppendArgs, parse_append
from folkmoot.protocols.imap.incoming import Incoming
from folkmoot.protocols.imap.message_limit import refuse_more
from folkmoot.protocols.imap.registry import Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import UidSet

capability("UIDPLUS", signed_in)  # rfc4315#3
capability("MULTIAPPEND", signed_in)  # rfc3502#6.3.11


@command(
    "APPEND",
    State.SIGNED_IN,
    parse_append,
    example=b"APPEND INBOX (\\Seen) {11+}\r\nA: b\r\n\r\nc\r\n",
)
async def append(session: Session, arguments: AppendArgs) -> Reply:
    """RFC 9051 section 6.3.12: all messages or none."""
    messages = arguments.messages
    incoming = Incoming(session, messages)
    try:
        refuse_more(session, len(messages), saving=True)
        if any(message.body.size == 0 for message in messages):
            # rfc3502#6.3.11: an empty literal is how a client takes the whole command back.
            return Reply("Append cancelled", None, "NO")
        appended = await session.workspace.append(arguments.mailbox, await incoming.builder())
    except NotFound as error:
        return Reply(error.text, "TRYCREATE", "NO")
    finally:
        incoming.discard()
    view = session.view
    if view is not None and view.mailbox_id == appended.mailbox_id:
        view.own.update(appended.uids)
    uids = str(UidSet.from_iterable(appended.uids))
    return Reply("Appended", f"APPENDUID {appended.uidvalidity} {uids}")
