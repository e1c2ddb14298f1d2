"""What Windows, Office, Finder and davfs2 ask a fresh account first, and must be answered."""

from __future__ import annotations

import itertools
import threading

from tests.kit.dav import HOME, LOCK, Dav, multistatus
from tests.kit.server import TestServer

EXCLUSIVE = LOCK.format(scope="exclusive", owner="x")
WINDOWS = "Microsoft-WebDAV-MiniRedir/10.0.19045"
DISCOVERY = "Microsoft Office Protocol Discovery"
EXISTENCE = "Microsoft Office Existence Discovery"
OFFICE = "Microsoft Office Word 2014"


def test_windows_maps_a_drive(server: TestServer) -> None:
    """OPTIONS without a password up to the top, a challenge, and then level by level."""
    dav = Dav(server)
    nobody = server.http()
    for path in ("/", "/dav", "/dav/drive", "/dav/drive/My%20documents"):
        # The first is sent while the WebClient service is not running yet.
        answer = nobody.request("OPTIONS", path, [("User-Agent", "DavClnt")])
        assert answer.status == 200, path
        answer = nobody.request("OPTIONS", path, [("User-Agent", WINDOWS), ("translate", "f")])
        assert answer.status == 200, path
        assert (answer.header("dav") or "").startswith("1, 2, 3"), "no write without class 2"
        assert {"LOCK", "PUT"} <= set(
            (nobody.request("OPTIONS", HOME).header("allow") or "").split(", ")
        )
    challenge = nobody.request("PROPFIND", "/dav/drive", [("Depth", "0"), ("Content-Length", "0")])
    assert challenge.status == 401
    assert (challenge.header("www-authenticate") or "").startswith("Basic ")
    for path in ("/", "/dav", "/dav/drive", HOME.rstrip("/")):
        answer = dav.call("PROPFIND", path, Depth="0", User_Agent=WINDOWS)
        found = multistatus(answer).only
        assert "collection" in found.tags("resourcetype")
        assert found.href.endswith("/")
        assert b"<D:multistatus" in answer.body, "Windows knows no other prefix"
    listed = multistatus(dav.call("PROPFIND", "/dav/drive", Depth="1", User_Agent=WINDOWS))
    others = [f"/dav/drive/{part}/" for part in ("Drop%20folders", "Groups", "Shared")]
    assert set(listed.hrefs) == {"/dav/drive/", *others, HOME}
    quota = dav.propfind("/dav/drive/My%20documents", "quota-available-bytes", "quota-used-bytes")
    assert 404 not in quota.only.props


def test_office_opens_and_saves(server: TestServer) -> None:
    """Class 2 and MS-Author-Via at the folder; HEAD, LOCK, GET, PUT, refresh, UNLOCK."""
    dav = Dav(server)
    dav.put("report.docx", b"old")
    folder = dav.call("OPTIONS", HOME, User_Agent=DISCOVERY)
    assert folder.header("ms-author-via") == "DAV"
    assert "2" in (folder.header("dav") or "").split(", ")
    head = dav.call("HEAD", "report.docx", User_Agent=EXISTENCE)
    assert head.status == 200
    assert head.header("last-modified"), "by this it finds out whether it may lock again"
    answer = dav.call("LOCK", "report.docx", EXCLUSIVE, Timeout="Second-3600", User_Agent=OFFICE)
    assert answer.status == 200
    token = answer.header("lock-token") or ""
    assert dav.get("report.docx") == b"old"
    dav.put("report.docx", b"new", If=f"({token})")
    assert dav.call("LOCK", "report.docx", If=f"({token})", Timeout="Second-3600").status == 200
    assert dav.call("UNLOCK", "report.docx", Lock_Token=token).status == 204
    assert dav.get("report.docx") == b"new"


def test_finder_connects(server: TestServer) -> None:
    """It looks for rubbish in the root before anything else, and for quota."""
    dav = Dav(server)
    assert dav.call("OPTIONS", HOME, User_Agent="WebDAVFS/3.0.0").status == 200
    found = dav.propfind(
        HOME, "getlastmodified", "getcontentlength", "creationdate", "resourcetype",
        "quota-available-bytes", "quota-used-bytes", "{http://www.apple.com/webdav_fs/props/}appledoubleheader",
    ).only  # fmt: skip
    assert int(found.text("quota-available-bytes")) > 0
    for name in (".Spotlight-V100", "._.", "mach_kernel", "Backups.backupdb", ".hidden", "DCIM",
                 ".metadata_never_index", ".DS_Store", "._x"):  # fmt: skip
        assert dav.call("PROPFIND", name, Depth="0").status == 404


def test_davfs2_and_gnome_mount(server: TestServer) -> None:
    """The properties that they ask for at the root, all of them in one answer for Depth 1."""
    dav = Dav(server)
    dav.put("a")
    names = ("getetag", "getcontentlength", "creationdate", "getlastmodified", "resourcetype",
             "displayname", "getcontenttype")  # fmt: skip
    found = dav.propfind("", *names, "{http://apache.org/dav/props/}executable", depth=1)
    assert found.hrefs == [HOME, HOME + "a"]
    assert set(names) <= found[HOME + "a"].names()
    assert found[HOME + "a"].names(404) == {"{http://apache.org/dav/props/}executable"}
    body = "<D:set><D:prop><x:executable xmlns:x='http://apache.org/dav/props/'>T</x:executable></D:prop></D:set>"
    dav.proppatch("a", body)
    assert dav.propfind("a", "{http://apache.org/dav/props/}executable").only.names()


def test_two_who_write_at_once(any_server: TestServer) -> None:
    """Of many who want to make one file, or to replace one state of it, one wins."""
    dav = Dav(any_server)
    clients = [Dav(any_server, dav.account) for _ in range(6)]

    rounds = itertools.count()

    def race(**fields: str) -> list[int]:
        statuses: list[int] = []
        # Other octets than before: the same octets would be the same state.
        now = next(rounds)

        def put(number: int) -> None:
            statuses.append(clients[number].call("PUT", "a", f"{now} {number}", **fields).status)

        threads = [threading.Thread(target=put, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(statuses)

    assert race(If_None_Match="*") == [201] + [412] * 5
    etag = dav.call("HEAD", "a").header("etag") or ""
    assert race(If_Match=etag) == [204] + [412] * 5
    token = dav.propfind("", "sync-token").only.text("sync-token")
    assert race(If=f"<{HOME}> (<{token}>)") == [204] + [412] * 5
    assert race() == [204] * 6


def test_two_who_lock_at_once(any_server: TestServer) -> None:
    """One gets it."""
    dav = Dav(any_server)
    dav.put("a")
    clients = [Dav(any_server, dav.account) for _ in range(5)]
    statuses: list[int] = []

    def lock(client: Dav) -> None:
        statuses.append(client.call("LOCK", "a", EXCLUSIVE).status)

    threads = [threading.Thread(target=lock, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [423] * 4
