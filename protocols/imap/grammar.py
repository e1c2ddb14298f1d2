"""Arguments of the other commands, as frozen dataclasses with a function that reads each.

Every ``parse_…`` starts behind the command's name, reads the space before the first argument and
goes to the command's end. FETCH, SEARCH and LIST have modules of their own: ``fetch_items``,
``search_keys``, ``list_args``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast
from typing import Literal as Either

from folkmoot.protocols.imap.cursor import (
    MAX_FLAGS,
    MAX_NUMBER64,
    BadSyntax,
    Cursor,
    unique_flags,
)
from folkmoot.protocols.imap.frames import Literal, Segment
from folkmoot.protocols.imap.options import OptionTable
from folkmoot.protocols.imap.sequence import SequenceSet, UidSet

MAX_PARTS: Final = 100  # of one message that CATENATE makes
MAX_ENABLE: Final = 100  # capabilities of one ENABLE
MAX_ID_PAIRS: Final = 30  # rfc2971#3.3, and the two below
MAX_ID_FIELD: Final = 30
MAX_ID_VALUE: Final = 1024

#: RFC 6154 section 2 and RFC 8457, in the spelling that the server prints.
SPECIAL_USES: Final = {
    use.lower(): use
    for use in (
        "\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash",
    )
}  # fmt: skip

# STORE


@dataclass(frozen=True, slots=True)
class StoreArgs:
    """What STORE and UID STORE are given (RFC 9051 section 6.4.6, RFC 7162 section 3.1.3)."""

    sequence: SequenceSet
    operation: Either["REPLACE", "ADD", "REMOVE"]
    silent: bool
    flags: tuple[str, ...]
    modifiers: Mapping[str, object]

    @property
    def unchanged_since(self) -> int | None:
        """Only messages whose mod-sequence is not higher, if given."""
        value = self.modifiers.get("UNCHANGEDSINCE")
        return value if isinstance(value, int) else None


STORE_MODIFIERS: Final = OptionTable("STORE modifier")
_STORE: Final = re.compile(rb"([+-]?)FLAGS(\.SILENT)?(?= )", re.IGNORECASE)
_OPERATIONS: Final[Mapping[bytes, Either["REPLACE", "ADD", "REMOVE"]]] = {
    b"": "REPLACE",
    b"+": "ADD",
    b"-": "REMOVE",
}


def parse_store(cursor: Cursor) -> StoreArgs:
    """Read the arguments of STORE; the flags may stand without parentheses."""
    cursor.space()
    sequence = cursor.sequence_set()
    cursor.space()
    modifiers: dict[str, object] = {}
    if cursor.peek() == b"(":
        modifiers = STORE_MODIFIERS.parse(cursor)
        cursor.space()
    match = cursor.match(_STORE, "FLAGS")
    cursor.space()
    flags = cursor.flag_list() if cursor.peek() == b"(" else _bare_flags(cursor)
    cursor.end()
    return StoreArgs(sequence, _OPERATIONS[match[1]], match[2] is not None, flags, modifiers)


@STORE_MODIFIERS.register("UNCHANGEDSINCE")
def _unchanged_since(cursor: Cursor) -> int:
    cursor.space()
    return cursor.number64()


def _bare_flags(cursor: Cursor) -> tuple[str, ...]:
    flags = [cursor.flag()]
    while cursor.more():
        if len(flags) >= MAX_FLAGS:
            raise BadSyntax("Too many flags")
        flags.append(cursor.flag())
    return unique_flags(flags)


# SELECT, EXAMINE


@dataclass(frozen=True, slots=True)
class QResync:
    """The QRESYNC parameter of SELECT (RFC 7162 section 3.2.5).

    `sequence_match` is (known message numbers, their UIDs), of equal length.
    """

    uidvalidity: int
    modseq: int
    known_uids: UidSet | None = None
    sequence_match: tuple[UidSet, UidSet] | None = None


@dataclass(frozen=True, slots=True)
class SelectArgs:
    """What SELECT and EXAMINE are given."""

    mailbox: str
    params: Mapping[str, object]

    @property
    def condstore(self) -> bool:
        """Whether the session asks for mod-sequences (RFC 7162 section 3.1.8)."""
        return "CONDSTORE" in self.params

    @property
    def qresync(self) -> QResync | None:
        """What the client knows of the mailbox already, if it said so."""
        return cast(QResync | None, self.params.get("QRESYNC"))


SELECT_PARAMS: Final = OptionTable("SELECT parameter")
SELECT_PARAMS.add("CONDSTORE")


def parse_select(cursor: Cursor) -> SelectArgs:
    """Read the arguments of SELECT or EXAMINE."""
    cursor.space()
    mailbox = cursor.mailbox()
    params = SELECT_PARAMS.parse(cursor) if cursor.more() else {}
    cursor.end()
    return SelectArgs(mailbox, params)


@SELECT_PARAMS.register("QRESYNC")
def _qresync(cursor: Cursor) -> QResync:
    cursor.space()
    cursor.expect(b"(")
    uidvalidity = cursor.nz_number()
    cursor.space()
    modseq = cursor.number(0, MAX_NUMBER64)
    known = match = None
    if cursor.skip_space() and cursor.peek().isdigit():
        known = uid_set(cursor)
        cursor.skip_space()
    if cursor.accept(b"("):
        numbers = uid_set(cursor)
        cursor.space()
        uids = uid_set(cursor)
        cursor.expect(b")")
        if len(numbers) != len(uids):
            raise BadSyntax("Known numbers and UIDs differ in length")
        match = (numbers, uids)
        cursor.skip_space()
    cursor.expect(b")")
    return QResync(uidvalidity, modseq, known, match)


def uid_set(cursor: Cursor) -> UidSet:
    """Read a sequence set without ``*`` and ``$``."""
    sequence = cursor.sequence_set()
    if sequence.saved or sequence.uses_star:
        raise BadSyntax("Expected numbers")
    return UidSet.from_ranges(sequence.parts)


# APPEND


@dataclass(frozen=True, slots=True)
class Url:
    """A part of a message that lies on the server already, as the client named it."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Catenation:
    """A message made of parts (RFC 4469). `size` counts the octets that came with the command,
    and one for each URL."""

    parts: tuple[Literal | Url, ...]

    @property
    def size(self) -> int:
        """0 when there is nothing in it for certain."""
        return sum(1 if isinstance(part, Url) else part.size for part in self.parts)


