"""From a command's octets to its reply: finding it in the table, parsing, running, mapping errors.

Nothing that goes wrong in a command leaves here as an exception, but the end of the connection.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any

from folkmoot.protocols.imap import errors, registry
from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.frames import Command
from folkmoot.protocols.imap.message_limit import finished
from folkmoot.protocols.imap.registry import CommandEntry, Expunges, Reply
from folkmoot.protocols.imap.session import ConnectionLost, Session
from folkmoot.storage.errors import Expired, StorageError

log = logging.getLogger("folkmoot.imap")

# Commands whose arguments or results are message numbers. # rfc9586#3.2
NUMBERED = frozenset({"FETCH", "STORE", "COPY", "MOVE", "SEARCH", "SORT", "THREAD", "REPLACE"})


class Refused(Exception):
    """A command that is not carried out; ``tag`` is None when it has none to answer to."""

    def __init__(self, tag: bytes | None, error: BadSyntax) -> None:
        super().__init__(error.text)
        self.tag = tag
        self.error = error


def read_command(session: Session, event: Command) -> tuple[bytes, CommandEntry, Any]:
    """The tag, the row of the table and the parsed arguments. Raises ``Refused``."""
    cursor = Cursor(event, utf8=session.utf8)
    tag: bytes | None = None
    try:
        tag = _tag(cursor)
        entry = _find(session, cursor)
        return tag, entry, entry.parse(cursor)
    except BadSyntax as error:
        for segment in event.segments:  # forget what it has spooled
            if not isinstance(segment, bytes):
                segment.sink.abort()
        raise Refused(tag, error) from None


def _tag(cursor: Cursor) -> bytes:
    try:
        tag = cursor.tag()
    except BadSyntax:
        raise BadSyntax("A command begins with a tag") from None
    if cursor.peek() not in (b" ", b""):  # part of a word is no tag to answer to
        raise BadSyntax("A command begins with a tag")
    return tag


def _find(session: Session, cursor: Cursor) -> CommandEntry:
    cursor.space()
    name = cursor.keyword()
    if name == "UID":
        cursor.space()
        name = f"UID {cursor.keyword()}"
    entry = registry.find(name)
    if entry is None or session.hides(entry.extension):
        raise BadSyntax("Unknown command")
    if not entry.states & session.state:
        raise BadSyntax(f"{name} cannot be given in this state")
    if name in NUMBERED and session.uid_only:
        raise BadSyntax("Messages have no numbers: use UID", code="UIDREQUIRED")
    return entry


async def execute(session: Session, entry: CommandEntry, arguments: Any) -> Reply:
    """Run a command and tell what changed meanwhile. Raises ``ConnectionLost`` only."""
    # rfc9051#5.5
    try:
        session.cut = None
        reply = finished(session, await entry.handler(session, arguments))
    except Expired as error:
        session.wire.close(error.text, errors.code(error))
        return registry.OK
    except StorageError as error:
        return errors.reply(error)
    except BadSyntax as error:
        return Reply(error.text, error.code, error.status)
    except ConnectionLost:
        raise
    except Exception:
        if session.ended:  # what the command worked with went away with the connection
            raise ConnectionLost from None
        # The text of an unknown error may hold anything: the client gets a number to quote.
        log_id = secrets.token_hex(6)
        log.exception("command %s failed, log id %s", entry.name, log_id)
        return Reply(f"Internal error, log id {log_id}", "SERVERBUG", "NO")
    if entry.expunges is not Expunges.UNCHECKED:
        await _refresh(session, show_expunges=entry.expunges is Expunges.SHOWN)
    return reply


async def _refresh(session: Session, *, show_expunges: bool) -> None:
    """Tell what changed; the command is done, so a failure here must not make it a NO."""
    try:
        await session.refresh(show_expunges=show_expunges)
    except Expired as error:
        session.wire.close(error.text, errors.code(error))
    except StorageError as error:
        log.warning("changes are told later: %s", error.text)
