"""XML that clients send, read with everything off that a hostile one could use.

No document types (so no entities), no network, bounded size, depth and number of elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Protocol

from lxml import etree

from folkmoot.protocols.http.errors import Refused


class Element(Protocol):
    """What is used of lxml's elements. ``tag`` is no text for comments and the like."""

    tag: str
    text: str | None
    tail: str | None

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Element]: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        """An attribute."""

    def set(self, name: str, value: str) -> None:
        """Give an attribute a value."""

    def itertext(self) -> Iterator[str]:
        """The texts in it, in their order."""
        ...

    def iterancestors(self) -> Iterator[Element]:
        """What it stands in, from the inside out."""
        ...

    def remove(self, child: Element) -> None:
        """Take a child out."""

    def getroottree(self) -> Any:
        """The whole document."""


MAX_DEPTH: Final = 100
MAX_ELEMENTS: Final = 60_000
#: Octets before the root element.
MAX_PROLOG: Final = 1 << 14

_PIECE: Final = 1 << 14
_PROLOG = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml(?P<declaration>[^>]{0,200})\?>)?"
    rb"(?:\s+|<!--(?:[^-]|-(?!->))*-->|<\?(?!xml\s)(?:[^?]|\?(?!>))*\?>)*"
)
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS: Final = ("utf-8", "us-ascii", "iso-8859-1", "windows-1252")


def parse(body: bytes) -> Element:
    """The root element of a body.

    Raises ``Refused`` (400) for what is no well-formed XML, declares a document type or is larger
    or deeper than ``MAX_ELEMENTS`` and ``MAX_DEPTH``.
    """
    body = _ascii_compatible(body)
    prolog = _PROLOG.match(body, 0, MAX_PROLOG)
    assert prolog is not None  # it may be empty
    if prolog.end() == MAX_PROLOG or body[prolog.end() : prolog.end() + 2] == b"<?":
        raise Refused(400, "There is too much before the root element.")
    declared = _ENCODING.search(prolog["declaration"] or b"")
    if declared is not None and declared[1].decode().lower() not in _ENCODINGS:
        raise Refused(400, "This encoding of XML is not understood.")
    if body[prolog.end() : prolog.end() + 2] == b"<!":
        raise Refused(400, "Document types are not allowed in requests.")
    try:
        return _bounded(body)
    except etree.XMLSyntaxError:
        raise Refused(400, "The body is not well-formed XML.") from None


def _ascii_compatible(body: bytes) -> bytes:
    """UTF-16 becomes UTF-8; anything else stays. Raises ``Refused`` 400 for what is neither."""
    if body[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        if b"\0" in body[:8]:  # UTF-16 or UTF-32 that does not say so: nothing below could read it
            raise Refused(400, "This encoding of XML is not understood.")
        return body
    try:
        text = body.decode("utf-16")
    except UnicodeDecodeError:
        raise Refused(400, "The body is not well-formed XML.") from None
    return re.sub(r"\A<\?xml[^>]{0,200}\?>", "", text).encode("utf-8", "replace")


def _bounded(body: bytes) -> Element:
    parser = etree.XMLPullParser(
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    depth = count = 0
    for start in range(0, len(body), _PIECE):
        parser.feed(body[start : start + _PIECE])
        for event, _ in parser.read_events():
            if event == "end":
                depth -= 1
                continue
            depth += 1
            count += 1
            if depth > MAX_DEPTH or count > MAX_ELEMENTS:
                raise Refused(400, "The body is too deep or has too many elements.")
    root: Element = parser.close()
    if root.getroottree().docinfo.doctype:
        raise Refused(400, "Document types are not allowed in requests.")
    return root


def children(parent: Element) -> Iterator[Element]:
    """Child elements, without anything else that may stand between them."""
    for child in parent:
        if isinstance(child.tag, str):
            yield child


def child(parent: Element, name: str) -> Element | None:
    """The first child element of a name."""
    return next((found for found in children(parent) if found.tag == name), None)


def text(found: Element | None) -> str:
    """The text of an element and all below it; "" of None."""
    if found is None:
        return ""
    if not len(found):
        return found.text or ""
    return "".join(str(piece) for piece in found.itertext())
