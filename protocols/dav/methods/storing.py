"""What PUT, PATCH and POST have in common: judging first, storing, the answer."""

from __future__ import annotations

import dataclasses

from folkmoot.protocols.dav.dates import LATEST
from folkmoot.protocols.dav.methods.get import content_type, item_fields, send_item
from folkmoot.protocols.dav.request import Request
from folkmoot.storage.errors import TooLarge
from folkmoot.storage.types import BodySpool
from folkmoot.storage.types_tree import Guard, ItemTimes, Stored, TreePath

MAX_MEDIA_TYPE = 250  # characters


async def judge(request: Request, path: TreePath, size: int, guard: Guard) -> None:
    """Refuse before the body is sent what the store would refuse after it."""
    if size > request.limits.max_upload:
        raise TooLarge
    await request.tree.may_put(path, size, guard)


async def store(
    request: Request, path: TreePath, body: bytes | BodySpool, media_type: str, guard: Guard
) -> Stored:
    """Put a body; what was spooled is dropped when that fails."""
    try:
        return await request.tree.put(path, body, media_type, guard, times_of(request))
    finally:
        if not isinstance(body, bytes):
            body.discard()


async def answer(
    request: Request, stored: Stored, fields: list[tuple[str, str]] | None = None
) -> None:
    """201 or 204; with validators only when what was sent is what is stored. # rfc9110#9.3.4"""
    answered = list(fields or ())
    if not stored.changed:
        answered += item_fields(stored.item)
    elif stored.item.schedule_tag:
        # rfc6638#8.2
        answered.append(("Schedule-Tag", f'"{stored.item.schedule_tag}"'))
    if request.exchange.header("X-OC-MTime") is not None:
        answered.append(("X-OC-MTime", "accepted"))
    if request.prefers("return=representation"):
        await _represent(request, stored, answered)
        return
    await request.exchange.respond(201 if stored.created else 204, answered)


async def _represent(request: Request, stored: Stored, fields: list[tuple[str, str]]) -> None:
    """The octets as they are stored now, which saves a GET. # rfc8144#3"""
    location = dict(fields).get("Location") or request.exchange.raw_path
    answered = [pair for pair in fields if pair[0] not in ("ETag", "Last-Modified", "Schedule-Tag")]
    answered += [
        *item_fields(stored.item),
        ("Content-Type", content_type(stored.item)),
        ("Content-Location", location),
        ("Preference-Applied", "return=representation"),
    ]
    await send_item(request, stored.item, 201 if stored.created else 200, answered)


def still(guard: Guard, etag: str | None) -> Guard:
    """A guard that also asks that the item is as it was found (None: that it is not there)."""
    if etag is None:
        return dataclasses.replace(guard, none_match=("*",))
    if guard.match is not None and guard.match != ("*",) and etag not in guard.match:
        return guard  # fails by itself
    return dataclasses.replace(guard, match=(etag,))


def media_type_of(request: Request) -> str:
    """The media type that the client gives, "" without one."""
    text = (request.exchange.header("Content-Type") or "").strip()
    printable = all(" " <= char <= "~" for char in text)
    return text if printable and len(text) <= MAX_MEDIA_TYPE else ""


def times_of(request: Request) -> ItemTimes:
    """X-OC-MTime and X-OC-CTime: seconds since 1970, perhaps with a fraction."""
    return ItemTimes(_seconds(request, "X-OC-MTime"), _seconds(request, "X-OC-CTime"))


def _seconds(request: Request, name: str) -> int | None:
    text = request.exchange.header(name)
    if text is None:
        return None
    try:
        seconds = int(float(text))
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= LATEST else None
