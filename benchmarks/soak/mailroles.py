"""What people do with mail all day: at a desk, on a phone, and writing to each other."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from benchmarks.soak.bodies import message
from benchmarks.soak.mail import FULL, Box, Dropped, MailProgram, Surprise
from benchmarks.soak.mailbox import Mailbox, Message
from benchmarks.soak.people import Person
from benchmarks.soak.truth import Write
from benchmarks.soak.wires import Closed, Smtp
from tests.kit.imap import Response

WAIT_FOR_MORE = 0.02


def own_boxes(person: Person) -> list[Box]:
    """The mailboxes of somebody."""
    return [Box(name, truth) for name, truth in person.mailboxes.items()]


def group_boxes(person: Person) -> list[Box]:
    """The mailboxes of somebody's group, as members find them."""
    group = person.group
    assert group is not None
    return [Box(f"Groups/{group.name}/{name}", each) for name, each in group.mailboxes.items()]


async def desk(person: Person, boxes: list[Box], *, qresync: bool, share: float) -> None:
    """A program in which somebody works, until it is over."""
    program = MailProgram(person, boxes, qresync=qresync)
    while not person.world.over.is_set():
        try:
            if program.imap is None:
                await program.connect()
                await program.select(program.box)
            await _work(program)
        except Dropped:
            pass
        except (Closed, TimeoutError) as error:
            person.world.journal.wrong_is("connection", f"IMAP, {person.number}: {error!r}")
            program.drop()
        except Surprise as error:
            person.world.journal.wrong_is("IMAP", f"{person.number}, {program.box.name}: {error}")
            program.begin_anew()
        await person.pause(share)
    await last_look(program)


async def last_look(program: MailProgram) -> None:
    """When all have ended, each program catches up and knows all there is, mailbox by mailbox."""
    async with program.world.turns:
        try:
            if program.imap is None:
                await program.connect()
            for box in program.boxes:
                await program.select(box)
                await program.look()
        except (Closed, TimeoutError, Surprise) as error:
            program.journal.wrong_is("last look", f"{program.person.number}: {error!r}")
        program.drop()


async def _work(program: MailProgram) -> None:
    dice, full = program.dice, program.count > FULL
    kind = dice.random()
    if kind < 0.18:
        await program.look()
    elif kind < 0.34:
        await program.read()
    elif kind < 0.48:
        await program.mark()
    elif kind < 0.54:
        await program.mark_if_unchanged()
    elif kind < 0.60:
        await program.search()
    elif kind < 0.70:
        await program.select(dice.choice(program.boxes))
    elif kind < 0.73:
        program.drop()
        program.journal.drops += 1
    elif full:
        await program.remove(dice.randrange(2, 10))
    elif kind < 0.84:
        await program.append()
    elif kind < 0.94:
        await program.transfer(dice.choice(("MOVE", "MOVE", "COPY")))
    else:
        await program.remove(dice.randrange(1, 5))


class Phone(MailProgram):
    """Waits in IDLE, and reads what comes at once."""

    def __init__(self, person: Person, *, qresync: bool) -> None:
        super().__init__(person, [own_boxes(person)[0]], qresync=qresync)

    async def wait(self, seconds: float) -> None:
        """IDLE, until something comes or for so long."""
        assert self.imap is not None
        known = self._open
        assert known is not None
        since = self.world.now()
        await self.imap.start(b"IDLE")
        response, came = await self._idle(seconds)
        if self.dice.random() < 0.03:  # out of reach
            self.drop()
            self.journal.drops += 1
            raise Dropped
        ended = self.world.now()
        last = await self.imap.done()
        self.journal.took("IDLE end", self.world.now() - ended)
        response.lines += last.lines
        self.said("IDLE", *response.lines)
        self._take(known, response, "IDLE")
        for token in await self.learn():
            written = self.box.truth.messages.get(token)
            if came and written is not None and written.sent_at > since:
                self.journal.took("push of new mail", came - written.sent_at)
        await self.look()

    async def _idle(self, seconds: float) -> tuple[Response, float]:
        """What comes, and when the first of it did; 0 if nothing did."""
        assert self.imap is not None
        response, came = Response(), 0.0
        until = self.world.now() + seconds
        while (left := until - self.world.now()) > 0 and not self.world.over.is_set():
            try:
                line = await asyncio.wait_for(self.imap.whole_line(), min(left, 1))
            except TimeoutError:
                continue
            if line.startswith(b"* BYE"):
                raise Closed(line.decode(errors="replace"))
            if line.startswith(b"+"):
                continue
            response.lines.append(line)
            if b"EXISTS" in line and not came:
                came = self.world.now()
                until = min(until, came + WAIT_FOR_MORE)
        return response, came


