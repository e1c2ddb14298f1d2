"""NOTIFY (RFC 5465): told without asking, between commands and in IDLE."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from folkmoot.protocols.imap import notify_watch
from folkmoot.sharing.workspace import Workspace
from tests.imap.listed import values
from tests.kit.imap import TIMEOUT, ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestAccount, TestServer

SOON = 2.0  # seconds


def silence(client: ImapClient, seconds: float = 0.2) -> None:
    """Nothing comes, and the next command answers with nothing either."""
    client.socket.settimeout(seconds)
    try:
        line = client.line()
        raise AssertionError(f"unexpected {line!r}")
    except TimeoutError:
        pass
    finally:
        client.socket.settimeout(TIMEOUT)
    assert client.ok("CAPABILITY").lines[1:] == []


def pair(server: TestServer, select: str | None = None) -> tuple[ImapClient, ImapClient]:
    """Who changes things, and who is told."""
    account: TestAccount = server.account()
    return server.imap(account, "INBOX"), server.imap(account, select)


# --- the selected mailbox --------------------------------------------------------------------


def test_selected_is_pushed_between_commands(server: TestServer) -> None:
    """EXISTS with what was asked for of the message, FETCH of flags, EXPUNGE."""
    # rfc5465#5.2, rfc5465#5.3
    writer, client = pair(server, "INBOX")
    client.ok(
        "NOTIFY SET (SELECTED (MessageNew (UID BODY.PEEK[HEADER.FIELDS (Subject)])"
        " MessageExpunge FlagChange))"
    )
    writer.append("INBOX", simple("Good morning"))
    assert client.wait_line("EXISTS", SOON) == b"* 1 EXISTS"
    line = client.wait_line("FETCH", SOON)
    assert line.startswith(b"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (Subject)] {")
    assert b"Subject: Good morning" in line
    writer.ok("NOOP")
    writer.ok("STORE 1 +FLAGS (\\Deleted)")
    assert client.wait_line("FETCH", SOON) == b"* 1 FETCH (UID 1 FLAGS (\\Deleted))"
    writer.ok("EXPUNGE")
    assert client.wait_line("EXPUNGE", SOON) == b"* 1 EXPUNGE"
    assert client.line() == b"* 0 EXISTS"
    silence(client)


def test_selected_delayed_keeps_removals_back(server: TestServer) -> None:
    """They come with a command that may show them. # rfc5465#6.1"""
    writer, client = pair(server, "INBOX")
    writer.append("INBOX", simple())
    writer.append("INBOX", simple())
    writer.ok("NOOP")
    client.ok("NOTIFY SET (SELECTED-DELAYED (MessageNew MessageExpunge))")
    writer.ok("STORE 1 +FLAGS (\\Deleted)")
    writer.ok("EXPUNGE")
    silence(client)
    assert client.ok("FETCH 1:2 (UID)").lines == [b"* 2 FETCH (UID 2)"]
    silence(client)
    assert client.ok("NOOP").lines == [b"* 1 EXPUNGE"]


def test_without_flag_changes(server: TestServer) -> None:
    """What was not asked for is not told. # rfc5465#5.1"""
    writer, client = pair(server, "INBOX")
    client.ok("NOTIFY SET (SELECTED (MessageNew MessageExpunge))")
    writer.append("INBOX", simple())
    assert client.wait_line("EXISTS", SOON)
    writer.ok("NOOP")
    writer.ok("STORE 1 +FLAGS (\\Seen)")
    silence(client)
    assert client.ok("NOOP").lines == []


def test_set_tells_what_has_gathered(server: TestServer) -> None:
    """NOTIFY SET implies a NOOP; then SELECTED NONE (or nothing of it) is silent. # rfc5465#3.1"""
    writer, client = pair(server, "INBOX")
    writer.append("INBOX", simple())
    assert client.ok("NOTIFY SET (SELECTED NONE)").matching("EXISTS") == [b"* 1 EXISTS"]
    writer.append("INBOX", simple())
    silence(client)
    assert client.ok("NOOP").lines == []
    # What its own command does is told all the same.
    client.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    assert b"* 1 EXPUNGE" in client.ok("EXPUNGE").lines


def test_own_messages_are_not_fetched(server: TestServer) -> None:
    """EXISTS comes with APPEND, but no FETCH; those of others have one."""
    writer, client = pair(server, "INBOX")
    client.ok("NOTIFY SET (SELECTED (MessageNew (UID) MessageExpunge))")
    message = simple()
    lines = client.ok(b"APPEND INBOX {%d+}\r\n%b" % (len(message), message)).lines
    assert lines == [b"* 1 EXISTS"]
    writer.append("INBOX", simple())
    assert client.wait_line("FETCH", SOON) == b"* 2 FETCH (UID 2)"


