"""Conditions of requests: the If header (RFC 4918 section 10.4) and those of RFC 9110 section 13.

For writes they become a ``Guard``, which the store judges in the moment of the write; for reads
they are judged here.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Final

from folkmoot.protocols.dav.dates import parse_http_date
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.synctoken import token_state
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.storage.types_tree import Guard, IfCondition, IfList, Item, TreePath

MAX_CONDITIONS: Final = 200
#: An entity tag that no item has; what a weak tag becomes where only strong ones compare.
NO_TAG: Final = "-"

# Evolution escapes the quotes of a tag that it was given.
_TAG = re.compile(r'\s*(W/)?(?:\\?"((?:[^"\\]|\\(?!"|$))*)\\?"|([^\s,"]+))\s*(?:,|$)')
_IF_TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|<(?P<uri>[^<>\s]+)>
    |\[\s*(?P<weak>W/)?(?:"(?P<tag>[^"\]]*)"|(?P<bare>[^"\]\s]+))\s*\]|(?P<not>[Nn][Oo][Tt])\b)""",
    re.VERBOSE,
)

Locate = Callable[[str], TreePath | None]


class Read(enum.Enum):
    """What the conditions of a GET come to."""

    SEND = enum.auto()
    NOT_MODIFIED = enum.auto()
    FAILED = enum.auto()


def guard(exchange: Exchange, path: TreePath, locate: Locate) -> Guard:
    """All conditions of a write. ``locate`` finds resources named in If; None for others'.

    Raises ``DavError`` 400 for an If header against its grammar.
    """
    lists = parse_if(exchange.header("If"), path, locate)
    tokens = frozenset(
        condition.token
        for entry in lists
        for condition in entry.conditions
        if condition.token  # "Not" too: a token is submitted wherever it stands # rfc4918#10.4.1
    )
    return Guard(
        match=parse_tags(exchange.header("If-Match")),
        none_match=parse_tags(exchange.header("If-None-Match")),
        unmodified_since=_unmodified_since(exchange),
        lists=tuple(lists),
        tokens=tokens,
        schedule_tag=_schedule_tag(exchange.header("If-Schedule-Tag-Match")),  # rfc6638#8.3
    )


def _unmodified_since(exchange: Exchange) -> int | None:
    """Without effect beside If-Match, and when it is no date. # rfc9110#13.1.4"""
    header = exchange.header("If-Unmodified-Since")
    if header is None or exchange.header("If-Match") is not None:
        return None
    return parse_http_date(header)


def _schedule_tag(header: str | None) -> str | None:
    # iOS sends an empty field, which is to match what has no tag. # rfc6638#3.2.10
    return None if header is None else header.strip().strip('\\"')


def parse_tags(header: str | None, *, weak: bool = False) -> tuple[str, ...] | None:
    """Entity tags without quotes, ("*",) for any; None without the header.

    Weak ones match nothing unless ``weak``. Raises ``DavError`` 400.
    """
    # rfc9110#8.8.3, rfc9110#13.1.1
    if header is None:
        return None
    header = header.strip()
    if header == "*":
        return ("*",)
    tags: list[str] = []
    position = 0
    while position < len(header):
        match = _TAG.match(header, position)
        if match is None or len(tags) >= MAX_CONDITIONS:
            raise DavError(400, text="The entity tags of the request cannot be read.")
        tag = match[2] if match[2] is not None else match[3]
        tags.append(NO_TAG if match[1] and not weak else tag)
        position = match.end()
    return tuple(tags)


def parse_if(header: str | None, path: TreePath, locate: Locate) -> list[IfList]:
    """The lists of an If header, those without a tag for ``path``. # rfc4918#10.4.2"""
    if header is None:
        return []
    tokens = _tokens(header)
    lists: list[IfList] = []
    target: TreePath | None = path
    tagged: bool | None = None
    position = count = 0
    while position < len(tokens):
        kind, value = tokens[position]
        if kind == "uri" and (tagged is not False):
            target, tagged = locate(value), True
            position += 1
            if position == len(tokens) or tokens[position][0] != "open":
                raise _bad_if()
        elif kind == "open":
            tagged = bool(tagged)
            conditions, position = _conditions(tokens, position + 1)
            count += len(conditions)
            lists.append(IfList(target, conditions))
        else:
            raise _bad_if()
        if count > MAX_CONDITIONS:
            raise _bad_if()
    if not lists:
        raise _bad_if()
    return lists


def _tokens(header: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    header = header.strip()
    position = 0
    while position < len(header):
        match = _IF_TOKEN.match(header, position)
        if match is None:
            raise _bad_if()
        position = match.end()
        if match["tag"] is not None or match["bare"] is not None:
            tag = match["tag"] if match["tag"] is not None else match["bare"]
            # rfc4918#10.4.4: compared strongly
            tokens.append(("etag", NO_TAG if match["weak"] else tag))
        else:
            kind = match.lastgroup or ""
            tokens.append((kind, match[kind]))
    return tokens


def _conditions(
    tokens: list[tuple[str, str]], position: int
) -> tuple[tuple[IfCondition, ...], int]:
    """The conditions up to ")", of which there is one at least, and where it goes on."""
    found: list[IfCondition] = []
    negated = False
    for index in range(position, len(tokens)):
        kind, value = tokens[index]
        if kind == "not" and not negated:
            negated = True
        elif kind == "uri":
            state = token_state(value)  # rfc6578#5
            token = "" if state is not None else value
            found.append(IfCondition(token=token, negated=negated, state=state))
            negated = False
        elif kind == "etag":
            found.append(IfCondition(etag=value, negated=negated))
            negated = False
        elif kind == "close" and found and not negated:
            return tuple(found), index + 1
        else:
            raise _bad_if()
    raise _bad_if()


def _bad_if() -> DavError:
    return DavError(400, text="The If header cannot be read.")


# --- conditions of reads --------------------------------------------------------------------------


def judge_read(exchange: Exchange, item: Item) -> Read:
    """If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, in the order of
    RFC 9110 section 13.2.2."""
    match = parse_tags(exchange.header("If-Match"))
    if match is not None:
        if "*" not in match and item.etag not in match:
            return Read.FAILED
    else:
        since = _unmodified_since(exchange)
        if since is not None and item.modified > since:
            return Read.FAILED
    none_match = parse_tags(exchange.header("If-None-Match"), weak=True)
    if none_match is not None:
        if "*" in none_match or item.etag in none_match:
            return Read.NOT_MODIFIED
        return Read.SEND
    header = exchange.header("If-Modified-Since")
    since = parse_http_date(header) if header is not None else None
    if since is not None and item.modified <= since:
        return Read.NOT_MODIFIED
    return Read.SEND


def range_holds(exchange: Exchange, item: Item) -> bool:
    """Whether If-Range, when it is there, lets the range of the request count.

    # rfc9110#13.1.5
    """
    header = exchange.header("If-Range")
    if header is None:
        return True
    if header.lstrip().startswith(('"', "W/")):
        tags = parse_tags(header)
        return tags is not None and item.etag in tags
    return parse_http_date(header) == item.modified
