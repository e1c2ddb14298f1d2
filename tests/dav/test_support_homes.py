"""Agents of support find in a customer's home what the customer finds there, as far as granted."""

from __future__ import annotations

import pytest

from folkmoot.storage.types import Tool
from tests.dav.agendas import C
from tests.dav.family import SEE, Family, Person, changed, family
from tests.kit.server import TestServer


@pytest.fixture
def choir(any_server: TestServer) -> Family:
    """A group, on each kind of database."""
    return family(any_server)


def _agent(choir: Family, customer: Person, **scope: bool) -> Person:
    server = choir.server
    return Person(server, server.let_in(server.agent(), customer.account, **scope))


def test_groups_are_in_the_home(choir: Family) -> None:
    """With the groups granted, an agent lists and syncs what the customer does; else only what is
    the customer's own."""
    bob, alone = choir.bob, [f"{choir.bob.calendars}{name}/" for name in ("Calendar", "Tasks")]
    choir.share(choir.carol, choir.group.space_id, SEE)
    wide, narrow = _agent(choir, bob, with_groups=True), _agent(choir, bob)
    # Before the customer ever looked, and after.
    synced = changed(wide.sync(bob.calendars))
    seen = wide.listed(bob.calendars)
    assert seen == bob.listed(bob.calendars)
    assert len(seen) == 5
    assert set(seen) <= set(synced)
    assert set(seen) <= set(changed(wide.sync(bob.calendars)))
    assert narrow.listed(bob.calendars) == alone
    assert not set(changed(narrow.sync(bob.calendars))) & set(seen[2:])
    books = bob.listed(bob.contacts)
    assert wide.listed(bob.contacts) == books
    assert narrow.listed(bob.contacts) == books[:1]
    assert narrow.call("PROPFIND", books[-1], Depth="1").status == 404
    group = choir.bound(bob)
    assert wide.propfind(group, "displayname").only.text("displayname") == "Calendar (Choir)"
    assert narrow.call("PROPFIND", group, Depth="0").status == 404


def test_they_are_used_by_the_rights_of_the_customer(choir: Family) -> None:
    """Bob writes in the group's calendar and so may the agent; how it is shown is Bob's."""
    agent, url = _agent(choir, choir.bob, with_groups=True), choir.bound(choir.bob)
    looks = _agent(choir, choir.carol, with_groups=True)
    assert agent.store(url, "one") == 201
    assert b"SUMMARY:one" in looks.get(f"{choir.bound(choir.carol)}one.ics")
    assert looks.store(choir.bound(choir.carol), "two") == 403
    name = "<D:set><D:prop><D:displayname>Mine</D:displayname></D:prop></D:set>"
    body = f'<D:propertyupdate xmlns:D="DAV:">{name}</D:propertyupdate>'
    agent.call("PROPPATCH", url, body)
    assert choir.bob.propfind(url, "displayname").only.text("displayname") == "Calendar (Choir)"
    shared = choir.share(choir.carol, choir.group.space_id, SEE)
    hers = f"{choir.bob.calendars}Shared-{shared.id}/"
    assert hers in choir.bob.listed(choir.bob.calendars)
    assert agent.call("DELETE", hers).status == 403
    assert hers in choir.bob.listed(choir.bob.calendars)
    assert choir.group_folder(tool=Tool.CALENDAR).name == "Calendar"
    kinds = agent.propfind(url, "resourcetype").only.tags("resourcetype")
    assert kinds == ["collection", f"{C}calendar"]