def test_idle_tells_the_same(server: TestServer) -> None:
    """RFC 5465 section 4, in both: with the filter, and with other mailboxes."""
    writer, client = pair(server, "INBOX")
    client.ok("NOTIFY SET (SELECTED NONE) (MAILBOXES Sent (MessageNew MessageExpunge))")
    tag = client.idle()
    writer.append("INBOX", simple())
    writer.append("Sent", simple())
    assert b"STATUS Sent" in client.wait_line("*", SOON)
    assert client.done(tag).lines == []


def test_pushes_do_not_mix_with_answers(server: TestServer) -> None:
    """While changes pour in, every answer stays whole and nothing comes between its responses."""
    writer, client = pair(server, "INBOX")
    for _ in range(20):
        writer.append("INBOX", simple())
    client.ok("NOTIFY SET (SELECTED-DELAYED (MessageNew MessageExpunge FlagChange))")
    for number in range(40):
        tag = writer.start(f"STORE 1:* {'+-'[number % 2]}FLAGS (\\Flagged)")
        uids = [line for line in client.ok("UID FETCH 1:* (UID)").lines if line.endswith(b")")]
        plain = [line for line in uids if b"FLAGS" not in line]
        assert plain == [b"* %d FETCH (UID %d)" % (n, n) for n in range(1, 21)]
        first, last = uids.index(plain[0]), uids.index(plain[-1])
        assert last - first == 19
        writer.finish(tag)


# --- other mailboxes -------------------------------------------------------------------------


def test_status_of_other_mailboxes(server: TestServer) -> None:
    """New messages, flags with CONDSTORE, removals: one STATUS each, by any kind of name."""
    # rfc5465#5.1, rfc5465#5.2, rfc5465#5.3, rfc5465#6.3
    writer, client = pair(server)
    writer.ok("CREATE Lists/a")
    client.ok("ENABLE CONDSTORE")
    answer = client.ok("NOTIFY SET STATUS (SUBTREE Lists (MessageNew MessageExpunge FlagChange))")
    told = sorted(line.split()[2] for line in answer.matching("STATUS"))
    assert told == [b"Lists", b"Lists/a"]
    assert set(values(answer.matching("Lists/a")[0])) == {
        "MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "HIGHESTMODSEQ",
    }  # fmt: skip
    writer.append("Lists/a", simple())
    found = values(client.wait_line("STATUS Lists/a", SOON))
    assert (found["MESSAGES"], found["UIDNEXT"], found["UNSEEN"]) == (1, 2, 1)
    writer.ok("SELECT Lists/a")
    writer.ok("STORE 1 +FLAGS (\\Flagged)")
    later = values(client.wait_line("STATUS Lists/a", SOON))
    assert later["HIGHESTMODSEQ"] > found["HIGHESTMODSEQ"]
    assert "MESSAGES" not in later
    writer.ok("STORE 1 +FLAGS (\\Deleted \\Seen)")
    assert values(client.wait_line("STATUS Lists/a", SOON))["UNSEEN"] == 0
    writer.ok("EXPUNGE")
    assert values(client.wait_line("STATUS Lists/a", SOON))["MESSAGES"] == 0
    writer.append("INBOX", simple())
    silence(client)


def test_without_condstore_only_seen_counts(server: TestServer) -> None:
    """RFC 5465 section 5.1: other flags cannot be told of."""
    writer, client = pair(server)
    writer.append("INBOX", simple())
    client.ok("NOTIFY SET (INBOXES (MessageNew MessageExpunge FlagChange))")
    writer.ok("NOOP")
    writer.ok("STORE 1 +FLAGS (\\Flagged)")
    silence(client)
    writer.ok("STORE 1 +FLAGS (\\Seen)")
    assert values(client.wait_line("STATUS", SOON))["UNSEEN"] == 0


def test_selected_and_personal(server: TestServer) -> None:
    """The selected mailbox is told as such, and as any other once it is left. # rfc5465#6.2"""
    writer, client = pair(server, "INBOX")
    events = "(MessageNew MessageExpunge)"
    client.ok(f"NOTIFY SET (SELECTED {events}) (PERSONAL {events})")
    writer.append("INBOX", simple())
    assert client.line() == b"* 1 EXISTS"
    writer.append("Sent", simple())
    assert client.line().startswith(b"* STATUS Sent (MESSAGES 1 ")
    client.ok("SELECT Sent")
    writer.append("INBOX", simple())
    assert client.wait_line("*", SOON).startswith(b"* STATUS INBOX (MESSAGES 2 ")
    writer.append("Sent", simple())
    assert client.line() == b"* 2 EXISTS"