async def phone(person: Person, *, qresync: bool, share: float) -> None:
    """A telephone, until it is over."""
    program = Phone(person, qresync=qresync)
    while not person.world.over.is_set():
        try:
            if program.imap is None:
                await program.connect()
                await program.select(program.box)
            mean = 1 / (person.world.pace * share)
            await program.wait(min(person.dice.expovariate(1 / mean), 5 * mean))
            if person.dice.random() < 0.5:
                await program.read()
        except Dropped:
            pass
        except (Closed, TimeoutError) as error:
            person.world.journal.wrong_is("connection", f"IDLE, {person.number}: {error!r}")
            program.drop()
        except Surprise as error:
            person.world.journal.wrong_is("IMAP", f"{person.number}, phone: {error}")
            program.begin_anew()
    await last_look(program)


# --- writing to each other ------------------------------------------------------------------------

Letter = list[tuple[Mailbox, Message, Write[bool]]]


async def writer(person: Person, share: float) -> None:
    """Writes to others in the group and to the group itself, until it is over."""
    world, smtp = person.world, None
    while not world.over.is_set():
        try:
            if smtp is None:
                with world.journal.timed("SMTP login"):
                    ports = world.ports["submission"]
                    smtp = await Smtp.open(ports, person.address, person.password)
            await _write(person, smtp)
        except Dropped:
            smtp = None
        except (Closed, TimeoutError) as error:
            world.journal.wrong_is("connection", f"SMTP, {person.number}: {error!r}")
            smtp = None
        if smtp is not None and person.dice.random() < 0.1:
            with suppress(Closed, TimeoutError):
                await smtp.command(b"QUIT")
            smtp.drop()
            smtp = None
        await person.pause(share)
    if smtp is not None:
        smtp.drop()


async def _write(person: Person, smtp: Smtp) -> None:
    world, group, dice = person.world, person.group, person.dice
    assert group is not None
    people = dice.sample(person.fellows, min(len(person.fellows), dice.randrange(3)))
    to_group = not people or dice.random() < 0.3
    token = person.token(dice.randrange(100, 6000))
    targets = [*people, *(group.forwarded(person) if to_group else ())]
    boxes = {id(one): one.mailboxes["INBOX"] for one in targets}
    if to_group:
        boxes[id(group)] = group.mailboxes["INBOX"]
    addresses = [one.address for one in people] + [group.address] * to_group
    begin = world.now()
    await _envelope(smtp, person.address, addresses)
    now = world.now()
    letter: Letter = [(box, *box.expect(token, now)) for box in boxes.values()]
    body = message(token, person.address, addresses[0])
    await smtp.send(body + b".\r\n")
    if dice.random() < 0.01:
        smtp.drop()
        world.journal.drops += 1
        for _, each, write in letter:
            each.present.lost(write, world.now())
        raise Dropped
    code = await smtp.answer()
    if code != 250:
        for box, each, write in letter:
            box.refused(each, write)
        world.journal.wrong_is("SMTP", f"{person.number}: DATA was answered with {code}")
        return
    world.journal.took("SMTP message", world.now() - begin)
    for _, each, write in letter:
        each.present.done(write, world.now())


async def _envelope(smtp: Smtp, sender: str, addresses: list[str]) -> None:
    for command in (
        f"MAIL FROM:<{sender}>",
        *(f"RCPT TO:<{each}>" for each in addresses),
        "DATA",
    ):
        code = await smtp.command(command.encode())
        if code not in (250, 354):
            raise Closed(f"{command} was answered with {code}")
