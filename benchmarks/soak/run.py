"""One run: all people at work for a while, each with several programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from benchmarks.soak.davroles import dropper, group_shelves, look_at, own_shelves, syncer
from benchmarks.soak.mail import MailProgram
from benchmarks.soak.mailroles import desk, group_boxes, last_look, own_boxes, phone, writer
from benchmarks.soak.meetings import Meeting, plan_meetings, planner
from benchmarks.soak.people import Person, World
from benchmarks.soak.sharing import sharer

LAST_LOOK_SECONDS = 600.0
START_SECONDS = 10.0


def _roles(person: Person, meetings: list[Meeting]) -> list[Coroutine[None, None, None]]:
    """What somebody does all day; the shares say how much of it."""
    dice, own = person.dice, own_shelves(person)
    return [
        desk(person, own_boxes(person), qresync=dice.random() < 0.7, share=0.25),
        desk(person, group_boxes(person), qresync=dice.random() < 0.7, share=0.15),
        phone(person, qresync=dice.random() < 0.5, share=0.05),
        writer(person, share=0.08),
        syncer(person, own, share=0.10),  # the computer
        syncer(person, own, share=0.10),  # the telephone
        syncer(person, group_shelves(person), share=0.15),
        dropper(person, share=0.04),
        sharer(person, share=0.08),
        planner(person, meetings, share=0.06),
    ]


async def work(world: World, seconds: float, each_second: Callable[[], None]) -> None:
    """Let them work for so long, and then compare all they know with all that was done."""
    loop = asyncio.get_running_loop()
    meetings = plan_meetings(world.people)
    tasks = [
        asyncio.create_task(
            _role(world, role, person.dice.random() * min(START_SECONDS, seconds / 5))
        )
        for person in world.people
        for role in _roles(person, meetings)
    ]
    until = loop.time() + seconds
    begin, count = loop.time(), 0
    while loop.time() < until:
        count += 1
        await asyncio.sleep(max(0, begin + count - loop.time()))
        world.journal.took("(lag of the clients)", max(0, loop.time() - begin - count))
        each_second()
    world.over.set()
    world.journal.second()
    world.journal.timing = False  # all look at once now, as people never do
    _, late = await asyncio.wait(tasks, timeout=LAST_LOOK_SECONDS)
    for task in late:
        world.journal.wrong_is("hangs", repr(task.get_coro()))
        task.cancel()


async def _role(world: World, role: Coroutine[None, None, None], delay: float) -> None:
    await world.wait(delay)
    try:
        await role
    except Exception as error:  # whatever it is, it must be seen
        world.journal.wrong_is("role", f"{role!r}: {error!r}")


async def look_anew(world: World) -> None:
    """Programs that know nothing yet read everything, and compare it with all that was done."""

    async def one(person: Person) -> None:
        for boxes in (own_boxes(person), group_boxes(person)):
            await last_look(MailProgram(person, boxes, qresync=True))
        for shelf in (*own_shelves(person), *group_shelves(person)):
            await look_at(person, shelf)

    await asyncio.gather(*map(one, world.people))
