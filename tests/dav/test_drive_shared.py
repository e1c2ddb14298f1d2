"""Folders that one account shares with others: ``/dav/drive/Shared/OWNER/NAME/``."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from folkmoot.sharing.rights import WRITE
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.grants import Share, Unshare
from folkmoot.storage.types import Right, Tool
from folkmoot.storage.types_groups import Group
from folkmoot.storage.types_tree import Folder, TreePath
from folkmoot.storage.views.tree import FindPath
from tests.kit.dav import Dav
from tests.kit.server import TestAccount, TestServer
from tests.storage.accounts_kit import actor_of

DRIVE = "/dav/drive/"
SHARED = "/dav/drive/Shared/"
ALICES = "/dav/drive/Shared/Alice/"
PLANS = "/dav/drive/Shared/Alice/Plans/"
READ = Right.LOOKUP | Right.READ


@dataclass
class Folk:
    """Alice has the folder ``Work/Plans``; Bob and Carol are in a group with her, Eve is not."""

    server: TestServer
    group: Group
    alice: Dav
    bob: Dav
    carol: Dav
    eve: Dav

    def folder(self, *names: str) -> int:
        """The number of a folder of Alice's documents."""
        path = TreePath(self.alice.account.space_id, Tool.DOCUMENTS, names)
        actor = actor_of(self.server.store, self.alice.account.address)
        entry = self.server.store.call_read(
            actor, "test", lambda txn: txn.view(FindPath(path))
        ).entry
        assert entry is not None
        assert isinstance(entry.node, Folder)
        return entry.node.id

    def share(self, rights: Right | None, *names: str, to: TestAccount | None = None) -> None:
        """Alice gives somebody (the group) rights on a folder, or takes them away."""
        grantee = self.group.space_id if to is None else to.space_id
        id_ = self.folder(*names)
        self.do(Unshare(id_, grantee) if rights is None else Share(id_, grantee, rights))

    def do(self, mutation: Mutation[None]) -> None:
        """Something that Alice does."""
        actor = actor_of(self.server.store, self.alice.account.address)
        self.server.store.call(actor, "test", lambda txn: txn.apply(mutation))


@pytest.fixture
def folk(any_server: TestServer) -> Folk:
    """The four of them, with two files of Alice's."""
    names = ("alice", "bob", "carol", "eve")
    people = {name: any_server.account(name) for name in names}
    any_server.update(people["alice"], name="Alice")
    group = any_server.group("choir", people["alice"], people["bob"], people["carol"])
    davs = [Dav(any_server, account) for account in people.values()]
    found = Folk(any_server, group, *davs)
    found.alice.mkcol("Work/")
    found.alice.mkcol("Work/Plans/")
    found.alice.mkcol("Work/Plans/Deep/")
    found.alice.put("Work/secret.txt", b"secret")
    found.alice.put("Work/Plans/a.txt", b"plan")
    found.alice.put("Work/Plans/Deep/b.txt", b"deep")
    return found


def test_what_is_shared_is_found(folk: Folk) -> None:
    """Owner and folder are listed; all below can be read, nothing above is there."""
    assert folk.bob.propfind(SHARED, "displayname", depth=1).hrefs == [SHARED]
    folk.share(READ, "Work", "Plans")
    for dav in (folk.bob, folk.carol):
        assert dav.propfind(SHARED, "displayname", depth=1).hrefs == [SHARED, ALICES]
        found = dav.propfind(ALICES, "displayname", depth=1)
        assert found.hrefs == [ALICES, PLANS]
        assert found[PLANS].text("displayname") == "Plans"
        below = dav.propfind(PLANS, "displayname", depth="infinity").hrefs
        assert set(below) == {PLANS, f"{PLANS}a.txt", f"{PLANS}Deep/", f"{PLANS}Deep/b.txt"}
        assert dav.get(f"{PLANS}Deep/b.txt") == b"deep"
        assert dav.get(ALICES)
    assert folk.alice.propfind(SHARED, "displayname", depth=1).hrefs == [SHARED]
    for path in (ALICES, PLANS, f"{PLANS}a.txt"):
        assert folk.eve.call("PROPFIND", path, Depth="0").status == 404
        assert folk.eve.call("GET", path).status == 404


