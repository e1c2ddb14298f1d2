"""GET and HEAD: octets of items, with ranges and conditions; a page for collections."""

from __future__ import annotations

import secrets
from html import escape

from folkmoot.protocols.dav.conditions import Read, judge_read, range_holds
from folkmoot.protocols.dav.dates import http_date, iso_date
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.paths import PrincipalPlace, Site, principal_href
from folkmoot.protocols.dav.quoting import quoted_path
from folkmoot.protocols.dav.ranges import Range, parse_ranges
from folkmoot.protocols.dav.registry import method
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource, member_node
from folkmoot.storage.content.source import FileSource
from folkmoot.storage.types import MessageBody
from folkmoot.storage.types_tree import Entry, Folder, Item

PIECE = 256 * 1024  # octets read from a file at a time
Fields = list[tuple[str, str]]


@method("HEAD", Kind.ITEM)
@method("GET", Kind.ITEM)
async def get(request: Request, resource: Resource) -> None:
    """The octets as they were stored. # rfc9110#9.3.1"""
    await answer_item(request, resource.item)


async def answer_item(request: Request, item: Item, more: Fields | None = None) -> None:
    """Answer a GET with the octets of an item; ``more`` are further fields."""
    exchange = request.exchange
    fields = item_fields(item) + (more or [])
    verdict = judge_read(exchange, item)
    if verdict is Read.FAILED:
        raise DavError(412)
    if verdict is Read.NOT_MODIFIED:
        await exchange.respond(304, fields)
        return
    fields += [("Content-Type", content_type(item)), ("Accept-Ranges", "bytes")]
    # What people store is theirs, not a page of this server: no script of it may run here.
    fields += [
        ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
        ("X-Content-Type-Options", "nosniff"),
        # Nor may a page of another site have it loaded with the password that a browser remembers.
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]
    ranges = None
    if exchange.method == "GET" and range_holds(exchange, item):
        ranges = parse_ranges(exchange.header("Range"), item.size)
    if ranges is None:
        await send_item(request, item, 200, fields)
    elif not ranges:
        raise DavError(416, fields=[("Content-Range", f"bytes */{item.size}")])
    elif len(ranges) == 1:
        [(start, end)] = ranges
        fields.append(("Content-Range", f"bytes {start}-{end - 1}/{item.size}"))
        await send_item(request, item, 206, fields, ranges[0])
    else:
        await _send_multipart(request, item, fields, ranges)


def item_fields(item: Item) -> Fields:
    """The validators of an item."""
    fields = [("ETag", f'"{item.etag}"'), ("Last-Modified", http_date(item.modified))]
    if item.schedule_tag:
        fields.append(("Schedule-Tag", f'"{item.schedule_tag}"'))  # rfc6638#3.2.10
    return fields


def content_type(item: Item) -> str:
    """The media type of an item as HTTP says it."""
    return item.media_type or "application/octet-stream"


async def octets_of(request: Request, item: Item) -> bytes:
    """All octets of an item that is small enough to be held in memory."""
    found = request.octets_of(item)
    if found is not None:
        return found
    body = await request.tree.body(item)
    if body.data is not None:
        return body.data
    source = await request.tree.open_body(body)
    try:
        return await _read(request, source, 0, item.size)
    finally:
        source.close()


async def send_item(
    request: Request, item: Item, status: int, fields: Fields, span: Range | None = None
) -> None:
    """An answer with the octets of an item, or with a range of them. # rfc9110#14.2"""
    exchange = request.exchange
    start, end = span or (0, item.size)
    if exchange.method == "HEAD":
        await exchange.start(status, fields, end - start)
    else:
        await _write(request, item, status, fields, end - start, [(b"", (start, end))])
    exchange.finish()


async def _send_multipart(
    request: Request, item: Item, fields: Fields, ranges: list[Range]
) -> None:
    """Several ranges, each with a head of its own. # rfc9110#14.6"""
    boundary = secrets.token_hex(16)
    parts: list[tuple[bytes, Range]] = []
    for start, end in ranges:
        head = (
            f"\r\n--{boundary}\r\nContent-Type: {content_type(item)}\r\n"
            f"Content-Range: bytes {start}-{end - 1}/{item.size}\r\n\r\n"
        )
        parts.append((head.encode("latin-1", "replace"), (start, end)))
    tail = f"\r\n--{boundary}--\r\n".encode()
    length = len(tail) + sum(len(head) + end - start for head, (start, end) in parts)
    fields = [pair for pair in fields if pair[0] != "Content-Type"]
    fields.append(("Content-Type", f"multipart/byteranges; boundary={boundary}"))
    await _write(request, item, 206, fields, length, parts)
    await request.exchange.write(tail)
    request.exchange.finish()


