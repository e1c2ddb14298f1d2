"""Items of FETCH that are cut out of a message's octets: BODY[…] and BINARY (RFC 3516).

A response is a generator of octets: sizes come first, so each item is measured before its data
is read, and a message of any size passes through in pieces. Generators run in worker threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from folkmoot.protocols.imap.encoder import literal, literal8
from folkmoot.protocols.imap.fetch_items import BinaryPart, BinarySize, BodySection, Preview
from folkmoot.protocols.imap.fetch_plan import (
    BodyItem,
    Plan,
    head,
    pick,
    preview_value,
    window,
    without_nul,
)
from folkmoot.storage.content.decoding import UnknownEncoding, decode_part, decoded_size
from folkmoot.storage.content.preview import preview_text
from folkmoot.storage.content.sections import Encoding, Extent, Part, PartKind, PartTable, PartText
from folkmoot.storage.content.source import Source
from folkmoot.storage.types import MessageBody, MessageRow

#: Octets read from a message at one time.
PIECE: Final = 256 * 1024
#: Octets of a header in which single fields are looked for; what is behind them is not found.
FIELDS_LIMIT: Final = 4 * 1024 * 1024
#: Octets of an encoded part up to which it is decoded in memory; larger ones are decoded twice.
DECODE_AT_ONCE: Final = 1024 * 1024


class Opened(NamedTuple):
    """An item that is ready to be sent: what stands before its data, and the data."""

    head: bytes
    data: Iterator[bytes]


@dataclass
class Message:
    """The octets of one message with what is known of them."""

    body: MessageBody
    source: Source

    @cached_property
    def table(self) -> PartTable:
        """Where its parts lie."""
        return PartTable.from_bytes(self.body.parts)

    def read(self, extent: Extent) -> bytes:
        """Octets that must be there. Raises OSError when the file is damaged."""
        data = self.source.read(extent.offset, extent.length)
        if len(data) != extent.length:
            raise OSError("a stored body is shorter than it was")
        return data


@dataclass
class Outcome:
    """What the end of the command has to say about messages that could not be told whole."""

    unknown_encoding: bool = False


def response(
    plan: Plan, number: int, row: MessageRow, message: Message, outcome: Outcome
) -> Iterator[bytes]:
    """The FETCH response for one message, in pieces. Raises OSError."""
    begin, glue = head(plan, number, row), b" " if plan.form else b""
    printed = bool(plan.form)
    for item in plan.bodies:
        try:
            opened = open_item(item, message)
        except UnknownEncoding:
            # rfc3516#4.3: the item is left out and the command says why.
            outcome.unknown_encoding = True
            continue
        yield begin + glue + item.label + b" " + opened.head
        yield from opened.data
        begin, glue, printed = b"", b" ", True
    if printed:
        yield begin + b")\r\n"


def open_item(item: BodyItem, message: Message) -> Opened:
    """Measure an item. Raises ``UnknownEncoding``, OSError."""
    match item:
        case BodySection():
            return _open_section(item, message)
        case BinaryPart():
            return _open_binary(item, message)
        case BinarySize():
            part = _find(item.path, message)
            size = 0 if part is None else decoded_size(message.source, part)
            return Opened(b"%d" % size, iter(()))
        case Preview():
            text = preview_text(message.source, message.table)
            return Opened(preview_value(text), iter(()))


# --- BODY[…] --------------------------------------------------------------------------------------


def _open_section(item: BodySection, message: Message) -> Opened:
    extent = _locate(item, message)
    if extent is None:
        return Opened(b"NIL", iter(()))
    if item.fields:
        header = message.read(extent._replace(length=min(extent.length, FIELDS_LIMIT)))
        return Opened(literal(window(pick(item, header), item.partial)), iter(()))
    if item.partial is not None:
        # rfc9051#6.4.5: behind the end there is an empty string
        first = min(item.partial[0], extent.length)
        number = min(item.partial[1], extent.length - first)
        extent = Extent(extent.offset + first, number)
    return Opened(b"{%d}\r\n" % extent.length, map(without_nul, _pieces(message, extent)))


def is_whole(item: BodyItem) -> bool:
    """Whether an item is all of a message or a run of its octets: that needs no table of parts."""
    return isinstance(item, BodySection) and not item.path and item.text == "ALL"


def _locate(item: BodySection, message: Message) -> Extent | None:
    if is_whole(item):
        return Extent(0, message.body.size)
    what = PartText.HEADER if item.fields else PartText(item.text)
    return message.table.locate(item.path, what)


def _pieces(message: Message, extent: Extent) -> Iterator[bytes]:
    end = extent.offset + extent.length
    for offset in range(extent.offset, end, PIECE):
        yield message.read(Extent(offset, min(PIECE, end - offset)))


# --- BINARY ---------------------------------------------------------------------------------------


def _find(path: tuple[int, ...], message: Message) -> Part | None:
    if path:
        return message.table.find(path)
    # rfc3516#4.2: without a part number, the message as it is
    size = message.body.size
    return Part(0, 0, size, -1, PartKind.OTHER, Encoding.IDENTITY)


def _open_binary(item: BinaryPart, message: Message) -> Opened:
    part = _find(item.path, message)
    if part is None:
        return Opened(b"NIL", iter(()))
    if part.body_length <= DECODE_AT_ONCE:
        data = window(b"".join(decode_part(message.source, part)), item.partial)
        # rfc3516#4.2: only data with NUL needs what older clients cannot read.
        return Opened(literal8(data) if b"\0" in data else literal(data), iter(()))
    size, nul = 0, False
    for piece in _decoded(item, part, message):
        size += len(piece)
        nul = nul or b"\0" in piece
    return Opened(b"%b{%d}\r\n" % (b"~" if nul else b"", size), _decoded(item, part, message))


def _decoded(item: BinaryPart, part: Part, message: Message) -> Iterator[bytes]:
    pieces = decode_part(message.source, part)
    if item.partial is None:
        yield from pieces
        return
    skip, left = item.partial
    for piece in pieces:
        taken = piece[skip : skip + left]
        skip = max(0, skip - len(piece))
        left -= len(taken)
        if taken:
            yield taken
        if not left:
            break


def gather(pieces: Iterator[bytes], size: int = PIECE) -> bytes:
    """Octets of a generator, ``size`` or a piece more; empty at its end."""
    taken: list[bytes] = []
    for piece in pieces:
        taken.append(piece)
        size -= len(piece)
        if size <= 0:
            break
    return b"".join(taken)