@dataclass(frozen=True, slots=True)
class AppendMessage:
    """One message of APPEND; a `body` of size 0 cancels (RFC 3502 section 6.3.11).

    `utf8` is true when the client marked it ``UTF8 (…)`` (RFC 6855 section 4).
    """

    flags: tuple[str, ...]
    date: datetime | None
    body: Literal | Catenation
    utf8: bool


@dataclass(frozen=True, slots=True)
class AppendArgs:
    """What APPEND is given: one message, or several (MULTIAPPEND, RFC 3502)."""

    mailbox: str
    messages: tuple[AppendMessage, ...]


def parse_append(cursor: Cursor) -> AppendArgs:
    """Read the arguments of APPEND. How many messages it may have is the framer's limit."""
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.space()
    messages = [parse_append_message(cursor)]
    while cursor.more():
        messages.append(parse_append_message(cursor))
    cursor.end()
    return AppendArgs(mailbox, tuple(messages))


def parse_append_message(cursor: Cursor) -> AppendMessage:
    """Read one message with its flags and its date (also for REPLACE)."""
    flags: tuple[str, ...] = ()
    date = None
    if cursor.peek() == b"(":
        flags = cursor.flag_list()
        cursor.space()
    if cursor.peek() == b'"':
        date = cursor.date_time()
        cursor.space()
    if cursor.accept_keyword("CATENATE"):
        cursor.space()
        parts = cursor.list_of(lambda: _cat_part(cursor), limit=MAX_PARTS)
        return AppendMessage(flags, date, Catenation(tuple(parts)), False)
    if cursor.accept_keyword("UTF8"):
        return AppendMessage(flags, date, _utf8_literal(cursor), True)
    return AppendMessage(flags, date, cursor.literal(), False)


