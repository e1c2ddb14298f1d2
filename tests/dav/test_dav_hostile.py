"""Input that is meant to hurt: XML, paths, headers."""

from __future__ import annotations

import pytest

from tests.kit.dav import HOME, Dav, multistatus
from tests.kit.pace import within
from tests.kit.server import TestServer

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{"&a" + (str(n - 1) if n else "") + ";"}">' * 1 for n in range(9))
    + ']><D:propfind xmlns:D="DAV:"><D:prop><x>&a8;</x></D:prop></D:propfind>'
)
XML = [
    ("laughs", BOMB),
    ("attribute", '<!DOCTYPE x [<!ENTITY a "b">]><x y="&a;"/>'),
    ("file", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>'),
    ("outer entity", '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'),
    ("comment first", '<?xml version="1.0"?><!-- a --><?b c?> <!DOCTYPE x><x/>'),
    ("deep", "<a>" * 10_000 + "</a>" * 10_000),
    ("deep enough", "<a>" * 150 + "</a>" * 150),
    ("wide", "<a>" + "<b/>" * 70_000 + "</a>"),
    ("unclosed", "<a><b></a>"),
    ("no namespace", "<D:propfind/>"),
    (
        "empty namespace",
        '<D:propfind xmlns:D="DAV:"><D:prop><b:a xmlns:b=""/></D:prop></D:propfind>',
    ),
    ("not xml", "hello"),
    ("control", "<a>\x01</a>"),
    ("encoding", '<?xml version="1.0" encoding="utf-7"?><a/>'),
    ("twice", "<a/><a/>"),
]


@pytest.mark.parametrize(
    "method", ["PROPFIND", "PROPPATCH", "REPORT", "LOCK", "MKCOL", "SEARCH", "ACL"]
)
def test_xml(dav: Dav, method: str) -> None:
    """Each is refused by each method that reads XML, soon, and nothing of it is answered."""
    path = "new" if method == "MKCOL" else ""
    with within(10):
        for name, body in XML:
            answer = dav.call(method, path, body, Depth="0")
            assert answer.status in (400, 413, 415), (name, answer.status)
            assert "root:" not in answer.text, name


def test_xml_that_is_too_large(server: TestServer, dav: Dav) -> None:
    """413 above a megabyte, where no list of resources is expected; names have a number."""
    body = '<D:propfind xmlns:D="DAV:"><D:prop>' + " " * (1 << 20) + "</D:prop></D:propfind>"
    assert Dav(server, dav.account).call("PROPFIND", "", body, Depth="0").status == 413
    names = "".join(f"<D:a{number}/>" for number in range(600))
    body = f'<D:propfind xmlns:D="DAV:"><D:prop>{names}</D:prop></D:propfind>'
    assert dav.call("PROPFIND", "", body, Depth="0").status == 400
    both = '<D:propfind xmlns:D="DAV:"><D:allprop/><D:propname/></D:propfind>'
    assert dav.call("PROPFIND", "", both, Depth="0").status == 400


def test_xml_in_other_encodings(dav: Dav) -> None:
    """UTF-16 and Latin-1 are read as what they are."""
    body = '<?xml version="1.0" encoding="{}"?><D:propfind xmlns:D="DAV:"><D:prop><é xmlns="y"/></D:prop></D:propfind>'  # noqa: E501
    for encoding in ("utf-16", "iso-8859-1", "utf-8"):
        octets = body.format(encoding).encode(encoding)
        answer = dav.call("PROPFIND", "", octets, Depth="0")
        assert answer.status == 207, encoding
        assert "é" in answer.text
    for octets in (b"\xff\xfe<\x00", b"\xfe\xff\xd8\x00", b"\xef\xbb\xbf"):
        assert dav.call("PROPFIND", "", octets, Depth="0").status == 400


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../b",
        "./x",
        "%2e%2e/x",
        "a/%2E%2e/b",
        "a//b",
        "//",
        "a%2fb",
        "a%00b",
        "a%zz",
        "a%",
    ],
)
def test_paths(server: TestServer, dav: Dav, path: str) -> None:
    """Nothing that could mean two things reaches a tree, as URL or as Destination."""
    for method in ("PUT", "PROPFIND", "DELETE"):
        assert Dav(server, dav.account).call(method, path).status == 400
    dav.put("source")
    assert dav.call("COPY", "source", Destination=HOME + path).status == 400


def test_long_and_odd_names(server: TestServer, dav: Dav) -> None:
    """Names have an end; controls and halves of pairs are refused or come back as they were."""
    assert dav.call("PUT", "x" * 3000, b"x").status == 403
    deep = "/".join(["d"] * 70)
    assert Dav(server, dav.account).call("PUT", deep, b"x").status == 400
    for name in ("a%01b", "a%0Ab", "%ED%A0%80", "%FF", "%EF%BF%BE", "%F0%9F%98%80", "%C2%A0"):
        status = dav.call("PUT", name, b"x").status
        assert status in (201, 204, 400, 403), name
    listed = dav.propfind("", "displayname", depth=1).hrefs
    for href in listed:
        if href != HOME:
            assert dav.call("GET", href).body == b"x", href


def test_markup_in_names_and_values(dav: Dav) -> None:
    """A name cannot end its element, nor a property that somebody asks for."""
    name = "%3CD:href%3E%3Cevil%3E%26%22%27"
    dav.put(name)
    found = dav.propfind("", "displayname", depth=1)
    assert len(found.responses) == 2
    assert dav.call("GET", found.hrefs[1]).status == 200
    namespace = "a?b&amp;c=d"
    asked = f'<D:propfind xmlns:D="DAV:"><D:prop><x xmlns="{namespace}"/></D:prop></D:propfind>'
    answer = dav.call("PROPFIND", "", asked, Depth="0")
    assert multistatus(answer).only.names(404) == {"{a?b&c=d}x"}


def test_hosts(dav: Dav) -> None:
    """A Destination is on the host that the client used, whatever else it names."""
    dav.put("a")
    for url in ("http://other.example" + HOME + "b", f"http://x@other.example{HOME}b",
                f"http://{dav.http.host}.other.example{HOME}b"):  # fmt: skip
        assert dav.call("COPY", "a", Destination=url).status == 502, url
    for url in ("ftp://x/y", "//other.example" + HOME, "", "b", "\\\\x"):
        assert dav.call("COPY", "a", Destination=url).status == 400, url


def test_no_text_of_unknown_errors(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks inside is told by a number, and the connection goes on."""
    dav = Dav(server)

    def broken(*arguments: object) -> None:
        raise RuntimeError("the secret text")

    monkeypatch.setattr("folkmoot.protocols.dav.methods.propfind.plan_of", broken)
    answer = dav.call("PROPFIND", "", Depth="0")
    assert answer.status == 500
    assert "secret" not in answer.text
    monkeypatch.undo()
    assert dav.call("PROPFIND", "", Depth="0").status == 207
