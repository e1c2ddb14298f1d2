"""What the DAV benchmarks ask, and how they see that they were answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from benchmarks.davdata import Span
from benchmarks.davload import Http
from benchmarks.load import Failed

CALDAV = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
CARDDAV = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"'
HEADERS = ["Content-Type: application/xml; charset=utf-8"]
FLAT = [*HEADERS, "Depth: 0"]
DEEP = [*HEADERS, "Depth: 1"]
ABOUT = (
    '<propfind xmlns="DAV:" xmlns:S="http://calendarserver.org/ns/"><prop><resourcetype/>'
    "<displayname/><S:getctag/><sync-token/></prop></propfind>"
)
LISTING = '<propfind xmlns="DAV:"><prop><getetag/><getcontenttype/></prop></propfind>'
FILE_LISTING = (
    '<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/>'
    "</prop></propfind>"
)
_TOKEN = re.compile(rb"<(?:\w+:)?sync-token[^>]*>([^<]+)<")
_RESPONSE = re.compile(rb"<(?:\w+:)?response[ />]")
_DATA = re.compile(rb"BEGIN:V(?:CALENDAR|CARD)")
EVENT_DATA = "<prop><getetag/><C:calendar-data/></prop>"
Check = Callable[[bytes], None]


def ask(
    client: Http,
    method: str,
    url: str,
    body: str,
    headers: Sequence[str],
    check: Check,
    expect: int = 207,
) -> float:
    """Ask, and look at the answer; the milliseconds until it had come. Raises ``Failed``."""
    answer = client.run(method, url, body.encode(), headers, (expect,))
    seconds = client.seconds
    check(answer)
    return seconds * 1000


def synced(client: Http, url: str, token: str, count: int) -> tuple[bytes, float]:
    """Sync; the answer, and how many milliseconds it took. Raises ``Failed``."""
    body = (
        f'<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token>'
        "<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
    )
    answer = client.run("REPORT", url, body.encode(), FLAT)
    seconds = client.seconds
    # Some tell of the collection itself too.
    found = len(_RESPONSE.findall(answer))
    if found not in (count, count + 1):
        raise Failed(f"sync-collection told of {found} instead of {count}")
    return answer, seconds * 1000


def events_multiget(urls: Iterable[str]) -> str:
    """Ask for these events with their data."""
    hrefs = "".join(f"<href>{url}</href>" for url in urls)
    return f"<C:calendar-multiget {CALDAV}>{EVENT_DATA}{hrefs}</C:calendar-multiget>"


def events_query(span: Span) -> str:
    """Ask for the events within a span with their data."""
    return (
        f'<C:calendar-query {CALDAV}>{EVENT_DATA}<C:filter><C:comp-filter name="VCALENDAR">'
        f'<C:comp-filter name="VEVENT">{time_range(span)}</C:comp-filter></C:comp-filter>'
        "</C:filter></C:calendar-query>"
    )


def token(answer: bytes) -> str:
    """The sync-token in an answer. Raises ``Failed``."""
    match = _TOKEN.search(answer)
    if match is None:
        raise Failed("no sync-token")
    return match[1].decode()


def time_range(span: Span) -> str:
    """The element for a span (RFC 4791 section 9.9)."""
    return f'<C:time-range start="{span[0]:%Y%m%dT%H%M%SZ}" end="{span[1]:%Y%m%dT%H%M%SZ}"/>'


def responses(count: int) -> Check:
    """Whether there are so many responses."""
    return lambda answer: _count(_RESPONSE, answer, count)


def datas(count: int) -> Check:
    """Whether there are so many events or contacts."""
    return lambda answer: _count(_DATA, answer, count)


def _count(pattern: re.Pattern[bytes], answer: bytes, wanted: int) -> None:
    found = len(pattern.findall(answer))
    if found != wanted:
        raise Failed(f"{found} instead of {wanted} in the answer")
