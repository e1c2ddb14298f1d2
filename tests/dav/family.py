"""A group with its people, and what they share: for tests of what is found in homes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from folkmoot.sharing.rights import READ, WRITE
from folkmoot.storage.mutations.grants import Share, Unshare
from folkmoot.storage.types import Actor, ActorKind, Right, Tool
from folkmoot.storage.types_groups import Group
from folkmoot.storage.types_tree import Folder, TreePath
from folkmoot.storage.views.accounts import ReadLoginRecord
from folkmoot.storage.views.tree import FindPath
from tests.dav.agendas import C
from tests.dav.calendars import calendar, event
from tests.kit import reactor
from tests.kit.dav import Dav, Multistatus
from tests.kit.server import TestAccount, TestServer

R = "{urn:ietf:params:xml:ns:carddav}"
START = "DTSTART:20260302T100000Z"
SEE = Right.LOOKUP | Right.READ | Right.BUSY | Right.SEEN
CHANGE = SEE | WRITE


class Person(Dav):
    """Somebody with homes; ``calendars`` and ``contacts`` are their URLs."""

    def __init__(self, server: TestServer, account: TestAccount) -> None:
        super().__init__(server, account)
        self.calendars = f"/dav/calendars/{account.space_id}/"
        self.contacts = f"/dav/contacts/{account.space_id}/"
        self.principal = f"/dav/principals/users/{account.space_id}/"

    def listed(self, home: str) -> list[str]:
        """URLs of the calendars and address books in a home, scheduling aside."""
        kinds = {f"{C}calendar", f"{R}addressbook"}
        found = self.propfind(home, "resourcetype", depth=1).responses
        return [each.href for each in found if kinds & set(each.tags("resourcetype"))]

    def store(self, url: str, name: str, *lines: str) -> int:
        """PUT an event that is called as its resource is; the status."""
        body = calendar(event(START, f"SUMMARY:{name}", *lines, uid=name))
        return self.call("PUT", f"{url}{name}.ics", body, Content_Type="text/calendar").status


@dataclass
class Family:
    """Alice administers the group Choir, Bob writes there, Carol reads, Eve is not in it."""

    server: TestServer
    group: Group
    alice: Person
    bob: Person
    carol: Person
    eve: Person

    def folder(self, space_id: int, tool: Tool, *names: str) -> Folder:
        """A folder as whoever owns it knows it."""
        owner = self.alice if space_id == self.group.space_id else self._owner(space_id)
        view = FindPath(TreePath(space_id, tool, names))
        entry = self.server.store.call_read(
            self.actor(owner), "t", lambda txn: txn.view(view)
        ).entry
        assert entry is not None
        assert isinstance(entry.node, Folder)
        return entry.node

    def _owner(self, space_id: int) -> Person:
        people = (self.alice, self.bob, self.carol, self.eve)
        return next(each for each in people if each.account.space_id == space_id)

    def actor(self, person: Person) -> Actor:
        """Who somebody is to the store."""
        account = person.account
        view = ReadLoginRecord(account.address)
        record = self.server.store.call_read(Actor.system("t"), "t", lambda txn: txn.view(view))
        assert record is not None
        return Actor(
            ActorKind.ACCOUNT, account.id, account.space_id, account.address, epoch=record.epoch
        )

    def group_folder(self, name: str = "Calendar", tool: Tool = Tool.CALENDAR) -> Folder:
        """One of the group's collections."""
        return self.folder(self.group.space_id, tool, name)

    def bound(self, person: Person, name: str = "Calendar", tool: Tool = Tool.CALENDAR) -> str:
        """Where somebody finds a collection of the group."""
        home = person.calendars if tool is Tool.CALENDAR else person.contacts
        return f"{home}Group-{self.group_folder(name, tool).id}/"

    def share(
        self,
        owner: Person,
        grantee: int,
        rights: Right | None,
        name: str = "Calendar",
        tool: Tool = Tool.CALENDAR,
    ) -> Folder:
        """Grant rights on a collection to a space; None takes them back."""
        folder = self.folder(owner.account.space_id, tool, name)
        mutation = (
            Unshare(folder.id, grantee) if rights is None else Share(folder.id, grantee, rights)
        )
        self.server.store.call(self.actor(owner), "t", lambda txn: txn.apply(mutation))
        return folder

    def remove(self, person: Person) -> None:
        """Take somebody out of the group."""
        address = self.group.address
        reactor.call(partial(self.server.groups.remove_member, address, person.account.address))

    def add(self, person: Person, *, writes: bool = False) -> None:
        """Take somebody into the group."""
        rights = dict.fromkeys(Tool, WRITE if writes else READ)
        address, member = self.group.address, person.account.address
        reactor.call(partial(self.server.groups.add_member, address, member, rights))


def family(server: TestServer) -> Family:
    """The four of them on a server."""
    people = {name: server.account(name) for name in ("alice", "bob", "carol", "eve")}
    group = server.group("choir", people["alice"], people["carol"], writers=[people["bob"]])
    return Family(server, group, *(Person(server, account) for account in people.values()))


def removed(found: Multistatus) -> list[str]:
    """What a sync says is gone."""
    return [each.href for each in found.responses if each.status == 404]


def changed(found: Multistatus) -> list[str]:
    """What a sync says is there."""
    return [each.href for each in found.responses if each.status != 404]
