"""Two client libraries that are not ours go through a day, and habits of well-known clients."""

from __future__ import annotations

import imaplib
import re
import threading
from datetime import UTC, datetime
from typing import Any

import imapclient

from tests.kit.messages import simple
from tests.kit.server import TestAccount, TestServer

MULTIPART = (
    b"From: =?utf-8?Q?J=C3=BCrgen?= <juergen@example.test>\r\nTo: bob@example.test\r\n"
    b"Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\nMessage-ID: <m1@example.test>\r\n"
    b"Date: Tue, 2 Jan 2024 08:00:00 +0100\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello there\r\n"
    b"--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
    b"Content-Disposition: attachment; filename=a.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b--\r\n"
)


# --- imapclient ------------------------------------------------------------------------------


def _client(server: TestServer, account: TestAccount) -> Any:
    client = imapclient.IMAPClient("127.0.0.1", server.imap_port, ssl=False, timeout=60)
    client.login(account.address, account.password)
    return client


def test_a_day_with_imapclient(server: TestServer) -> None:
    """Login, folders, append, select, search, fetch, flags, copy, move, idle, expunge, logout."""
    account = server.account()
    client = _client(server, account)
    assert client.has_capability("UIDPLUS")
    assert client.namespace().personal[0] == ("", "/")
    names = {name for _, _, name in client.list_folders()}
    assert {"INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"} <= names
    assert client.find_special_folder(b"\\Sent") == "Sent"
    client.create_folder("Projekte/Übersicht 🎄")
    assert client.folder_exists("Projekte/Übersicht 🎄")
    client.subscribe_folder("Projekte/Übersicht 🎄")
    assert "Projekte/Übersicht 🎄" in {name for _, _, name in client.list_sub_folders()}

    date = datetime(2024, 1, 2, 8, 0, tzinfo=UTC)
    client.append("INBOX", MULTIPART, [imapclient.SEEN, "$Work"], date)
    client.append("INBOX", simple("second"))
    client.append("INBOX", simple("third"))
    assert client.folder_status("INBOX", ["MESSAGES", "UNSEEN", "UIDNEXT"]) == {
        b"MESSAGES": 3, b"UNSEEN": 2, b"UIDNEXT": 4,
    }  # fmt: skip
    assert client.select_folder("INBOX")[b"EXISTS"] == 3
    assert client.search(["SUBJECT", "second"]) == [2]
    assert client.search(["SUBJECT", "Grüße"], "UTF-8") == [1]
    assert client.search(["UNSEEN"]) == [2, 3]

    data = client.fetch([1], ["ENVELOPE", "BODYSTRUCTURE", "INTERNALDATE", "BODY.PEEK[2]"])[1]
    assert data[b"ENVELOPE"].message_id == b"<m1@example.test>"
    assert data[b"ENVELOPE"].from_[0].mailbox == b"juergen"
    assert data[b"BODYSTRUCTURE"].is_multipart
    assert data[b"BODYSTRUCTURE"][0][1][0:2] == (b"application", b"pdf")
    assert data[b"BODY[2]"] == b"JVBERi0="
    assert data[b"INTERNALDATE"].timestamp() == date.timestamp()
    assert client.fetch([1], ["RFC822"])[1][b"RFC822"] == MULTIPART

    assert client.add_flags([2], [imapclient.FLAGGED, "Label"])[2] == (b"\\Flagged", b"Label")
    assert client.remove_flags([2], ["Label"])[2] == (b"\\Flagged",)
    client.copy([1, 2], "Archive")
    assert client.folder_status("Archive", ["MESSAGES"])[b"MESSAGES"] == 2
    client.move([3], "Trash")
    assert client.search() == [1, 2]

    client.idle()
    other = _client(server, account)
    other.append("INBOX", simple("pushed"))
    assert (3, b"EXISTS") in client.idle_check(timeout=60)
    client.idle_done()

    client.delete_messages([1])
    assert client.expunge([1]) is not None
    assert client.search() == [2, 4]
    client.rename_folder("Projekte/Übersicht 🎄", "Alt")
    client.delete_folder("Alt")
    assert not client.folder_exists("Alt")
    client.unselect_folder()
    client.logout()
    other.logout()


