"""What a change of a meeting has to tell others: pure decisions (RFC 6638 section 3.2)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from folkmoot.storage.content.ical.diff import (
    answers,
    compare,
    is_allowed_to_attendee,
    with_answers_reset,
)
from folkmoot.storage.content.ical.facts import address
from folkmoot.storage.content.ical.intake import CalendarObject, load_calendar
from folkmoot.storage.content.ical.itip import cancel_for, reply_for, request_for
from folkmoot.storage.content.ical.merge import with_answers_of
from folkmoot.storage.content.ical.people import (
    agent_of,
    attendees_of,
    organizer_of,
)
from folkmoot.storage.content.ical.tree import serialize
from folkmoot.storage.errors import RuleBroken


@dataclass(slots=True)
class Outgoing:
    """Messages by the address (mailto:…) that they go to, in order, and whom they are from.

    ``stored`` is the object as it is to be stored; None where it is removed. ``scheduled`` says
    that it is an object of scheduling at all, which has a schedule tag.
    """

    stored: CalendarObject | None
    scheduled: bool = False
    sender: str = ""
    messages: list[tuple[str, bytes]] = field(default_factory=list)


def outgoing(
    old: CalendarObject | None,
    new: CalendarObject | None,
    mine: Collection[str],
    now: int,
    *,
    replies: bool = True,
    keep_answers: bool = False,
) -> Outgoing:
    """What follows from a change by somebody with these addresses (mailto:…); ``now`` is UTC.

    ``replies`` False is what Schedule-Reply: F asks for (RFC 6638 section 8.1); ``keep_answers``
    says that the client may not know the latest answers. Raises ``RuleBroken`` for what the roles
    do not allow.
    """
    if any(each is not None and each.component == "VFREEBUSY" for each in (old, new)):
        return Outgoing(new)
    if new is not None:
        _check_one_organizer(new)
    before = organizer_of(old) if old is not None else ""
    after = organizer_of(new) if new is not None else ""
    if before and after and before != after and before in mine:
        raise RuleBroken(
            "The organizer of a meeting cannot be changed.",
            rule="allowed-organizer-scheduling-object-change",
        )
    organizer = after or before
    if not organizer:
        return Outgoing(new)
    if organizer in mine:
        if keep_answers and old is not None and new is not None:
            new = load_calendar(serialize(with_answers_of(old, new, organizer)))
        return _of_organizer(old, new, organizer, now)
    whole = new if new is not None else old
    assert whole is not None
    who = next((each for each in sorted(attendees_of(whole)) if each in mine), "")
    if not who:
        return Outgoing(new)
    return _of_attendee(old, new, who, organizer, now, replies)


def _check_one_organizer(new: CalendarObject) -> None:
    # rfc6638#3.2.4.2
    organizers = {address(part.value("ORGANIZER")) for part in new.parts}
    if len(organizers) > 1:
        raise RuleBroken(
            "All parts of a meeting must have the same organizer.",
            rule="same-organizer-in-all-components",
        )


def _of_organizer(
    old: CalendarObject | None, new: CalendarObject | None, organizer: str, now: int
) -> Outgoing:
    changes = compare(old, new)
    if new is not None and old is not None and changes.rescheduled:
        new = load_calendar(serialize(with_answers_reset(old, new)))  # rfc6638#3.2.8
    found = Outgoing(new, True, organizer)
    if new is not None:
        for who in sorted(attendees_of(new, of_server=True)):
            if changes.significant or who in changes.added or _forced(new, who):
                message = request_for(new, who, now)
                if message is not None:
                    found.messages.append((who, message))
    if old is not None:
        for who in sorted(attendees_of(old, of_server=True)):
            message = cancel_for(old, new, who, now)
            if message is not None:
                found.messages.append((who, message))
    return found


def _forced(new: CalendarObject, who: str) -> bool:
    """Whether the client asks to send whatever changed (RFC 6638 section 7.2)."""
    return any(
        prop.param("SCHEDULE-FORCE-SEND").upper() == "REQUEST"
        for part in new.parts
        for prop in part.all("ATTENDEE")
        if address(prop.value) == who
    )


def _of_attendee(
    old: CalendarObject | None,
    new: CalendarObject | None,
    who: str,
    organizer: str,
    now: int,
    replies: bool,
) -> Outgoing:
    # rfc6638#3.2.2.1
    known = old if old is not None and organizer_of(old) else None
    if known is not None and new is not None and not is_allowed_to_attendee(known, new, who):
        raise RuleBroken(
            "Only the organizer can change this of the meeting.",
            rule="allowed-attendee-scheduling-object-change",
        )
    found = Outgoing(new, True, who)
    whole = new if new is not None else old
    assert whole is not None
    if not replies or _organizers_agent(whole) != "SERVER":
        return found
    message = reply_for(whole, who, answers(old, new, who), now)
    if message is not None:
        found.messages.append((organizer, message))
    return found


def _organizers_agent(found: CalendarObject) -> str:
    for part in found.parts:
        prop = part.first("ORGANIZER")
        if prop is not None:
            return agent_of(prop)
    return "NONE"
