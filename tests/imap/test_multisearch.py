"""MULTISEARCH through the wire: the ESEARCH command over several mailboxes."""

from __future__ import annotations

import re

import pytest

from tests.kit.databases import Databases
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer

MAILBOXES = ["Lists", "Lists/a", "Lists/a/b", "Other", "Gr&APwA3w-e"]


@pytest.fixture(scope="module")
def server(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> TestServer:
    return TestServer(databases.fresh("sqlite"), tmp_path_factory.mktemp("multisearch"))


@pytest.fixture(scope="module")
def client(server: TestServer) -> ImapClient:
    """A session, nothing selected, with a needle and some hay in each mailbox."""
    client = server.imap(server.account("multi"))
    for mailbox in MAILBOXES:
        client.ok(f"CREATE {mailbox}")
    for mailbox in ("INBOX", *MAILBOXES):
        client.append(mailbox, simple("hay"))
        client.append(mailbox, simple("needle"), "\\Seen")
    client.ok("SUBSCRIBE Other")
    return client


def found(client: ImapClient, command: str) -> dict[str, str]:
    """What was found, by mailbox."""
    told = {}
    for line in client.ok(command).lines:
        match = re.fullmatch(
            rb'\* ESEARCH \(TAG "\w+" MAILBOX (\S+) UIDVALIDITY (\d+)\) UID (.*)', line
        )
        assert match, line
        [status] = client.ok(f"STATUS {match[1].decode()} (UIDVALIDITY)").lines
        assert status.endswith(b"(UIDVALIDITY %b)" % match[2])
        told[match[1].decode()] = match[3].decode()
    return told


@pytest.mark.parametrize(
    ("source", "mailboxes"),
    [
        ("mailboxes INBOX", ["INBOX"]),
        ("mailboxes (Other inbox Missing)", ["INBOX", "Other"]),
        ("inboxes", ["INBOX"]),
        ("subtree Lists", ["Lists", "Lists/a", "Lists/a/b"]),
        ("subtree (Lists/a Other)", ["Lists/a", "Lists/a/b", "Other"]),
        ("subtree-one Lists", ["Lists", "Lists/a"]),
        ("inboxes subtree-one Lists mailboxes INBOX", ["INBOX", "Lists", "Lists/a"]),
        ("personal", ["INBOX", *MAILBOXES]),
        ("mailboxes Gr&APwA3w-e", ["Gr&APwA3w-e"]),
    ],
)
def test_sources(client: ImapClient, source: str, mailboxes: list[str]) -> None:
    """Each mailbox is searched once and named with its UIDVALIDITY; absent ones do no harm."""
    # rfc7377#2.1, rfc7377#2.2, rfc7377#2
    told = found(client, f"ESEARCH IN ({source}) SUBJECT needle")
    assert told == dict.fromkeys(mailboxes, "ALL 2")


def test_subscribed(client: ImapClient) -> None:
    """Those that the account is subscribed to. # rfc7377#2.2"""
    assert "Other" in found(client, "ESEARCH IN (subscribed) ALL")
    client.ok("UNSUBSCRIBE Other")
    assert "Other" not in found(client, "ESEARCH IN (subscribed) ALL")


def test_results(client: ImapClient) -> None:
    """Options are those of SEARCH; of a mailbox where nothing was found, nothing is told."""
    # rfc7377#2.1
    options = "RETURN (COUNT MIN MAX) CHARSET UTF-8"
    told = found(client, f"ESEARCH IN (mailboxes (INBOX Other)) {options} NOT SUBJECT nothing")
    assert told == dict.fromkeys(["INBOX", "Other"], "MIN 1 MAX 2 COUNT 2")
    assert found(client, f"ESEARCH IN (personal) {options} SUBJECT nothing") == {}
    assert found(client, "ESEARCH IN (inboxes) UID 2:7") == {"INBOX": "ALL 2"}
    told = found(client, "ESEARCH IN (inboxes) MODSEQ 1")
    assert re.fullmatch(r"ALL 1:2 MODSEQ \d+", told["INBOX"])


@pytest.mark.parametrize(
    "command",
    [
        "ESEARCH IN (selected) ALL",
        "ESEARCH ALL",
        "ESEARCH IN () ALL",
        "ESEARCH IN (nonsense) ALL",
        "ESEARCH IN (inboxes (depth 1)) ALL",
        "ESEARCH IN (inboxes) 1:2",
        "ESEARCH IN (inboxes) UID 1:*",
        "ESEARCH IN (inboxes) $",
        "ESEARCH IN (inboxes) RETURN (SAVE) ALL",
        "ESEARCH IN (inboxes) RETURN (UPDATE) ALL",
        "ESEARCH IN (inboxes) NONSENSE",
    ],
)
def test_refused(client: ImapClient, command: str) -> None:
    """Numbers and kept results are about the selected mailbox; nothing is selected here."""
    # rfc7377#2.2
    assert client.cmd(command).status == "BAD"


def test_in_the_selected_mailbox(server: TestServer, client: ImapClient) -> None:
    """There everything is possible that UID SEARCH can do. # rfc7377#2.2"""
    mine = server.imap()
    mine.login("multi@example.test", "correct horse battery")
    mine.ok("SELECT Other")
    assert found(mine, "ESEARCH 2") == {"Other": "ALL 2"}
    assert mine.ok("ESEARCH IN (selected) RETURN (SAVE) SUBJECT needle").lines == []
    assert found(mine, "ESEARCH $") == {"Other": "ALL 2"}
    assert found(mine, "ESEARCH IN (selected inboxes) SEEN").keys() == {"Other", "INBOX"}


def test_others_mailboxes_are_absent(server: TestServer, client: ImapClient) -> None:
    """Another account's search ends at its own mailboxes. # rfc7377#2.2"""
    stranger = server.imap(server.account())
    assert found(stranger, "ESEARCH IN (personal mailboxes (Other Lists)) ALL") == {}
