"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 sections 6.3.4 to 6.3.8)."""

from __future__ import annotations

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.commands.notify import caused
from folkmoot.protocols.imap.commands.objectid import mailbox_id
from folkmoot.protocols.imap.commands.special_use import the_use
from folkmoot.protocols.imap.cursor import Cursor
from folkmoot.protocols.imap.grammar import CreateArgs, parse_create
from folkmoot.protocols.imap.listing import attributes, renamed_line
from folkmoot.protocols.imap.registry import OK, Reply, State, command
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.errors import Conflict


def parse_name(cursor: Cursor) -> str:
    """Read a mailbox name and nothing else."""
    cursor.space()
    name = cursor.mailbox()
    cursor.end()
    return name


def parse_rename(cursor: Cursor) -> tuple[str, str]:
    """Read the old and the new name."""
    cursor.space()
    old = cursor.mailbox()
    cursor.space()
    new = cursor.mailbox()
    cursor.end()
    return old, new


@command("CREATE", State.SIGNED_IN, parse_create, example=b"CREATE Work/Plans (USE (\\Archive))")
async def create(session: Session, arguments: CreateArgs) -> Reply:
    """RFC 9051 section 6.3.4, RFC 6154 section 3."""
    use = the_use(arguments.special_uses)
    try:
        info = await session.workspace.create(arguments.mailbox, use)
    except Conflict as error:
        if not use:
            raise
        return Reply(error.text, "USEATTR", "NO")
    caused(session, info.name)
    if session.rev2 and info.name != arguments.mailbox:
        # rfc9051#6.3.9.7: the client learns the form in which the name is kept.
        session.wire.send(renamed_line(info.name, attributes(info), arguments.mailbox, utf8=True))
    return Reply(None, f"MAILBOXID ({mailbox_id(info.id)})")  # rfc8474#4.1


@command("DELETE", State.SIGNED_IN, parse_name, example=b"DELETE Work/Plans")
async def delete(session: Session, name: str) -> Reply:
    """RFC 9051 section 6.3.5. Sessions that have it selected are told and closed."""
    info = await session.workspace.delete(name)
    caused(session, info.name)
    if session.view is not None and session.view.mailbox_id == info.id:
        session.select(None)
        session.wire.send(encoder.untagged("OK", "The selected mailbox was deleted", "CLOSED"))
    if session.rev2 and info.name != name:  # rfc9051#6.3.9.7
        session.wire.send(renamed_line(info.name, [b"\\NonExistent"], name, utf8=True))
    return OK


@command("RENAME", State.SIGNED_IN, parse_rename, example=b"RENAME Work/Plans Done")
async def rename(session: Session, names: tuple[str, str]) -> Reply:
    """RFC 9051 section 6.3.6; subscriptions stay with the old name, as it says."""
    before, after = await session.workspace.rename(*names)
    caused(session, before.name, after.name)
    if session.rev2 and before.id == after.id:  # INBOX is still there under its name
        session.wire.send(renamed_line(after.name, attributes(after), before.name, utf8=True))
    return OK


@command("SUBSCRIBE", State.SIGNED_IN, parse_name, example=b"SUBSCRIBE Work")
async def subscribe(session: Session, name: str) -> Reply:
    """RFC 9051 section 6.3.7; the mailbox need not exist."""
    await session.workspace.subscribe(name, on=True)
    caused(session, name)
    return OK


@command("UNSUBSCRIBE", State.SIGNED_IN, parse_name, example=b"UNSUBSCRIBE Work")
async def unsubscribe(session: Session, name: str) -> Reply:
    """RFC 9051 section 6.3.8; OK also when it was not subscribed."""
    await session.workspace.subscribe(name, on=False)
    caused(session, name)
    return OK
