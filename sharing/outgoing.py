"""What a change of a meeting has to tell others: pure decisions (RFC 6638 section 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

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

MOST_ATTENDEES: Final = 1_000  # of all instances of a meeting, whom the server tells
MOST_OCTETS: Final = 64 << 20  # of all messages about one change
MOST_DIFFERENT: Final = 4 << 20  # octets of those that differ, which each have to be made

IsHere = Callable[[str], bool]


@dataclass(slots=True)
class Outgoing:
    """Messages by the address (mailto:…) that they go to, in order, and whom they are from.

    ``stored`` is the object as it is to be stored; None where it is removed. ``scheduled`` says
    that it is an object of scheduling at all, which has a schedule tag. ``elsewhere`` are those of
    other servers who would get a message.
    """

    stored: CalendarObject | None
    scheduled: bool = False
    sender: str = ""
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    _octets: int = 0

    def send(self, who: str, message: bytes | None) -> None:
        """Add a message, if there is one. Raises ``RuleBroken``."""
        if message is None:
            return
        self.messages.append((who, message))
        self._octets += len(message)
        if self._octets > MOST_OCTETS:
            raise RuleBroken("The messages about this are too much.", rule="max-resource-size")


def outgoing(
    old: CalendarObject | None,
    new: CalendarObject | None,
    mine: Collection[str],
    now: int,
    *,
    replies: bool = True,
    keep_answers: bool = False,
    is_here: IsHere = lambda who: True,
) -> Outgoing:
    """What follows from a change by somebody with these addresses (mailto:…); ``now`` is UTC.

    ``is_here`` tells whether an address is of this server: no messages are made for others.

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
        return _of_organizer(old, new, organizer, now, is_here)
    whole = new if new is not None else old
    assert whole is not None
    who = next((each for each in sorted(attendees_of(whole)) if each in mine), "")
    if not who:
        return Outgoing(new)
    return _of_attendee(old, new, who, organizer, now, replies, is_here)


def _check_one_organizer(new: CalendarObject) -> None:
    # rfc6638#3.2.4.2
    organizers = {address(part.value("ORGANIZER")) for part in new.parts}
    if len(organizers) > 1:
        raise RuleBroken(
            "All parts of a meeting must have the same organizer.",
            rule="same-organizer-in-all-components",
        )


def _of_organizer(
    old: CalendarObject | None,
    new: CalendarObject | None,
    organizer: str,
    now: int,
    is_here: IsHere,
) -> Outgoing:
    changes = compare(old, new)
    if new is not None and old is not None and changes.rescheduled:
        new = load_calendar(serialize(with_answers_reset(old, new)))  # rfc6638#3.2.8
    found = Outgoing(new, True, organizer)
    if new is not None:
        forced = _forced(new)
        requests = _Requests(new, now)
        for who in _invited(new):
            if not (changes.significant or who in changes.added or who in forced):
                continue
            if is_here(who):
                found.send(who, requests.message(who))
            else:
                found.elsewhere.append(who)
    if old is not None:
        # What is there already can be changed and removed, however many it was about.
        before = sorted(attendees_of(old, of_server=True))[:MOST_ATTENDEES]
        for who in filter(is_here, before):
            found.send(who, cancel_for(old, new, who, now))
    return found


def _invited(found: CalendarObject) -> list[str]:
    """Whom the server tells. Each costs a look at the whole object. Raises ``RuleBroken``."""
    invited = sorted(attendees_of(found, of_server=True))
    if len(invited) > MOST_ATTENDEES:
        raise RuleBroken("Too many people are invited.", rule="max-attendees-per-instance")
    return invited


class _Requests:
    """The messages that invite. Who is in the same parts of a meeting gets the same octets.

    Each that differs is as long as the meeting: a thousand people in a thousand exceptions would
    hold up all who write.
    """

    def __init__(self, found: CalendarObject, now: int) -> None:
        self._found = found
        self._now = now
        self._parts = [
            frozenset(address(prop.value) for prop in part.all("ATTENDEE")) for part in found.parts
        ]
        self._made: dict[tuple[bool, ...], bytes | None] = {}
        self._octets = 0

    def message(self, who: str) -> bytes | None:
        """The REQUEST for an attendee; None where there is nothing for them."""
        key = tuple([who in part for part in self._parts])
        if key not in self._made:
            made = self._made[key] = request_for(self._found, who, self._now)
            self._octets += len(made or b"")
            if self._octets > MOST_DIFFERENT:
                raise RuleBroken("The messages about this differ too much.", rule="max-instances")
        return self._made[key]


def _forced(new: CalendarObject) -> frozenset[str]:
    """Whom the client asks to send to, whatever changed (RFC 6638 section 7.2)."""
    return frozenset(
        address(prop.value)
        for part in new.parts
        for prop in part.all("ATTENDEE")
        if prop.param("SCHEDULE-FORCE-SEND").upper() == "REQUEST"
    )


def _of_attendee(
    old: CalendarObject | None,
    new: CalendarObject | None,
    who: str,
    organizer: str,
    now: int,
    replies: bool,
    is_here: IsHere,
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
    if message is not None and not is_here(organizer):
        found.elsewhere.append(organizer)
    else:
        found.send(organizer, message)
    return found


def _organizers_agent(found: CalendarObject) -> str:
    for part in found.parts:
        prop = part.first("ORGANIZER")
        if prop is not None:
            return agent_of(prop)
    return "NONE"
