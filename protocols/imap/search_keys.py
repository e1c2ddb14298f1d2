"""Arguments of SEARCH as a tree (RFC 9051 section 6.4.4, with the keys of RFC 3501).

An extension adds a key with ``@search_key("NAME")`` and a result option with
``SEARCH_RETURNS.register("NAME")``, each from its own module. The names of the tree's classes are
short; import the module under a name (``import search_keys as keys``) and write ``keys.And``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, cast

from folkmoot.protocols.imap.cursor import MAX_NUMBER64, BadSyntax, Cursor
from folkmoot.protocols.imap.options import OptionTable
from folkmoot.protocols.imap.sequence import SequenceSet

MAX_KEYS: Final = 1000  # keys of one SEARCH, at any depth

When = Literal["BEFORE", "ON", "SINCE"]
TextField = Literal["BCC", "BODY", "CC", "FROM", "SUBJECT", "TEXT", "TO"]


class SearchKey:
    """A node of the tree; extensions derive their own from it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class And(SearchKey):
    """All of `keys`."""

    keys: tuple[SearchKey, ...]


@dataclass(frozen=True, slots=True)
class Or(SearchKey):
    """Any of `keys` (two or more: chains of OR are one node)."""

    keys: tuple[SearchKey, ...]


@dataclass(frozen=True, slots=True)
class Not(SearchKey):
    """Not `key`."""

    key: SearchKey


@dataclass(frozen=True, slots=True)
class All(SearchKey):
    """Every message."""


@dataclass(frozen=True, slots=True)
class Flag(SearchKey):
    """Messages with `flag`, a system flag or keyword (compare without regard to case)."""

    flag: str


@dataclass(frozen=True, slots=True)
class Recent(SearchKey):
    """Messages that this session is the first to see (IMAP4rev1)."""


@dataclass(frozen=True, slots=True)
class Text(SearchKey):
    """Messages with the substring `value` (without regard to case) in an address or subject
    field, in the text (``BODY``), or in header and text (``TEXT``)."""

    where: TextField
    value: str


