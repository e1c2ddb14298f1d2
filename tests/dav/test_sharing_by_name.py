"""Sharing by the names that people use: by the person, by the operator, and what others find."""

from __future__ import annotations

from functools import partial

import pytest

from folkmoot.sharing.rights import LEVELS, READ, WRITE, rights_text
from folkmoot.sharing.sharing import Sharing, path_of
from folkmoot.storage.errors import NotFound, PermissionDenied, StorageError, Unchangeable
from folkmoot.storage.types import Actor, Right, Tool
from tests.dav.family import Family, family
from tests.kit import reactor
from tests.kit.messages import simple
from tests.kit.server import TestServer

CHOIR = "choir@example.test"
ALICE, BOB, CAROL, EVE = (f"{name}@example.test" for name in ("alice", "bob", "carol", "eve"))
MINE = "/dav/drive/My%20documents/"


@pytest.fixture
def choir(any_server: TestServer) -> Family:
    """On each kind of database, with a file and a message of Bob's."""
    made = family(any_server)
    made.bob.put(f"{MINE}song.txt", b"la", content_type="text/plain")
    client = any_server.imap(made.bob.account)
    client.append("INBOX", simple())
    return made


def sharing(choir: Family, name: str = "") -> Sharing:
    """For one of the people, or for the operator."""
    store = choir.server.store
    actor = choir.actor(getattr(choir, name)) if name else Actor.system("test")
    return Sharing(store, actor)


def share(by: Sharing, owner: str, path: str, grantee: str, rights: Right = READ) -> None:
    """Share something."""
    reactor.call(partial(by.share, owner, path, grantee, rights))


def shared(by: Sharing, owner: str, path: str = "") -> list[tuple[str, str, str]]:
    """What somebody shares."""
    found = reactor.call(partial(by.shared, owner, path))
    return [(path_of(one), one.grant.address, rights_text(one.grant.rights)) for one in found]


@pytest.mark.parametrize("name", ["bob", ""])
def test_single_things(choir: Family, name: str) -> None:
    """Files and messages are named, listed and withdrawn like collections, by whoever may."""
    by = sharing(choir, name)
    paths = ["mail/INBOX;UID=1", "documents/song.txt"]
    for path in paths:
        share(by, BOB, path, CHOIR)
        assert shared(by, BOB, path) == [(path, CHOIR, "read")]
    share(by, BOB, "documents/song.txt", CHOIR, WRITE)
    assert ("documents/song.txt", CHOIR, "write") in shared(by, BOB)
    assert choir.carol.get("/dav/drive/Groups/Choir/Shared/song.txt") == b"la"
    carol = choir.server.imap(choir.carol.account, "Groups/Choir/Shared")
    assert len(carol.ok("FETCH 1:* UID").lines) == 1
    for path in paths:
        reactor.call(partial(by.unshare, BOB, path, CHOIR))
    assert shared(by, BOB) == []
    assert choir.carol.call("GET", "/dav/drive/Groups/Choir/Shared/song.txt").status == 404


def test_calendars_by_the_name_that_people_see(choir: Family) -> None:
    """Programs call them by numbers; with two of the same name one says which."""
    by, home = sharing(choir, "bob"), choir.bob.calendars
    for slug in ("4711", "4712"):
        body = (
            '<C:mkcalendar xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"><D:set><D:prop>'
            "<D:displayname>Tours &amp; more</D:displayname></D:prop></D:set></C:mkcalendar>"
        )
        assert choir.bob.call("MKCALENDAR", f"{home}{slug}/", body).status == 201
        if slug == "4711":
            share(by, BOB, "calendar/Tours & more", CHOIR)
            assert shared(by, BOB) == [("calendar/4711", CHOIR, "read")]
    for path in ("calendar/Tours & more", "calendar/tours & more"):
        with pytest.raises(NotFound):
            share(by, BOB, path, CAROL)
    share(by, BOB, "calendar/4712", CAROL, LEVELS["busy"])


