"""Single items that members share with a group: everybody in it finds them, and follows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from folkmoot.sharing.rights import READ, WRITE
from folkmoot.storage.errors import NotFound, PermissionDenied, Unchangeable
from folkmoot.storage.mutations.grants import Share
from folkmoot.storage.mutations.groups import RemoveMember
from folkmoot.storage.mutations.item_grants import ShareItem, UnshareItem
from folkmoot.storage.mutations.messages import AppendMessages, ExpungeMessages
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, Flag, FlagSet, NewMessage, Right, Tool
from folkmoot.storage.types_groups import Group
from folkmoot.storage.types_tree import Item, TreePath
from folkmoot.storage.views.mailboxes import ListMailboxes
from folkmoot.storage.views.tree import FindPath
from tests.dav.calendars import calendar, event
from tests.dav.cards import card
from tests.kit.dav import Dav
from tests.kit.messages import simple
from tests.kit.server import TestAccount, TestServer
from tests.storage.accounts_kit import actor_of

SHARED = "/dav/drive/Groups/Choir/Shared/"
MINE = "/dav/drive/My%20documents/"
SYSTEM = Actor.system("test")


@dataclass
class World:
    """Alice administers the choir, Bob writes there, Carol reads, Eve is not in it."""

    server: TestServer
    group: Group
    people: dict[str, Dav]

    def __getitem__(self, name: str) -> Dav:
        return self.people[name]

    def actor(self, name: str) -> Actor:
        return actor_of(self.server.store, f"{name}@example.test")

    def item(self, name: str, tool: Tool, *names: str) -> Item:
        actor = self.actor(name)
        path = TreePath(actor.space_id, tool, names)
        found = self.server.store.call_read(actor, "test", lambda txn: txn.view(FindPath(path)))
        assert found.entry is not None
        assert isinstance(found.entry.node, Item)
        return found.entry.node

    def share(self, name: str, item: Item, rights: Right = READ) -> None:
        grant = ShareItem(item.folder_id, item.id, self.group.space_id, rights)
        self.server.store.call(self.actor(name), "test", lambda txn: txn.apply(grant))

    def withdraw(self, name: str, item: Item) -> None:
        end = UnshareItem(item.folder_id, item.id, self.group.space_id)
        self.server.store.call(self.actor(name), "test", lambda txn: txn.apply(end))

    def listed(self, name: str) -> list[str]:
        hrefs = self[name].propfind(SHARED, "displayname", depth=1).hrefs
        return [href.removeprefix(SHARED) for href in hrefs[1:]]


@pytest.fixture
def world(any_server: TestServer) -> World:
    """On each kind of database, with a file of Bob's."""
    people = {}
    for name in ("alice", "bob", "carol", "eve"):
        people[name] = any_server.account(name)
    group = any_server.group("choir", people["alice"], people["carol"], writers=[people["bob"]])
    davs = {name: Dav(any_server, account) for name, account in people.items()}
    davs["bob"].put(f"{MINE}song.txt", b"la", content_type="text/plain")
    return World(any_server, group, davs)


def test_putting_it_there_shares_it(world: World) -> None:
    """Whoever copies a file of their own into the group's folder for it shares that very file."""
    assert world.listed("carol") == []
    copied = world["bob"].call("COPY", f"{MINE}song.txt", Destination=f"{SHARED}song.txt")
    assert copied.status == 201
    for member in ("alice", "bob", "carol"):
        assert world[member].get(f"{SHARED}song.txt") == b"la"
    assert world["eve"].call("GET", f"{SHARED}song.txt").status == 404
    world["bob"].put(f"{MINE}song.txt", b"la la la")
    assert world["carol"].get(f"{SHARED}song.txt") == b"la la la"


def test_it_costs_the_group_nothing(world: World) -> None:
    """Octets are charged to whoever keeps them, once."""
    folder = f"{MINE}"
    before = world["bob"].propfind(folder, "quota-used-bytes").only.text("quota-used-bytes")
    group = "/dav/drive/Groups/Choir/"
    of_group = world["bob"].propfind(group, "quota-used-bytes").only.text("quota-used-bytes")
    world.share("bob", world.item("bob", Tool.DOCUMENTS, "song.txt"))
    after = world["bob"].propfind(folder, "quota-used-bytes").only.text("quota-used-bytes")
    assert after == before
    now = world["bob"].propfind(group, "quota-used-bytes").only.text("quota-used-bytes")
    assert now == of_group