@dataclass(frozen=True, slots=True)
class Header(SearchKey):
    """Messages with the header `field` (upper case) that holds `value`; empty matches any."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Larger(SearchKey):
    """Messages of more than `octets`."""

    octets: int


@dataclass(frozen=True, slots=True)
class Smaller(SearchKey):
    """Messages of less than `octets`."""

    octets: int


@dataclass(frozen=True, slots=True)
class Day(SearchKey):
    """Messages by the day of their internal date, or of their Date field if `sent`.

    Time and zone are left out of account; ``SINCE`` takes in the day itself.
    """

    when: When
    day: date
    sent: bool


@dataclass(frozen=True, slots=True)
class Messages(SearchKey):
    """Messages by number, or by UID if `uid`."""

    numbers: SequenceSet
    uid: bool


@dataclass(frozen=True, slots=True)
class ModSeq(SearchKey):
    """Messages with a mod-sequence of `minimum` or more (RFC 7162 section 3.1.5).

    `entry` is the metadata item as sent (``/flags/\\Seen``) with its type, or None.
    """

    minimum: int
    entry: bytes | None = None
    entry_type: Literal["PRIV", "SHARED", "ALL"] | None = None


@dataclass(frozen=True, slots=True)
class SearchArgs:
    """What SEARCH and UID SEARCH are given.

    `returns` is None without ``RETURN``, else result options by name: ``MIN``, ``MAX``, ``ALL``,
    ``COUNT``, ``SAVE`` (value True) and those of extensions. ``RETURN ()`` is ``ALL``.
    """

    returns: Mapping[str, object] | None
    key: SearchKey


SEARCH_RETURNS: Final = OptionTable("search result option")
SEARCH_RETURNS.add("MIN", "MAX", "ALL", "COUNT", "SAVE")  # rfc9051#6.4.4

#: Charsets that a client may name, and Python's codec for each.
CODECS: Final[Mapping[str, str]] = {
    "US-ASCII": "ascii",
    "ASCII": "ascii",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    **{f"ISO-8859-{n}": f"iso8859-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    **{f"WINDOWS-{n}": f"cp{n}" for n in range(1250, 1259)},
    "KOI8-R": "koi8-r",
    "KOI8-U": "koi8-u",
    "GB2312": "gb2312",
    "GBK": "gbk",
    "GB18030": "gb18030",
    "BIG5": "big5",
    "EUC-JP": "euc-jp",
    "EUC-KR": "euc-kr",
    "ISO-2022-JP": "iso2022-jp",
    "SHIFT_JIS": "shift-jis",
}

KeyParser = Callable[["SearchParser"], SearchKey]
_KEYS: Final[dict[str, KeyParser]] = {}


def search_key(name: str) -> Callable[[KeyParser], KeyParser]:
    """Decorate the function that reads search key `name` (upper case), behind its name."""

    def keep(parser: KeyParser) -> KeyParser:
        if name in _KEYS:
            raise ValueError(f"search key {name} is registered already")
        _KEYS[name] = parser
        return parser

    return keep


def parse_search(cursor: Cursor) -> SearchArgs:
    """Read all arguments of SEARCH, from the space before the first to the command's end.

    BadSyntax with status NO and code BADCHARSET for a charset that is not in :data:`CODECS`.
    """
    # rfc9051#6.4.4
    cursor.space()
    return search_args(cursor)


def search_args(cursor: Cursor) -> SearchArgs:
    """Read arguments of SEARCH from the first on (also for ESEARCH)."""
    returns: dict[str, object] | None = None
    if cursor.accept_keyword("RETURN"):
        cursor.space()
        returns = parse_returns(cursor)
        cursor.space()
    codec = "utf-8"
    if cursor.accept_keyword("CHARSET"):
        cursor.space()
        codec = parse_charset(cursor)
        cursor.space()
    return SearchArgs(returns, parse_program(cursor, codec))


def parse_returns(cursor: Cursor) -> dict[str, object]:
    """Read a list of result options (also for SORT); an empty one asks for ALL."""
    returns = SEARCH_RETURNS.parse(cursor, empty=True) or {"ALL": True}
    if {"ALL", "PARTIAL"} <= returns.keys():  # rfc9394#3.1
        raise BadSyntax("ALL and PARTIAL exclude each other")
    return returns


def parse_charset(cursor: Cursor) -> str:
    """Read the name of a charset, to Python's codec for it (also for SORT and THREAD)."""
    codec = CODECS.get(cursor.astring().decode("ascii", "replace").upper())
    if codec is None:
        raise BadSyntax("Unknown charset", status="NO", code="BADCHARSET (US-ASCII UTF-8)")
    return codec


def parse_program(cursor: Cursor, codec: str) -> SearchKey:
    """Read search keys to the command's end (also for SORT and THREAD)."""
    parser = SearchParser(cursor, codec)
    keys = [parser.key()]
    while cursor.more():
        keys.append(parser.key())
    cursor.end()
    return keys[0] if len(keys) == 1 else And(tuple(keys))


class SearchParser:
    """Reads the keys of one command: its cursor, its charset, its count of keys."""

    __slots__ = ("_codec", "_count", "cursor")

    def __init__(self, cursor: Cursor, codec: str) -> None:
        self.cursor = cursor
        self._codec = codec
        self._count = 0

    def key(self) -> SearchKey:
        """One key, or several in parentheses."""
        self._count += 1
        if self._count > MAX_KEYS:
            raise BadSyntax("Too many search keys")
        following = self.cursor.peek()
        if following == b"(":
            keys = self.cursor.list_of(self.key)
            return keys[0] if len(keys) == 1 else And(tuple(keys))
        if following.isdigit() or following in (b"*", b"$"):
            return Messages(self.cursor.sequence_set(), uid=False)
        parser = _KEYS.get(self.cursor.keyword())
        if parser is None:
            raise BadSyntax("Unknown search key")
        return parser(self)

    def inner(self) -> SearchKey:
        """A space and one key, one level deeper: the argument of NOT and the like."""
        self.cursor.space()
        self.cursor.enter()
        key = self.key()
        self.cursor.leave()
        return key

    def text(self) -> str:
        """A space and a string in the command's charset."""
        self.cursor.space()
        try:
            return self.cursor.astring().decode(self._codec)
        except ValueError:
            raise BadSyntax("String does not fit its charset") from None


