"""Arguments of LIST, LSUB and STATUS, and matching of names against patterns.

RFC 9051 sections 6.3.9 and 6.3.11; RFC 5258 (LIST-EXTENDED). An extension adds options with
``LIST_SELECTIONS.register``, ``LIST_RETURNS.register`` and status items with
``register_status_item``, each from its own module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.options import OptionTable

MAX_PATTERNS: Final = 100  # patterns of one LIST
MAX_PATTERN: Final = 1000  # characters of one pattern with its reference
MAX_WILDCARDS: Final = 100  # in all patterns of one LIST

LIST_SELECTIONS: Final = OptionTable("LIST selection option", repeatable=True)
LIST_SELECTIONS.add("SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE")
LIST_RETURNS: Final = OptionTable("LIST return option", repeatable=True)
LIST_RETURNS.add("SUBSCRIBED", "CHILDREN", "SPECIAL-USE")  # rfc9051#6.3.9.2, rfc6154#2

_STATUS_ITEMS: Final = {
    "MESSAGES",
    "RECENT",
    "UIDNEXT",
    "UIDVALIDITY",
    "UNSEEN",
    "DELETED",
    "SIZE",
    "HIGHESTMODSEQ",
    "APPENDLIMIT",
}


@dataclass(frozen=True, slots=True)
class ListArgs:
    """What LIST and LSUB are given.

    `selections` and `returns` are options by name with their values (True for those without an
    argument; ``returns["STATUS"]`` are item names). `extended` is true when the client used
    RFC 5258 syntax. An empty pattern asks for the delimiter only.
    """

    reference: str
    patterns: tuple[str, ...]
    selections: Mapping[str, object]
    returns: Mapping[str, object]
    extended: bool

    @property
    def status_items(self) -> tuple[str, ...]:
        """The items of ``RETURN (STATUS (…))`` (RFC 5819), empty without."""
        return cast(tuple[str, ...], self.returns.get("STATUS", ()))


@dataclass(frozen=True, slots=True)
class StatusArgs:
    """What STATUS is given: item names in upper case, without repeats."""

    mailbox: str
    items: tuple[str, ...]


def register_status_item(name: str) -> None:
    """Let clients ask for another status item (upper case)."""
    _STATUS_ITEMS.add(name)


def parse_list(cursor: Cursor) -> ListArgs:
    """Read all arguments of LIST, from the space before the first to the command's end."""
    cursor.space()
    selections: dict[str, object] = {}
    extended = cursor.peek() == b"("
    if extended:
        selections = LIST_SELECTIONS.parse(cursor, empty=True)
        # rfc9051#6.3.9.1: RECURSIVEMATCH only says how another option selects.
        if "RECURSIVEMATCH" in selections and not selections.keys() - {"RECURSIVEMATCH", "REMOTE"}:
            raise BadSyntax("RECURSIVEMATCH needs another selection option")
        cursor.space()
    reference = cursor.reference()
    cursor.space()
    if cursor.peek() == b"(":
        extended = True
        patterns = cursor.list_of(cursor.list_mailbox, limit=MAX_PATTERNS)
    else:
        patterns = [cursor.list_mailbox()]
    returns: dict[str, object] = {}
    if cursor.more():
        extended = True
        if not cursor.accept_keyword("RETURN"):
            raise BadSyntax("Expected RETURN")
        cursor.space()
        returns = LIST_RETURNS.parse(cursor, empty=True)
    cursor.end()
    _check_patterns(reference, patterns)
    return ListArgs(reference, tuple(patterns), selections, returns, extended)


def parse_lsub(cursor: Cursor) -> ListArgs:
    """Read all arguments of LSUB (RFC 3501 section 6.3.9)."""
    cursor.space()
    reference = cursor.reference()
    cursor.space()
    pattern = cursor.list_mailbox()
    cursor.end()
    _check_patterns(reference, [pattern])
    return ListArgs(reference, (pattern,), {}, {}, extended=False)


def parse_status(cursor: Cursor) -> StatusArgs:
    """Read all arguments of STATUS, from the space before the first to the command's end."""
    # rfc9051#6.3.11
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.space()
    items = parse_status_items(cursor)
    cursor.end()
    return StatusArgs(mailbox, items)


def parse_status_items(cursor: Cursor) -> tuple[str, ...]:
    """Read a list of status items in parentheses."""

    def item() -> str:
        name = cursor.keyword()
        if name not in _STATUS_ITEMS:
            raise BadSyntax("Unknown status item")
        return name

    return tuple(dict.fromkeys(cursor.list_of(item, limit=2 * len(_STATUS_ITEMS))))


@LIST_RETURNS.register("STATUS")
def _status(cursor: Cursor) -> tuple[str, ...]:
    cursor.space()
    return parse_status_items(cursor)


def _check_patterns(reference: str, patterns: list[str]) -> None:
    if any(len(reference) + len(pattern) > MAX_PATTERN for pattern in patterns):
        raise BadSyntax("Pattern too long")
    if sum(pattern.count("*") + pattern.count("%") for pattern in patterns) > MAX_WILDCARDS:
        raise BadSyntax("Too many wildcards")


# Matching.

_PIECES: Final = re.compile(r"[*%]+|[^*%]+")


class ListPattern:
    """A LIST pattern: ``*`` is any characters, ``%`` any but the delimiter.

    Matching walks the pattern once and keeps the places in the name where it can stand, so its
    cost is at most (parts of the pattern) x (length of the name), with no backtracking.
    """

    __slots__ = ("_delimiter", "_exact", "_folded")

    def __init__(self, pattern: str, delimiter: str = "/") -> None:
        self._delimiter = delimiter
        self._exact = _pieces(_inbox_upper(pattern, delimiter))
        self._folded = _pieces(pattern.upper())

    def matches(self, name: str) -> bool:
        """Whether the whole `name` matches. ``INBOX`` matches in any case (RFC 9051 5.1)."""
        if self._run(self._exact, name):
            return True
        return name == "INBOX" and self._run(self._folded, name)

    def _run(self, pieces: list[str], name: str) -> bool:
        places = [0]  # ascending
        for piece in pieces:
            if piece == "*":
                places = list(range(places[0], len(name) + 1))
            elif piece == "%":
                places = self._within_level(places, name)
            else:
                places = [at + len(piece) for at in places if name.startswith(piece, at)]
            if not places:
                return False
        return places[-1] == len(name)

    def _within_level(self, places: list[int], name: str) -> list[int]:
        reached: list[int] = []
        end = -1
        for at in places:
            if at <= end:
                continue  # reached from an earlier place of the same level
            end = name.find(self._delimiter, at)
            end = len(name) if end < 0 else end
            reached.extend(range(at, end + 1))
        return reached


def list_match(patterns: Iterable[str], name: str, delimiter: str = "/") -> bool:
    """Whether `name` matches any of `patterns`; for many names keep :class:`ListPattern`."""
    # rfc9051#6.3.9
    return any(ListPattern(pattern, delimiter).matches(name) for pattern in patterns)


def _pieces(pattern: str) -> list[str]:
    pieces = []
    for piece in _PIECES.findall(pattern):
        if piece[0] in "*%":
            # Neighbouring wildcards are one: the wider one.
            pieces.append("*" if "*" in piece else "%")
        else:
            pieces.append(piece)
    return pieces


def _inbox_upper(pattern: str, delimiter: str) -> str:
    """Spell a first level ``inbox`` as the server does."""
    first, rest = pattern[:5], pattern[5:]
    return "INBOX" + rest if first.upper() == "INBOX" and rest[:1] == delimiter else pattern
