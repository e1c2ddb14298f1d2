"""What file managers do: Finder, Explorer, Office, and the rubbish that they leave."""

from __future__ import annotations

from folkmoot.protocols.drive import junk
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import TreePath
from tests.kit.dav import HOME, LOCK, Dav
from tests.kit.server import TestServer

Z = "{urn:schemas-microsoft-com:}"
EXCLUSIVE = LOCK.format(scope="exclusive", owner="Finder")


def test_junk_is_answered_and_not_stored(dav: Dav) -> None:
    """The writer finds what it wrote; nobody finds it in a listing."""
    dav.mkcol("folder")
    for name in ("._a.txt", ".DS_Store", "Thumbs.db", "desktop.ini", "folder/._b", "THUMBS.DB"):
        assert dav.call("PROPFIND", name, Depth="0").status == 404
        assert dav.call("GET", name).status == 404
        assert dav.put(name, b"junk").status == 201
        assert dav.put(name, b"junk2").status == 204
        assert dav.get(name) == b"junk2"
        assert dav.call("HEAD", name).header("content-length") == "5"
        found = dav.propfind(name, "getcontentlength", "resourcetype").only
        assert (found.href, found.text("getcontentlength")) == (HOME + name, "5")
        assert dav.call("PROPPATCH", name, '<D:propertyupdate xmlns:D="DAV:"/>').status == 207
        assert dav.call("DELETE", name).status == 204
        assert dav.call("DELETE", name).status == 404
        dav.put(name)
    assert dav.propfind("", "getetag", depth=1).hrefs == [HOME, HOME + "folder/"]
    assert dav.propfind("folder", "getetag", depth=1).hrefs == [HOME + "folder/"]
    assert dav.call("MKCOL", ".Trashes").status == 403
    assert dav.call("PUT", ".Spotlight-V100/x", b"x").status == 201


def test_junk_belongs_to_who_wrote_it(server: TestServer) -> None:
    """The memory is one for all, but nobody sees what others have in it."""
    alice, bob = Dav(server), Dav(server)
    alice.put("._a", b"mine")
    assert bob.call("GET", "._a").status == 404


def test_moving_junk(dav: Dav) -> None:
    """Beside its file, and out of its name; a real file does not vanish under such a name."""
    dav.put("._a", b"junk")
    assert dav.call("MOVE", "._a", Destination=HOME + "._b").status == 201
    assert dav.call("GET", "._a").status == 404
    assert dav.get("._b") == b"junk"
    assert dav.call("MOVE", "._b", Destination=HOME + "real").status == 201
    assert dav.get("real") == b"junk"
    assert dav.call("MOVE", "real", Destination=HOME + "._c").status == 403
    dav.put("._d", b"other")
    assert dav.call("COPY", "._d", Destination=HOME + "real", Overwrite="F").status == 412
    assert dav.get("real") == b"junk"


def test_memory_of_junk_is_bounded() -> None:
    """By files, by octets, by time; large ones keep only their size."""
    memory = junk.Memory()
    for number in range(junk.MAX_FILES + 50):
        memory.put(1, TreePath(1, Tool.DOCUMENTS, (f"._{number}",)), b"x", 1)
    assert memory.get(1, TreePath(1, Tool.DOCUMENTS, ("._0",))) is None
    last = TreePath(1, Tool.DOCUMENTS, (f"._{junk.MAX_FILES + 49}",))
    assert memory.get(1, last) is not None
    for number in range(200):
        memory.put(
            1, TreePath(1, Tool.DOCUMENTS, (f"._{number}",)), b"x" * junk.MAX_FILE, junk.MAX_FILE
        )
    assert memory._octets <= junk.MAX_OCTETS
    large = memory.put(1, last, b"x" * (junk.MAX_FILE + 1), junk.MAX_FILE + 1)
    assert (large.data, large.size) == (b"", junk.MAX_FILE + 1)


def test_finder_copies_a_file(dav: Dav) -> None:
    """Empty PUT, LOCK, PUT in chunks with the length beside, PROPFIND, UNLOCK; the same for ._x."""
    for name in ("Photo.jpg", "._Photo.jpg"):
        assert dav.call("PUT", name, b"", User_Agent="WebDAVFS/3.0.0").status == 201
        token = dav.lock(name, Timeout="Second-600", Depth="0")
        fields = [
            ("X-Expected-Entity-Length", "200000"),
            ("If", f"(<{token}>)"),
        ]
        answer = dav.http.chunked("PUT", HOME + name, [b"x" * 100_000] * 2, fields)
        assert answer.status == 204
        found = dav.propfind(name, "getcontentlength").only
        assert found.text("getcontentlength") == "200000"
        assert dav.call("LOCK", name, If=f"(<{token}>)").status == 200
        assert dav.unlock(name, token) == 204
    assert dav.propfind("", "getetag", depth=1).hrefs == [HOME, HOME + "Photo.jpg"]