def test_readers_read(world: World) -> None:
    """What was shared for reading is not written, moved, locked or removed by others."""
    world.share("bob", world.item("bob", Tool.DOCUMENTS, "song.txt"))
    for name in ("alice", "carol"):
        member, url = world[name], f"{SHARED}song.txt"
        assert member.call("PUT", url, b"x").status == 403
        assert member.call("DELETE", url).status == 403
        assert member.call("MOVE", url, Destination=f"{SHARED}x.txt").status == 403
        assert member.call("MOVE", url, Destination=f"{MINE}x.txt").status == 403
        assert member.call("PUT", f"{SHARED}new.txt", b"x").status == 403
        assert member.call("MKCOL", f"{SHARED}new").status == 403
        assert member.call("COPY", url, Destination=f"{MINE}mine.txt").status == 201
        assert member.get(f"{MINE}mine.txt") == b"la"
    assert world["bob"].get(f"{MINE}song.txt") == b"la"


def test_writers_write_the_thing_itself(world: World) -> None:
    """Who was given more changes what its owner has, under the owner's locks."""
    world.share("bob", world.item("bob", Tool.DOCUMENTS, "song.txt"), READ | WRITE)
    carol, bob, url = world["carol"], world["bob"], f"{SHARED}song.txt"
    carol.put(url, b"do re mi")
    assert bob.get(f"{MINE}song.txt") == b"do re mi"
    assert carol.get(url) == b"do re mi"
    token = bob.lock(f"{MINE}song.txt")
    assert carol.call("PUT", url, b"x").status == 423
    assert carol.call("DELETE", url).status == 423
    bob.unlock(f"{MINE}song.txt", token)
    token = carol.lock(url)
    assert bob.call("PUT", f"{MINE}song.txt", b"x").status == 423
    put = carol.call("PUT", url, b"fa", If=f"(<{token}>)")
    assert put.status == 204
    assert carol.unlock(url, token) == 204
    assert bob.get(f"{MINE}song.txt") == b"fa"
    done = carol.proppatch(url, '<D:set><D:prop><x xmlns="urn:x">red</x></D:prop></D:set>')
    assert 200 in done.props
    assert bob.propfind(f"{MINE}song.txt", "{urn:x}x").only.text("{urn:x}x") == "red"
    assert carol.propfind(url, "{urn:x}x").only.text("{urn:x}x") == "red"
    assert carol.call("DELETE", url).status == 204
    assert bob.call("GET", f"{MINE}song.txt").status == 404
    assert world.listed("alice") == []


def test_withdrawing(world: World) -> None:
    """The owner takes it back by removing it there, and keeps it; a sync tells the others."""
    world["bob"].call("COPY", f"{MINE}song.txt", Destination=f"{SHARED}song.txt")
    token = world["carol"].sync(SHARED).sync_token
    assert world["bob"].call("DELETE", f"{SHARED}song.txt").status == 204
    assert world["bob"].get(f"{MINE}song.txt") == b"la"
    assert world["carol"].call("GET", f"{SHARED}song.txt").status == 404
    changed = world["carol"].sync(SHARED, token)
    assert changed[f"{SHARED}song.txt"].status == 404


def test_it_follows_its_owner_about(world: World) -> None:
    """Filed elsewhere it stays shared; given to another owner, or removed, it does not."""
    bob = world["bob"]
    world.share("bob", world.item("bob", Tool.DOCUMENTS, "song.txt"))
    bob.mkcol(f"{MINE}Old/")
    bob.call("MOVE", f"{MINE}song.txt", Destination=f"{MINE}Old/air.txt")
    bob.put(f"{MINE}Old/air.txt", b"mi")
    assert world["carol"].get(f"{SHARED}song.txt") == b"mi"
    bob.call("MOVE", f"{MINE}Old/air.txt", Destination="/dav/drive/Groups/Choir/air.txt")
    assert world.listed("carol") == []
    bob.put(f"{MINE}Old/b.txt", b"b")
    world.share("bob", world.item("bob", Tool.DOCUMENTS, "Old", "b.txt"))
    assert world.listed("carol") == ["b.txt"]
    assert bob.call("DELETE", f"{MINE}Old/").status == 204
    assert world.listed("carol") == []


def test_equal_names_are_told_apart(world: World) -> None:
    """Two people share files of the same name."""
    world["carol"].put(f"{MINE}song.txt", b"other")
    for name in ("bob", "carol"):
        world.share(name, world.item(name, Tool.DOCUMENTS, "song.txt"))
    assert sorted(world.listed("alice")) == ["song%20(2).txt", "song.txt"]
    assert world["alice"].get(f"{SHARED}song%20(2).txt") == b"other"


