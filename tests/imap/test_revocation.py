"""What is taken away is gone within a second, in sessions that are open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from folkmoot.sharing.rights import READ
from folkmoot.storage.types import Tool
from tests.imap.listed import listed, names
from tests.kit import reactor
from tests.kit.imap import ImapClient, Response
from tests.kit.messages import simple
from tests.kit.server import TestAccount, TestServer

CHOIR = "choir@example.test"
INBOX = "Groups/Choir/INBOX"
WORK = "Shared/alice@example.test/Work"
AT_ONCE = 1.0  # seconds


@dataclass(frozen=True)
class Office:
    """Alice administers the choir, in which Bob may write, and shares Work with him."""

    server: TestServer
    alice: TestAccount
    bob: TestAccount
    owner: ImapClient


@pytest.fixture
def office(server: TestServer) -> Office:
    """With a message in each."""
    alice, bob = server.account("alice"), server.account("bob")
    server.group("choir", alice, writers=[bob])
    owner = server.imap(alice)
    owner.ok("CREATE Work")
    owner.ok(f"CREATE {INBOX}/Sub")
    owner.ok(f"SETACL Work {bob.address} lrswi")
    for mailbox in (INBOX, "Work"):
        owner.append(mailbox, simple("Secret"))
    return Office(server, alice, bob, owner)


def _remove(office: Office) -> None:
    office.server.leave(CHOIR, office.bob)


def _delete_group(office: Office) -> None:
    reactor.call(lambda: office.server.groups.delete(CHOIR))


def _switch_off(office: Office) -> None:
    fewer = set(Tool) - {Tool.MAIL}
    reactor.call(lambda: office.server.groups.set_settings(CHOIR, tools=fewer))


def _hide(office: Office) -> None:
    office.owner.ok(f'SETACL {INBOX} {CHOIR} ""')


def _withdraw(office: Office) -> None:
    office.owner.ok(f"DELETEACL Work {office.bob.address}")


def _look_only(office: Office) -> None:
    office.owner.ok(f"SETACL Work {office.bob.address} l")


def _delete(office: Office) -> None:
    office.owner.ok("DELETE Work")


def _delete_below(office: Office) -> None:
    office.owner.ok(f"DELETE {INBOX}/Sub")


WAYS: list[tuple[str, Callable[[Office], None]]] = [
    (INBOX, _remove),
    (INBOX, _delete_group),
    (INBOX, _switch_off),
    (INBOX, _hide),
    (WORK, _remove),
    (WORK, _withdraw),
    (WORK, _look_only),
    (WORK, _delete),
    (f"{INBOX}/Sub", _delete_below),
]
ways = pytest.mark.parametrize(("mailbox", "take"), WAYS, ids=[take.__name__ for _, take in WAYS])


@ways
@pytest.mark.parametrize("waits", ["idle", "rest", "notify"])
def test_the_selected_mailbox(
    office: Office, mailbox: str, take: Callable[[Office], None], waits: str
) -> None:
    """Whether it waits or not, the session that has it selected is told and ended."""
    bob = office.server.imap(office.bob, mailbox)
    if waits == "idle":
        bob.idle()
    elif waits == "notify":
        bob.ok("NOTIFY SET (SELECTED (MessageNew MessageExpunge))")
    take(office)
    assert b"The selected mailbox is gone" in bob.wait_line("BYE", AT_ONCE)
    assert bob.at_end()
    again = office.server.imap(office.bob)
    assert again.cmd(f"SELECT {mailbox}").status == "NO"


@ways
def test_commands(office: Office, mailbox: str, take: Callable[[Office], None]) -> None:
    """Nothing more is read or written, whatever the client sends before it hears of that."""
    bob = office.server.imap(office.bob, mailbox)
    bob.append("INBOX", simple("Mine"))
    take(office)
    for command in ("FETCH 1 BODY.PEEK[]", "STORE 1 +FLAGS (\\Seen)", "COPY 1 INBOX"):
        try:
            response: Response = bob.cmd(command)
        except (EOFError, ConnectionError):
            break
        assert response.status == "NO" or mailbox.endswith("Sub")
        assert not any(b"Secret" in line for line in response.lines)


def test_less_than_before(office: Office) -> None:
    """Who may only read from now on is told while it waits, and refused at once."""
    bob = office.server.imap(office.bob, WORK)
    tag = bob.idle()
    office.owner.ok(f"SETACL Work {office.bob.address} lr")
    assert b"PERMANENTFLAGS ()" in bob.wait_line("PERMANENTFLAGS", AT_ONCE)
    assert b"[READ-ONLY]" in bob.wait_line("READ-ONLY", AT_ONCE)
    bob.done(tag)
    assert bob.cmd("STORE 1 +FLAGS (\\Seen)").code == "READ-ONLY"
    office.owner.ok(f"SETACL Work {office.bob.address} +st")
    bob.ok("NOOP")
    bob.ok("STORE 1 +FLAGS (\\Seen \\Deleted)")


def test_a_writer_becomes_a_reader(office: Office) -> None:
    """In the group: the next command meets it."""
    bob = office.server.imap(office.bob, INBOX)
    bob.ok("STORE 1 +FLAGS (\\Flagged)")
    rights = {Tool.MAIL: READ}
    reactor.call(lambda: office.server.groups.set_rights(CHOIR, office.bob.address, rights))
    assert bob.cmd("STORE 1 -FLAGS (\\Flagged)").code == "NOPERM"
    assert bob.cmd("MOVE 1 INBOX").code == "NOPERM"


def test_notify_tells_what_comes_and_goes(office: Office) -> None:
    """MailboxName events for mailboxes of groups: made, taken away, given again."""
    bob = office.server.imap(office.bob)
    bob.ok("NOTIFY SET (SUBTREE (Groups Shared) (MailboxName))")
    office.owner.ok("CREATE Groups/Choir/New")
    assert b"NonExistent" not in bob.wait_line("Groups/Choir/New", AT_ONCE)
    office.owner.ok(f"DELETEACL Work {office.bob.address}")
    assert b"\\NonExistent" in bob.wait_line(WORK, AT_ONCE)
    office.owner.ok(f"SETACL Work {office.bob.address} lr")
    assert b"\\HasNoChildren" in bob.wait_line(WORK, AT_ONCE)
    _remove(office)
    assert b"\\NonExistent" in bob.wait_line(INBOX, AT_ONCE)
    bob.ok("NOOP")
    assert not any(name.startswith(("Groups", "Shared")) for name in listed(bob, 'LIST "" "*"'))


def test_notify_counts_new_mail_in_groups(office: Office) -> None:
    """MessageNew in a mailbox of the group that is not selected; unseen for who has not read it."""
    bob = office.server.imap(office.bob)
    bob.ok("NOTIFY SET (SUBTREE Groups (MessageNew MessageExpunge FlagChange))")
    office.owner.append(INBOX, simple("More"), "\\Seen")
    line = bob.wait_line(f"STATUS {INBOX}", AT_ONCE)
    assert b"MESSAGES 2" in line
    assert b"UNSEEN 2" in line


def test_other_sessions_go_on(office: Office) -> None:
    """Who keeps a mailbox selected in which rights of others change is not disturbed."""
    alice = office.server.imap(office.alice, "Work")
    tag = alice.idle()
    _withdraw(office)
    _remove(office)
    office.owner.append("Work", simple("More"))
    assert b"2 EXISTS" in alice.wait_line("EXISTS", AT_ONCE)
    alice.done(tag)
    found = names(alice.ok('LIST "" "Groups/*"'))
    assert INBOX in [name.name for name in found]