@pytest.mark.parametrize(
    ("name", "owner", "path", "grantee", "error"),
    [
        ("bob", BOB, "documents/song.txt", CAROL, PermissionDenied),
        ("bob", BOB, "documents/song.txt/", EVE, NotFound),
        ("bob", BOB, "documents/no.txt", CHOIR, NotFound),
        ("bob", BOB, "documents/song.txt/x", CHOIR, NotFound),
        ("bob", BOB, "mail/INBOX;UID=2", CHOIR, NotFound),
        ("bob", BOB, "mail/INBOX;UID=9999999999", CHOIR, NotFound),
        ("bob", BOB, "mail/INBOX;UID=0", CHOIR, NotFound),
        ("bob", BOB, "calendar/Calendar", EVE, NotFound),
        ("", BOB, "calendar/Calendar", EVE, PermissionDenied),
        ("carol", BOB, "documents/song.txt", CHOIR, NotFound),
        ("carol", BOB, "calendar/Calendar", CAROL, NotFound),
        ("bob", CHOIR, "calendar/Calendar", BOB, PermissionDenied),
        ("eve", CHOIR, "calendar/Calendar", EVE, NotFound),
        ("eve", BOB, "calendar/Calendar", EVE, NotFound),
        ("alice", CHOIR, "documents/Shared", BOB, PermissionDenied),
        ("alice", CHOIR, "calendar/Calendar", EVE, NotFound),
    ],
)
def test_what_nobody_may(
    choir: Family, name: str, owner: str, path: str, grantee: str, error: type[StorageError]
) -> None:
    """Other people's things, other groups, more than there is; strangers do not exist."""
    with pytest.raises(error):
        share(sharing(choir, name), owner, path, grantee)
    assert shared(sharing(choir), owner) == []


def test_busy_times_are_of_calendars(choir: Family) -> None:
    """Nothing else has any."""
    for path in ("documents/song.txt", "mail/INBOX", "mail/INBOX;UID=1"):
        with pytest.raises(Unchangeable):
            share(sharing(choir, "bob"), BOB, path, CHOIR, LEVELS["busy"])
    with pytest.raises(Unchangeable):  # nor are messages written to
        share(sharing(choir, "bob"), BOB, "mail/INBOX;UID=1", CHOIR, WRITE)


def test_who_sees_what_is_shared(choir: Family) -> None:
    """The owner and the operator; to fellow members the list is empty, strangers know nobody."""
    share(sharing(choir, "alice"), CHOIR, "calendar/Calendar", BOB, WRITE)
    assert len(shared(sharing(choir), CHOIR)) == len(shared(sharing(choir, "alice"), CHOIR)) == 1
    assert shared(sharing(choir, "bob"), CHOIR) == []
    with pytest.raises(NotFound):
        shared(sharing(choir, "eve"), CHOIR)


def test_tools_that_a_group_does_not_use(choir: Family) -> None:
    """They are gone on every protocol at once, in open sessions too, and come back as they were."""
    bob, settings = choir.bob, partial(choir.server.groups.set_settings, CHOIR)
    url = choir.bound(bob)
    assert bob.store(url, "one") == 201
    bob.put("/dav/drive/Groups/Choir/plan.txt", b"x", content_type="text/plain")
    inbox = "Groups/Choir/INBOX"
    client = choir.server.imap(bob.account, inbox)
    reader = choir.server.imap(choir.carol.account)
    assert inbox in str(reader.ok('LIST "" "*"').lines)
    reactor.call(partial(settings, tools=frozenset({Tool.CONTACTS})))
    assert bob.call("GET", f"{url}one.ics").status == 404
    assert url not in bob.listed(bob.calendars)
    assert bob.call("GET", "/dav/drive/Groups/Choir/plan.txt").status == 404
    assert inbox not in str(reader.ok('LIST "" "*"').lines)
    client.start("NOOP")
    assert client.wait_line("BYE")
    assert choir.bound(bob, "Contacts", Tool.CONTACTS) in bob.listed(bob.contacts)
    reactor.call(partial(settings, tools=frozenset(Tool)))
    assert bob.get("/dav/drive/Groups/Choir/plan.txt") == b"x"
    assert bob.call("GET", f"{url}one.ics").status == 200
    assert inbox in str(reader.ok('LIST "" "*"').lines)
