"""Listings that are remembered are the same as new ones."""

from __future__ import annotations

from typing import Any

import pytest

from folkmoot.protocols.dav.remembered import MAX_LISTING, MAX_OCTETS, OVERHEAD, Listings
from folkmoot.sharing.tree import Tree
from tests.kit.dav import Dav
from tests.kit.server import TestServer

NAMES = ("getetag", "getcontentlength", "displayname", "{x}y")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The folders whose members were read from the store."""
    seen: list[int] = []
    for name in ("columns", "entries"):
        read = getattr(Tree, name)

        def note(
            self: Tree, folder_id: int, *some: object, read: Any = read, **more: object
        ) -> object:
            seen.append(folder_id)
            return read(self, folder_id, *some, **more)

        monkeypatch.setattr(Tree, name, note)
    return seen


def listed(dav: Dav, path: str = "f/", *names: str) -> list[tuple[str, str]]:
    """(path, length) of members."""
    found = dav.propfind(path, *(names or NAMES), depth=1)
    return [(one.href, one.text("getcontentlength")) for one in found.responses[1:]]


def test_an_unchanged_folder_is_not_read_again(dav: Dav, reads: list[int]) -> None:
    """The second listing comes from memory, and is the same."""
    dav.mkcol("f")
    for number in range(3):
        dav.put(f"f/{number}", b"x" * number)
    first = listed(dav)
    assert len(reads) == 1
    assert listed(dav) == first
    assert len(reads) == 1
    listed(dav, "f/", "getetag", "getcontentlength")  # other properties are another listing
    assert len(reads) == 2


def test_a_first_sync_is_a_listing(dav: Dav, reads: list[int]) -> None:
    """It tells the same, so it comes from memory when the folder was listed, with a token."""
    dav.mkcol("f")
    for number in range(3):
        dav.put(f"f/{number}", b"x" * number)
    listed = dav.propfind("f/", "getetag", depth=1)
    first = dav.sync("f/")
    assert len(reads) == 1
    assert first.hrefs == listed.hrefs[1:]
    dav.put("f/2", b"new")
    again = dav.sync("f/", first.sync_token)
    assert again.hrefs == listed.hrefs[3:]
    assert dav.sync("f/").sync_token == again.sync_token


def test_changes_are_seen_at_once(dav: Dav, reads: list[int]) -> None:
    """Whatever happens to a member, the next listing shows it."""
    dav.mkcol("f")
    dav.put("f/a", b"1")
    dav.put("f/b", b"1")
    here = dav.propfind("f/", "getetag").only.href
    assert listed(dav) == [(here + "a", "1"), (here + "b", "1")]
    dav.put("f/a", b"22")
    assert listed(dav) == [(here + "a", "2"), (here + "b", "1")]
    assert dav.call("DELETE", "f/b").status == 204
    assert listed(dav) == [(here + "a", "2")]
    assert dav.call("MOVE", "f/a", Destination=here + "c").status == 201
    assert listed(dav) == [(here + "c", "2")]
    dav.proppatch("f/c", '<D:set><D:prop><y xmlns="x">new</y></D:prop></D:set>')
    found = dav.propfind("f/", *NAMES, depth=1)
    assert found[here + "c"].text("{x}y") == "new"
    dav.mkcol("f/sub")
    assert here + "sub/" in dav.propfind("f/", "getetag", depth=1).hrefs


def test_locks_and_folders_are_always_looked_at(dav: Dav, reads: list[int]) -> None:
    """What changes without the folder's number is not remembered."""
    dav.mkcol("f")
    dav.put("f/a", b"1")
    assert "activelock" not in str(dav.propfind("f/", "lockdiscovery", depth=1).responses[1].tags)
    dav.propfind("f/", "lockdiscovery", depth=1)
    dav.lock("f/a")
    assert "activelock" in dav.propfind("f/", "lockdiscovery", depth=1).responses[1].tags(
        "lockdiscovery"
    )
    before = dav.propfind("", "getlastmodified", "sync-token", depth=1)
    dav.put("f/b", b"1")
    after = dav.propfind("", "getlastmodified", "sync-token", depth=1)
    href = next(href for href in before.hrefs if href.endswith("/f/"))
    assert before[href].text("sync-token") != after[href].text("sync-token")


def test_nobody_gets_the_listing_of_another(dav: Dav, server: TestServer) -> None:
    """A stranger is refused although the listing is in memory."""
    dav.mkcol("f")
    dav.put("f/a", b"1")
    account = dav.account
    path = f"/dav/contacts/{account.space_id}/Contacts/"
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:x\r\nEND:VCARD\r\n"
    dav.put(path + "a.vcf", card, Content_Type="text/vcard")
    for _ in range(2):
        assert len(dav.propfind(path, "getetag", depth=1).responses) == 2
    stranger = Dav(server)
    assert stranger.call("PROPFIND", path, Depth="1").status == 404


def test_another_program_gets_its_own_listing(dav: Dav, reads: list[int]) -> None:
    """Thunderbird is told another type of contacts than all others."""
    path = f"/dav/contacts/{dav.account.space_id}/Contacts/"
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:x\r\nEND:VCARD\r\n"
    dav.put(path + "a.vcf", card, Content_Type="text/vcard")
    body = '<D:propfind xmlns:D="DAV:"><D:prop><D:getcontenttype/></D:prop></D:propfind>'
    for _ in range(2):
        for agent, told in (
            ("Thunderbird/140", "text/vcard<"),
            ("x", "text/vcard; charset=utf-8<"),
        ):
            answer = dav.call("PROPFIND", path, body, Depth="1", User_Agent=agent)
            assert told in answer.text
    assert len(reads) == 2


def test_memory_is_bounded() -> None:
    """The oldest listings are forgotten, and long ones are never kept."""
    listings, large = Listings(), "x" * (MAX_LISTING - 2 * OVERHEAD)
    listings.put(("long",), 1, "x" * MAX_LISTING)
    assert listings.get(("long",), 1) is None
    for number in range(10):
        listings.put((number,), 1, large)
    assert [number for number in range(10) if listings.get((number,), 1) == large] == [6, 7, 8, 9]


def test_a_changed_folder_replaces_its_listing() -> None:
    """A folder that changes all the time does not fill the memory with what it was."""
    listings = Listings()
    for state in range(1000):
        listings.put((1, "href"), state, "x" * 1000)
    assert listings.octets < 3000
    assert listings.get((1, "href"), 998) is None
    assert listings.get((1, "href"), 999) == "x" * 1000


def test_questions_take_room_too() -> None:
    """Nor does somebody who asks an empty folder for other properties each time."""
    listings = Listings()
    for number in range(1000):
        listings.put((1, "href", (f"{{x}}{number:040000}", False)), 1, "")
    assert listings.octets <= MAX_OCTETS
    kept = sum(listings.get((1, "href", (f"{{x}}{n:040000}", False)), 1) == "" for n in range(1000))
    assert 300 < kept <= MAX_OCTETS // 40_000


def test_wide_characters_count() -> None:
    """A listing takes four octets for each character where one of them is an emoji."""
    listings = Listings()
    listings.put((1,), 1, "\N{SNOWMAN}\N{GRINNING FACE}" * (MAX_LISTING // 4))
    assert listings.octets == 0
