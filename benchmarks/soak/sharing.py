"""Giving and taking: people share what is theirs for a while, and try what others share."""

from __future__ import annotations

from benchmarks.soak import bodies
from benchmarks.soak.dav import XML, Browser, Unexpected
from benchmarks.soak.mail import MailProgram, Surprise
from benchmarks.soak.mailroles import own_boxes
from benchmarks.soak.people import Group, Person
from benchmarks.soak.things import NOTHING, READ, THINGS, WRITE
from benchmarks.soak.wires import Closed

_PRIVILEGES = {
    READ: "<D:privilege><D:read/></D:privilege>",
    WRITE: "<D:privilege><D:read/></D:privilege><D:privilege><D:write/></D:privilege>",
}
_LETTERS = {READ: "lr", WRITE: "lrswite"}


def url(owner: Person, what: str, who: Person) -> str:
    """Where a thing of somebody is found."""
    if what == "calendar":
        return f"/dav/calendars/{owner.space}/Things/n1.ics"
    if owner is who:
        return "/dav/drive/My%20documents/Things/n1.bin"
    return f"/dav/drive/Shared/{owner.name.replace(' ', '%20')}/Things/n1.bin"


def content(what: str, token: str) -> bytes:
    """What is put there."""
    return bodies.event(token, "n1.ics") if what == "calendar" else bodies.file(token, "n1.bin")


class Sharer:
    """Shares, takes back, and tries."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.world, self.dice = person.world, person.dice
        self.journal = person.world.journal
        self.browser = Browser(person)
        self.mail = MailProgram(person, own_boxes(person), qresync=False)

    async def give(self) -> None:
        """Give a fellow member or the group something else than before."""
        person, what = self.person, self.dice.choice(THINGS)
        assert person.group is not None
        everybody: list[Person | Group] = [*person.fellows, person.group]
        grantee = self.dice.choice(everybody)
        level = self.dice.choice((NOTHING, READ, WRITE))
        register = person.things.level(what, grantee.space)
        write = register.begin(level, self.world.now())
        given = person.things.given[what]
        given[grantee.space] = level
        try:
            if what == "mail":
                await self._acl_of_mail(grantee, level)
            else:
                await self._acl_of_tree(what, given)
        except BaseException:
            register.lost(write, self.world.now())
            raise
        register.done(write, self.world.now())

    async def _acl_of_mail(self, grantee: Person | Group, level: int) -> None:
        command = f"SETACL Things {grantee.address} {_LETTERS.get(level)}"
        if level == NOTHING:
            command = f"DELETEACL Things {grantee.address}"
        if self.mail.imap is None:
            await self.mail.connect()
        assert self.mail.imap is not None
        with self.journal.timed("IMAP SETACL"):
            response = await self.mail.imap.command(command)
        if response.status != "OK":
            raise Surprise(f"{command}: {response.text}")

    async def _acl_of_tree(self, what: str, given: dict[int, int]) -> None:
        group = self.person.group
        assert group is not None
        aces = ""
        for space, level in given.items():
            kind = "groups" if space == group.space else "users"
            if level != NOTHING:
                aces += (
                    f"<D:ace><D:principal><D:href>/dav/principals/{kind}/{space}/</D:href>"
                    f"</D:principal><D:grant>{_PRIVILEGES[level]}</D:grant></D:ace>"
                )
        folder = url(self.person, what, self.person).rpartition("/")[0] + "/"
        body = f'<D:acl xmlns:D="DAV:">{aces}</D:acl>'.encode()
        answer = await self.browser.call("ACL", "ACL", folder, body, XML)
        if answer.status != 200:
            raise Unexpected(f"{answer.status} for ACL {folder}: {answer.text[:300]}")

    async def attempt(self) -> None:
        """Read or write something of a fellow member: it is as the owner says."""
        owner, what = self.dice.choice(self.person.fellows), self.dice.choice(THINGS)
        since = self.world.now()
        if what == "mail":
            done, allowed = await self._status(owner), {READ, WRITE}
        elif self.dice.random() < 0.6:
            done, allowed = await self._read(owner, what), {READ, WRITE}
        else:
            done, allowed = await self._write(owner, what), {WRITE}
        span = (since, self.world.now())
        assert self.person.group is not None
        spaces = (self.person.space, self.person.group.space)
        levels = owner.things.may_be(what, spaces, span)
        self.journal.hold(
            done in {level in allowed for level in levels},
            "rights",
            f"{self.person.number} at {what} of {owner.number}: {done=}, given {levels}",
        )
        if not done:
            self.journal.refusals[f"not shared: {what}"] += 1

    async def _status(self, owner: Person) -> bool:
        if self.mail.imap is None:
            await self.mail.connect()
        assert self.mail.imap is not None
        with self.journal.timed("IMAP STATUS"):
            name = f"Shared/{owner.name}/Things"
            response = await self.mail.imap.command(f'STATUS "{name}" (MESSAGES UNSEEN)')
        return response.status == "OK"

    async def _read(self, owner: Person, what: str) -> bool:
        since = self.world.now()
        answer = await self.browser.call("shared GET", "GET", url(owner, what, self.person))
        if answer.status == 200:
            span = (since, self.world.now())
            token = bodies.found_in(answer.body)
            allowed = owner.things.content[what].may_be(*span)
            where = f"{what} of {owner.number}: {token}, may be {allowed}"
            self.journal.hold(token in allowed, "stale or foreign content", where)
        elif answer.status != 404:
            raise Unexpected(f"{answer.status} for {url(owner, what, self.person)}")
        return answer.status == 200

    async def _write(self, owner: Person, what: str) -> bool:
        token = self.person.token(self.dice.randrange(100, 3000))
        register = owner.things.content[what]
        write = register.begin(token, self.world.now())
        body, where = content(what, token), url(owner, what, self.person)
        fields = {"Content-Type": "text/calendar"} if what == "calendar" else {}
        try:
            answer = await self.browser.call("shared PUT", "PUT", where, body, fields)
        except BaseException:
            register.lost(write, self.world.now())
            raise
        if answer.status == 204:
            register.done(write, self.world.now())
            return True
        register.refused(write)
        if answer.status not in (403, 404, 409):
            raise Unexpected(f"{answer.status} for PUT {where}")
        return False


async def sharer(person: Person, share: float) -> None:
    """Somebody who shares and tries, until it is over; then all of it once more."""
    role = Sharer(person)
    while not person.world.over.is_set():
        await _guarded(role, give=person.dice.random() < 0.4)
        await person.pause(share)
    for _ in person.fellows:
        await _guarded(role, give=False)
    role.mail.drop()
    role.browser.drop()


async def _guarded(role: Sharer, *, give: bool) -> None:
    try:
        await (role.give() if give else role.attempt())
    except (Closed, TimeoutError) as error:
        role.journal.wrong_is("connection", f"sharing, {role.person.number}: {error!r}")
        role.mail.drop()
    except (Surprise, Unexpected) as error:
        role.journal.wrong_is("sharing", f"{role.person.number}: {error}")
