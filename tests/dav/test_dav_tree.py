"""MKCOL, COPY and MOVE: one transaction each, whatever lies below."""

from __future__ import annotations

import pytest

from folkmoot.storage.types import Limit, Tool
from tests.kit.dav import HOME, Dav, conditions, multistatus
from tests.kit.server import TestServer

MKCOL = (
    '<D:mkcol xmlns:D="DAV:"><D:set><D:prop><D:resourcetype><D:collection/>{more}'
    "</D:resourcetype>{props}</D:prop></D:set></D:mkcol>"
)
BOOK = '<C:addressbook xmlns:C="urn:ietf:params:xml:ns:carddav"/>'


def names(dav: Dav, path: str = "") -> set[str]:
    """What is in a folder."""
    base = HOME + path
    found = dav.propfind(path, "resourcetype", depth=1).hrefs
    return {href.removeprefix(base) for href in found} - {""}


def test_mkcol(any_dav: Dav) -> None:
    """A folder is made once, in a folder, and not from a body that nobody knows. # rfc4918#9.3.1"""
    dav = any_dav
    answer = dav.call("MKCOL", "folder")
    assert answer.status == 201
    assert answer.header("location") == f"http://{dav.http.host}{HOME}folder/"
    assert dav.call("MKCOL", "folder").status == 405
    assert dav.call("MKCOL", "no/folder").status == 409
    dav.put("a")
    assert dav.call("MKCOL", "a").status == 405
    assert dav.call("MKCOL", "a/b").status in (403, 409)
    assert dav.call("MKCOL", "b", b"x", Content_Type="text/plain").status == 415
    assert dav.call("MKCOL", "b", "<x/>").status == 415
    assert dav.call("MKCOL", "/dav/drive/b").status == 403
    assert names(dav) == {"folder/", "a"}


def test_extended_mkcol(dav: Dav) -> None:
    """RFC 5689: with its first properties, all or nothing, and of the right type."""
    props = '<D:displayname>Our papers</D:displayname><x xmlns="y">z</x>'
    answer = dav.call("MKCOL", "papers", MKCOL.format(more="", props=props))
    assert answer.status == 201
    found = dav.propfind("papers", "displayname", "{y}x").only
    assert (found.text("displayname"), found.text("{y}x")) == ("Our papers", "z")
    answer = dav.call("MKCOL", "b", MKCOL.format(more="", props="<D:getetag>x</D:getetag>" + props))
    assert answer.status == 403
    assert "mkcol-response" in answer.text
    assert "cannot-modify-protected-property" in answer.text
    assert "424" in answer.text
    assert dav.call("GET", "b").status == 404
    answer = dav.call("MKCOL", "b", MKCOL.format(more=BOOK, props=""))
    assert (answer.status, conditions(answer)) == (403, ["valid-resourcetype"])


def test_mkcol_of_books(dav: Dav) -> None:
    """Where address books live, a collection is one, and says so. # rfc5689#3"""
    home = f"/dav/contacts/{dav.account.space_id}/"
    answer = dav.call("MKCOL", home + "plain")
    assert (answer.status, conditions(answer)) == (403, ["valid-resourcetype"])
    props = "<D:displayname>Friends</D:displayname>"
    assert dav.call("MKCOL", home + "Friends", MKCOL.format(more=BOOK, props=props)).status == 201
    found = dav.propfind(home, "displayname", depth=1)
    assert found[home + "Friends/"].text("displayname") == "Friends"


@pytest.fixture
def tree(any_dav: Dav) -> Dav:
    """A file, and a folder with two levels in it."""
    any_dav.mkcol("from")
    any_dav.mkcol("from/below")
    any_dav.mkcol("to")
    any_dav.put("a", b"a")
    any_dav.put("from/b", b"b")
    any_dav.put("from/below/c", b"c")
    any_dav.proppatch("from/b", "<D:set><D:prop><x xmlns='y'>kept</x></D:prop></D:set>")
    return any_dav


def test_copy(tree: Dav) -> None:
    """A copy has the octets and the properties, and is another thing from then on. # rfc4918#9.8"""
    # rfc4918#9.8.3
    answer = tree.call("COPY", "from/b", Destination=HOME + "to/b")
    assert answer.status == 201
    assert answer.header("location") == f"http://{tree.http.host}{HOME}to/b"
    assert tree.get("to/b") == b"b"
    assert tree.propfind("to/b", "{y}x").only.text("{y}x") == "kept"
    tree.put("to/b", b"other")
    assert tree.get("from/b") == b"b"
    url = f"http://{tree.http.host}{HOME}to/whole"
    assert tree.call("COPY", "from/", Destination=url).status == 201
    assert tree.get("to/whole/below/c") == b"c"
    assert tree.propfind("to/whole/b", "{y}x").only.text("{y}x") == "kept"
    assert tree.call("COPY", "from", Destination=HOME + "bare/", Depth="0").status == 201
    assert names(tree, "bare/") == set()
    assert tree.call("COPY", "from", Destination=HOME + "x", Depth="1").status == 400


