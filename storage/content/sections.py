"""The table of a message's parts: where each section of it lies in the octets."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple


class PartKind(IntEnum):
    """What a part is, as far as sections and searches care. The numbers are stored."""

    OTHER = 0
    TEXT = 1
    MULTIPART = 2
    MESSAGE = 3


class Encoding(IntEnum):
    """Content-Transfer-Encoding (RFC 2045 section 6). The numbers are stored."""

    IDENTITY = 0
    QUOTED_PRINTABLE = 1
    BASE64 = 2
    UNKNOWN = 3


class PartText(Enum):
    """The part specifiers of RFC 9051 section 6.4.5; ALL stands for none."""

    ALL = "ALL"
    HEADER = "HEADER"
    TEXT = "TEXT"
    MIME = "MIME"


class Extent(NamedTuple):
    """A run of octets in the message."""

    offset: int
    length: int


class Part(NamedTuple):
    """One part; the header, with its empty line, ends where the body starts.

    `parent` is the place of the enclosing part in the table, -1 for the message itself. The
    only child of a MESSAGE part is the message in it.
    """

    header_offset: int
    header_length: int
    body_length: int
    parent: int
    kind: PartKind
    encoding: Encoding

    @property
    def header(self) -> Extent:
        return Extent(self.header_offset, self.header_length)

    @property
    def body_offset(self) -> int:
        return self.header_offset + self.header_length

    @property
    def body(self) -> Extent:
        return Extent(self.header_offset + self.header_length, self.body_length)

    @property
    def whole(self) -> Extent:
        return Extent(self.header_offset, self.header_length + self.body_length)


_ROW = struct.Struct("<QQQhBB")
_VERSION = b"\x01"


@dataclass(frozen=True, slots=True)
class PartTable:
    """All parts of a message in the order they come; the first is the message itself."""

    parts: tuple[Part, ...]

    def to_bytes(self) -> bytes:
        """Return the stored form: a version octet, then 28 octets for each part."""
        return _VERSION + b"".join(_ROW.pack(*part) for part in self.parts)

    @classmethod
    def from_bytes(cls, raw: bytes) -> PartTable:
        """Read the stored form. Raises ValueError if it is none."""
        if raw[:1] != _VERSION or len(raw) == 1 or (len(raw) - 1) % _ROW.size:
            raise ValueError("not a table of parts")
        return cls(
            tuple(
                Part(offset, header, body, parent, PartKind(kind), Encoding(encoding))
                for offset, header, body, parent, kind, encoding in _ROW.iter_unpack(
                    memoryview(raw)[1:]
                )
            )
        )

    def find(self, path: Iterable[int]) -> Part | None:
        """Return the part with an IMAP part number; the empty path is the message itself."""
        row = self._row(path)
        return None if row is None else self.parts[row]

    def _row(self, path: Iterable[int]) -> int | None:
        # rfc9051#6.4.5: part numbers
        parts = self.parts
        row = 0
        # A number counts the children of a multipart; in a message that is not a multipart it
        # is 1 and means the message's body.
        in_message = True
        for number in path:
            if parts[row].kind is PartKind.MESSAGE and not in_message:
                row += 1
                in_message = True
            if parts[row].kind is PartKind.MULTIPART:
                children = [child for child, part in enumerate(parts) if part.parent == row]
                if not 1 <= number <= len(children):
                    return None
                row = children[number - 1]
            elif number != 1 or not in_message:
                return None
            in_message = False
        return row

    def locate(self, path: tuple[int, ...], what: PartText) -> Extent | None:
        """Return where a section of RFC 9051 section 6.4.5 lies, or None if there is none.

        `path` holds the part numbers, empty for the message. HEADER and TEXT behind numbers
        exist for message/rfc822 and message/global parts only.
        """
        row = self._row(path)
        if row is None:
            return None
        part = self.parts[row]
        if not path:
            if what is PartText.ALL:
                return part.whole
            return part.body if what is PartText.TEXT else part.header
        if what is PartText.ALL:
            return part.body
        if what is PartText.MIME:
            return part.header
        if part.kind is not PartKind.MESSAGE:
            return None
        # The message in it is its only child, and children follow their parents.
        inner = self.parts[row + 1]
        return inner.header if what is PartText.HEADER else inner.body