def test_leaving_ends_it(world: World) -> None:
    """What somebody shared with a group goes with them, and what was shared with them too."""
    world.share("bob", world.item("bob", Tool.DOCUMENTS, "song.txt"))
    leave = RemoveMember(world.group.id, world.actor("bob").account_id)
    world.server.store.call(SYSTEM, "test", lambda txn: txn.apply(leave))
    assert world.listed("carol") == []
    assert world["bob"].get(f"{MINE}song.txt") == b"la"


def test_with_whom_one_may_share(world: World) -> None:
    """Only with groups that one is in, only one's own, and not what is shared already."""
    world["eve"].put(f"{MINE}of-eve.txt", b"e")
    with pytest.raises(PermissionDenied):
        world.share("eve", world.item("eve", Tool.DOCUMENTS, "of-eve.txt"))
    item = world.item("bob", Tool.DOCUMENTS, "song.txt")
    with pytest.raises(NotFound):
        world.share("carol", item)
    world.share("bob", item)
    with pytest.raises(NotFound):
        world.withdraw("bob", item._replace(id=item.id + 1000))
    world.withdraw("bob", item)
    with pytest.raises(NotFound):
        world.withdraw("bob", item)
    missing = item._replace(id=item.id + 1000)
    with pytest.raises(NotFound):
        world.share("bob", missing)


def _meeting(day: str) -> bytes:
    times = (f"DTSTAMP:{day}T000000Z", f"DTSTART:{day}T100000Z", f"DTEND:{day}T110000Z")
    return calendar(event(*times, "SUMMARY:x"))