def test_imapclient_with_condstore(server: TestServer) -> None:
    """MODSEQ in SELECT, FETCH and STORE as that library reads them."""
    client = _client(server, server.account())
    client.append("INBOX", simple())
    assert client.enable("CONDSTORE") == [b"CONDSTORE"]
    assert client.select_folder("INBOX")[b"HIGHESTMODSEQ"] > 0
    modseq = client.fetch([1], ["MODSEQ"])[1][b"MODSEQ"][0]
    client.add_flags([1], [imapclient.SEEN])
    changed = client.fetch("1", ["FLAGS"], [f"CHANGEDSINCE {modseq}"])
    assert changed[1][b"MODSEQ"][0] > modseq
    client.logout()


# --- imaplib ---------------------------------------------------------------------------------


def _ok(answer: tuple[str, Any]) -> Any:
    assert answer[0] == "OK", answer
    return answer[1]


def test_a_day_with_imaplib(server: TestServer) -> None:
    """The same day with the library that comes with Python."""
    account = server.account()
    client = imaplib.IMAP4("127.0.0.1", server.imap_port, timeout=60)
    _ok(client.login(account.address, account.password))
    listed = _ok(client.list())
    assert any(line.endswith(b" INBOX") for line in listed)
    _ok(client.create("Work"))
    _ok(client.subscribe("Work"))
    assert any(line.endswith(b" Work") for line in _ok(client.lsub()))
    _ok(client.append("INBOX", "(\\Seen)", '"02-Jan-2024 08:00:00 +0000"', MULTIPART))
    _ok(client.append("INBOX", "", "", simple("second")))
    assert _ok(client.select("INBOX")) == [b"2"]
    assert client.response("UIDVALIDITY")[1] != [None]
    assert _ok(client.search(None, "SUBJECT", '"second"')) == [b"2"]
    assert _ok(client.uid("SEARCH", "UNSEEN")) == [b"2"]
    data = _ok(client.fetch("1", "(ENVELOPE BODYSTRUCTURE)"))
    assert b"m1@example.test" in data[0]
    data = _ok(client.fetch("1", "(RFC822)"))
    assert data[0][1] == MULTIPART
    assert b"\\Flagged" in _ok(client.store("2", "+FLAGS", "(\\Flagged)"))[0]
    _ok(client.copy("1:2", "Work"))
    _ok(client.uid("MOVE", "2", "Trash"))
    assert _ok(client.search(None, "ALL")) == [b"1"]
    _ok(client.store("1", "+FLAGS", "(\\Deleted)"))
    assert client.response("EXPUNGE")[1] == [b"2"]  # of MOVE
    assert _ok(client.expunge()) == [b"1"]
    assert _ok(client.status("Work", "(MESSAGES)"))[0].endswith(b"(MESSAGES 2)")
    _ok(client.noop())
    _ok(client.check())
    _ok(client.select("Work", readonly=True))
    _ok(client.close())
    _ok(client.rename("Work", "Home"))
    _ok(client.unsubscribe("Work"))
    _ok(client.delete("Home"))
    assert client.logout()[0] == "BYE"


def test_imaplib_authenticate_and_enable(server: TestServer) -> None:
    """AUTHENTICATE with a callback, ENABLE, NAMESPACE."""
    account = server.account()
    client = imaplib.IMAP4("127.0.0.1", server.imap_port, timeout=60)
    secret = f"\0{account.address}\0{account.password}".encode()
    _ok(client.authenticate("PLAIN", lambda _: secret))
    _ok(client.enable("CONDSTORE"))
    assert _ok(client.namespace())[0].startswith(b'(("" "/"))')
    client.logout()


# --- habits ----------------------------------------------------------------------------------