def _utf8_literal(cursor: Cursor) -> Literal:
    """The rest of ``UTF8 (~{n}…)`` (RFC 6855 section 4)."""
    cursor.space()
    cursor.expect(b"(")
    body = cursor.literal()
    cursor.expect(b")")
    return body


def _cat_part(cursor: Cursor) -> Literal | Url:
    kind = cursor.keyword()
    if kind == "UTF8":
        return _utf8_literal(cursor)
    cursor.space()
    if kind == "TEXT":
        return cursor.literal()
    if kind == "URL":
        return Url(cursor.astring())
    raise BadSyntax("Expected TEXT or URL")


def append_mailbox(prefix: Sequence[Segment], *, utf8: bool = False) -> str | None:
    """The target if the literal that follows `prefix` is message data, else None.

    Of APPEND, REPLACE and UID REPLACE; for the framer's `on_literal`, which chooses where the
    octets go.
    """
    cursor = Cursor(prefix, utf8=utf8)
    try:
        cursor.tag()
        cursor.space()
        if cursor.accept_keyword("UID"):
            cursor.space()
        name = cursor.keyword()
        cursor.space()
        if name == "REPLACE":
            cursor.sequence_set()
            cursor.space()
        elif name != "APPEND":
            return None
        mailbox = cursor.mailbox()
    except BadSyntax:
        return None
    texts = b" ".join([part for part in prefix if isinstance(part, bytes)]).upper()
    # Of CATENATE, a literal may be a URL, which is no message data.
    is_url = texts.endswith((b"(URL ", b" URL ")) and b" CATENATE (" in texts
    return None if is_url else mailbox


# CREATE, ENABLE, ID


@dataclass(frozen=True, slots=True)
class CreateArgs:
    """What CREATE is given; `special_uses` as in :data:`SPECIAL_USES` where known (RFC 6154)."""

    mailbox: str
    params: Mapping[str, object]

    @property
    def special_uses(self) -> tuple[str, ...]:
        """The attributes of ``USE (…)``, empty without."""
        return cast(tuple[str, ...], self.params.get("USE", ()))


CREATE_PARAMS: Final = OptionTable("CREATE parameter")
_USE: Final = re.compile(rb"\\[A-Za-z0-9\-]{1,64}+")


def parse_create(cursor: Cursor) -> CreateArgs:
    """Read the arguments of CREATE."""
    cursor.space()
    mailbox = cursor.mailbox()
    params = CREATE_PARAMS.parse(cursor) if cursor.more() else {}
    cursor.end()
    return CreateArgs(mailbox, params)


@CREATE_PARAMS.register("USE")
def _use(cursor: Cursor) -> tuple[str, ...]:
    def attribute() -> str:
        name = cursor.match(_USE, "special use")[0].decode("ascii")
        return SPECIAL_USES.get(name.lower(), name)

    cursor.space()
    return tuple(dict.fromkeys(cursor.list_of(attribute, empty=True, limit=len(SPECIAL_USES))))


def parse_enable(cursor: Cursor) -> tuple[str, ...]:
    """Read the capabilities of ENABLE, in upper case (RFC 9051 section 6.3.1)."""
    cursor.space()
    names = [cursor.keyword()]
    while cursor.more():
        if len(names) >= MAX_ENABLE:
            raise BadSyntax("Too many capabilities")
        names.append(cursor.keyword())
    cursor.end()
    return tuple(dict.fromkeys(names))


def parse_id(cursor: Cursor) -> dict[bytes, bytes | None] | None:
    """Read the fields of ID (RFC 2971 section 3.1), lower-case names; None for NIL."""

    def pair() -> tuple[bytes, bytes | None]:
        field = cursor.string()
        cursor.space()
        value = cursor.nstring()
        if len(field) > MAX_ID_FIELD or len(value or b"") > MAX_ID_VALUE:
            raise BadSyntax("ID field too long")
        return field.lower(), value

    cursor.space()
    pairs = None if cursor.nil() else cursor.list_of(pair, empty=True, limit=MAX_ID_PAIRS)
    cursor.end()
    return None if pairs is None else dict(pairs)
