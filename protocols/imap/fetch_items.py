"""Arguments of FETCH (RFC 9051 section 6.4.5): data items, sections, modifiers.

An extension adds an item with ``@fetch_item("NAME")`` and a modifier with
``FETCH_MODIFIERS.register("NAME")``, each from its own module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from folkmoot.protocols.imap.cursor import MAX_NUMBER64, BadSyntax, Cursor
from folkmoot.protocols.imap.encoder import astring
from folkmoot.protocols.imap.options import OptionTable
from folkmoot.protocols.imap.sequence import SequenceSet

MAX_ITEMS: Final = 200  # items of one FETCH
MAX_FIELDS: Final = 256  # header fields of one section
MAX_PART_DEPTH: Final = 100  # numbers in a part path

SectionText = Literal["ALL", "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT", "MIME"]
_SECTION_TEXTS: Final[Mapping[bytes, SectionText]] = {
    b"HEADER": "HEADER",
    b"HEADER.FIELDS": "HEADER.FIELDS",
    b"HEADER.FIELDS.NOT": "HEADER.FIELDS.NOT",
    b"TEXT": "TEXT",
    b"MIME": "MIME",
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """An item without arguments; `label` is its name in request and response."""

    label: bytes

    @property
    def sets_seen(self) -> bool:
        """Whether fetching the item sets ``\\Seen``."""
        return False


FLAGS: Final = Attribute(b"FLAGS")
UID: Final = Attribute(b"UID")
INTERNALDATE: Final = Attribute(b"INTERNALDATE")
RFC822_SIZE: Final = Attribute(b"RFC822.SIZE")
ENVELOPE: Final = Attribute(b"ENVELOPE")
BODY: Final = Attribute(b"BODY")  # the structure without extension data
BODYSTRUCTURE: Final = Attribute(b"BODYSTRUCTURE")
MODSEQ: Final = Attribute(b"MODSEQ")


@dataclass(frozen=True, slots=True)
class BodySection:
    """``BODY[…]``, ``BODY.PEEK[…]`` and the older ``RFC822``, ``RFC822.HEADER``, ``RFC822.TEXT``.

    `path` are part numbers, empty for the message. `fields` are upper-case header names, only for
    the two FIELDS texts. `partial` is (first octet, number of octets). `label` is the name to
    print in the response, with the origin octet when partial: ``BODY[1.MIME]<0>``.
    """

    path: tuple[int, ...]
    text: SectionText
    fields: tuple[bytes, ...]
    partial: tuple[int, int] | None
    peek: bool
    label: bytes

    @property
    def sets_seen(self) -> bool:
        """Whether fetching the item sets ``\\Seen``."""
        return not self.peek


@dataclass(frozen=True, slots=True)
class BinaryPart:
    """``BINARY[…]`` and ``BINARY.PEEK[…]``: a part without its transfer encoding (RFC 3516)."""

    path: tuple[int, ...]
    partial: tuple[int, int] | None
    peek: bool
    label: bytes

    @property
    def sets_seen(self) -> bool:
        """Whether fetching the item sets ``\\Seen``."""
        return not self.peek


@dataclass(frozen=True, slots=True)
class BinarySize:
    """``BINARY.SIZE[…]``: the size of a part without its transfer encoding (RFC 3516)."""

    path: tuple[int, ...]
    label: bytes

    @property
    def sets_seen(self) -> bool:
        """Whether fetching the item sets ``\\Seen``."""
        return False


@dataclass(frozen=True, slots=True)
class Preview:
    """``PREVIEW``, or ``PREVIEW (LAZY)``: only if it is there already (RFC 8970)."""

    lazy: bool
    label: bytes = b"PREVIEW"

    @property
    def sets_seen(self) -> bool:
        """Whether fetching the item sets ``\\Seen``."""
        return False


class FetchItem(Protocol):
    """What every item has: the classes above, and those of extensions (hashable)."""

    @property
    def label(self) -> bytes: ...
    @property
    def sets_seen(self) -> bool: ...


ItemParser = Callable[[Cursor], FetchItem]

FETCH_MODIFIERS: Final = OptionTable("fetch modifier")
FETCH_MODIFIERS.add("VANISHED")  # rfc7162#3.2.6


@dataclass(frozen=True, slots=True)
class FetchArgs:
    """What FETCH and UID FETCH are given. `modifiers` are those of :data:`FETCH_MODIFIERS`."""

    sequence: SequenceSet
    items: tuple[FetchItem, ...]
    modifiers: Mapping[str, object]

    @property
    def changed_since(self) -> int | None:
        """Only messages with a higher mod-sequence, if given (RFC 7162 section 3.1.4.1)."""
        value = self.modifiers.get("CHANGEDSINCE")
        return value if isinstance(value, int) else None

    @property
    def vanished(self) -> bool:
        """Whether expunged UIDs are asked for (RFC 7162 section 3.2.6)."""
        return "VANISHED" in self.modifiers


_ITEMS: Final[dict[bytes, ItemParser]] = {}
_MACROS: Final[Mapping[bytes, tuple[Attribute, ...]]] = {  # rfc9051#6.4.5
    b"ALL": (FLAGS, INTERNALDATE, RFC822_SIZE, ENVELOPE),
    b"FAST": (FLAGS, INTERNALDATE, RFC822_SIZE),
    b"FULL": (FLAGS, INTERNALDATE, RFC822_SIZE, ENVELOPE, BODY),
}
_NAME: Final = re.compile(rb"[A-Za-z0-9.\-]++")
_FIELD: Final = re.compile(rb"[!-9;-~]{1,255}+")  # rfc5322#2.2
_NUMBERS: Final = re.compile(rb"[1-9][0-9]{0,9}+(?:\.[1-9][0-9]{0,9}+)*+")
_PARTIAL: Final = re.compile(rb"<([0-9]{1,19})\.([0-9]{1,19})>")


def fetch_item(name: str) -> Callable[[ItemParser], ItemParser]:
    """Decorate the function that reads item `name` (upper case), the cursor behind its name."""

    def keep(parser: ItemParser) -> ItemParser:
        key = name.encode("ascii")
        if key in _ITEMS or key in _MACROS:
            raise ValueError(f"fetch item {name} is registered already")
        _ITEMS[key] = parser
        return parser

    return keep


def register_attribute(attribute: Attribute) -> None:
    """Let clients ask for an item that has no arguments."""
    fetch_item(attribute.label.decode("ascii"))(lambda cursor: attribute)


def parse_fetch(cursor: Cursor) -> FetchArgs:
    """Read all arguments of FETCH, from the space before the first to the command's end."""
    cursor.space()
    sequence = cursor.sequence_set()
    cursor.space()
    items = parse_fetch_items(cursor)
    modifiers = FETCH_MODIFIERS.parse(cursor) if cursor.more() else {}
    cursor.end()
    return FetchArgs(sequence, items, modifiers)


