"""imapclient, call by call."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import pytest
from imapclient import DELETED, FLAGGED, SEEN, IMAPClient
from imapclient.exceptions import CapabilityError, IMAPClientError, LoginError

from tests.e2e.conftest import Demo
from tests.e2e.test_libraries import NAME, PASSWORD, message

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.client("imapclient"),
    # The library mixes octets and text.
    pytest.mark.filterwarnings("ignore::BytesWarning"),
]

PLACE = "Client ü"


@pytest.fixture
def client(demo: Demo) -> Iterator[Any]:
    """Signed in after STARTTLS, with an empty mailbox, removed in the end."""
    made: Any = IMAPClient("localhost", demo.port(143), ssl=False)
    with made as client:
        client.starttls(_trusting(demo))
        client.login(NAME, PASSWORD)
        client.create_folder(PLACE)
        yield client
        for _, _, name in [*client.list_folders("", f"{PLACE}/*"), (b"", b"", PLACE)]:
            client.delete_folder(name)


def _trusting(demo: Demo) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=demo.certificate)


def test_signing_in(demo: Demo) -> None:
    """Mechanisms, a wrong password, capabilities before and after, ID, NAMESPACE."""
    ways: list[Callable[[Any], object]] = [
        lambda client: client.login(NAME, PASSWORD),
        lambda client: client.plain_login(NAME, PASSWORD),
        lambda client: client.sasl_login("PLAIN", lambda _: f"\0{NAME}\0{PASSWORD}".encode()),
    ]
    for sign_in in ways:
        made: Any = IMAPClient("localhost", demo.port(993), ssl_context=_trusting(demo))
        with made as client:
            assert b"IMAP4" in client.welcome
            assert client.has_capability("AUTH=PLAIN")
            sign_in(client)
            assert client.has_capability("IDLE")
            assert b"Folkmoot" in client.id_({"name": "test"})[0]
            assert client.namespace().personal == (("", "/"),)
            client.noop()
    made = IMAPClient("localhost", demo.port(993), ssl_context=_trusting(demo))
    with pytest.raises(LoginError):
        made.login(NAME, "wrong")
    with pytest.raises(IMAPClientError):
        made.select_folder("INBOX")
    made.shutdown()


def test_folders(client: Any) -> None:
    """Made, found by use and pattern, subscribed, renamed, counted, removed."""
    assert client.find_special_folder(b"\\Sent") == "Sent"
    client.create_folder(f"{PLACE}/One")
    listed = {name: flags for flags, _, name in client.list_folders()}
    assert b"\\HasChildren" in listed[PLACE]
    client.unsubscribe_folder(f"{PLACE}/One")
    assert f"{PLACE}/One" not in {name for _, _, name in client.list_sub_folders()}
    client.subscribe_folder(f"{PLACE}/One")
    assert f"{PLACE}/One" in {name for _, _, name in client.list_sub_folders("", f"{PLACE}/*")}
    assert b"\\Sent" in {flag for flags, _, _ in client.xlist_folders() for flag in flags}
    client.rename_folder(f"{PLACE}/One", f"{PLACE}/Two")
    assert client.folder_exists(f"{PLACE}/Two")
    assert not client.folder_exists(f"{PLACE}/One")
    client.append(f"{PLACE}/Two", message("counted"))
    status = client.folder_status(f"{PLACE}/Two")
    assert (status[b"MESSAGES"], status[b"UNSEEN"], status[b"UIDNEXT"]) == (1, 1, 2)
    with pytest.raises(IMAPClientError):
        client.create_folder(f"{PLACE}/Two")
    with pytest.raises(IMAPClientError):
        client.delete_folder("INBOX")


def test_messages(client: Any) -> None:
    """Appended, also many at once; fetched; flagged; copied, moved, expunged by UID."""
    client.append(PLACE, message("one"), [SEEN, "$Forwarded"], datetime(2020, 1, 2, 3, 4, 5))
    client.multiappend(PLACE, [message("two"), {"msg": message("three"), "flags": [FLAGGED]}])
    assert client.select_folder(PLACE)[b"EXISTS"] == 3
    items = ["ENVELOPE", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODYSTRUCTURE", "BODY.PEEK[1]"]
    rows = client.fetch([1, 2, 3], items)
    assert [rows[uid][b"ENVELOPE"].subject for uid in rows] == [b"one", b"two", b"three"]
    assert rows[1][b"INTERNALDATE"] == datetime(2020, 1, 2, 3, 4, 5)
    assert rows[1][b"RFC822.SIZE"] == len(message("one"))
    assert rows[1][b"BODYSTRUCTURE"].is_multipart
    assert rows[1][b"BODY[1]"].decode().strip() == "Grüße."
    assert set(client.get_flags([1])[1]) >= {SEEN, b"$Forwarded"}
    assert FLAGGED in client.add_flags([1], [FLAGGED])[1]
    assert FLAGGED not in client.remove_flags([1], [FLAGGED])[1]
    assert client.set_flags([2], [b"Label"])[2] == (b"Label",)
    client.add_flags([2], [SEEN], silent=True)
    assert SEEN in client.get_flags([2])[2]
    client.create_folder(f"{PLACE}/Other")
    client.copy([1], f"{PLACE}/Other")
    client.move([2], f"{PLACE}/Other")
    client.delete_messages([1])
    client.add_flags([3], [DELETED])
    client.uid_expunge([3])
    assert client.search() == [1]
    client.expunge()
    assert client.search() == []
    client.close_folder()
    assert client.folder_status(f"{PLACE}/Other", ["MESSAGES"])[b"MESSAGES"] == 2


def test_searches(client: Any) -> None:
    """Criteria with text beyond ASCII, dates, flags; sorted; in threads; changed since."""
    for subject in ("banane", "Äpfel", "Clementine"):
        client.append(PLACE, message(subject))
    reply = message("Re: banane").replace(b"Subject", b"In-Reply-To: <x@y>\r\nSubject")
    client.append(PLACE, reply, [SEEN])
    client.select_folder(PLACE, readonly=True)
    assert client.search(["SUBJECT", "äpf"], charset="UTF-8") == [2]
    assert client.search(["UNSEEN", "NOT", "SUBJECT", "banane"]) == [2, 3]
    assert client.search(["SENTON", date(2026, 3, 13)]) == [1, 2, 3, 4]
    assert client.search(["OR", "UID", "1:2", ["SEEN", "FROM", "alice"]]) == [1, 2, 4]
    assert client.sort("SUBJECT") == [2, 1, 4, 3]
    assert client.sort(["REVERSE SUBJECT"], ["UNSEEN"]) == [3, 1, 2]
    assert (1, 4) in client.thread("ORDEREDSUBJECT")
    found = client.search(["MODSEQ", "1"])
    assert found.modseq
    changed = client.fetch([1], ["FLAGS"], [f"CHANGEDSINCE {found.modseq}"])
    assert not changed
    with pytest.raises(CapabilityError):
        client.gmail_search("x")
    with pytest.raises(IMAPClientError):
        client.search(["NONSENSE"])


def test_idle(demo: Demo, client: Any) -> None:
    """New mail, flags and removals of another program are told while it waits."""
    client.select_folder(PLACE)
    other: Any = IMAPClient("127.0.0.1", demo.port(143), ssl=False)
    other.login(NAME, PASSWORD)
    client.idle()
    later = threading.Timer(0.1, lambda: other.append(PLACE, message("told")))
    later.start()
    assert (1, b"EXISTS") in client.idle_check(timeout=60)
    later.join()
    other.select_folder(PLACE)
    other.add_flags([1], [FLAGGED])
    told = client.idle_check(timeout=60)
    assert "\\Flagged" in str(told)
    other.delete_messages([1])
    other.expunge()
    while (1, b"EXPUNGE") not in told:
        more = client.idle_check(timeout=60)
        assert more, told
        told += more
    client.idle_done()
    other.logout()


def test_rights_and_room(client: Any) -> None:
    """ACL, quota, ENABLE."""
    quotas = {quota.resource: quota for quota in client.get_quota()}
    assert 0 < quotas["STORAGE"].usage <= quotas["STORAGE"].limit
    root, _ = client.get_quota_root("INBOX")
    assert root.mailbox == "INBOX"
    assert [who.decode() for who, _ in client.getacl(PLACE)] == [NAME]
    assert client.enable("CONDSTORE") in ([b"CONDSTORE"], [])
