"""Finds the parts of a message in its octets. Nothing that it reads makes it fail."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from folkmoot.storage.content.headers import collect
from folkmoot.storage.content.params import (
    DEFAULT_TYPE,
    DIGEST_TYPE,
    Parameterized,
    content_type,
    without_comments,
)
from folkmoot.storage.content.sections import Encoding, PartKind
from folkmoot.storage.content.source import Source

DEPTH_LIMIT = 50
"""Levels of parts in parts. Mail forwarded and forwarded again has ten; each level costs one
more search through what is in it."""

PART_LIMIT = 1000
"""Parts of a message. A mailing list's digest has a few hundred."""

HEADER_LIMIT = 131_072
"""Octets of one header that are looked at; Received and ARC lines make 30,000 at worst."""

HEADER_BUDGET = 1 << 20
"""Octets of all headers of a message that are looked at: the wire forms grow with them."""

BOUNDARY_LIMIT = 1000
"""Octets of a boundary; RFC 2046 allows 70, and a line cannot have more than 998."""

_CHUNK = 1 << 16

_ENVELOPE_FIELDS = frozenset(
    b"date subject from sender reply-to to cc bcc in-reply-to message-id".split()
)
_MIME_FIELDS = frozenset(
    b"content-type content-transfer-encoding content-id content-description "
    b"content-disposition content-language content-location content-md5".split()
)
# References are not in an envelope; the keys for threading need them.
_MESSAGE_FIELDS = _ENVELOPE_FIELDS | _MIME_FIELDS | {b"references"}

_ENCODINGS = {
    b"7bit": Encoding.IDENTITY,
    b"8bit": Encoding.IDENTITY,
    b"binary": Encoding.IDENTITY,
    b"quoted-printable": Encoding.QUOTED_PRINTABLE,
    b"base64": Encoding.BASE64,
}

_DEFAULT_ENCODING = b"7bit"
# Some quote it, or give it parameters.
_ENCODING_NAME = re.compile(rb'\s*("?)([!#-\'*+.0-9A-Z^_`a-z{|}~-]{1,100})\1\s*(?:;|\Z)')

_OPAQUE = Parameterized(b"application", b"octet-stream", ())


class Role(Enum):
    """How a part came to be where it is, which decides what is in its header."""

    MESSAGE = 1
    """A message with an envelope, the outermost or the content of a message/rfc822 part."""
    BODY_PART = 2


@dataclass(slots=True)
class Entity:
    """A part as found: offsets in octets of the message, and the values its header gave."""

    role: Role
    parent: int
    kind: PartKind
    media: Parameterized
    encoding: Encoding
    encoding_name: bytes
    header_start: int
    body_start: int
    body_end: int
    fields: dict[bytes, list[bytes]]
    children: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Frame:
    """A multipart whose delimiters are looked for."""

    row: int
    needle: bytes
    default: Parameterized
    hit: int
    """Where the next delimiter was found, or -1."""
    seen: int
    """No delimiter starts before this offset, other than at `hit`."""


def scan(source: Source) -> list[Entity]:
    """Return the parts of a message, parents before children, the message itself first.

    Beyond a limit the rest is opaque content of the enclosing part.
    """
    return _Scanner(source).scan()


