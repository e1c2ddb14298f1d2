"""Conditions and orders of DAV:basicsearch (RFC 5323 section 5).

Logic has three values: what a resource has no such property for is unknown, and what is unknown is
not found, whether the query says "not" or does not. # rfc5323#5.5.3
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from folkmoot.protocols.dav.dates import parse_date
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.resources import Node
from folkmoot.protocols.dav.xml import prop_names
from folkmoot.protocols.http.xml import Element, child, children, text
from folkmoot.storage.types_tree import Folder, Item

MAX_CONDITIONS: Final = 100
MAX_PATTERN: Final = 1_000  # characters of all patterns of a search

Value = str | int
Condition = Callable[[Node], bool | None]
Order = tuple[Callable[[Node], Value | None], bool]
"""What it is ordered by, and whether descending."""


def _thing(node: Node) -> Item | Folder | None:
    return node.item or node.folder


_NUMBERS: Final[dict[str, Callable[[Node], int | None]]] = {
    dav("getcontentlength"): lambda node: node.item.size if node.item else None,
    dav("getlastmodified"): lambda node: thing.modified if (thing := _thing(node)) else None,
    dav("creationdate"): lambda node: thing.created if (thing := _thing(node)) else None,
}
_TEXTS: Final[dict[str, Callable[[Node], str | None]]] = {
    dav("displayname"): lambda node: node.name,
    dav("getcontenttype"): lambda node: node.item.media_type if node.item else None,
    dav("getetag"): lambda node: f'"{node.item.etag}"' if node.item else None,
}
_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    dav("eq"): operator.eq,
    dav("lt"): operator.lt,
    dav("lte"): operator.le,
    dav("gt"): operator.gt,
    dav("gte"): operator.ge,
}


def parse_where(where: Element | None) -> Condition:
    """The condition in ``DAV:where``; without one, everything. Raises ``DavError`` 400, 422."""
    # rfc5323#5.5
    if where is None:
        return lambda node: True
    found = list(children(where))
    if len(found) != 1:
        raise DavError(400, text="where holds one condition.")
    return _condition(found[0], [MAX_CONDITIONS, MAX_PATTERN])


def parse_order(orderby: Element | None) -> list[Order]:
    """What results are ordered by, the most important first. Raises ``DavError`` 400, 422."""
    # rfc5323#5.6
    orders: list[Order] = []
    for entry in children(orderby) if orderby is not None else ():
        if entry.tag == dav("order"):
            orders.append((_property(entry), child(entry, dav("descending")) is not None))
    if len(orders) > 10:
        raise DavError(400, text="Too many orders.")
    return orders


def _condition(entry: Element, left: list[int]) -> Condition:
    """``left`` is how many conditions, and characters of patterns, there may still be."""
    left[0] -= 1
    if left[0] < 0:
        raise DavError(400, text="The search has too many conditions.")
    tag = str(entry.tag)
    if tag in (dav("and"), dav("or")):
        parts = [_condition(part, left) for part in children(entry)]
        return _all(parts) if tag == dav("and") else _any(parts)
    if tag == dav("not"):
        parts = [_condition(part, left) for part in children(entry)]
        if len(parts) != 1:
            raise DavError(400, text="not holds one condition.")
        return lambda node: None if (found := parts[0](node)) is None else not found
    if tag == dav("is-collection"):
        return lambda node: node.folder is not None
    if tag == dav("is-defined"):
        value = _property(entry)
        return lambda node: value(node) is not None
    if tag == dav("like"):
        return _like(entry, left)
    if tag in _COMPARISONS:
        return _comparison(entry, _COMPARISONS[tag])
    raise DavError(422, text="This kind of condition is not known here.")


def _all(parts: list[Condition]) -> Condition:
    def judge(node: Node) -> bool | None:
        found = [part(node) for part in parts]
        if False in found:
            return False
        return None if None in found else True

    return judge


def _any(parts: list[Condition]) -> Condition:
    def judge(node: Node) -> bool | None:
        found = [part(node) for part in parts]
        if True in found:
            return True
        return None if None in found else False

    return judge


def _comparison(entry: Element, compare: Callable[[Any, Any], bool]) -> Condition:
    value, literal = _property(entry), _literal(entry)
    name = prop_names(child(entry, dav("prop")))[0]
    if name in _NUMBERS:
        number = _number(name, literal)
        return lambda node: None if (found := value(node)) is None else compare(found, number)
    fold = _folding(entry)
    wanted = fold(literal)
    return lambda node: (
        None if (found := value(node)) is None else compare(fold(str(found)), wanted)
    )


def _like(entry: Element, left: list[int]) -> Condition:
    value, fold = _property(entry), _folding(entry)
    literal = fold(_literal(entry))
    left[1] -= len(literal)
    if left[1] < 0:
        raise DavError(400, text="The patterns are too long.")
    pattern = _pattern(literal)
    return lambda node: None if (found := value(node)) is None else like(fold(str(found)), pattern)


class Pattern(NamedTuple):
    """The pieces between the wildcards for any text, with their lengths."""

    pieces: tuple[tuple[re.Pattern[str], int], ...]


def _pattern(literal: str) -> Pattern:
    """ "%" is any text, "_" any character, a backslash takes their meaning. # rfc5323#5.15.1"""
    pieces: list[list[str]] = [[]]
    escaped = False
    for char in literal:
        if not escaped and char == "\\":
            escaped = True
            continue
        if not escaped and char == "%":
            pieces.append([])
        else:
            pieces[-1].append("." if not escaped and char == "_" else re.escape(char))
        escaped = False
    # What is empty in the middle ("%%") says nothing.
    kept = [pieces[0], *filter(None, pieces[1:-1]), *pieces[1:][-1:]]
    return Pattern(tuple((re.compile("".join(each), re.DOTALL), len(each)) for each in kept))


def like(value: str, pattern: Pattern) -> bool:
    """Whether a text fits a pattern. Each piece is looked for once, from where the last one ended:
    the leftmost place leaves the most for those behind it."""
    # rfc5323#5.15
    (first, at), *others = pattern.pieces
    if not others:
        return first.fullmatch(value) is not None
    if first.match(value) is None:
        return False
    *middle, (last, length) = others
    for piece, _ in middle:
        found = piece.search(value, at)
        if found is None:
            return False
        at = found.end()
    end = len(value) - length
    return end >= at and last.match(value, end) is not None


def _property(entry: Element) -> Callable[[Node], Value | None]:
    names = prop_names(child(entry, dav("prop")))
    if len(names) != 1:
        raise DavError(400, text="A condition names one property.")
    known: Callable[[Node], Value | None] | None = _NUMBERS.get(names[0]) or _TEXTS.get(names[0])
    if known is None:
        raise DavError(422, text="One cannot search by this property.")
    return known


def _literal(entry: Element) -> str:
    for name in ("literal", "typed-literal"):
        found = child(entry, dav(name))
        if found is not None:
            return text(found)
    raise DavError(400, text="A comparison lacks its literal.")


def _number(name: str, literal: str) -> int:
    literal = literal.strip()
    if name != dav("getcontentlength"):
        found = parse_date(literal)
    else:
        known = literal.isascii() and literal.isdigit() and len(literal) < 20
        found = int(literal) if known else None
    if found is None:
        raise DavError(400, text="A literal is no number or date.")
    return found


def _folding(entry: Element) -> Callable[[str], str]:
    # People search for names; who means capitals says caseless="no". # rfc5323#5.18
    return str if entry.get("caseless", "yes") == "no" else str.casefold