async def _write(
    request: Request,
    item: Item,
    status: int,
    fields: Fields,
    length: int,
    parts: list[tuple[bytes, Range]],
) -> None:
    """Begin the answer once the octets are at hand, and write each range behind its head."""
    data = request.octets_of(item)
    if data is None:
        body = await request.tree.body(item)
        data = body.data
        if data is None:
            await _write_file(request, body, status, fields, length, parts)
            return
    await request.exchange.start(status, fields, length)
    for head, (start, end) in parts:
        await request.exchange.write(head + data[start:end])


async def _write_file(
    request: Request,
    body: MessageBody,
    status: int,
    fields: Fields,
    length: int,
    parts: list[tuple[bytes, Range]],
) -> None:
    exchange = request.exchange
    source = await request.tree.open_body(body)
    try:
        await exchange.start(status, fields, length)
        for head, (start, end) in parts:
            await exchange.write(head)
            for position in range(start, end, PIECE):
                length = min(PIECE, end - position)
                await exchange.write(await _read(request, source, position, length))
    finally:
        source.close()


async def _read(request: Request, source: FileSource, start: int, length: int) -> bytes:
    piece = await request.tree.compute(lambda: source.read(start, length))
    if len(piece) < length:
        raise OSError("the file of a body is shorter than it was")
    return piece


# --- collections ----------------------------------------------------------------------------------

_HEAD = (
    "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><title>{title}</title>"
    "<meta name=viewport content='width=device-width'>"
    "<style>body{{font-family:sans-serif;margin:2em}}td{{padding:.2em 1em .2em 0}}</style></head>"
    "<body><h1>{title}</h1><table>\n"
)


@method("HEAD", Kind.COLLECTION)
@method("GET", Kind.COLLECTION)
async def get_collection(request: Request, resource: Resource) -> None:
    """A page that lists the members, for people who look with a browser. # rfc4918#9.4"""
    exchange, node = request.exchange, resource.node
    fields = [
        ("Content-Type", "text/html; charset=utf-8"),
        (
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    ]
    await exchange.start(200, fields)
    if exchange.method == "HEAD":
        exchange.finish()
        return
    page = _HEAD.format(title=escape(node.name or node.title))
    if node.href != "/":
        page += _row(node.href.rstrip("/").rpartition("/")[0] + "/", "..", "", "")
    await exchange.write((page + _leading(request, resource)).encode())
    if node.folder is not None:
        await _write_members(request, node, node.folder)
    await exchange.write(b"</table></body></html>\n")
    exchange.finish()


def _leading(request: Request, resource: Resource) -> str:
    """What a site leads to."""
    if resource.kind is not Kind.SITE:
        return ""
    rows = []
    for place in request.urls.members(request.exchange.path):
        if isinstance(place, Site):
            href, name = quoted_path(place.names, collection=True), place.names[-1]
        elif isinstance(place, PrincipalPlace):
            href = principal_href(place.space_id, of_group=place.of_group)
            name = str(place.space_id)
        else:
            href, name = request.urls.href(place), request.home_title(place)
        rows.append(_row(href, name, "", ""))
    return "".join(rows)


async def _write_members(request: Request, node: Node, folder: Folder) -> None:
    after: Folder | Item | None = None

    def render(entries: list[Entry]) -> tuple[str, Folder | Item | None]:
        rows = [_member(member_node(node.href, folder, entry)) for entry in entries]
        return "".join(rows), entries[-1].node if entries else None

    while True:
        text, after = await request.tree.entries(
            folder.id, render, after=after, limit=request.limits.page, properties=False
        )
        if after is None:
            return
        await request.exchange.write(text.encode("utf-8", "replace"))


def _member(node: Node) -> str:
    if node.item is not None:
        item = node.item
        return _row(node.href, node.name, f"{item.size:,}", iso_date(item.modified))
    return _row(node.href, f"{node.name}/", "", "")


def _row(href: str, name: str, size: str, when: str) -> str:
    cells = f"<td style='text-align:right'>{size}<td>{when}"
    return f"<tr><td><a href='{escape(href)}'>{escape(name)}</a>{cells}\n"
