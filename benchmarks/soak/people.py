"""Who is simulated, and what all of them have in common."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from benchmarks.serve import DOMAIN, PASSWORD, address
from benchmarks.soak.bodies import token
from benchmarks.soak.items import Collection
from benchmarks.soak.journal import Journal
from benchmarks.soak.mailbox import Mailbox
from benchmarks.soak.things import Things
from tests.kit.http import basic

AT_ONCE = 16
"""How many look at the same time when it is over."""
OWN_MAILBOXES = ("INBOX", "Archive", "Trash")
GROUP_MAILBOXES = ("INBOX", "Archive")


@dataclass
class World:
    """What all share: ports, the journal, the pace (operations of one person in a second)."""

    ports: Mapping[str, int]
    journal: Journal
    pace: float
    people: list[Person] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def now(self) -> float:
        """The clock of all of them."""
        return monotonic()

    async def wait(self, seconds: float) -> None:
        """Let time pass, until it is over at the latest."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)


@dataclass(eq=False)
class Person:
    """One of them: login, mailboxes, collections, and things that are shared now and then."""

    world: World
    number: int
    dice: random.Random
    space: int = 0
    group: Group | None = None
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    calendar: Collection = field(default_factory=Collection)
    contacts: Collection = field(default_factory=Collection)
    drive: Collection = field(default_factory=Collection)
    drop: Collection = field(default_factory=Collection)
    things: Things = field(default_factory=Things)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.address = address(self.number)
        self.name = f"Person {self.number}"
        self.secret = basic(self.address, PASSWORD)
        self.password = PASSWORD
        self.mailboxes = {name: Mailbox(f"{name} of {self.number}") for name in OWN_MAILBOXES}
        for what in ("calendar", "contacts", "drive", "drop"):
            getattr(self, what).label = f"{what} of {self.number}"

    @property
    def fellows(self) -> list[Person]:
        """The others in the group."""
        assert self.group is not None
        return [one for one in self.group.members if one is not self]

    def token(self, size: int) -> str:
        """The name of a new content."""
        return token(f"p{self.number}", next(self._numbers), size)

    async def pause(self, share: float) -> None:
        """Think, so that a role with this share of the pace comes to it."""
        mean = 1 / (self.world.pace * share)
        await self.world.wait(min(self.dice.expovariate(1 / mean), 5 * mean))


@dataclass(eq=False)
class Group:
    """A group; all members may change everything in it. ``copied`` get its mail as well."""

    number: int
    members: list[Person]
    copied: list[Person]
    space: int = 0
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    calendar: Collection = field(default_factory=Collection)
    drive: Collection = field(default_factory=Collection)

    def __post_init__(self) -> None:
        self.address = f"group{self.number}@{DOMAIN}"
        self.name = f"Group {self.number}"
        self.mailboxes = {
            name: Mailbox(f"{name} of {self.name}", shared=True) for name in GROUP_MAILBOXES
        }
        self.calendar.label = f"calendar of {self.name}"
        self.drive.label = f"drive of {self.name}"

    def forwarded(self, sender: Person) -> list[Person]:
        """Who finds a message of somebody to the group in the own INBOX, too."""
        return [one for one in self.copied if one is not sender]