def parse_fetch_items(cursor: Cursor) -> tuple[FetchItem, ...]:
    """Read one item, a macro, or a list in parentheses; without repeats, in the client's order."""
    if cursor.peek() == b"(":
        groups = cursor.list_of(lambda: _parse_one(cursor), limit=MAX_ITEMS)
    else:
        groups = [_parse_one(cursor)]
    return tuple(dict.fromkeys(item for group in groups for item in group))


def _parse_one(cursor: Cursor) -> tuple[FetchItem, ...]:
    name = cursor.match(_NAME, "fetch item")[0].upper()
    macro = _MACROS.get(name)
    if macro is not None:
        return macro
    parser = _ITEMS.get(name)
    if parser is None:
        raise BadSyntax("Unknown fetch item")
    return (parser(cursor),)


@FETCH_MODIFIERS.register("CHANGEDSINCE")
def _changed_since(cursor: Cursor) -> int:
    cursor.space()
    return cursor.number64()


for _attribute in (FLAGS, UID, INTERNALDATE, RFC822_SIZE, ENVELOPE, BODYSTRUCTURE, MODSEQ):
    register_attribute(_attribute)


@fetch_item("BODY")
def _body(cursor: Cursor) -> FetchItem:
    return parse_section(cursor, peek=False) if cursor.peek() == b"[" else BODY


@fetch_item("BODY.PEEK")
def _body_peek(cursor: Cursor) -> FetchItem:
    return parse_section(cursor, peek=True)


