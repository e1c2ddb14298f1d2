"""METADATA (RFC 5464) and LIST-METADATA (RFC 9590): annotations of mailboxes and of the account.

Those under /private are each account's own, those under /shared belong to the mailbox. "Server"
annotations (of the mailbox "") are the account's own; /shared ones are not set by clients there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.commands.basic import ENABLE_HOOKS, ENABLEABLE
from folkmoot.protocols.imap.cursor import MAX_NUMBER, BadSyntax, Cursor
from folkmoot.protocols.imap.frames import MemorySink
from folkmoot.protocols.imap.list_args import LIST_RETURNS
from folkmoot.protocols.imap.listing import list_data
from folkmoot.protocols.imap.metadata_watch import MetadataWatch
from folkmoot.protocols.imap.registry import OK, Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.errors import InvalidName, LimitReached, TooLarge
from folkmoot.storage.types import Annotation, AnnotationQuery, MailboxInfo, Right

capability("METADATA", signed_in)  # rfc5464#4.2
capability("LIST-METADATA", signed_in)  # rfc9590#3
ENABLEABLE["METADATA"] = "METADATA"

MAX_ENTRIES: Final = 100  # of one command
MAX_ENTRY: Final = 256  # octets of a name
MAX_VALUE: Final = 64 * 1024  # octets, as the store has it

# Looks ahead: matches nothing, so that the cursor stays.
_OPTIONS: Final = re.compile(rb"(?=\((?:MAXSIZE|DEPTH) )", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GetArgs:
    """What GETMETADATA is given; values longer than ``max_size`` are left out."""

    mailbox: str
    query: AnnotationQuery
    max_size: int | None


@dataclass(frozen=True, slots=True)
class SetArgs:
    """What SETMETADATA is given; a value of None removes."""

    mailbox: str
    changes: tuple[Annotation, ...]


# --- grammar ---------------------------------------------------------------------------------


def _mailbox(cursor: Cursor) -> str:
    """A mailbox name, or "" for the account. # rfc5464#4.1"""
    if cursor.accept(b'""'):
        return ""
    return cursor.mailbox()


def _entry(cursor: Cursor) -> str:
    """The name of an annotation, in lower case."""
    name = cursor.astring()
    if not name.startswith(b"/") or not name.isascii() or len(name) > MAX_ENTRY:
        raise BadSyntax("Invalid annotation name")
    if b"*" in name or b"%" in name or b"//" in name or (name.endswith(b"/") and len(name) > 1):
        raise BadSyntax("Invalid annotation name")  # rfc5464#3.2
    return name.decode("ascii").lower()


def _entries(cursor: Cursor) -> tuple[str, ...]:
    if cursor.peek() == b"(":
        return tuple(cursor.list_of(lambda: _entry(cursor), limit=MAX_ENTRIES))
    return (_entry(cursor),)


class _Options:
    """MAXSIZE and DEPTH, which clients send before the mailbox (the grammar) or behind it (the
    examples of RFC 5464 section 4.2)."""

    def __init__(self) -> None:
        self.max_size: int | None = None
        self.depth: int | None = 0

    def read(self, cursor: Cursor) -> None:
        def option() -> None:
            name = cursor.keyword()
            cursor.space()
            if name == "MAXSIZE":
                self.max_size = cursor.number(0, MAX_NUMBER)
            elif name == "DEPTH":
                word = cursor.keyword()
                if word not in ("0", "1", "INFINITY"):
                    raise BadSyntax("DEPTH is 0, 1 or infinity")
                self.depth = None if word == "INFINITY" else int(word)
            else:
                raise BadSyntax("Unknown GETMETADATA option")

        cursor.list_of(option, limit=4)
        cursor.space()


def _has_options(cursor: Cursor) -> bool:
    """Whether a list of options comes next, and not one of entries. Does not move."""
    try:
        cursor.match(_OPTIONS, "options")
    except BadSyntax:
        return False
    return True


def parse_get(cursor: Cursor) -> GetArgs:
    """Read all arguments of GETMETADATA."""
    options = _Options()
    cursor.space()
    if cursor.peek() == b"(":
        options.read(cursor)
    mailbox = _mailbox(cursor)
    cursor.space()
    if _has_options(cursor):
        options.read(cursor)
    entries = _entries(cursor)
    while cursor.more():  # rfc5464#4.4.1: an example has them without parentheses
        if len(entries) >= MAX_ENTRIES:
            raise BadSyntax("Too many entries")
        entries += (_entry(cursor),)
    return GetArgs(mailbox, AnnotationQuery(entries, options.depth), options.max_size)