@search_key("ALL")
def _all(parser: SearchParser) -> SearchKey:
    return All()


@search_key("NOT")
def _not(parser: SearchParser) -> SearchKey:
    return Not(parser.inner())


@search_key("OR")
def _or(parser: SearchParser) -> SearchKey:
    # Clients write "OR a OR b OR c d" for long lists of alternatives: a loop, not a recursion.
    keys = [parser.inner()]
    while True:
        parser.cursor.space()
        if not parser.cursor.accept_keyword("OR"):
            keys.append(parser.key())
            return Or(tuple(keys))
        keys.append(parser.inner())


@search_key("UID")
def _uid(parser: SearchParser) -> SearchKey:
    parser.cursor.space()
    return Messages(parser.cursor.sequence_set(), uid=True)


@search_key("RECENT")
def _recent(parser: SearchParser) -> SearchKey:
    return Recent()


@search_key("OLD")
def _old(parser: SearchParser) -> SearchKey:
    return Not(Recent())


@search_key("NEW")
def _new(parser: SearchParser) -> SearchKey:
    return And((Recent(), Not(Flag("\\Seen"))))


@search_key("KEYWORD")
def _keyword(parser: SearchParser) -> SearchKey:
    parser.cursor.space()
    return Flag(parser.cursor.flag())


@search_key("UNKEYWORD")
def _unkeyword(parser: SearchParser) -> SearchKey:
    return Not(_keyword(parser))


@search_key("HEADER")
def _header(parser: SearchParser) -> SearchKey:
    parser.cursor.space()
    field = parser.cursor.astring()
    if not field.isascii():
        raise BadSyntax("Invalid header field name")
    return Header(field.decode("ascii").upper(), parser.text())


@search_key("LARGER")
def _larger(parser: SearchParser) -> SearchKey:
    parser.cursor.space()
    return Larger(parser.cursor.number64())


@search_key("SMALLER")
def _smaller(parser: SearchParser) -> SearchKey:
    parser.cursor.space()
    return Smaller(parser.cursor.number64())


@search_key("MODSEQ")
def _modseq(parser: SearchParser) -> SearchKey:
    cursor = parser.cursor
    cursor.space()
    entry = None
    entry_type = None
    if cursor.peek() == b'"':
        entry = cursor.quoted()
        cursor.space()
        entry_type = cursor.keyword()
        if entry_type not in ("PRIV", "SHARED", "ALL"):
            raise BadSyntax("Unknown metadata entry type")
        cursor.space()
    minimum = cursor.number(0, MAX_NUMBER64)
    return ModSeq(minimum, entry, cast(Literal["PRIV", "SHARED", "ALL"] | None, entry_type))


def _register_flags() -> None:
    for name in ("Answered", "Deleted", "Draft", "Flagged", "Seen"):
        present: SearchKey = Flag("\\" + name)
        for prefix, node in (("", present), ("UN", Not(present))):

            def read(parser: SearchParser, node: SearchKey = node) -> SearchKey:
                return node

            search_key(prefix + name.upper())(read)


def _register_texts() -> None:
    fields: tuple[TextField, ...] = ("BCC", "BODY", "CC", "FROM", "SUBJECT", "TEXT", "TO")
    for field in fields:

        def read(parser: SearchParser, where: TextField = field) -> SearchKey:
            return Text(where, parser.text())

        search_key(field)(read)


def _register_days() -> None:
    whens: tuple[When, ...] = ("BEFORE", "ON", "SINCE")
    for name in whens:
        for sent in (False, True):

            def read(parser: SearchParser, when: When = name, sent: bool = sent) -> SearchKey:
                parser.cursor.space()
                return Day(when, parser.cursor.date(), sent)

            search_key("SENT" + name if sent else name)(read)


_register_flags()
_register_texts()
_register_days()