def test_an_event(world: World) -> None:
    """An event of somebody's calendar is in a calendar of the group, with its queries."""
    bob = world["bob"]
    space = world.actor("bob").space_id
    url = f"/dav/calendars/{space}/Calendar/a.ics"
    bob.put(url, _meeting("20260105"), content_type="text/calendar")
    world.share("bob", world.item("bob", Tool.CALENDAR, "Calendar", "a.ics"), READ | WRITE)
    shared = f"/dav/calendars/{world.group.space_id}/Shared/"
    query = (
        '<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
        "<prop><getetag/></prop><C:filter>"
        '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        '<C:time-range start="20260105T000000Z" end="20260106T000000Z"/>'
        "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    )
    found = world["carol"].report(shared, query, Depth="1")
    assert [href.rpartition("/")[2] for href in found.hrefs] == ["a.ics"]
    later = _meeting("20260205")
    world["carol"].put(f"{shared}a.ics", later, content_type="text/calendar")
    assert b"20260205" in bob.get(url)
    assert world["alice"].report(shared, query, Depth="1").hrefs == []


def test_a_mailbox_root_or_inbox_of_invitations(world: World) -> None:
    """What the server puts somewhere for one person is not to be shared."""
    actor = world.actor("bob")
    path = TreePath(actor.space_id, Tool.CALENDAR, ("Inbox",))
    store = world.server.store
    found = store.call_read(actor, "test", lambda txn: txn.view(FindPath(path)))
    assert found.entry is not None
    grant = ShareItem(found.entry.node.id, 1, world.group.space_id, READ)
    with pytest.raises(Unchangeable):
        store.call(actor, "test", lambda txn: txn.apply(grant))


def test_one_thing_is_kept_from_a_group(world: World) -> None:
    """In a folder that is shared, one item is not: others do not find it by any way of asking."""
    bob, carol, space = world["bob"], world["carol"], world.group.space_id
    bob.mkcol(f"{MINE}Shown/")
    for name in ("a.txt", "b.txt"):
        bob.put(f"{MINE}Shown/{name}", name.encode())
    item = world.item("bob", Tool.DOCUMENTS, "Shown", "a.txt")
    folder = Share(item.folder_id, space, READ)
    world.server.store.call(world.actor("bob"), "test", lambda txn: txn.apply(folder))
    hrefs = carol.propfind("/dav/drive/Shared/", "displayname", depth=1).hrefs
    [place] = [href for href in hrefs if "bob" in href]
    shown = f"{place}Shown/"
    assert carol.get(f"{shown}a.txt") == b"a.txt"
    token = carol.sync(shown).sync_token
    world.share("bob", item, Right.NONE)
    for _ in range(2):  # also from what is remembered
        found = carol.propfind(shown, "getetag", depth=1).hrefs
        assert [href.removeprefix(shown) for href in found] == ["", "b.txt"]
    assert carol.call("GET", f"{shown}a.txt").status == 404
    assert carol.call("PUT", f"{shown}a.txt", b"x").status in (403, 404)
    assert carol.sync(shown, token)[f"{shown}a.txt"].status == 404
    assert [href for href in carol.sync(shown).hrefs if href.endswith("a.txt")] == []
    copied = carol.call("COPY", shown, Destination=f"{MINE}Copy/")
    assert copied.status == 201
    assert carol.call("GET", f"{MINE}Copy/a.txt").status == 404
    assert carol.get(f"{MINE}Copy/b.txt") == b"b.txt"
    assert bob.get(f"{MINE}Shown/a.txt") == b"a.txt"
    world.withdraw("bob", item)
    assert carol.get(f"{shown}a.txt") == b"a.txt"


def test_a_contact_and_a_task(world: World) -> None:
    """They are found where the program for them looks."""
    bob, carol, space = world["bob"], world["carol"], world.actor("bob").space_id
    bob.put(f"/dav/contacts/{space}/Contacts/a.vcf", card(), content_type="text/vcard")
    task = calendar(event("DTSTAMP:20260105T000000Z", "SUMMARY:x", uid="todo", name="VTODO"))
    bob.put(f"/dav/calendars/{space}/Tasks/a.ics", task, content_type="text/calendar")
    world.share("bob", world.item("bob", Tool.CONTACTS, "Contacts", "a.vcf"))
    world.share("bob", world.item("bob", Tool.CALENDAR, "Tasks", "a.ics"))
    for kind, name, body in (
        ("contacts", "a.vcf", b"BEGIN:VCARD"),
        ("calendars", "a.ics", b"todo"),
    ):
        home = f"/dav/{kind}/{world.actor('carol').space_id}/"
        found = carol.propfind(home, "displayname", depth=1)
        [place] = [
            one.href for one in found.responses if one.text("displayname") == "Shared (Choir)"
        ]
        assert body in carol.get(f"{place}{name}")
        assert carol.call("DELETE", f"{place}{name}").status == 403


def test_different_rights_for_different_groups(world: World) -> None:
    """One thing is shared with two groups: to read with one, to write with the other."""
    people = world.server
    dave = people.account("dave")
    other = people.group("band", TestAccount(*_bob(world)), dave)
    item = world.item("bob", Tool.DOCUMENTS, "song.txt")
    world.share("bob", item)
    grant = ShareItem(item.folder_id, item.id, other.space_id, READ | WRITE)
    people.store.call(world.actor("bob"), "test", lambda txn: txn.apply(grant))
    writer, place = Dav(people, dave), "/dav/drive/Groups/Band/Shared/song.txt"
    writer.put(place, b"of dave")
    assert world["carol"].get(f"{SHARED}song.txt") == b"of dave"
    assert world["carol"].call("PUT", f"{SHARED}song.txt", b"x").status == 403
    world.withdraw("bob", item)
    assert writer.get(place) == b"of dave"
    assert world.listed("carol") == []


def _bob(world: World) -> tuple[int, int, str]:
    actor = world.actor("bob")
    return actor.account_id, actor.space_id, actor.name


def test_impossible_names(world: World) -> None:
    """A name that nothing can have is refused for what is shared, too."""
    place = f"{SHARED}a%01b.txt"
    assert world["bob"].call("COPY", f"{MINE}song.txt", Destination=place).status in (400, 403)
    assert world.listed("carol") == []


def test_a_grant_without_a_link_ends_with_its_message(world: World) -> None:
    """What a group says of a message of its own is not left behind (the store is checked)."""
    store, actor, space = world.server.store, world.actor("alice"), world.group.space_id
    boxes = store.call_read(actor, "test", lambda txn: txn.view(ListMailboxes(space, 0)))
    [inbox] = [each.id for each in boxes if each.name == "INBOX"]
    new = NewMessage(store.prepare(simple()), FlagSet(Flag.DELETED), datetime.now(UTC))
    for mutation in (
        AppendMessages(inbox, (new,)),
        ShareItem(inbox, 1, space, READ),
        ExpungeMessages(inbox),
    ):
        store.call(actor, "test", partial(_apply, mutation))


def _apply(mutation: Any, txn: Txn) -> None:
    txn.apply(mutation)
