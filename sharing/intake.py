"""What is computed from an item once, before its transaction, by the tool that it is for."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace

from folkmoot.storage.blobs.fs import Spool, digest
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.facts import CalendarFacts
from folkmoot.storage.content.ical.facts import facts_of as calendar_facts
from folkmoot.storage.content.ical.intake import read_calendar
from folkmoot.storage.content.ical.itip import read_message
from folkmoot.storage.content.ical.outline import busy, confidential
from folkmoot.storage.content.ical.tree import HARD_LIMITS
from folkmoot.storage.content.vcard.facts import facts_of as card_facts
from folkmoot.storage.content.vcard.intake import (
    CardError,
    CardLimits,
    MissingUid,
    read_card,
    with_uid,
)
from folkmoot.storage.errors import RuleBroken
from folkmoot.storage.types import BodySpool, Tool
from folkmoot.storage.types_tree import LONG, CalendarRow, CardRow, ItemContent, ItemTimes

FOREVER = 2**62


@dataclass(frozen=True, slots=True)
class ItemLimits:
    """Octets that an item of a calendar or an address book may have."""

    calendar: int = 1 << 20
    contacts: int = 1 << 20


def item_content(
    tool: Tool,
    body: bytes | BodySpool,
    media_type: str,
    times: ItemTimes,
    limits: ItemLimits,
) -> ItemContent:
    """An item as it is stored; for worker threads.

    Raises ``RuleBroken`` when a calendar or an address book cannot hold it, OSError when the disk
    is full.
    """
    if tool is Tool.CALENDAR:
        return calendar_content(_octets(body, limits.calendar), media_type)
    if tool is Tool.CONTACTS:
        return _contact(_octets(body, limits.contacts), media_type)
    if isinstance(body, bytes):
        return ItemContent(
            body,
            None,
            len(body),
            digest(body),
            media_type,
            modified=times.modified,
            created=times.created,
        )
    assert isinstance(body, Spool)
    size = body.size
    file, hashed = body.keep()
    return ItemContent(
        None, file, size, hashed, media_type, modified=times.modified, created=times.created
    )


def _octets(body: bytes | BodySpool, limit: int) -> bytes:
    size = len(body) if isinstance(body, bytes) else body.size
    if size > limit:
        raise RuleBroken("It is larger than such entries may be.", rule="max-resource-size")
    return body if isinstance(body, bytes) else body.read(0, size)


def calendar_content(octets: bytes, media_type: str, *, message_name: str = "") -> ItemContent:
    """A calendar object as it is stored. Raises ``RuleBroken``.

    ``message_name`` makes it a message of scheduling in an inbox: it has a METHOD, and is told
    from others about the same meeting by its name.
    """
    try:
        if message_name:
            _, found = read_message(octets, HARD_LIMITS)
        else:
            found = read_calendar(octets)
        facts = calendar_facts(found, around=int(time.time()))
    except CalendarError as error:
        raise RuleBroken(error.text, rule=error.precondition) from None
    row = calendar_row(facts)
    outline = confidential(found) if row.classification == "CONFIDENTIAL" else None
    row = replace(row, outline=outline, busy=None if message_name else busy(found))
    return ItemContent(
        octets,
        None,
        len(octets),
        digest(octets),
        media_type,
        component=facts.component,
        facts=replace(row, uid=message_name) if message_name else row,
    )


def calendar_row(facts: CalendarFacts) -> CalendarRow:
    """What is kept of a calendar object beside it."""
    last = FOREVER if facts.last is None else facts.last
    return CalendarRow(
        uid=facts.uid,
        component=facts.component,
        long=int(last - facts.first > LONG),
        first=facts.first,
        last=last,
        floating=int(facts.floating),
        covered_from=facts.covered_from,
        covered_until=facts.covered_until,
        spans=facts.spans,
        has_alarm=int(facts.has_alarm),
        organizer=facts.organizer,
        classification=facts.classification,
        text=facts.text,
    )


def _contact(octets: bytes, media_type: str) -> ItemContent:
    sent = octets
    try:
        try:
            card = read_card(octets, limits=CardLimits())
        except MissingUid:
            octets = with_uid(octets, f"urn:uuid:{uuid.uuid4()}")
            card = read_card(octets, limits=CardLimits())
        facts = card_facts(card)
    except CardError as error:
        raise RuleBroken(error.text, rule=error.precondition) from None
    return ItemContent(
        octets,
        None,
        len(octets),
        digest(octets),
        media_type,
        component=facts.kind,
        facts=CardRow(facts.uid, facts.text),
        changed=octets is not sent,
    )
