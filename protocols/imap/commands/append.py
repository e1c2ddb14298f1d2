"""APPEND with MULTIAPPEND (RFC 3502), UIDPLUS (RFC 4315), LITERAL+ and APPENDLIMIT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from folkmoot.protocols.imap.flags import flag_set
from folkmoot.protocols.imap.frames import MemorySink
from folkmoot.protocols.imap.grammar import AppendArgs, AppendMessage, parse_append
from folkmoot.protocols.imap.registry import Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import Session
from folkmoot.protocols.imap.spool import SpoolSink
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import BodySpool, Content, NewMessage, UidSet

capability("UIDPLUS", signed_in)
capability("MULTIAPPEND", signed_in)

Prepare = Callable[[bytes | BodySpool], Content]


@command(
    "APPEND",
    State.SIGNED_IN,
    parse_append,
    example=b"APPEND INBOX (\\Seen) {11+}\r\nA: b\r\n\r\nc\r\n",
)
async def append(session: Session, arguments: AppendArgs) -> Reply:
    """RFC 9051 section 6.3.12: all messages or none."""
    messages = arguments.messages
    try:
        if any(message.body.size == 0 for message in messages):
            # rfc3502#3: an empty literal is how a client takes the whole command back.
            return Reply("Append cancelled", None, "NO")
        bodies = [await _body(message) for message in messages]
        contents = await _prepare_large(session, bodies)
        appended = await session.workspace.append(
            arguments.mailbox, _builder(messages, bodies, contents)
        )
    except NotFound as error:
        return Reply(error.text, "TRYCREATE", "NO")
    finally:
        _discard(messages)
    view = session.view
    if view is not None and view.mailbox_id == appended.mailbox_id:
        view.own.update(appended.uids)
    uids = str(UidSet.from_iterable(appended.uids))
    return Reply("Appended", f"APPENDUID {appended.uidvalidity} {uids}")


async def _body(message: AppendMessage) -> bytes | BodySpool:
    sink = message.body.sink
    if isinstance(sink, SpoolSink):
        return await sink.finish()
    assert isinstance(sink, MemorySink)
    return sink.value


async def _prepare_large(
    session: Session, bodies: Sequence[bytes | BodySpool]
) -> dict[int, Content]:
    """Contents of spooled bodies by position: they take long, so not in the writer's thread."""
    return {
        position: await session.workspace.prepare(body)
        for position, body in enumerate(bodies)
        if not isinstance(body, bytes)
    }


def _builder(
    messages: Sequence[AppendMessage],
    bodies: Sequence[bytes | BodySpool],
    contents: dict[int, Content],
) -> Callable[[Prepare], list[NewMessage]]:
    now = datetime.now(UTC)
    flags = [flag_set(message.flags) for message in messages]

    def build(prepare: Prepare) -> list[NewMessage]:
        return [
            NewMessage(
                contents.get(position) or prepare(body), flags[position], message.date or now
            )
            for position, (message, body) in enumerate(zip(messages, bodies, strict=True))
        ]

    return build


def _discard(messages: Sequence[AppendMessage]) -> None:
    for message in messages:
        if isinstance(message.body.sink, SpoolSink):
            message.body.sink.discard()
