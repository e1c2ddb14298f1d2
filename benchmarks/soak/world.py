"""The people of a run: who is in which group, and what each has at the beginning."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Mapping

from benchmarks.serve import DOMAIN, PASSWORD
from benchmarks.soak.dav import XML, Browser, Unexpected
from benchmarks.soak.journal import Journal
from benchmarks.soak.people import Group, Person, World
from benchmarks.soak.sharing import content, url
from benchmarks.soak.truth import Register
from benchmarks.soak.wires import Imap, connect

IN_GROUP = 8
COPIED = 2
AT_ONCE = 8
START_SECONDS = 900.0
_BOOK = (
    '<D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>'
    "<D:resourcetype><D:collection/><C:addressbook/></D:resourcetype>"
    "</D:prop></D:set></D:mkcol>"
)
_PRINCIPAL = b'<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>'


def make_world(count: int, pace: float, seed: int) -> World:
    """So many people in groups of eight; ports are not known yet."""
    world = World({}, Journal(), pace)
    world.people = [
        Person(world, number, random.Random(f"{seed} {number}")) for number in range(count)
    ]
    for start in range(0, count, IN_GROUP):
        members = world.people[start : start + IN_GROUP]
        if len(members) == 1:  # nobody is alone
            members = world.people[start - 1 :]
        group = Group(len(world.groups), members, members[-COPIED:])
        world.groups.append(group)
        for member in members:
            member.group = group
    for group in world.groups:
        group.members = [one for one in group.members if one.group is group]
        group.copied = [one for one in group.copied if one.group is group]
    return world


def directory(world: World) -> str:
    """The directory file of these people."""
    lines = [f'[[domain]]\nname = "{DOMAIN}"']
    for one in world.people:
        lines.append(
            f'[[account]]\naddress = "{one.address}"\nname = "{one.name}"\npassword = "{PASSWORD}"'
        )
    for group in world.groups:
        leader, *others = [f'"{one.address}"' for one in group.members]
        copied = ", ".join(f'"{one.address}"' for one in group.copied)
        lines.append(
            f'[[group]]\naddress = "{group.address}"\nname = "{group.name}"\nadmin = {leader}\n'
            f"editors = [{', '.join(others)}]\nforward = [{copied}]"
        )
    return "\n".join(lines) + "\n"


async def settle(world: World, ports: Mapping[str, int]) -> None:
    """Let everybody sign in and make what they need."""
    world.ports = ports
    await _greeted(ports["imap"])
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(person: Person) -> None:
        async with turns:
            await _person(person)

    await asyncio.gather(*map(one, world.people))
    for group in world.groups:
        await _group(group)


async def _greeted(port: int) -> None:
    """Wait until the server has hashed the passwords of all: its sockets are there before that."""
    reader, writer = await connect(port)
    await asyncio.wait_for(reader.readline(), START_SECONDS)
    writer.transport.abort()


async def _person(person: Person) -> None:
    browser = Browser(person)
    answer = await browser.call("first PROPFIND", "PROPFIND", "/dav/", _PRINCIPAL, {"Depth": "0"})
    found = re.search(rb"/dav/principals/users/(\d+)/", answer.body)
    if found is None:
        raise Unexpected(f"{answer.status}: no current-user-principal")
    person.space = int(found[1])
    home = f"/dav/calendars/{person.space}/"
    for name in ("Soak", "Things"):
        await _make(browser, "MKCALENDAR", f"{home}{name}/")
        await _make(browser, "MKCOL", f"/dav/drive/My%20documents/{name}/")
    await _make(browser, "MKCOL", f"/dav/contacts/{person.space}/Soak/", _BOOK.encode())
    for what in ("documents", "calendar"):
        token = person.token(100)
        fields = {"Content-Type": "text/calendar"} if what == "calendar" else {}
        where = url(person, what, person)
        answer = await browser.call("PUT", "PUT", where, content(what, token), fields)
        if answer.status != 201:
            raise Unexpected(f"{answer.status} for PUT {where}: {answer.text}")
        person.things.content[what] = Register(token)
    browser.drop()
    imap = await Imap.open(person.world.ports["imap"])
    await imap.command(f'LOGIN "{person.address}" "{PASSWORD}"')
    await imap.command("CREATE Things")
    imap.drop()


async def _group(group: Group) -> None:
    leader = group.members[0]
    browser = Browser(leader)
    body = b'<propfind xmlns="DAV:"><prop><displayname/></prop></propfind>'
    where = "/dav/principals/groups/"
    answer = await browser.call("first PROPFIND", "PROPFIND", where, body, {"Depth": "1"})
    found = re.search(rb"/dav/principals/groups/(\d+)/", answer.body)
    if found is None:
        raise Unexpected(f"{answer.status}: {leader.address} is in no group")
    group.space = int(found[1])
    await _make(browser, "MKCALENDAR", f"/dav/calendars/{group.space}/Soak/")
    await _make(browser, "MKCOL", f"/dav/drive/Groups/{group.name.replace(' ', '%20')}/Soak/")
    browser.drop()


async def _make(browser: Browser, method: str, where: str, body: bytes | None = None) -> None:
    answer = await browser.call("make collections", method, where, body, XML if body else {})
    if answer.status != 201:
        raise Unexpected(f"{answer.status} for {method} {where}: {answer.text[:300]}")
