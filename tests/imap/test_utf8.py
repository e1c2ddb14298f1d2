"""UTF8=ACCEPT (RFC 9755, RFC 6855): names and headers as people write them."""

from __future__ import annotations

from tests.imap.listed import listed
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer


def _enabled(server: TestServer) -> tuple[ImapClient, ImapClient]:
    """A session with UTF8=ACCEPT, and one of the same account without."""
    account = server.account()
    client = server.imap(account)
    assert b"UTF8=ACCEPT" in client.ok("CAPABILITY").lines[0].split()
    assert client.ok("ENABLE UTF8=ACCEPT").lines == [b"* ENABLED UTF8=ACCEPT"]
    return client, server.imap(account)


def test_names_in_utf8(server: TestServer) -> None:
    """One session speaks UTF-8, the other modified UTF-7; both mean one mailbox. # rfc6855#3"""
    client, other = _enabled(server)
    client.ok('CREATE "Entwürfe 📬"')
    assert listed(client, 'LIST "" "Ent*"') == ["Entwürfe 📬"]
    assert listed(other, 'LIST "" "Ent*"') == ["Entw&APw-rfe &2D3c7A-"]
    assert b'"Entw\xc3\xbcrfe \xf0\x9f\x93\xac"' in client.ok('LIST "" "Ent*"').lines[0]
    other.ok('SELECT "Entw&APw-rfe &2D3c7A-"')
    client.ok('SELECT "Entwürfe 📬"')
    name = "Grüße".encode()
    client.ok(b"CREATE {%d+}\r\n%b" % (len(name), name))
    client.ok("SUBSCRIBE Grüße")
    assert listed(client, 'LSUB "" "Gr*"') == ["Grüße"]
    assert client.ok("STATUS Grüße (MESSAGES)").lines == ['* STATUS "Grüße" (MESSAGES 0)'.encode()]


def test_ampersand_stands_for_itself(server: TestServer) -> None:
    """Thunderbird sends "R&D" as it is once UTF-8 is on; "&APw-" is then no umlaut."""
    client, other = _enabled(server)
    client.ok('CREATE "R&D"')
    assert listed(other, 'LIST "" "R*"') == ["R&-D"]
    assert listed(client, 'LIST "" "R&*"') == ["R&D"]
    client.ok("CREATE x&APw-")
    assert listed(other, 'LIST "" "x*"') == ["x&-APw-"]
    other.ok("DELETE R&-D")
    assert listed(client, 'LIST "" "R*"') == []
    assert other.cmd('CREATE "A&B"').status == "BAD"


def test_append_of_headers_in_utf8(server: TestServer) -> None:
    """UTF8 (~{…}) and the plain literal store the same octets, for any session to read."""
    # rfc6855#4
    client, other = _enabled(server)
    message = simple(subject="Grüße", sender="Jürgen <jürgen@example.test>")
    client.ok(b"APPEND INBOX (\\Seen) UTF8 (~{%d+}\r\n%b)" % (len(message), message))
    client.append("INBOX", message)
    size = len(message)
    tag = client.start(b"APPEND INBOX UTF8 (~{%d}" % size)
    assert client.line().startswith(b"+")
    client.send(message + b")\r\n")
    assert client.finish(tag).status == "OK"
    for session in (client, other):
        session.ok("SELECT INBOX")
        lines = session.ok("FETCH 1:3 BODY.PEEK[]").lines
        assert [message in line for line in lines] == [True] * 3
    bad = client.cmd(b"APPEND INBOX UTF8 (~{%d+}\r\n%b" % (size, message))
    assert bad.status == "BAD"


def test_search_in_utf8(server: TestServer) -> None:
    """Strings are UTF-8 without naming a charset, quoted or as literals."""
    client, _ = _enabled(server)
    client.append("INBOX", simple(subject="Grüße aus Köln"))
    client.ok("SELECT INBOX")
    assert client.ok('SEARCH SUBJECT "KÖLN"').lines == [b"* SEARCH 1"]
    wanted = "grüße".encode()
    assert client.ok(b"SEARCH SUBJECT {%d+}\r\n%b" % (len(wanted), wanted)).lines == [b"* SEARCH 1"]


def test_octets_that_are_not_utf8(server: TestServer) -> None:
    """A name that is no text is refused; the session goes on."""
    client, _ = _enabled(server)
    assert client.cmd(b'CREATE "\xff\xfe"').status == "BAD"
    assert client.cmd(b'CREATE "a\xc2\x85b"').status == "NO"
    client.ok("NOOP")