def test_explorer_copies_a_file(dav: Dav) -> None:
    """PUT, LOCK without Depth, PROPPATCH of Win32 times, and they are there afterwards."""
    agent = "Microsoft-WebDAV-MiniRedir/10.0.19045"
    dav.put("a.docx", b"", User_Agent=agent, translate="f")
    answer = dav.call("LOCK", "a.docx", EXCLUSIVE, User_Agent=agent, Timeout="Second-3600")
    assert answer.status == 200
    token = (answer.header("lock-token") or "").strip("<>")
    dav.put("a.docx", b"content", If=f"(<{token}>)", User_Agent=agent)
    values = {
        "Win32CreationTime": "Sun, 06 Nov 1994 08:49:37 GMT",
        "Win32LastAccessTime": "Mon, 07 Nov 1994 08:49:37 GMT",
        "Win32LastModifiedTime": "Tue, 08 Nov 1994 08:49:37 GMT",
        "Win32FileAttributes": "00000021",
    }
    inside = "".join(f"<Z:{name}>{value}</Z:{name}>" for name, value in values.items())
    done = dav.proppatch("a.docx", f"<D:set><D:prop>{inside}</D:prop></D:set>", If=f"(<{token}>)")
    assert done.names() == {Z + name for name in values}
    found = dav.propfind("a.docx", *(Z + name for name in values), "getlastmodified").only
    assert {name: found.text(Z + name) for name in values} == values
    assert found.text("getlastmodified") == values["Win32LastModifiedTime"]
    assert dav.call("UNLOCK", "a.docx", Lock_Token=token).status == 204
    dav.put("b.txt")
    fresh = dav.propfind("b.txt", Z + "Win32FileAttributes").only
    assert fresh.text(Z + "Win32FileAttributes") == "00000020"
    assert dav.propfind("", Z + "Win32FileAttributes").only.text(Z + "Win32FileAttributes") == (
        "00000010"
    )


def test_explorer_gets_small_answers(dav: Dav) -> None:
    """Its allprop has what it looks at, so that large folders stay below its limit of 1 MB."""
    for number in range(20):
        dav.put(f"file%20with%20a%20usual%20name%20{number}.docx", b"x")
    answer = dav.call("PROPFIND", "", Depth="1", User_Agent="Microsoft-WebDAV-MiniRedir/10.0")
    assert answer.status == 207
    assert len(answer.body) / 21 < 500
    assert b"getcontentlength" in answer.body
    assert b"lockdiscovery" not in answer.body


def test_rclone_properties(dav: Dav) -> None:
    """What clients made for ownCloud ask for."""
    oc = "{http://owncloud.org/ns}"
    dav.put("a", b"12345")
    found = dav.propfind("a", f"{oc}fileid", f"{oc}permissions", f"{oc}size").only
    assert found.text(f"{oc}size") == "5"
    assert found.text(f"{oc}permissions") == "DNVW"
    number = found.text(f"{oc}fileid")
    dav.call("MOVE", "a", Destination=HOME + "b")
    assert dav.propfind("b", f"{oc}fileid").only.text(f"{oc}fileid") == number
    assert "CK" in dav.propfind("", f"{oc}permissions").only.text(f"{oc}permissions")
    time = "<D:set><D:prop><D:lastmodified>{}</D:lastmodified></D:prop></D:set>"
    dav.proppatch("b", time.format("784111777"))
    found = dav.propfind("b", "getlastmodified", "lastmodified").only
    assert found.text("getlastmodified") == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert found.text("lastmodified") == "784111777"
    for wrong in ("soon", "", "-1", "9" * 5000):
        assert dav.proppatch("b", time.format(wrong)).names(409) == {"lastmodified"}, wrong[:9]


def test_locks_of_junk_do_not_lock(dav: Dav) -> None:
    """Finder leaves ._x locked when it breaks off; the next one is not kept out by it."""
    answer = dav.call("LOCK", "._x", EXCLUSIVE)
    assert answer.status == 201
    assert dav.put("._x", b"other").status == 204
    assert dav.call("LOCK", "._x", EXCLUSIVE).status == 200
    assert dav.call("POST", "._x").status == 403


def test_large_junk_is_refused_by_length(dav: Dav) -> None:
    """Nobody fills the memory through a name."""
    dav.http.head("PUT", HOME + "._x", length=1 << 40)
    assert dav.http.answer("PUT").status == 507