def test_readers_change_nothing(folk: Folk) -> None:
    """Nor can anybody but the owner remove, rename or move the folder itself."""
    folk.share(READ, "Work", "Plans")
    bob = folk.bob
    for method, path in (("PUT", "a.txt"), ("PUT", "n.txt"), ("MKCOL", "n"), ("DELETE", "a.txt")):
        assert bob.call(method, f"{PLANS}{path}", b"" if method != "PUT" else b"x").status == 403
    folk.share(READ | WRITE, "Work", "Plans", to=folk.carol.account)
    for dav in (bob, folk.carol):
        assert dav.call("DELETE", PLANS).status == 403
        assert dav.call("MOVE", PLANS, Destination=f"{DRIVE}My%20documents/P").status == 403
        assert dav.call("MOVE", PLANS, Destination=f"{ALICES}Other").status in (403, 404)
        assert dav.call("MKCOL", f"{ALICES}New").status == 403
        assert dav.call("PUT", f"{ALICES}new.txt", b"x").status == 403
        dav.mkcol("P/")
        assert dav.call("MOVE", "P/", Destination=PLANS).status == 403


def test_writers_work_in_it(folk: Folk) -> None:
    """Copies and moves between all trees work, and each owner is charged for what is there."""
    folk.share(READ | WRITE, "Work", "Plans", to=folk.bob.account)
    bob, mine = folk.bob, f"{DRIVE}My%20documents/"
    bob.put(f"{PLANS}new.txt", b"new")
    assert bob.call("COPY", f"{PLANS}new.txt", Destination=f"{mine}copy.txt").status == 201
    assert bob.call("MOVE", f"{PLANS}Deep/", Destination=f"{mine}Deep").status == 201
    assert bob.get("Deep/b.txt") == b"deep"
    moved = bob.call("MOVE", "copy.txt", Destination=f"{PLANS}back.txt")
    assert moved.status == 201
    assert dict(moved.fields)["location"].endswith(f"{PLANS}back.txt")
    assert folk.alice.get("Work/Plans/back.txt") == b"new"
    choir = f"{DRIVE}Groups/Choir/"
    folk.alice.put(f"{choir}song.txt", b"la")
    assert bob.call("COPY", f"{choir}song.txt", Destination=f"{PLANS}song.txt").status == 201
    used = [
        dav.propfind("", "quota-used-bytes").only.text("quota-used-bytes")
        for dav in (folk.alice, bob)
    ]
    assert used == [str(len(b"secretplannewnewla")), "4"]
    token = bob.lock(f"{PLANS}a.txt")
    assert folk.alice.call("PUT", "Work/Plans/a.txt", b"x").status == 423
    assert bob.unlock(f"{PLANS}a.txt", token) == 204


def test_reports_stay_below_the_mount(folk: Folk) -> None:
    """Sync, search and quota work there, with URLs of the place where it is shared."""
    folk.share(READ, "Work", "Plans")
    bob = folk.bob
    synced = bob.sync(PLANS)
    assert set(synced.hrefs) == {f"{PLANS}a.txt", f"{PLANS}Deep"} or set(synced.hrefs) == {
        f"{PLANS}a.txt",
        f"{PLANS}Deep/",
    }
    query = (
        "<D:searchrequest xmlns:D='DAV:'><D:basicsearch><D:select><D:prop><D:displayname/></D:prop>"
        f"</D:select><D:from><D:scope><D:href>{PLANS}</D:href><D:depth>infinity</D:depth>"
        "</D:scope></D:from><D:where><D:like><D:prop><D:displayname/></D:prop>"
        "<D:literal>%.txt</D:literal></D:like></D:where></D:basicsearch></D:searchrequest>"
    )
    for scope in (DRIVE, PLANS):
        answer = bob.call("SEARCH", scope, query)
        assert answer.status in (207, 405), answer.text
        if answer.status == 207:
            assert f"{PLANS}Deep/b.txt" in answer.text
            assert "secret" not in answer.text
    names = ("quota-used-bytes", "quota-available-bytes")
    found = bob.propfind(PLANS, *names).only
    assert [found.text(name) for name in names] == ["8", "0"]


def test_access_ends_at_once(folk: Folk) -> None:
    """Who was given rights has none in the next request after they were taken; others' stay."""
    folk.share(READ, "Work", "Plans", to=folk.bob.account)
    assert folk.bob.get(f"{PLANS}a.txt") == b"plan"
    assert folk.carol.call("GET", f"{PLANS}a.txt").status == 404
    folk.share(None, "Work", "Plans", to=folk.bob.account)
    assert folk.bob.call("GET", f"{PLANS}a.txt").status == 404
    assert folk.bob.propfind(SHARED, "displayname", depth=1).hrefs == [SHARED]


def test_a_narrower_grant_below(folk: Folk) -> None:
    """A folder that is kept back below a shared one looks absent."""
    folk.share(READ, "Work", "Plans")
    folk.share(Right.NONE, "Work", "Plans", "Deep")
    assert folk.bob.propfind(PLANS, "displayname", depth=1).hrefs == [PLANS, f"{PLANS}a.txt"]
    assert folk.bob.call("GET", f"{PLANS}Deep/b.txt").status == 404