@fetch_item("RFC822")
def _rfc822(cursor: Cursor) -> FetchItem:
    return BodySection((), "ALL", (), None, False, b"RFC822")


@fetch_item("RFC822.HEADER")
def _rfc822_header(cursor: Cursor) -> FetchItem:
    # rfc3501#6.4.5: equal to BODY.PEEK[HEADER], so \Seen stays as it is.
    return BodySection((), "HEADER", (), None, True, b"RFC822.HEADER")


@fetch_item("RFC822.TEXT")
def _rfc822_text(cursor: Cursor) -> FetchItem:
    return BodySection((), "TEXT", (), None, False, b"RFC822.TEXT")


@fetch_item("BINARY")
def _binary(cursor: Cursor) -> FetchItem:
    return _parse_binary(cursor, peek=False)


@fetch_item("BINARY.PEEK")
def _binary_peek(cursor: Cursor) -> FetchItem:
    return _parse_binary(cursor, peek=True)


@fetch_item("BINARY.SIZE")
def _binary_size(cursor: Cursor) -> FetchItem:
    cursor.expect(b"[")
    path = _parse_path(cursor)
    cursor.expect(b"]")
    return BinarySize(path, b"BINARY.SIZE[%b]" % _print_path(path))


def _parse_binary(cursor: Cursor, *, peek: bool) -> BinaryPart:
    cursor.expect(b"[")
    path = _parse_path(cursor)
    cursor.expect(b"]")
    partial = _parse_partial(cursor)
    return BinaryPart(path, partial, peek, b"BINARY[%b]%b" % (_print_path(path), _origin(partial)))


def parse_section(cursor: Cursor, *, peek: bool) -> BodySection:
    """Read ``[section]<partial>`` (RFC 9051 section 9, ``section``; also for URLs)."""
    cursor.expect(b"[")
    path = _parse_path(cursor)
    text: SectionText = "ALL"
    names: list[bytes] = []
    if cursor.peek() != b"]":
        if path:
            cursor.expect(b".")
        text = _parse_section_text(cursor, path)
        if text in ("HEADER.FIELDS", "HEADER.FIELDS.NOT"):
            cursor.space()
            names = cursor.list_of(lambda: _parse_field(cursor), limit=MAX_FIELDS)
    cursor.expect(b"]")
    partial = _parse_partial(cursor)
    spec = [_print_path(path)] if path else []
    spec += [text.encode("ascii")] if text != "ALL" else []
    fields = b" (%b)" % b" ".join(map(astring, names)) if names else b""
    label = b"BODY[%b%b]%b" % (b".".join(spec), fields, _origin(partial))
    return BodySection(path, text, tuple(n.upper() for n in names), partial, peek, label)


def _parse_section_text(cursor: Cursor, path: tuple[int, ...]) -> SectionText:
    text = _SECTION_TEXTS.get(cursor.match(_NAME, "section")[0].upper())
    if text is None:
        raise BadSyntax("Unknown section")
    if text == "MIME" and not path:  # rfc9051#6.4.5.1
        raise BadSyntax("MIME needs a part number")
    return text


def _parse_field(cursor: Cursor) -> bytes:
    name = cursor.astring()
    if not _FIELD.fullmatch(name):
        raise BadSyntax("Invalid header field name")
    return name


def _parse_path(cursor: Cursor) -> tuple[int, ...]:
    if not cursor.peek().isdigit():
        return ()
    numbers = cursor.match(_NUMBERS, "part number")[0]
    if numbers.count(b".") >= MAX_PART_DEPTH:
        raise BadSyntax("Part number too deep")
    return tuple(map(int, numbers.split(b".")))


def _parse_partial(cursor: Cursor) -> tuple[int, int] | None:
    if cursor.peek() != b"<":
        return None
    match = cursor.match(_PARTIAL, "partial range")
    offset, count = int(match[1]), int(match[2])
    if offset > MAX_NUMBER64 or not 0 < count <= MAX_NUMBER64:
        raise BadSyntax("Invalid partial range")
    return offset, count


def _print_path(path: tuple[int, ...]) -> bytes:
    return b".".join([b"%d" % number for number in path])


def _origin(partial: tuple[int, int] | None) -> bytes:
    return b"<%d>" % partial[0] if partial else b""
