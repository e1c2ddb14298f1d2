"""Line ends and markup in what people may name, through every door."""

from __future__ import annotations

import pytest

from tests.kit.dav import HOME, Dav
from tests.kit.server import TestServer


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028"])
def test_mailbox_names_hold_no_line_ends(server: TestServer, end: str) -> None:
    """A name that would begin a line of its own in LIST is refused. # rfc9051#5.1"""
    client = server.imap(server.account())
    name = f"a{end}* OK injected".encode()
    for command in (b"CREATE", b"SUBSCRIBE", b"RENAME INBOX"):
        said = client.cmd(b"%b {%d+}\r\n%b" % (command, len(name), name))
        assert said.status in ("NO", "BAD"), (command, said)
    assert b"injected" not in b"".join(client.ok('LIST "" "*"').lines)
    client.close()


def test_flags_and_search_texts_hold_no_line_ends(server: TestServer) -> None:
    """What comes back in answers (keywords, tags, ENVELOPE) cannot begin a line."""
    client = server.imap(server.account())
    body = b"Subject: a\r\n b\rc\nX: =?utf-8?q?d=0D=0A*_BYE?=\r\n\r\n"
    client.append("INBOX", body)
    client.ok("SELECT INBOX")
    for line in client.ok("FETCH 1 (ENVELOPE BODYSTRUCTURE)").lines:
        assert not line.startswith((b"* BYE", b"X:"))
    assert client.cmd(b"STORE 1 +FLAGS ({3+}\r\na\r\n)").status == "BAD"
    client.close()


@pytest.mark.parametrize("escape", ["%0D%0A", "%0A", "%00", "%0B", "%7F"])
def test_names_in_the_tree_hold_no_controls(server: TestServer, escape: str) -> None:
    """Neither a file nor a folder can be called what a header or XML could not hold."""
    dav = Dav(server)
    for method in ("PUT", "MKCOL"):
        with server.http(dav.account) as client:  # it closes what sends an impossible target
            status = client.request(method, f"{HOME}a{escape}X-Injected:b").status
        assert status in (400, 403), method
    dav.put("a", b"x")
    to = [("Destination", f"http://{dav.http.host}{HOME}b{escape}c")]
    assert dav.http.request("MOVE", HOME + "a", to).status in (400, 403)
    assert b"Injected" not in dav.http.request("GET", HOME).body


def test_values_come_back_as_text(server: TestServer) -> None:
    """What a client sets on a file, or says it is, never becomes a header or a tag."""
    dav = Dav(server)
    fields = [("Content-Type", "text/plain\tX-Injected: yes; <b>")]
    assert dav.http.request("PUT", HOME + "a", fields, b"x").status in (201, 204, 400, 415)
    answer = dav.http.request("GET", HOME + "a")
    assert answer.header("X-Injected") is None
    name = "&lt;script&gt;&#13;&#10;X-Injected: yes"
    dav.proppatch("a", f"<D:set><D:prop><D:displayname>{name}</D:displayname></D:prop></D:set>")
    for method in ("GET", "PROPFIND"):
        page = dav.http.request(method, HOME, [("Depth", "1")])
        assert "<script>" not in page.text
        assert page.header("X-Injected") is None
