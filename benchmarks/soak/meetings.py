"""Meetings: people invite each other, change what it is about, and answer (RFC 6638)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from benchmarks.soak import bodies
from benchmarks.soak.dav import XML, Browser, Unexpected
from benchmarks.soak.people import Person
from benchmarks.soak.truth import Register
from benchmarks.soak.wires import Closed
from tests.kit.dav import multistatus

EACH = 2
"""Meetings that somebody organizes."""
GUESTS = 3
LATE = 60.0
"""Seconds within which a message about a meeting is there, behind the change that it tells of."""
ASKED = "NEEDS-ACTION"
ANSWERS = ("ACCEPTED", "DECLINED", "TENTATIVE")
_ROOT = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_DATA = "{urn:ietf:params:xml:ns:caldav}calendar-data"
_STATUS = re.compile(r";PARTSTAT=([A-Z-]+)")
Copy = tuple[str, str, bytes]
"""URL, entity tag and content of a meeting in somebody's calendar."""


@dataclass(eq=False)
class Meeting:
    """What its organizer said last, and what each guest has answered, by number."""

    owner: Person
    number: int
    guests: list[Person]
    said: Register[str | None] = field(default_factory=lambda: Register(None))
    answers: dict[int, Register[str | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.uid = f"meeting-{self.owner.number}-{self.number}"
        self.url = f"/dav/calendars/{self.owner.space}/Calendar/{self.uid}.ics"
        self.answers = {guest.number: Register(ASKED) for guest in self.guests}


def plan_meetings(people: list[Person]) -> list[Meeting]:
    """The meetings of everybody; nobody has been invited yet."""
    return [
        Meeting(one, number, one.dice.sample(one.fellows, min(GUESTS, len(one.fellows))))
        for one in people
        for number in range(EACH)
    ]


class Planner:
    """Organizes meetings, and answers to those of others."""

    def __init__(self, person: Person, meetings: list[Meeting]) -> None:
        self.person = person
        self.world, self.dice, self.journal = person.world, person.dice, person.world.journal
        self.browser = Browser(person)
        self.own = [one for one in meetings if one.owner is person]
        self.invited = [one for one in meetings if person in one.guests]

    # --- organizing ---------------------------------------------------------------------------

    async def plan(self) -> None:
        """Invite, or say that it is about something else."""
        meeting, token = self.dice.choice(self.own), self.person.token(0)
        copy = await self._look_at(meeting)
        if copy is None:
            body = bodies.meeting(
                token, meeting.uid, self.person.address, [one.address for one in meeting.guests]
            )
            condition = {"If-None-Match": "*"}
        else:
            _, etag, content = copy
            body = content.replace(bodies.found_in(content).encode(), token.encode())
            condition = {"If-Match": etag}
        await self._put(meeting.said, token, meeting.url, body, condition, "meeting PUT")

    async def _look_at(self, meeting: Meeting) -> Copy | None:
        """The organizer's own copy: what the own programs said, and answers that came in."""
        since = self.world.now()
        answer = await self.browser.call("meeting GET", "GET", meeting.url)
        if answer.status not in (200, 404):
            raise Unexpected(f"{answer.status} for GET {meeting.url}")
        span = (since, self.world.now())
        token = bodies.found_in(answer.body) if answer.status == 200 else None
        may_be = meeting.said.may_be(*span)
        self.journal.hold(token in may_be, "meeting", f"{meeting.uid}: {token}, may be {may_be}")
        if token is None:
            return None
        for guest in meeting.guests:
            told, register = _status_of(guest, answer.body), meeting.answers[guest.number]
            allowed = register.may_be(since - LATE, span[1])
            self.journal.hold(
                told in allowed,
                "answer to a meeting",
                f"{meeting.uid}: of {guest.number} {told}, may be {allowed}",
            )
        return meeting.url, answer.header("etag") or "", answer.body

    # --- being invited ------------------------------------------------------------------------

    async def answer(self) -> None:
        """Look for an invitation, and say whether one comes."""
        if not self.invited:
            return
        meeting = self.dice.choice(self.invited)
        copy = await self._find(meeting, LATE)
        if copy is None:
            return
        url, etag, content = copy
        status = self.dice.choice(ANSWERS)
        body = _with_status(self.person, content, status)
        register = meeting.answers[self.person.number]
        await self._put(register, status, url, body, {"If-Match": etag}, "meeting answer")
        await self._tidy()

    async def _find(self, meeting: Meeting, late: float) -> Copy | None:
        """What a guest has of a meeting: what its organizer said not longer than this ago."""
        since = self.world.now()
        home = f"/dav/calendars/{self.person.space}/Calendar/"
        body = (
            f"<C:calendar-query {_ROOT}><D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter>"
            '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
            '<C:prop-filter name="UID">'
            f'<C:text-match collation="i;octet">{meeting.uid}</C:text-match></C:prop-filter>'
            "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
        )
        fields = {**XML, "Depth": "1"}
        answer = await self.browser.call("meeting query", "REPORT", home, body.encode(), fields)
        if answer.status != 207:
            raise Unexpected(f"{answer.status} for a query of {home}: {answer.text[:200]}")
        may_be = meeting.said.may_be(since - late, self.world.now())
        copies = [
            (unquote(one.href), one.text("getetag"), content)
            for one in multistatus(answer).responses
            if f"UID:{meeting.uid}" in _lines(content := one.text(_DATA).encode())
        ]
        self.journal.hold(len(copies) < 2, "invitation", f"{meeting.uid} twice in {home}")
        token = bodies.found_in(copies[0][2]) if copies else None
        self.journal.hold(
            token in may_be,
            "invitation",
            f"{meeting.uid} at {self.person.number}: {token}, may be {may_be}",
        )
        return copies[0] if copies else None

    async def _tidy(self) -> None:
        """Remove messages from the inbox, as programs do."""
        inbox = f"/dav/calendars/{self.person.space}/Inbox/"
        body = b'<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'
        fields = {**XML, "Depth": "1"}
        answer = await self.browser.call("inbox PROPFIND", "PROPFIND", inbox, body, fields)
        for one in multistatus(answer).responses:
            if one.href != inbox:
                gone = await self.browser.call("inbox DELETE", "DELETE", one.href)
                if gone.status not in (204, 404):
                    raise Unexpected(f"{gone.status} for DELETE {one.href}")

    # --- both ---------------------------------------------------------------------------------

    async def _put(
        self,
        register: Register[str | None],
        value: str,
        url: str,
        body: bytes,
        fields: dict[str, str],
        kind: str,
    ) -> None:
        write = register.begin(value, self.world.now())
        fields["Content-Type"] = "text/calendar"
        try:
            answer = await self.browser.call(kind, "PUT", url, body, fields)
        except BaseException:
            register.lost(write, self.world.now())
            raise
        if answer.status in (201, 204):
            register.done(write, self.world.now())
            return
        register.refused(write)
        if answer.status != 412:
            raise Unexpected(f"{answer.status} for PUT {url}: {answer.text[:300]}")
        self.journal.refusals[f"{kind} 412"] += 1

    async def last_look(self) -> None:
        """When all have ended, everybody has been told everything, after a while."""
        async with self.world.turns:
            for meeting in self.own:
                await self._look_at(meeting)
            for meeting in self.invited:
                await self._find(meeting, LATE)


def _status_of(who: Person, content: bytes) -> str:
    for line in _lines(content):
        if _is_of(who, line):
            found = _STATUS.search(line)
            return found[1] if found else ASKED
    return ""


def _with_status(who: Person, content: bytes, status: str) -> bytes:
    lines = [
        f"ATTENDEE;PARTSTAT={status}:mailto:{who.address}" if _is_of(who, line) else line
        for line in _lines(content)
    ]
    return "\r\n".join(lines).encode()


def _is_of(who: Person, line: str) -> bool:
    return line.startswith("ATTENDEE") and line.endswith(f":mailto:{who.address}")


def _lines(content: bytes) -> list[str]:
    """Unfolded. XML has made LF of line ends."""
    return content.decode().replace("\r\n", "\n").replace("\n ", "").split("\n")


async def planner(person: Person, meetings: list[Meeting], share: float) -> None:
    """Somebody who has meetings, until it is over."""
    role = Planner(person, meetings)
    while not person.world.over.is_set():
        await _guarded(role, own=person.dice.random() < 0.4)
        await person.pause(share)
    await _guarded(role)
    role.browser.drop()


async def _guarded(role: Planner, *, own: bool | None = None) -> None:
    work = role.last_look if own is None else role.plan if own else role.answer
    try:
        await work()
    except (Closed, TimeoutError) as error:
        role.journal.wrong_is("connection", f"meetings, {role.person.number}: {error!r}")
    except Unexpected as error:
        role.journal.wrong_is("meetings", f"{role.person.number}: {error}")
