"""M3.7: fellow members put files into each other's drop folders, and see only their own there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pytest

from tests.kit import reactor
from tests.kit.dav import Dav
from tests.kit.server import TestServer

DRIVE = "/dav/drive/"
DROPS = f"{DRIVE}Drop%20folders/"
ALICES = f"{DROPS}Alice/"
MINE = f"{DRIVE}My%20documents/Drop%20folder/"


@dataclass
class Folk:
    """Bob and Carol are in a group with Alice, Eve is not."""

    server: TestServer
    alice: Dav
    bob: Dav
    carol: Dav
    eve: Dav


@pytest.fixture
def folk(any_server: TestServer) -> Folk:
    """The four of them."""
    people = {
        name: any_server.account(name, drop_folder=True)
        for name in ("alice", "bob", "carol", "eve")
    }
    for name, account in people.items():
        any_server.update(account, name=name.title())
    any_server.group("choir", people["alice"], people["bob"], people["carol"])
    return Folk(any_server, *(Dav(any_server, account) for account in people.values()))


def names(dav: Dav, url: str) -> list[str]:
    """What somebody sees in a folder."""
    hrefs = dav.propfind(url, "displayname", depth=1).hrefs
    return [href.removeprefix(url) for href in hrefs if href != url]


def test_members_find_each_others(folk: Folk) -> None:
    """By the names of their owners; strangers find none."""
    assert names(folk.bob, DROPS) == ["Alice/", "Carol/"]
    assert names(folk.alice, DROPS) == ["Bob/", "Carol/"]
    assert names(folk.eve, DROPS) == []
    assert names(folk.eve, f"{DRIVE}My%20documents/") == ["Drop%20folder/"]
    for method in ("PROPFIND", "GET", "PUT", "LOCK", "DELETE"):
        assert folk.eve.call(method, f"{ALICES}x.txt", b"").status in (403, 404)
        assert folk.eve.call(method, ALICES, b"").status in (403, 404)


def test_own_uploads_only(folk: Folk) -> None:
    """Others' files, their names, sizes and number are nowhere to be seen."""
    bob, carol = folk.bob, folk.carol
    before = carol.propfind(ALICES, depth=0).only
    bob.put(f"{ALICES}secret-plan.txt", b"b" * 1234)
    folk.alice.put(f"{MINE}note.txt", b"mine")
    assert names(bob, ALICES) == ["secret-plan.txt"]
    assert names(carol, ALICES) == []
    assert sorted(names(folk.alice, MINE)) == ["note.txt", "secret-plan.txt"]
    assert folk.alice.get(f"{MINE}secret-plan.txt") == b"b" * 1234
    assert bob.get(f"{ALICES}secret-plan.txt") == b"b" * 1234
    for name in ("secret-plan.txt", "note.txt", "nothing.txt"):
        for method in ("GET", "HEAD", "PROPFIND", "DELETE", "PROPPATCH", "COPY", "MOVE"):
            answer = carol.call(
                method, f"{ALICES}{name}", b"", Destination=f"{DRIVE}My%20documents/x"
            )
            assert answer.status in (400, 404), (method, name)
    asked = ("quota-used-bytes", "getlastmodified", "sync-token")
    after = carol.propfind(ALICES, *asked, depth=0).only
    assert after.text("quota-used-bytes") == "0"
    assert "{DAV:}sync-token" not in after.names()
    assert before.text("getlastmodified") == after.text("getlastmodified")
    sizes = '<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>'
    assert "1234" not in carol.call("PROPFIND", ALICES, sizes, Depth="infinity").text
    sync = (
        '<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>1</D:sync-level>'
        "<D:prop><D:getetag/></D:prop></D:sync-collection>"
    )
    assert carol.call("REPORT", ALICES, sync).status == 403
    assert bob.propfind(ALICES, "quota-used-bytes").only.text("quota-used-bytes") == "1234"