def test_subscribed_follows_the_subscriptions(server: TestServer) -> None:
    """RFC 5465 section 6.4."""
    writer, client = pair(server)
    writer.ok("CREATE News")
    client.ok("NOTIFY SET (SUBSCRIBED (MessageNew MessageExpunge))")
    writer.append("News", simple())
    silence(client)
    writer.ok("SUBSCRIBE News")
    # From now on it counts, and it is not as it was at the beginning.
    assert values(client.wait_line("STATUS News", SOON))["MESSAGES"] == 1
    writer.append("News", simple())
    assert values(client.wait_line("STATUS News", SOON))["MESSAGES"] == 2
    writer.ok("UNSUBSCRIBE News")
    time.sleep(0.2)
    writer.append("News", simple())
    silence(client)


def test_names_are_not_patterns(server: TestServer) -> None:
    """RFC 5465 section 6.6; and names that do not exist are ignored until they do."""
    writer, client = pair(server)
    client.ok('NOTIFY SET STATUS (MAILBOXES ("S%" Later) (MessageNew MessageExpunge))')
    writer.append("Sent", simple())
    silence(client)
    writer.ok("CREATE Later")
    time.sleep(0.2)
    writer.append("Later", simple())
    assert values(client.wait_line("STATUS Later", SOON))["MESSAGES"] == 1


# --- names, subscriptions, metadata ----------------------------------------------------------


def test_names(server: TestServer) -> None:
    """Created, renamed, deleted: LIST for the mailbox, and for the parent whose children count."""
    # rfc5465#5.4
    writer, client = pair(server)
    client.ok("NOTIFY SET (PERSONAL (MailboxName))")
    writer.ok("CREATE Top")
    assert client.line() == b'* LIST (\\HasNoChildren) "/" Top'
    writer.ok("CREATE Top/Leaf")
    assert client.line() == b'* LIST (\\HasChildren) "/" Top'
    assert client.line() == b'* LIST (\\HasNoChildren) "/" Top/Leaf'
    writer.ok("RENAME Top Other")
    # The children go along without a word.
    assert client.line() == b'* LIST (\\HasChildren) "/" Other ("OLDNAME" (Top))'
    writer.ok("DELETE Other/Leaf")
    assert client.line() == b'* LIST (\\HasNoChildren) "/" Other'
    assert client.line().startswith(b"* LIST (\\NonExistent ")
    silence(client)


def test_own_changes_are_not_told(server: TestServer) -> None:
    """RFC 5465 section 5: the client knows what it did itself."""
    writer, client = pair(server)
    client.ok("NOTIFY SET (PERSONAL (MailboxName SubscriptionChange))")
    for command in ("CREATE A/B", "SUBSCRIBE A", "RENAME A C", "DELETE C/B", "UNSUBSCRIBE A"):
        assert client.ok(command).lines == []
    silence(client)
    writer.ok("DELETE C")
    assert client.line() == b'* LIST (\\NonExistent \\HasNoChildren) "/" C'


def test_subscriptions(server: TestServer) -> None:
    """LIST with \\Subscribed or without. # rfc5465#5.5"""
    writer, client = pair(server)
    client.ok("NOTIFY SET (MAILBOXES (Sent Drafts) (SubscriptionChange))")
    writer.ok("UNSUBSCRIBE Sent")
    assert client.line() == b'* LIST (\\HasNoChildren \\Sent) "/" Sent'
    writer.ok("UNSUBSCRIBE Junk")
    writer.ok("SUBSCRIBE Sent")
    assert client.line() == b'* LIST (\\HasNoChildren \\Sent \\Subscribed) "/" Sent'
    silence(client)