def test_many_clients_at_once(server: TestServer) -> None:
    """Eight connections of one account append at the same time: every UID is given once."""
    account = server.account()
    uids: list[str] = []

    def work() -> None:
        client = server.imap(account)
        for _ in range(10):
            uids.append(client.append("INBOX", simple()).code.split()[2])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(int, uids)) == list(range(1, 81))


def test_apple_mail(server: TestServer) -> None:
    """ID, NAMESPACE, LIST of all, STATUS of each, SELECT and IDLE, then DONE with more behind."""
    account = server.account()
    client = server.imap(account)
    client.ok('ID ("name" "com.apple.email" "version" "3.0" "os" "iOS" "vendor" "Apple")')
    client.ok("NAMESPACE")
    for line in client.ok('LIST "" "*"').lines:
        name = line.rsplit(b" ", 1)[1]
        client.ok(b"STATUS %b (UIDNEXT MESSAGES UIDVALIDITY UNSEEN HIGHESTMODSEQ)" % name)
    client.append("INBOX", simple(), "\\Seen")
    client.ok("SELECT INBOX (CONDSTORE)")
    tag = client.idle()
    client.send(b"DONE\r\nx1 UID FETCH 1:* (FLAGS)\r\nx2 LOGOUT\r\n")
    assert client.finish(tag).status == "OK"
    assert client.finish("x1").matching("UID 1")
    assert client.finish("x2").status == "OK"


def test_outlook(server: TestServer) -> None:
    """Folders by name and attribute, AUTHENTICATE LOGIN with the name at once, UID ranges to *."""
    client = server.imap(server.account())
    response = client.ok('LIST "" "*"')
    for name, use in (("Sent", "\\Sent"), ("Drafts", "\\Drafts"), ("Trash", "\\Trash")):
        [line] = [line for line in response.lines if line.endswith(b" " + name.encode())]
        assert use.encode() in line
    client.append("INBOX", simple())
    client.ok("SELECT INBOX")
    assert client.ok("UID FETCH 1:* (UID FLAGS)").matching("UID 1")
    assert client.ok("UID FETCH 5:* (UID FLAGS)").matching("UID 1")
    # A folder that other folders are in holds mail itself, always.
    client.ok("CREATE Customers/North")
    client.append("Customers", simple())
    assert not client.ok('LIST "" "Customers"').matching("\\NoSelect")


def test_thunderbird(server: TestServer) -> None:
    """Its first steps in a mailbox: ENABLE, flags of all by UID, headers in batches, parts."""
    account = server.account()
    client = server.imap(account)
    client.ok("ENABLE CONDSTORE")
    client.append("INBOX", MULTIPART)
    client.ok('list (subscribed) "" "*" return (special-use)')
    client.ok('SELECT "INBOX" (CONDSTORE)')
    client.ok("UID fetch 1:* (FLAGS)")
    fields = "From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups"
    [line] = client.ok(
        f"UID fetch 1 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS ({fields})])"
    ).lines
    assert b"<m1@example.test>" in line
    [line] = client.ok("UID fetch 1 (UID RFC822.SIZE BODY.PEEK[])").lines
    assert MULTIPART in line
    assert client.ok("UID fetch 1 (BODY[1.MIME] BODY[1])").matching("Hello there")
    response = client.ok("uid store 1 +Flags (\\Seen $label1)")
    assert re.search(rb"MODSEQ \(\d+\)", b"".join(response.lines))


def test_mbsync_pipelines(server: TestServer) -> None:
    """Many commands in flight, completed in order, each with a right answer."""
    client = server.imap(server.account(), "INBOX")
    for number in range(10):
        client.append("INBOX", simple(f"n{number}"))
    client.ok("NOOP")
    tags = [client.start(f"UID FETCH {uid} (BODY.PEEK[])") for uid in range(1, 11)]
    tags += [client.start(f"UID STORE {uid} +FLAGS.SILENT (\\Seen)") for uid in range(1, 11)]
    for number, tag in enumerate(tags):
        response = client.finish(tag)
        assert response.status == "OK"
        if number < 10:
            assert response.matching(f"Subject: n{number}\r\n")