def test_overwrite(tree: Dav) -> None:
    """F keeps what is there; T replaces all of it, items by folders too. # rfc4918#10.6"""
    tree.put("to/b", b"old")
    refused = tree.call("COPY", "a", Destination=HOME + "to/b", Overwrite="F")
    assert refused.status == 412
    assert tree.get("to/b") == b"old"
    assert tree.call("COPY", "a", Destination=HOME + "to/b").status == 204
    assert tree.get("to/b") == b"a"
    assert tree.call("COPY", "from", Destination=HOME + "to/b", Overwrite="T").status == 204
    assert names(tree, "to/b/") == {"b", "below/"}
    assert tree.call("MOVE", "a", Destination=HOME + "to/b").status == 204
    assert tree.get("to/b") == b"a"
    assert tree.call("COPY", "to", Destination=HOME + "x", Overwrite="maybe").status == 400


def test_move(tree: Dav) -> None:
    """What moves is gone where it was; a new spelling of the same name is a new name."""
    # rfc4918#9.9
    assert tree.call("MOVE", "from", Destination=HOME + "to/moved").status == 201
    assert names(tree) == {"a", "to/"}
    assert tree.get("to/moved/below/c") == b"c"
    assert tree.propfind("to/moved/b", "{y}x").only.text("{y}x") == "kept"
    assert tree.call("MOVE", "a", Destination=HOME + "A").status == 201
    assert names(tree) == {"A", "to/"}
    assert tree.call("MOVE", "to", Destination=HOME + "x", Depth="0").status == 400


def test_places_that_nothing_can_go_to(tree: Dav) -> None:
    """Onto itself, below itself, where no folder is, to other servers, outside the trees."""
    # rfc4918#9.8.5, rfc4918#9.9.4, rfc4918#10.3
    for status, target in (
        (403, HOME + "from"),
        (409, HOME + "no/where"),
        (502, "http://other.example/dav/drive/x"),
        (403, "/dav/drive/x"),
        (403, "/x"),
        (403, HOME),
        (400, "no path"),
        (400, HOME + "a%2Fb"),
        (400, HOME + "../x"),
        (400, HOME + "%00"),
    ):
        for method in ("COPY", "MOVE"):
            answer = tree.call(method, "from", Destination=target)
            assert answer.status == status, (method, target, answer.text)
    assert tree.call("COPY", "from").status == 400
    for method in ("COPY", "MOVE"):
        assert tree.call(method, "from", Destination=HOME + "from/below/x").status in (403, 409)
    assert tree.call("MOVE", "from/below", Destination=HOME + "from").status in (403, 409)
    assert tree.call("COPY", "nothing", Destination=HOME + "x").status == 404
    assert tree.get("from/below/c") == b"c"


def test_other_kinds_of_collections(tree: Dav) -> None:
    """Files do not go among events and contacts; there is no element that says so."""
    space = tree.account.space_id
    for target in (f"/dav/calendars/{space}/Calendar/x", f"/dav/contacts/{space}/Contacts/x"):
        for method in ("COPY", "MOVE"):
            answer = tree.call(method, "a", Destination=target)
            assert answer.status == 403
            assert answer.text.startswith("A calendar, an address book and a folder hold different")
    assert tree.get("a")


def test_conditions_of_copies(tree: Dav) -> None:
    """If-Match is about the source."""
    etag = tree.call("HEAD", "a").header("etag")
    assert tree.call("MOVE", "a", Destination=HOME + "z", If_Match='"x"').status == 412
    assert tree.call("MOVE", "a", Destination=HOME + "z", If_Match=etag).status == 201


def test_copies_are_charged(server: TestServer) -> None:
    """A copy that does not fit leaves nothing, of a folder too; moving costs nothing."""
    # rfc4331#6
    dav = Dav(server, server.account(limits={Tool.DOCUMENTS: Limit(1000, None)}))
    dav.mkcol("from")
    dav.put("from/a", b"x" * 400)
    dav.put("from/b", b"x" * 400)
    assert dav.call("COPY", "from/a", Destination=HOME + "c").status == 507
    answer = dav.call("COPY", "from", Destination=HOME + "to")
    assert (answer.status, conditions(answer)) == (507, ["quota-not-exceeded"])
    assert names(dav) == {"from/"}
    assert dav.call("MOVE", "from", Destination=HOME + "to").status == 201


def test_between_accounts(server: TestServer) -> None:
    """Nothing goes into another account's tree, or comes out of it."""
    alice, bob = Dav(server), Dav(server)
    book = f"/dav/contacts/{alice.account.space_id}/x"
    bob.put("a", b"secret")
    assert bob.call("COPY", "a", Destination=book).status in (403, 404, 409)
    assert bob.call("COPY", book, Destination=HOME + "b").status == 404
    assert bob.call("MOVE", book, Destination=HOME + "b").status == 404


def test_hosts_that_are_this_one(tree: Dav) -> None:
    """Behind a proxy the scheme of Destination is another one than ours."""
    url = f"https://{tree.http.host}{HOME}z"
    assert tree.call("COPY", "a", Destination=url).status == 201
    body = multistatus(tree.call("PROPFIND", "z", Depth="0"))
    assert body.only.text("getcontentlength") == "1"