def test_names_of_others_are_not_revealed(folk: Folk) -> None:
    """The same name is everybody's: a PUT is answered as if no other file was there."""
    bob, carol, url = folk.bob, folk.carol, f"{ALICES}report.odt"
    answers = [dav.call("PUT", url, who) for dav, who in ((bob, b"bob"), (carol, b"carol"))]
    assert [answer.status for answer in answers] == [201, 201]
    folk.alice.mkcol(f"{MINE}sorted/")
    assert bob.call("PUT", f"{ALICES}sorted", b"file").status == 201
    for dav, text in ((bob, b"bob"), (carol, b"carol")):
        assert dav.get(url) == text
        assert dav.propfind(url, "displayname").only.href == url
        assert dav.call("PUT", url, text * 2).status == 204
        assert dav.call("PUT", url, b"", If_None_Match="*").status == 412
    assert names(carol, ALICES) == ["report.odt"]
    assert names(bob, ALICES) == ["report.odt", "sorted"]
    mine = {name: folk.alice.get(f"{MINE}{name}") for name in names(folk.alice, MINE)[1:]}
    assert mine == {
        "report.odt": b"bobbob",
        "report%20(2).odt": b"carolcarol",
        "sorted%20(2)": b"file",
    }
    moved = folk.alice.call(
        "MOVE", f"{MINE}report%20(2).odt", Destination=f"{MINE}from%20carol.odt"
    )
    assert moved.status == 201
    assert carol.get(url) == b"carolcarol"
    folk.alice.put(f"{MINE}report.odt", b"Alice's own")
    assert bob.call("GET", url).status == 404
    assert names(bob, ALICES) == ["sorted"]


def test_locks_and_properties_of_uploads(folk: Folk) -> None:
    """What file managers do around a PUT works on the own file, and meets no other one's lock."""
    bob, carol, url = folk.bob, folk.carol, f"{ALICES}big.bin"
    theirs = bob.lock(url)
    token = carol.lock(url)
    assert carol.call("PUT", url, b"x").status == 423
    assert carol.call("PUT", url, b"x", If=f"(<{token}>)").status == 204
    carol.proppatch(
        url,
        '<D:set><D:prop><Z:Win32FileAttributes xmlns:Z="urn:schemas-microsoft-com:">00000020'
        "</Z:Win32FileAttributes></D:prop></D:set>",
        If=f"(<{token}>)",
    )
    found = carol.propfind(ALICES, "lockdiscovery", depth=1)[url].text("lockdiscovery")
    assert token in found
    assert theirs not in found
    assert carol.unlock(url, token) == 204
    assert bob.unlock(url, theirs) == 204


def test_nothing_else(folk: Folk) -> None:
    """No folders, no removal, no renaming; copies and moves into it are like uploads."""
    bob = folk.bob
    bob.put(f"{ALICES}a.txt", b"a")
    assert bob.call("MKCOL", f"{ALICES}sub").status == 403
    assert bob.call("DELETE", f"{ALICES}a.txt").status == 403
    assert bob.call("MOVE", f"{ALICES}a.txt", Destination=f"{ALICES}b.txt").status == 403
    assert bob.call("DELETE", ALICES).status == 403
    bob.put("c.txt", b"c")
    assert bob.call("COPY", "c.txt", Destination=f"{ALICES}c.txt").status == 201
    assert bob.call("MOVE", "c.txt", Destination=f"{ALICES}d.txt").status == 201
    assert bob.call("COPY", f"{ALICES}d.txt", Destination=f"{DRIVE}My%20documents/b").status == 201
    assert sorted(names(bob, ALICES)) == ["a.txt", "c.txt", "d.txt"]
    used = folk.alice.propfind("", "quota-used-bytes").only.text("quota-used-bytes")
    assert used == "3"


def test_the_owner_keeps_it(folk: Folk) -> None:
    """It can be renamed and moved about, not removed, nor given to somebody else."""
    alice = folk.alice
    assert alice.call("DELETE", MINE).status == 403
    assert alice.call("MOVE", MINE, Destination=f"{DRIVE}Groups/Choir/x/").status == 403
    alice.mkcol("Boxes/")
    inbox = f"{DRIVE}My%20documents/Boxes/Inbox/"
    assert alice.call("MOVE", MINE, Destination=inbox).status == 201
    assert alice.call("DELETE", "Boxes/").status == 403
    folk.bob.put(f"{ALICES}x.txt", b"x")
    assert names(alice, inbox) == ["x.txt"]
    assert alice.call("DELETE", f"{inbox}x.txt").status == 204
    assert names(folk.bob, ALICES) == []


def test_who_leaves_the_group_is_out(folk: Folk) -> None:
    """At once, from what they put there too."""
    folk.bob.put(f"{ALICES}x.txt", b"x")
    address = folk.bob.account.address
    reactor.call(partial(folk.server.groups.remove_member, "choir@example.test", address))
    assert folk.bob.call("GET", f"{ALICES}x.txt").status == 404
    assert folk.bob.call("PUT", f"{ALICES}y.txt", b"y").status in (403, 404)
    assert names(folk.bob, DROPS) == []