def parse_set(cursor: Cursor) -> SetArgs:
    """Read all arguments of SETMETADATA. # rfc5464#5"""

    def change() -> Annotation:
        entry = _entry(cursor)
        cursor.space()
        return Annotation(entry, _value(cursor))

    cursor.space()
    mailbox = _mailbox(cursor)
    cursor.space()
    changes = cursor.list_of(change, limit=MAX_ENTRIES)
    cursor.end()
    return SetArgs(mailbox, tuple(changes))


def _value(cursor: Cursor) -> bytes | None:
    """NIL, a string, or a literal8, which may hold NUL."""
    if cursor.peek() != b"{":
        return cursor.nstring()
    literal = cursor.literal()
    if not isinstance(literal.sink, MemorySink):
        raise BadSyntax("Literal not allowed here")
    return literal.sink.value


# --- commands --------------------------------------------------------------------------------


@command(
    "GETMETADATA",
    State.SIGNED_IN,
    parse_get,
    example=b"GETMETADATA (MAXSIZE 1024 DEPTH 1) INBOX (/shared/comment /private/comment)",
    extension="METADATA",
)
async def get_metadata(session: Session, arguments: GetArgs) -> Reply:
    """RFC 5464 section 4.2."""
    stored = await session.workspace.annotations(arguments.mailbox, arguments.query)
    found = with_missing(stored, arguments.query)
    limit = arguments.max_size
    fitting = [a for a in found if limit is None or len(a.value or b"") <= limit]
    longest = max([len(a.value or b"") for a in found], default=0)
    if fitting:
        session.wire.send(_response(arguments.mailbox, fitting, utf8=session.utf8))
        await session.wire.drain()
    # rfc5464#4.2.1
    too_long = limit is not None and longest > limit
    return Reply(None, f"METADATA LONGENTRIES {longest}" if too_long else None)


@command(
    "SETMETADATA",
    State.SIGNED_IN,
    parse_set,
    example=b'SETMETADATA INBOX (/private/comment "mine" /shared/comment NIL)',
    extension="METADATA",
)
async def set_metadata(session: Session, arguments: SetArgs) -> Reply:
    """RFC 5464 section 4.3: all of them or none."""
    try:
        modseq = await session.workspace.annotate(arguments.mailbox, arguments.changes)
    except TooLarge as error:
        return Reply(error.text, f"METADATA MAXSIZE {MAX_VALUE}", "NO")
    except LimitReached as error:
        return Reply(error.text, "METADATA TOOMANY", "NO")
    except InvalidName as error:
        return Reply(error.text, None, "NO")
    MetadataWatch.of(session).caused(modseq)
    return OK


def _response(mailbox: str, annotations: Sequence[Annotation], *, utf8: bool) -> bytes:
    """``* METADATA name (entry value …)``. # rfc5464#4.4.1"""
    name = encoder.mailbox_name(mailbox, utf8)
    values = [
        b"%b %b" % (encoder.astring(annotation.entry.encode()), _printed(annotation.value))
        for annotation in annotations
    ]
    return encoder.data(b"METADATA", name, b"(%b)" % b" ".join(values))


def _printed(value: bytes | None) -> bytes:
    return encoder.literal8(value) if value and b"\0" in value else encoder.nstring(value)


def with_missing(found: Sequence[Annotation], query: AnnotationQuery) -> list[Annotation]:
    """What was found and, as NIL, what was asked for by its whole name and is not there."""
    there = {annotation.entry for annotation in found}
    missing = [] if query.depth != 0 else [name for name in query.entries if name not in there]
    return [*found, *[Annotation(name, None) for name in missing]]


async def _watch(session: Session) -> None:
    """ENABLE METADATA asks for word of all changes by others. # rfc5464#4.1"""
    await MetadataWatch.of(session).start("ENABLE", lambda name: True)


ENABLE_HOOKS["METADATA"] = _watch


# --- LIST … RETURN (METADATA (…)) ------------------------------------------------------------


@LIST_RETURNS.register("METADATA")
def _list_metadata(cursor: Cursor) -> AnnotationQuery:
    options = _Options()
    cursor.space()
    if _has_options(cursor):
        options.read(cursor)
    return AnnotationQuery(_entries(cursor), options.depth)


@list_data("METADATA")  # rfc9590#3
def _listed(info: MailboxInfo, value: object, utf8: bool) -> list[bytes]:
    assert isinstance(value, AnnotationQuery)
    annotations = with_missing(info.annotations, value)
    if not annotations or Right.READ not in info.rights:
        return []
    return [_response(info.name, annotations, utf8=utf8)]
