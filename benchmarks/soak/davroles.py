"""What people do with calendars, contacts and documents all day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from benchmarks.soak import bodies
from benchmarks.soak.dav import Browser, Cut, Shelf, SyncProgram, Unexpected
from benchmarks.soak.items import Collection
from benchmarks.soak.people import Person
from benchmarks.soak.wires import Closed

_CALDAV = "urn:ietf:params:xml:ns:caldav"
_CARDDAV = "urn:ietf:params:xml:ns:carddav"
LARGEST_FILE = 4 << 20
Work = Callable[[SyncProgram], Awaitable[None]]


def calendar(truth: Collection, url: str) -> Shelf:
    """A calendar."""
    report = f"calendar-multiget {_CALDAV} calendar-data"
    return Shelf(
        truth, url, "calendar", ".ics", "text/calendar", bodies.event, 30, 0, report, exact=False
    )


def contacts(truth: Collection, url: str) -> Shelf:
    """An address book."""
    report = f"addressbook-multiget {_CARDDAV} address-data"
    return Shelf(
        truth, url, "contacts", ".vcf", "text/vcard", bodies.card, 30, 0, report, exact=False
    )


def folder(truth: Collection, url: str) -> Shelf:
    """A folder."""
    kind = "application/octet-stream"
    return Shelf(truth, url, "drive", ".bin", kind, bodies.file, 20, LARGEST_FILE)


def own_shelves(person: Person) -> list[Shelf]:
    """The collections of somebody."""
    return [
        calendar(person.calendar, f"/dav/calendars/{person.space}/Soak/"),
        contacts(person.contacts, f"/dav/contacts/{person.space}/Soak/"),
        folder(person.drive, "/dav/drive/My%20documents/Soak/"),
    ]


def group_shelves(person: Person) -> list[Shelf]:
    """The collections of somebody's group."""
    group = person.group
    assert group is not None
    path = group.name.replace(" ", "%20")
    return [
        calendar(group.calendar, f"/dav/calendars/{group.space}/Soak/"),
        folder(group.drive, f"/dav/drive/Groups/{path}/Soak/"),
    ]


async def syncer(person: Person, shelves: list[Shelf], share: float) -> None:
    """A program that keeps collections in sync and changes them, until it is over."""
    browser = Browser(person)
    programs = [SyncProgram(browser, shelf) for shelf in shelves]
    while not person.world.over.is_set():
        program = person.dice.choice(programs)
        await _guarded(program, _work)
        if person.dice.random() < 0.02:
            browser.drop()
            person.world.journal.drops += 1
        await person.pause(share)
    for program in programs:
        await _guarded(program, _last_look)
    browser.drop()


async def _guarded(program: SyncProgram, work: Work) -> None:
    where = f"{program.person.number}, {program.shelf.url}"
    try:
        await work(program)
    except Cut:
        pass
    except (Closed, TimeoutError) as error:
        program.journal.wrong_is("connection", f"HTTP, {where}: {error!r}")
    except Unexpected as error:
        program.journal.wrong_is("HTTP", f"{where}: {error}")


async def _work(program: SyncProgram) -> None:
    dice, shelf = program.dice, program.shelf
    name = shelf.name(dice.randrange(shelf.names))
    kind = dice.random()
    if kind < 0.30:
        await program.sync()
    elif kind < 0.70:
        await program.put(name)
    elif kind < 0.80:
        await program.get(name)
    elif kind < 0.85:
        await program.list()
    elif kind < 0.95 or not shelf.largest:
        await program.delete(name)
    else:
        await program.move(name, shelf.name(dice.randrange(shelf.names)))


async def look_at(person: Person, shelf: Shelf) -> None:
    """A program that knows nothing yet reads all there is."""
    program = SyncProgram(Browser(person), shelf)
    await _guarded(program, _read_all)
    program.browser.drop()


async def _last_look(program: SyncProgram) -> None:
    """When all have ended, a program syncs and lists."""
    async with program.world.turns:
        await program.sync()
        await program.list()


async def _read_all(program: SyncProgram) -> None:
    await _last_look(program)
    async with program.world.turns:
        for name in program.shelf.truth.items:
            await program.get(name)


# --- drop folders ---------------------------------------------------------------------------------


async def dropper(person: Person, share: float) -> None:
    """Puts files into drop folders of others, and empties the own one, until it is over."""
    browser = Browser(person)
    own = SyncProgram(browser, folder(person.drop, "/dav/drive/My%20documents/Drop%20folder/"))
    while not person.world.over.is_set():
        kind = person.dice.random()
        if kind < 0.5:
            other = person.dice.choice(person.fellows)
            await _guarded(_drop_of(person, browser, other), _drop)
        else:
            await _guarded(own, _empty)
        await person.pause(share)
    await _guarded(own, _last_look)
    for other in person.fellows:
        await _guarded(_drop_of(person, browser, other), SyncProgram.list)
    browser.drop()


def _drop_of(person: Person, browser: Browser, other: Person) -> SyncProgram:
    """The drop folder of somebody else, in which one sees what one put there."""
    url = f"/dav/drive/Drop%20folders/{other.name.replace(' ', '%20')}/"
    mine = other.drop.part(f"p{person.number}-")
    return SyncProgram(browser, folder(mine, url))


async def _drop(program: SyncProgram) -> None:
    person = program.person
    name = f"p{person.number}-{program.dice.randrange(5)}.bin"
    await program.list()
    if program.dice.random() < 0.5:
        await program.put(name)
    else:
        await program.get(name)


async def _empty(program: SyncProgram) -> None:
    await program.sync()
    if program.tags:
        await program.delete(program.dice.choice(sorted(program.tags)))
