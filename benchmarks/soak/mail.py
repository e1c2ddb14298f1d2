"""A mail program of somebody: works in mailboxes, loses its connection, catches up."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from benchmarks.soak.bodies import found_in, message, text
from benchmarks.soak.mailbox import DELETED, MARKS, SEEN, WORDS, Mailbox, Message
from benchmarks.soak.people import Person
from benchmarks.soak.truth import Register
from benchmarks.soak.wires import Closed, Imap
from tests.kit.imap import Response
from tests.kit.known import Known, joined, spread

FULL = 30
TRACE = 150
"""How many lines of a conversation are remembered."""
_COPYUID = re.compile(r"\[COPYUID (\d+) ([\d,:]+) ([\d,:]+)\]")
_UID = re.compile(rb"UID (\d+)")


class Surprise(Exception):
    """What came makes no sense to the program; it begins anew."""


class Dropped(Exception):
    """The program broke the connection off."""


@dataclass(frozen=True)
class Box:
    """A mailbox under the name that somebody finds it by."""

    name: str
    truth: Mailbox


class MailProgram:
    """One connection at a time. With ``qresync`` it catches up by QRESYNC, else by CONDSTORE."""

    def __init__(self, person: Person, boxes: Sequence[Box], *, qresync: bool) -> None:
        self.person = person
        self.world = person.world
        self.journal = person.world.journal
        self.dice = person.dice
        self.boxes = boxes
        self.box = boxes[0]
        self.qresync = qresync
        self.known: dict[str, Known] = {}
        self.imap: Imap | None = None
        self._open: Known | None = None
        self._said: deque[str] = deque(maxlen=TRACE)

    # --- connections --------------------------------------------------------------------------

    async def connect(self) -> None:
        """Sign in."""
        self.drop()
        begin = self.world.now()
        self.imap = imap = await Imap.open(self.world.ports["imap"])
        response = await imap.command(f'LOGIN "{self.person.address}" "{self.person.password}"')
        self._ok(response, "LOGIN")
        self.journal.took("IMAP login", self.world.now() - begin)
        if self.qresync:
            await self._run("ENABLE QRESYNC", "IMAP enable")

    def drop(self) -> None:
        """Break the connection off, if there is one."""
        if self.imap is not None:
            self.imap.drop()
        self.imap = self._open = None

    def begin_anew(self) -> None:
        """Forget everything."""
        self.drop()
        self.known.clear()

    def _ok(self, response: Response, what: str) -> None:
        if response.status != "OK":
            raise Surprise(f"{what}: {response.status} {response.text}")

    async def _run(self, command: str | bytes, kind: str, *, ok: bool = True) -> Response:
        """Run a command and learn from what comes."""
        assert self.imap is not None
        begin = self.world.now()
        self.said(command)
        response = await self.imap.command(command)
        self.journal.took(kind, self.world.now() - begin)
        self.said(*response.lines, f"{response.status} {response.text}")
        word = command.decode(errors="replace") if isinstance(command, bytes) else command
        if self._open is not None:
            self._take(self._open, response, word)
        if response.code == "EXPUNGEISSUED":  # somebody removed all of them, which is for later
            self.journal.refusals["IMAP EXPUNGEISSUED"] += 1
        elif ok:
            self._ok(response, word[:80])
        return response

    def _take(self, known: Known, response: Response, command: str) -> None:
        try:
            known.take(response, command)
        except AssertionError as error:
            raise Surprise(f"after {command[:80]}: {error!r}") from error

    def said(self, *lines: str | bytes) -> None:
        """Remember what was said."""
        now = f"{self.world.now() - self.journal.begin:.3f}"
        for line in lines:
            words = line if isinstance(line, str) else line.decode(errors="replace")
            self._said.append(f"{now} {words[:300]}")

    async def select(self, box: Box) -> None:
        """Open a mailbox, and learn what happened since it was open last."""
        assert self.imap is not None
        since = self.world.now()
        self.box, self._open = box, None
        known = self.known.get(box.name)
        if known is None or not known.uidvalidity:
            known = await self._first_select(box)
        elif self.qresync:
            command = f'SELECT "{box.name}" (QRESYNC ({known.uidvalidity} {known.modseq}))'
            response = await self._run(command, "SELECT QRESYNC")
            before = [uid for uid in known.uids if uid is not None]
            known.uids = []
            try:
                known.resynchronise(response, before)
            except AssertionError as error:
                raise Surprise(f"{command} {error!r}") from error
            self._open = known
        else:
            await self._select_condstore(box, known)
        await self._compare(since)

    async def _first_select(self, box: Box) -> Known:
        known = self.known[box.name] = Known()
        known.qresync = self.qresync
        response = await self._run(f'SELECT "{box.name}" (CONDSTORE)', "SELECT")
        known.opened(response)
        self._take(known, response, "SELECT")
        self._open = known
        validity = box.truth.uidvalidity = box.truth.uidvalidity or known.uidvalidity
        self.journal.hold(validity == known.uidvalidity, "UIDVALIDITY", box.truth.label)
        if known.uids:
            await self._run("FETCH 1:* (UID FLAGS)", "FETCH all flags")
        return known

    async def _select_condstore(self, box: Box, known: Known) -> None:
        """What changed of the old, then which of the old are left."""
        # rfc4549#4.3.1
        modseq = known.modseq
        known.uids = []
        response = await self._run(f'SELECT "{box.name}" (CONDSTORE)', "SELECT")
        known.opened(response)
        self._take(known, response, "SELECT")
        if not known.uids:
            self._open = known
            return
        self._open = known
        count, found = -1, list[int]()
        while count != len(found):  # a removal comes between: which number has which UID?
            await self._run("NOOP", "NOOP")
            known.uids = [None] * len(known.uids)
            here = await self._run("UID SEARCH UID 1:*", "SEARCH")
            words = [word for line in here.matching("* SEARCH") for word in line.split()[2:]]
            count, found = len(known.uids), sorted(int(word) for word in words if word.isdigit())
        known.uids = [*found]
        await self._run(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq})", "FETCH changes")

    # --- what it knows ------------------------------------------------------------------------

    async def look(self) -> None:
        """Ask what is new, and check all that is known by then."""
        since = self.world.now()
        await self._run("NOOP", "NOOP")
        await self._compare(since)

    async def _compare(self, since: float) -> None:
        await self.learn()
        known = self._open
        assert known is not None
        until = self.world.now()
        view = {uid: known.flags[uid] for uid in known.uids if uid and uid in known.flags}
        before = sum(self.journal.wrong.values())
        self.box.truth.compare(view, (since, until), str(self.person.number), self.journal)
        if sum(self.journal.wrong.values()) > before:
            self.journal.trace(self._said)

    async def learn(self) -> list[str]:
        """Read the headers of what is new; the tokens of it."""
        known = self._open
        assert known is not None
        new: list[str] = []
        if unknown := known.unknown():
            await self._run(f"FETCH {joined(unknown)} (UID FLAGS)", "FETCH new flags")
        truth = self.box.truth
        if uids := [uid for uid in known.uids if uid and uid not in truth.by_uid]:
            command = f"UID FETCH {joined(uids)} (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
            for line in (await self._run(command, "FETCH new headers")).matching("BODY["):
                uid = _UID.search(line)
                assert uid is not None
                new.append(found_in(line))
                truth.found(int(uid[1]), new[-1], self.journal)
        return new

    def some(self, count: int = 1) -> list[tuple[int, Message]]:
        """Messages that are there as far as is known, with their UIDs."""
        known, truth = self._open, self.box.truth
        assert known is not None
        here = [uid for uid in known.uids if uid and uid in truth.by_uid]
        picked = self.dice.sample(here, min(count, len(here)))
        return [(uid, truth.by_uid[uid]) for uid in sorted(picked)]

    @property
    def count(self) -> int:
        """How many messages it knows of."""
        assert self._open is not None
        return len(self._open.uids)

    # --- what people do -----------------------------------------------------------------------

    async def read(self) -> None:
        """A message as a whole: it is what was sent, and then it is seen."""
        for uid, message_ in self.some():
            write = message_.flag(self._key(SEEN)).begin(True, self.world.now())
            since = self.world.now()
            response = await self._run(f"UID FETCH {uid} (BODY[])", "FETCH a message")
            bodies = response.matching("BODY[]")
            if not bodies:
                message_.flag(self._key(SEEN)).refused(write)
                gone = False in message_.present.may_be(since, self.world.now())
                self.journal.hold(gone, "lost message", f"{message_.token} is not fetched")
                continue
            message_.flag(self._key(SEEN)).done(write, self.world.now())
            whole = text(message_.token) in bodies[0]
            self.journal.hold(whole, "altered content", f"{message_.token} in {self.box.name}")

    async def mark(self) -> None:
        """Set or take away a flag of some messages."""
        word, on = self.dice.choice((SEEN, *MARKS)), self.dice.random() < 0.6
        await self._store(self.some(self.dice.randrange(1, 4)), word, on)

    async def _store(self, picked: list[tuple[int, Message]], word: str, on: bool) -> None:
        if not picked:
            return
        now = self.world.now()
        flags = [each.flag(self._key(word)) for _, each in picked]
        writes = [(one, one.begin(on, now)) for one in flags]
        sign = "+" if on else "-"
        command = f"UID STORE {joined(uid for uid, _ in picked)} {sign}FLAGS ({word})"
        if await self._dropped(command.encode()):
            for register, write in writes:
                register.lost(write, self.world.now())
            raise Dropped
        await self._run(command, "STORE")
        for register, write in writes:
            register.done(write, self.world.now())

    async def mark_if_unchanged(self) -> None:
        """Set a flag unless somebody changed the message meanwhile."""
        known = self._open
        assert known is not None
        for uid, message_ in self.some():
            if uid not in known.modseqs:
                continue
            register = message_.flag("$Work")
            write = register.begin(True, self.world.now())
            limit = known.modseqs[uid]
            command = f"UID STORE {uid} (UNCHANGEDSINCE {limit}) +FLAGS ($Work)"
            response = await self._run(command, "STORE UNCHANGEDSINCE", ok=False)
            if "MODIFIED" in response.code or response.status == "NO":
                register.refused(write)
                self.journal.refusals["STORE UNCHANGEDSINCE"] += 1
            else:
                register.done(write, self.world.now())

    async def append(self) -> None:
        """A new message."""
        size = self._size()
        token = self.person.token(size)
        body = message(token, self.person.address, self.person.address)
        new, write = self.box.truth.expect(token, self.world.now())
        command = f'APPEND "{self.box.name}" {{{len(body)}+}}\r\n'.encode() + body
        if await self._dropped(command):
            new.present.lost(write, self.world.now())
            raise Dropped
        response = await self._run(command, "APPEND")
        new.present.done(write, self.world.now())
        self.box.truth.told(new, int(response.code.split()[2]), self.journal)

    def _size(self) -> int:
        kind = self.dice.random()
        if kind < 0.01:
            return self.dice.randrange(300_000, 900_000)
        return self.dice.randrange(10_000, 60_000) if kind < 0.1 else self.dice.randrange(100, 4000)

    async def transfer(self, verb: str) -> None:
        """MOVE or COPY some messages to another mailbox, where they have not been."""
        target = self.dice.choice([box for box in self.boxes if box is not self.box])
        picked = [
            (uid, one)
            for uid, one in self.some(self.dice.randrange(1, 4))
            if one.token not in target.truth.messages
        ]
        if not picked:
            return
        begin = self.world.now()
        coming = {uid: target.truth.expect(one.token, begin, copy=True) for uid, one in picked}
        going = {uid: one.present.begin(False, begin) for uid, one in picked if verb == "MOVE"}
        command = f'UID {verb} {joined(coming)} "{target.name}"'
        if await self._dropped(command.encode()):
            for uid, one in picked:
                coming[uid][0].present.lost(coming[uid][1], self.world.now())
                if uid in going:
                    one.present.lost(going[uid], self.world.now())
            raise Dropped
        response = await self._run(command, verb)
        done = self._copied(response)
        span = (begin, self.world.now())
        for uid, one in picked:
            new, write = coming[uid]
            if uid not in done:
                target.truth.refused(new, write)
                if uid in going:
                    one.present.refused(going[uid])
                gone = False in one.present.may_be(*span)
                self.journal.hold(gone, "lost message", f"{one.token} was not found by {verb}")
                continue
            new.present.done(write, span[1])
            target.truth.told(new, done[uid], self.journal)
            for word in WORDS:
                if word != SEEN and word not in new.flags:
                    may = one.flag_may_be(word, *span)
                    new.flags[word] = Register.one_of(may, begin, begin)
            if uid in going:
                self.journal.hold(not one.moved, "duplicated message", f"{one.token} moved twice")
                one.moved = True
                one.present.done(going[uid], span[1])

    def _copied(self, response: Response) -> dict[int, int]:
        told = [f"[{response.code}]", *(line.decode() for line in response.matching("COPYUID"))]
        for line in told:
            if match := _COPYUID.search(line):
                return dict(zip(spread(match[2]), spread(match[3]), strict=True))
        return {}

    async def remove(self, count: int) -> None:
        """Delete the oldest messages, as programs do: mark, then UID EXPUNGE."""
        known, truth = self._open, self.box.truth
        assert known is not None
        here = sorted(uid for uid in known.uids if uid and uid in truth.by_uid)[:count]
        if not here:
            return
        picked = [(uid, truth.by_uid[uid]) for uid in here]
        await self._store(picked, DELETED, True)
        writes = [(one, one.present.begin(False, self.world.now())) for _, one in picked]
        command = f"UID EXPUNGE {joined(here)}"
        if await self._dropped(command.encode()):
            for one, write in writes:
                one.present.lost(write, self.world.now())
            raise Dropped
        await self._run(command, "EXPUNGE")
        for one, write in writes:
            one.present.done(write, self.world.now())

    async def search(self) -> None:
        """Find by a word in the subject, which is found at once; and by a flag."""
        for uid, one in self.some():
            since = self.world.now()
            response = await self._run(f'UID SEARCH SUBJECT "{one.token}"', "SEARCH")
            hits = [word for line in response.matching("SEARCH") for word in line.split()[2:]]
            gone = False in one.present.may_be(since, self.world.now())
            found = b"%d" % uid in hits
            self.journal.hold(found or gone, "search", f"{one.token} is not in {hits}")

    def _key(self, word: str) -> str:
        return self.box.truth.key(word, str(self.person.number))

    # --- bad lines ----------------------------------------------------------------------------

    async def _dropped(self, command: bytes) -> bool:
        """Now and then the connection breaks while a command is under way."""
        if self.dice.random() > 0.01:
            return False
        assert self.imap is not None
        with suppress(Closed):
            await self.imap.start(command)
        self.drop()
        self.journal.drops += 1
        return True