def test_a_change_during_a_look_is_told(
    server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed behind the snapshot that is being told, is told next."""
    writer, client = pair(server)
    client.ok("NOTIFY SET (MAILBOXES (Sent Drafts) (SubscriptionChange))")
    looked, go_on = threading.Event(), threading.Event()
    listed = Workspace.listed

    def slowly(self: Workspace, *some: Any, **more: Any) -> Deferred[Any]:
        async def wait() -> Any:
            found = await listed(self, *some, **more)
            looked.set()
            await deferToThread(go_on.wait, 5)
            return found

        return Deferred.fromCoroutine(wait())

    monkeypatch.setattr(Workspace, "listed", slowly)
    writer.ok("UNSUBSCRIBE Sent")
    assert looked.wait(60)
    writer.ok("UNSUBSCRIBE Drafts")
    go_on.set()
    assert client.line() == b'* LIST (\\HasNoChildren \\Sent) "/" Sent'
    assert client.line() == b'* LIST (\\HasNoChildren \\Drafts) "/" Drafts'


def test_metadata(server: TestServer) -> None:
    """MailboxMetadataChange and ServerMetadataChange, without ENABLE METADATA."""
    # rfc5465#5.6, rfc5465#5.7
    writer, client = pair(server)
    client.ok("NOTIFY SET (MAILBOXES Sent (MailboxMetadataChange ServerMetadataChange))")
    writer.ok('SETMETADATA Drafts (/shared/comment "x")')
    silence(client)
    writer.ok('SETMETADATA Sent (/shared/comment "x")')
    assert client.line() == b"* METADATA Sent /shared/comment"
    writer.ok('SETMETADATA "" (/private/comment "x")')
    assert client.line() == b'* METADATA "" /private/comment'
    client.ok("NOTIFY NONE")
    writer.ok("SETMETADATA Sent (/shared/comment NIL)")
    silence(client)


# --- ends and refusals -----------------------------------------------------------------------


def test_none_and_replacement(server: TestServer) -> None:
    """NONE ends everything; SET replaces what was. # rfc5465#3.1"""
    writer, client = pair(server, "INBOX")
    events = "(MessageNew MessageExpunge)"
    client.ok(f"NOTIFY SET (SELECTED {events}) (MAILBOXES Sent {events})")
    client.ok(f"NOTIFY SET (MAILBOXES Drafts {events})")
    writer.append("Sent", simple())
    writer.append("INBOX", simple())
    silence(client)
    writer.append("Drafts", simple())
    assert b"Drafts" in client.wait_line("STATUS", SOON)
    client.ok("NOTIFY NONE")
    writer.append("Drafts", simple())
    silence(client)
    # A new SELECT still reports the mailbox as it is.
    assert b"* 1 EXISTS" in client.ok("SELECT INBOX").lines


def test_overflow(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many mailboxes: NO at once, or an untagged OK later, and then nothing any more."""
    # rfc5465#5.8
    monkeypatch.setattr(notify_watch, "MAX_WATCHED", 6)
    writer, client = pair(server)
    events = "(MessageNew MessageExpunge)"
    client.ok(f"NOTIFY SET (PERSONAL {events})")
    writer.ok("CREATE Seventh")
    assert client.wait_line("OVERFLOW", SOON).startswith(b"* OK [NOTIFICATIONOVERFLOW]")
    writer.append("Sent", simple())
    silence(client)
    refused = client.cmd(f"NOTIFY SET (PERSONAL {events})")
    assert (refused.status, refused.code) == ("NO", "NOTIFICATIONOVERFLOW")
    client.ok(f"NOTIFY SET (MAILBOXES Sent {events})")


def test_unknown_event(server: TestServer) -> None:
    """NO with the events that there are. # rfc5465#3.1"""
    client = server.imap(server.account())
    refused = client.cmd("NOTIFY SET (PERSONAL (MessageNew MessageExpunge AnnotationChange))")
    assert refused.status == "NO"
    assert refused.code.startswith("BADEVENT (MessageNew MessageExpunge FlagChange MailboxName ")


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "SET",
        "SET STATUS",
        "SET (SELECTED (MessageNew))",
        "SET (SELECTED (MessageExpunge))",
        "SET (SELECTED (FlagChange))",
        "SET (SELECTED (MessageNew MessageExpunge MailboxName))",
        "SET (SELECTED NONE) (SELECTED-DELAYED NONE)",
        "SET (PERSONAL (MessageNew (UID) MessageExpunge))",
        "SET (NOBODY (MessageNew MessageExpunge))",
        "SET (MAILBOXES (MessageNew MessageExpunge))",
        "SET (PERSONAL ())",
        "NONE NONE",
    ],
)
def test_bad_syntax(server: TestServer, arguments: str) -> None:
    """BAD for what breaks the rules of RFC 5465 sections 5, 6.1 and 8."""
    assert server.imap(server.account()).cmd(f"NOTIFY {arguments}").status == "BAD"


def test_pipelined_commands_and_logout(server: TestServer) -> None:
    """Commands that come while something is pushed wait for their turn and are all answered."""
    writer, client = pair(server, "INBOX")
    client.ok("NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange))")
    for _ in range(5):
        writer.append("INBOX", simple())
        client.send(b"a1 NOOP\r\na2 UID FETCH 1:* (FLAGS)\r\na3 NOOP\r\n")
        for tag in ("a1", "a2", "a3"):
            assert client.finish(tag).status == "OK"
    client.send(b"a4 LOGOUT\r\n")
    writer.append("INBOX", simple())
    assert client.finish("a4").status == "OK"
    assert client.at_end()
