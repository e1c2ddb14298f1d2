"""From the message data of APPEND and REPLACE to what the store takes (CATENATE: RFC 4469)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from folkmoot.protocols.imap.cursor import BadSyntax
from folkmoot.protocols.imap.fetch_bodies import PIECE, Message, gather
from folkmoot.protocols.imap.fetch_plan import pick
from folkmoot.protocols.imap.flags import flag_set
from folkmoot.protocols.imap.frames import Literal, MemorySink
from folkmoot.protocols.imap.grammar import AppendMessage, Catenation, Url
from folkmoot.protocols.imap.imap_urls import MessageUrl, parse_url
from folkmoot.protocols.imap.session import Session
from folkmoot.protocols.imap.spool import SpoolSink
from folkmoot.storage.content.sections import Extent, PartText
from folkmoot.storage.content.source import BytesSource
from folkmoot.storage.errors import NotFound, PermissionDenied, TooLarge
from folkmoot.storage.types import BodySpool, Content, MessageBody, NewMessage

Prepare = Callable[[bytes | BodySpool], Content]
Builder = Callable[[Prepare], list[NewMessage]]

#: Octets of a header from which a URL may take single fields.
_FIELDS_LIMIT: Final = 4 * 1024 * 1024


class Incoming:
    """The messages of one command. ``discard`` it at the end, whatever happened."""

    def __init__(self, session: Session, messages: Sequence[AppendMessage]) -> None:
        self._session = session
        self._messages = messages
        self._bodies: list[bytes | BodySpool] = []

    async def builder(self) -> Builder:
        """What makes the new messages in the database's thread.

        Raises storage errors, and ``BadSyntax`` with NO [BADURL].
        """
        for message in self._messages:
            self._bodies.append(await self._body(message))
        contents: dict[int, Content] = {}
        for position, body in enumerate(self._bodies):
            if not isinstance(body, bytes):  # takes long, so not in the writer's thread
                contents[position] = await self._session.workspace.prepare(body)
        return _builder(self._messages, self._bodies, contents)

    def discard(self) -> None:
        """Forget what was spooled and is not stored."""
        for message in self._messages:
            parts = message.body.parts if isinstance(message.body, Catenation) else [message.body]
            for part in parts:
                if isinstance(part, Literal) and isinstance(part.sink, SpoolSink):
                    part.sink.discard()
        for body in self._bodies:
            if not isinstance(body, bytes):
                body.discard()

    async def _body(self, message: AppendMessage) -> bytes | BodySpool:
        if isinstance(message.body, Literal):
            return await _octets(message.body)
        assembly = _Assembly(self._session)
        try:
            for part in message.body.parts:
                if isinstance(part, Url):
                    await self._add_url(assembly, part)
                else:
                    await assembly.add(_pieces(await _octets(part)))
        except BaseException:
            assembly.discard()
            raise
        return assembly.body

    async def _add_url(self, assembly: _Assembly, part: Url) -> None:
        workspace = self._session.workspace
        try:
            url = parse_url(part.text)
            body = await self._locate(url)
            if body.data is not None:
                await assembly.add(_section(url, Message(body, BytesSource(body.data))))
                return
            file = await workspace.open_body(body)
            try:
                await assembly.add(_section(url, Message(body, file)))
            finally:
                file.close()
        except (ValueError, NotFound, PermissionDenied):
            raise BadSyntax(
                "A URL names nothing that can be read here",
                status="NO",
                code=f"BADURL {_printable(part.text)}",  # rfc4469#4.1
            ) from None

    async def _locate(self, url: MessageUrl) -> MessageBody:
        view, workspace = self._session.view, self._session.workspace
        if url.mailbox is not None:
            return await workspace.named_body(url.mailbox, url.uidvalidity, url.uid)
        if view is None:  # rfc4469#3: relative to the selected mailbox
            raise NotFound
        return await workspace.body(view.mailbox_id, url.uid)


class _Assembly:
    """Joins octets: in memory while they are few, then in a file. At most what APPEND takes."""

    def __init__(self, session: Session) -> None:
        self._workspace = session.workspace
        self._limit = session.wire.limits.append
        self._memory = bytearray()
        self._spool: BodySpool | None = None
        self._size = 0

    async def add(self, pieces: Iterator[bytes]) -> None:
        """Append octets, made off the reactor. Raises ``TooLarge``."""
        while data := await self._workspace.compute(partial(gather, pieces)):
            self._size += len(data)
            if self._size > self._limit:
                raise TooLarge("The message is larger than allowed.")
            if self._spool is None:
                self._memory += data
                if len(self._memory) <= self._workspace.inline_limit:
                    continue
                self._spool = await self._workspace.spool()
                data = bytes(self._memory)
                self._memory.clear()
            await self._workspace.spool_write(self._spool, data)

    @property
    def body(self) -> bytes | BodySpool:
        """All of it."""
        return self._spool if self._spool is not None else bytes(self._memory)

    def discard(self) -> None:
        """Forget it."""
        if self._spool is not None:
            self._spool.discard()


async def _octets(literal: Literal) -> bytes | BodySpool:
    sink = literal.sink
    if isinstance(sink, SpoolSink):
        return await sink.finish()
    assert isinstance(sink, MemorySink)
    return sink.value


def _pieces(body: bytes | BodySpool) -> Iterator[bytes]:
    if isinstance(body, bytes):
        yield body
        return
    for offset in range(0, body.size, PIECE):
        yield body.read(offset, PIECE)


def _section(url: MessageUrl, message: Message) -> Iterator[bytes]:
    """The octets that a URL names. Raises ``NotFound`` before any when there is no such section."""
    section = url.section
    extent: Extent | None = Extent(0, message.body.size)
    if section is not None:
        what = PartText.HEADER if section.fields else PartText(section.text)
        extent = message.table.locate(section.path, what)
    if extent is None:
        raise NotFound
    if section is not None and section.fields:
        header = message.read(extent._replace(length=min(extent.length, _FIELDS_LIMIT)))
        chosen = pick(section, header)
        last = len(chosen) if url.count is None else url.first + url.count
        yield chosen[url.first : last]
        return
    first = min(url.first, extent.length)
    length = extent.length - first
    if url.count is not None:
        length = min(length, url.count)
    for offset in range(0, length, PIECE):
        piece = Extent(extent.offset + first + offset, min(PIECE, length - offset))
        yield message.read(piece)


def _printable(url: bytes) -> str:
    """A URL as a response code can hold it: without "]" and what a string ends with."""
    text = url[:500].decode("ascii", "replace")
    return '"' + "".join("?" if letter in ']"\\' else letter for letter in text) + '"'


def _builder(
    messages: Sequence[AppendMessage],
    bodies: Sequence[bytes | BodySpool],
    contents: dict[int, Content],
) -> Builder:
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