class _Scanner:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.size = source.size
        self.entities: list[Entity] = []
        # The rows of the parts that are open at the place reached, outermost first, and the
        # multiparts among them that have not seen their closing delimiter.
        self.open: list[int] = []
        self.frames: list[_Frame] = []
        self.budget = HEADER_BUDGET

    def scan(self) -> list[Entity]:
        self._descend(0, self.size, self.size, Role.MESSAGE, DEFAULT_TYPE)
        while (at := self._next_delimiter()) >= 0:
            self._delimiter(at)
        self._close(0, self.size)
        return self.entities

    def _next_delimiter(self) -> int:
        """Return where the nearest delimiter of an open multipart starts (its LF), or -1.

        An inner multipart is searched up to the next delimiter of the outer ones only.
        """
        bound = self.size
        nearest = -1
        for frame in self.frames:
            if frame.hit < frame.seen and frame.seen <= bound:
                frame.hit = self.source.find(
                    frame.needle, frame.seen, min(self.size, bound + len(frame.needle))
                )
                frame.seen = frame.hit if frame.hit >= 0 else bound + 1
            if frame.hit >= frame.seen:
                bound = nearest = frame.hit
        return nearest

    def _delimiter(self, at: int) -> None:
        """Take the delimiter line behind the LF at `at`."""
        # rfc2046#5.1.1: the boundary needs only be the beginning of the line. Of several that
        # are, the longest is meant, and of equal ones the innermost.
        hits = [frame for frame in self.frames if frame.hit == at]
        frame = max(reversed(hits), key=lambda each: len(each.needle))
        after = at + len(frame.needle)
        closing = self.source.read(after, 2) == b"--"
        line_end = self.source.find(b"\n", after, self.size)
        end = self._before(at)
        del self.frames[self.frames.index(frame) + 1 :]
        self._close(frame.row + 1, end)
        self._skip_to(line_end if line_end >= 0 else self.size)
        if closing or not self._room():
            self.frames.pop()
        elif line_end >= 0:
            # A delimiter cut off by the end of the message starts nothing.
            self._open_child(line_end + 1, frame)

    def _skip_to(self, offset: int) -> None:
        for frame in self.frames:
            if frame.hit < offset:
                frame.seen = max(frame.seen, offset)

    def _room(self) -> bool:
        return len(self.entities) < PART_LIMIT and self.budget > 0

    def _before(self, at: int) -> int:
        """Return the end of a content followed by the LF at `at`, which may be a CRLF."""
        # rfc2046#5.1.1: the line end before a delimiter belongs to the delimiter
        return at - 1 if at and self.source.read(at - 1, 1) == b"\r" else at

    def _close(self, row: int, end: int) -> None:
        """End the open parts from `row` on."""
        while self.open and self.open[-1] >= row:
            closed = self.open.pop()
            entity = self.entities[closed]
            # Two delimiters may share a line end; what encloses the empty part ends behind it.
            end = entity.body_end = max(entity.body_start, end)
            if entity.kind is PartKind.MULTIPART and not entity.children:
                # The wire form of a multipart needs a part. Nothing was added behind this one,
                # so the new row is in its place.
                self._add_empty(closed, Role.BODY_PART, entity.body_end)

    def _open_child(self, start: int, frame: _Frame) -> None:
        at = self._next_delimiter()
        end = self.size if at < 0 else max(start, self._before(at))
        # The empty line of a multipart's header may be the line end of its first delimiter.
        header_end = self.size if at < 0 else max(start, at + 1)
        self._descend(start, end, header_end, Role.BODY_PART, frame.default)

    def _descend(
        self, start: int, end: int, header_end: int, role: Role, default: Parameterized
    ) -> None:
        """Open the part at `start`, and the messages that start in it without a delimiter."""
        while True:
            entity = self._open(start, end, header_end, role, default)
            if entity.kind is PartKind.MULTIPART:
                self._push(entity)
                return
            if entity.kind is not PartKind.MESSAGE:
                return
            start = entity.body_start
            if entity.encoding is not Encoding.IDENTITY:
                # rfc2046#5.2.1: such an encoding is not allowed, and what is below it is not
                # text. An empty message keeps the wire form valid.
                self._add_empty(self.open[-1], Role.MESSAGE, start)
                return
            end = max(start, end)
            header_end = max(start, header_end)
            role, default = Role.MESSAGE, DEFAULT_TYPE

    def _open(
        self, start: int, end: int, header_end: int, role: Role, default: Parameterized
    ) -> Entity:
        body_start = self._header_end(start, header_end)
        if body_start < 0:
            body_start = end
        looked_at = max(0, min(body_start - start, HEADER_LIMIT, self.budget))
        self.budget -= looked_at
        wanted = _MESSAGE_FIELDS if role is Role.MESSAGE else _MIME_FIELDS
        fields = collect(self.source.read(start, looked_at), wanted) if looked_at else {}
        given = fields.get(b"content-type")
        media = content_type(given[0]) if given else default
        encoding_name = _encoding_name(fields.get(b"content-transfer-encoding"))
        encoding = _ENCODINGS.get(encoding_name.lower(), Encoding.UNKNOWN)
        kind, media = self._classify(media)
        if body_start > end and not (
            kind is PartKind.MULTIPART and self._starts(media, body_start)
        ):
            # rfc2046#5.1.1: else an empty line right before a delimiter belongs to that
            body_start = end
        entity = Entity(
            role,
            self.open[-1] if self.open else -1,
            kind,
            media,
            encoding,
            encoding_name,
            start,
            body_start,
            max(body_start, end),
            fields,
        )
        self._add(entity)
        self.open.append(len(self.entities) - 1)
        return entity

    def _add(self, entity: Entity) -> None:
        if entity.parent >= 0:
            self.entities[entity.parent].children.append(len(self.entities))
        self.entities.append(entity)

    def _add_empty(self, parent: int, role: Role, offset: int) -> None:
        self._add(
            Entity(
                role,
                parent,
                PartKind.TEXT,
                DEFAULT_TYPE,
                Encoding.IDENTITY,
                _DEFAULT_ENCODING,
                offset,
                offset,
                offset,
                {},
            )
        )

    def _classify(self, media: Parameterized) -> tuple[PartKind, Parameterized]:
        kind = media.kind.lower()
        if kind == b"text":
            return PartKind.TEXT, media
        if kind == b"multipart":
            boundary = _boundary(media)
            if not boundary:
                # rfc2045#5.2: what cannot be understood is shown as plain text
                return PartKind.TEXT, DEFAULT_TYPE
        elif media.media not in (b"message/rfc822", b"message/global"):
            return PartKind.OTHER, media
        # Each of these needs a row for its first child.
        if len(self.open) >= DEPTH_LIMIT or len(self.entities) + 1 >= PART_LIMIT:
            return PartKind.OTHER, _OPAQUE
        return (PartKind.MULTIPART if kind == b"multipart" else PartKind.MESSAGE), media

    def _push(self, entity: Entity) -> None:
        digest = entity.media.subtype.lower() == b"digest"
        self.frames.append(
            _Frame(
                row=len(self.entities) - 1,
                needle=b"\n--" + _boundary(entity.media),
                default=DIGEST_TYPE if digest else DEFAULT_TYPE,
                hit=-1,
                # The LF of the header's empty line may be that of the first delimiter.
                seen=max(0, entity.body_start - 1),
            )
        )

    def _starts(self, media: Parameterized, offset: int) -> bool:
        """Tell whether a delimiter of this multipart is at `offset`."""
        delimiter = b"--" + _boundary(media)
        return self.source.read(offset, len(delimiter)) == delimiter

    def _header_end(self, start: int, end: int) -> int:
        """Return where the body behind the first empty line in `[start, end)` starts, or -1."""
        chunk = self.source.read(start, min(_CHUNK, end - start))
        if chunk.startswith(b"\n"):
            return start + 1
        if chunk.startswith(b"\r\n"):
            return start + 2
        while chunk:
            crlf = chunk.find(b"\n\r\n")
            bare = chunk.find(b"\n\n", 0, crlf + 1 if crlf >= 0 else len(chunk))
            if bare >= 0:
                return start + bare + 2
            if crlf >= 0:
                return start + crlf + 3
            start += max(1, len(chunk) - 2)
            if start + 2 > end:
                break
            chunk = self.source.read(start, min(_CHUNK, end - start))
        return -1


def _encoding_name(values: list[bytes] | None) -> bytes:
    # rfc2045#6.1: 7bit is what a missing field means
    match = _ENCODING_NAME.match(without_comments(values[0])) if values else None
    return match[2] if match else _DEFAULT_ENCODING


def _boundary(media: Parameterized) -> bytes:
    # rfc2046#5.1.1: no boundary ends in white space
    boundary = (media.param(b"boundary") or b"").rstrip()
    return boundary if len(boundary) <= BOUNDARY_LIMIT and b"\n" not in boundary else b""
