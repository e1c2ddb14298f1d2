"""What DAV clients send: XML, queries in it, conditions, ranges, URLs."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any

from lxml import etree

from folkmoot.protocols.caldav.data import DataAsked as CalendarDataAsked
from folkmoot.protocols.caldav.filters import filter_of as calendar_filter
from folkmoot.protocols.caldav.times import zone_asked
from folkmoot.protocols.carddav.accept import version_wanted
from folkmoot.protocols.carddav.data import DataAsked as CardDataAsked
from folkmoot.protocols.carddav.filters import filter_of as card_filter
from folkmoot.protocols.dav import xml
from folkmoot.protocols.dav.basicsearch import parse_order, parse_where
from folkmoot.protocols.dav.conditions import parse_if, parse_tags
from folkmoot.protocols.dav.dates import http_date, iso_date, parse_date
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.names import DECLARATIONS, element, escape, printable, text_element
from folkmoot.protocols.dav.ranges import parse_ranges
from folkmoot.protocols.dav.synctoken import parse_sync_token, sync_token, token_state
from folkmoot.protocols.http import xml as bodies
from folkmoot.protocols.http.errors import Refused
from folkmoot.protocols.http.target import (
    BadTarget,
    OtherHost,
    Target,
    parse_reference,
    parse_target,
    quoted,
)
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.filters import matches as calendar_matches
from folkmoot.storage.content.ical.intake import load_calendar
from folkmoot.storage.content.ical.query import narrow, simple
from folkmoot.storage.content.ical.zones import UTC
from folkmoot.storage.content.vcard.convert import partial
from folkmoot.storage.content.vcard.matching import matches as card_matches
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import TreePath
from tests.fuzz.target import target
from tests.fuzz.targets.calendars import _SEEDS as CALENDARS
from tests.fuzz.targets.cards import _SEEDS as CARDS
from tests.fuzz.test_dav_requests import BODIES, HEADERS

_SEEDS = tuple(
    body.encode() for bodies in BODIES.values() for body in bodies if body.startswith("<")
)
_WORDS = (
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>", b"&b;", b"&#0;", b"&#xD800;", b"&lt;", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?xml version=\"1.0\" encoding=\"",
    b"utf-7", b"UTF-16", b"\xff\xfe", b"\xfe\xff", b"<\0?\0", b"xmlns=\"\"", b"xmlns:D=\"DAV:\"", b"xml:lang=\"de\"", b" name=\"", b"\"",
    b"<C:prop-filter name=\"X\">", b"<C:is-not-defined/>", b"<C:text-match collation=\"i;octet\" negate-condition=\"yes\">", b"</C:text-match>",
    b"<C:time-range start=\"20260101T000000Z\"/>", b"<C:param-filter name=\"TZID\"/>", b"<C:expand start=\"20260101T000000Z\" end=\"20270101T000000Z\"/>",
    b"<D:and>", b"</D:and>", b"<D:not>", b"</D:not>", b"<D:literal>", b"%", b"_", b"\\", b"<D:prop>", b"</D:prop>", b"<D:getcontentlength/>",
)  # fmt: skip

_calendar = load_calendar(CALENDARS[0])
_PATH = TreePath(1, Tool.DOCUMENTS, ("x",))


class _Exchange:
    def header(self, name: str) -> str | None:
        return None


def _requests(root: Any) -> None:
    """Everything that looks into the body of some request."""
    request: Any = SimpleNamespace(exchange=_Exchange())
    zone = UTC
    try:
        zone = zone_asked(root, SimpleNamespace(properties={}))  # type: ignore[arg-type]
    except DavError as error:
        _told(error)
    for read in (
        lambda: _calendar_query(root),
        lambda: card_matches(CARDS[0], card_filter(root)),
        lambda: CalendarDataAsked(request, root).element(CALENDARS[0], zone),
        lambda: partial(CARDS[0], CardDataAsked(root)._props),
        lambda: xml.prop_names(bodies.child(root, "{DAV:}prop")),
        lambda: xml.hrefs(root, 100),
    ):
        try:
            read()
        except DavError as error:
            _told(error)
        except CalendarError as error:
            assert error.precondition == "max-instances"
    for inside in bodies.children(root):
        for search in (parse_where, parse_order):
            try:
                search(inside)
            except DavError as error:
                _told(error)


def _calendar_query(root: Any) -> None:
    asked = calendar_filter(root)
    narrow(asked)
    simple(asked)
    calendar_matches(_calendar, asked, UTC)


def _told(error: DavError) -> None:
    assert 400 <= error.status < 500
    assert (error.text or "").isprintable()


@target(_SEEDS, _WORDS)
def dav_xml(data: bytes) -> None:
    """A body is refused with 400, or is a tree without types and entities, and can be kept."""
    try:
        root = bodies.parse(data)
    except Refused as error:
        assert error.status == 400
        return
    tree: Any = root
    assert not tree.getroottree().docinfo.internalDTD
    assert not any(node.tag is etree.Entity for node in tree.iter())
    kept = xml.whole(root)
    assert len(kept) <= 40 * len(data) + 10_000
    again: Any = etree.fromstring(kept.encode())
    assert again.tag == root.tag
    assert bodies.text(again) == bodies.text(root)
    _requests(root)


def _locate(reference: str) -> TreePath | None:
    try:
        found = parse_reference(reference, "x.example")
    except (BadTarget, OtherHost):
        return None
    return TreePath(1, Tool.DOCUMENTS, found.path)


_FIELDS = tuple(value.encode("latin-1") for values in HEADERS.values() for value in values)


@target(
    (
        *_FIELDS,
        b'<http://x.example/a> (<urn:uuid:1> [W/"a"]) (Not <DAV:no-lock> ["b"])',
        b'text/vcard;version="4.0";q=0.5, */*',
    ),
    [
        b"(",
        b")",
        b"<",
        b">",
        b"[",
        b"]",
        b'"',
        b"W/",
        b"Not",
        b",",
        b"bytes=",
        b"-",
        b"0-",
        b"*",
        b'\\"',
        b"q=",
        b";",
        b"data:,1-1",
    ],
)
def dav_headers(data: bytes) -> None:
    """Conditions, ranges, dates and tokens of any octets are a value or 400."""
    field = data.decode("latin-1")
    for read in (
        lambda: parse_if(field, _PATH, _locate),
        lambda: parse_tags(field),
        lambda: parse_tags(field, weak=True),
    ):
        try:
            read()
        except DavError as error:
            assert error.status == 400
    for size in (0, 10):
        ranges = parse_ranges(field, size)
        assert ranges is None or len(ranges) <= 50
        assert ranges is None or all(0 <= first < last <= size for first, last in ranges)
    version_wanted(field)
    seconds = parse_date(field)
    if seconds is not None:
        assert abs(seconds) < 2**40
        iso_date(seconds)
        if 0 <= seconds < 250_000_000_000:
            assert parse_date(http_date(seconds)) == seconds
    state = token_state(field)
    if state is not None and state[0]:
        assert parse_sync_token(sync_token(*state), state[0]) == (state[1], 0)


@target(
    [
        b"/a/b%20c/?x=1",
        b"http://x.example/dav/%C3%A4",
        b"/dav/drive/My%20documents/x.txt",
        b"*",
        b"/%2e%2e/a",
        b"//a",
    ],
    [
        b"%2e",
        b"%2F",
        b"%00",
        b"..",
        b"/",
        b"//",
        b"#",
        b"?",
        b"%",
        b"http://",
        b"x.example",
        b"@",
        b":80",
        b"\\",
        b"%C0%AF",
        b"\xff",
    ],
)
def http_targets(data: bytes) -> None:
    """No name in a path leads out of its folder, and a path that is printed is read again."""
    read: list[Target] = []
    with contextlib.suppress(BadTarget):
        read.append(parse_target(data))
    with contextlib.suppress(BadTarget, OtherHost):
        read.append(parse_reference(data.decode("latin-1"), "x.example"))
    for found in read:
        for name in found.path:
            assert name not in ("", ".", "..")
            assert "/" not in name
            assert "\0" not in name
        printed = "/" + "/".join(map(quoted, found.path))
        assert "//" not in printed
        if len(printed) < 8192:
            assert parse_target(printed.encode("ascii")).path == found.path


@target(
    [b'a<b>&"c', b"\xef\xbf\xbe", "\u202e\u0085".encode()],
    [b"<", b"&", b'"', b"\0", b"\x0b", b"\xed\xa0\x80", b"]]>"],
)
def dav_printing(data: bytes) -> None:
    """Any text can stand in an answer, and comes out of it again."""
    text = (
        data.decode("utf-8", "surrogatepass")
        if data.isascii()
        else data.decode("latin-1") + "\udc80"
    )
    for tag in ("{DAV:}displayname", "{urn:x&y}y", "z"):
        written = f"<a{DECLARATIONS}>{text_element(tag, text)}{element(tag)}</a>"
        root: Any = etree.fromstring(written.encode("utf-8"))
        assert root[0].tag == tag
        assert (root[0].text or "") == printable(text).replace("\r\n", "\n").replace("\r", "\n")
    assert "<" not in escape(text)
