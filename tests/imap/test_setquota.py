"""QUOTASET (RFC 9208 section 4.1.3): limits below those of the plan, for what one owns or leads."""

from __future__ import annotations

import pytest

from folkmoot.sharing.groups import Groups
from folkmoot.storage.types import Limit, OwnLimit, Tool
from tests.imap.test_groups import INBOX, Choir, choir
from tests.kit import reactor
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestAccount, TestServer
from tests.storage.accounts_kit import actor_of

__all__ = ("choir",)  # the fixture

MAIL = simple()
APPEND = b" {%d+}\r\n%b" % (len(MAIL), MAIL)
GROUP = "Groups/Choir"


def quota(client: ImapClient, root: str = '""') -> bytes:
    """What counts for a root, without the number of mailboxes."""
    [line] = client.ok(f"GETQUOTA {root}").lines
    return limits_in(line)


def limits_in(line: bytes) -> bytes:
    """The resources of a QUOTA response, without MAILBOX."""
    return line.partition(b"(")[2].partition(b"MAILBOX")[0].strip()


def set_quota(client: ImapClient, limits: str, root: str = '""') -> bytes:
    """Set limits; what the server says that counts then."""
    [line] = client.ok(f"SETQUOTA {root} ({limits})").lines
    assert line.startswith(b"* QUOTA %b (" % root.encode())
    return limits_in(line)


@pytest.fixture
def ada(server: TestServer) -> TestAccount:
    """An account whose plan gives 100 units and 10 messages."""
    return server.account(limits={Tool.MAIL: Limit(100 * 1024, 10)})


def test_set_and_read(server: TestServer, ada: TestAccount) -> None:
    """The answer, and what other sessions read; names in any case. # rfc9208#4.1.3"""
    one, two = server.imap(ada), server.imap(ada)
    assert b"QUOTASET" in one.ok("CAPABILITY").lines[0].split()
    assert set_quota(one, "STORAGE 50 MESSAGE 5") == b"STORAGE 0 50 MESSAGE 0 5"
    assert quota(two) == b"STORAGE 0 50 MESSAGE 0 5"
    assert set_quota(two, "message 4 storage 40") == b"STORAGE 0 40 MESSAGE 0 4"
    assert quota(one) == b"STORAGE 0 40 MESSAGE 0 4"


def test_what_is_not_named_has_no_limit_of_its_own(server: TestServer, ada: TestAccount) -> None:
    """Former limits go, and those of the plan count again. # rfc9208#4.1.3"""
    client = server.imap(ada)
    set_quota(client, "STORAGE 50 MESSAGE 5")
    assert set_quota(client, "MESSAGE 3") == b"STORAGE 0 100 MESSAGE 0 3"
    assert set_quota(client, "STORAGE 7") == b"STORAGE 0 7 MESSAGE 0 10"
    assert set_quota(client, "") == b"STORAGE 0 100 MESSAGE 0 10"


def test_never_above_the_plan(server: TestServer, ada: TestAccount) -> None:
    """As much as the plan, or more, is the plan's, and follows it when it grows."""
    client = server.imap(ada)
    for limits in (f"STORAGE {2**63 - 1}", "STORAGE 101 MESSAGE 11", "STORAGE 100 MESSAGE 10"):
        assert set_quota(client, limits) == b"STORAGE 0 100 MESSAGE 0 10"
    server.update(ada, limits={Tool.MAIL: Limit(1000 * 1024, 20)})
    assert quota(client) == b"STORAGE 0 1000 MESSAGE 0 20"


def test_a_plan_of_no_whole_number_of_units(server: TestServer) -> None:
    """Who sets what was shown of the plan has set nothing."""
    account = server.account(limits={Tool.MAIL: Limit(10_000, None)})
    client = server.imap(account)
    assert quota(client) == b"STORAGE 0 9"
    set_quota(client, "STORAGE 9 MESSAGE 5")
    server.update(account, limits={Tool.MAIL: Limit(20_000, None)})
    assert quota(client) == b"STORAGE 0 19 MESSAGE 0 5"
    assert set_quota(client, "STORAGE 18") == b"STORAGE 0 18"


def test_without_a_limit_in_the_plan(server: TestServer) -> None:
    """Any number is below it; one that no mail could reach limits nothing."""
    client = server.imap(server.account())
    assert set_quota(client, "STORAGE 0 MESSAGE 0") == b"STORAGE 0 0 MESSAGE 0 0"
    assert client.cmd(b"APPEND INBOX" + APPEND).code == "OVERQUOTA"
    huge = 2**63 - 1
    assert set_quota(client, f"STORAGE {huge} MESSAGE {huge}") == b"MESSAGE 0 %d" % huge
    client.append("INBOX", MAIL)


def test_it_is_charged_against(server: TestServer, ada: TestAccount) -> None:
    """APPEND and COPY are refused at the own limit; what is over it stays."""
    client = server.imap(ada, "INBOX")
    for _ in range(3):
        client.append("INBOX", MAIL)
    assert set_quota(client, "MESSAGE 2") == b"STORAGE 1 100 MESSAGE 3 2"
    for command in (b"APPEND INBOX" + APPEND, b"COPY 1 Archive"):
        refused = client.cmd(command)
        assert (refused.status, refused.code) == ("NO", "OVERQUOTA")
    assert len(client.ok("FETCH 1:* (UID)").matching("UID")) == 3
    client.ok("MOVE 1 Archive")
    client.ok("STORE 1:* +FLAGS (\\Deleted)")
    client.ok("EXPUNGE")
    client.append("INBOX", MAIL)
    assert client.cmd(b"APPEND INBOX" + APPEND).code == "OVERQUOTA"
    assert set_quota(client, "STORAGE 1") == b"STORAGE 1 1 MESSAGE 2 10"
    big = simple(body="x" * 2000)
    assert client.cmd(b"APPEND INBOX {%d+}\r\n%b" % (len(big), big)).code == "OVERQUOTA"
    set_quota(client, "")
    client.append("INBOX", big)


def test_the_plan_changes(server: TestServer, ada: TestAccount) -> None:
    """The smaller one counts, whichever changes; an own limit comes back with the room for it."""
    client = server.imap(ada)
    set_quota(client, "STORAGE 50 MESSAGE 5")
    for octets, items, counts in (
        (1000 * 1024, 100, b"STORAGE 0 50 MESSAGE 0 5"),
        (20 * 1024, 7, b"STORAGE 0 20 MESSAGE 0 5"),
        (60 * 1024, 3, b"STORAGE 0 50 MESSAGE 0 3"),
        (None, None, b"STORAGE 0 50 MESSAGE 0 5"),
    ):
        server.update(ada, limits={Tool.MAIL: Limit(octets, items)})
        assert quota(client) == counts


def test_hidden(server: TestServer, ada: TestAccount) -> None:
    """Whom the operator hides it from reads limits and sets none."""
    server.update(ada, hidden_capabilities=("QUOTASET",))
    client = server.imap(ada)
    words = client.ok("CAPABILITY").lines[0].split()
    assert b"QUOTA" in words
    assert b"QUOTASET" not in words
    assert client.cmd('SETQUOTA "" (MESSAGE 1)').status == "BAD"
    assert quota(client) == b"STORAGE 0 100 MESSAGE 0 10"


def test_what_cannot_be_limited(server: TestServer, ada: TestAccount) -> None:
    """Nothing of a list counts where one resource cannot be limited; wrong lists are BAD."""
    client = server.imap(ada)
    for limits in ("MAILBOX 5", "STORAGE 5 MAILBOX 5", "X-COLOURS 5", "ANNOTATION-STORAGE 1"):
        refused = client.cmd(f'SETQUOTA "" ({limits})')
        assert (refused.status, refused.code) == ("NO", "CANNOT")
    for limits in ("STORAGE", "STORAGE -1", f"STORAGE {2**63}", "STORAGE 5 storage 6", "5 STORAGE"):
        assert client.cmd(f'SETQUOTA "" ({limits})').status == "BAD"
    assert quota(client) == b"STORAGE 0 100 MESSAGE 0 10"


# --- groups ----------------------------------------------------------------------------------


def test_the_root_of_a_group(choir: Choir) -> None:
    """Who leads it sets the limit, which counts for all; nothing else of hers is limited."""
    alice, bob, carol = (choir(name) for name in ("alice", "bob", "carol"))
    bob.append(INBOX, MAIL)
    assert set_quota(alice, "STORAGE 10 MESSAGE 1", GROUP) == b"STORAGE 1 10 MESSAGE 1 1"
    assert quota(carol, GROUP) == b"STORAGE 1 10 MESSAGE 1 1"
    assert quota(alice) == quota(bob) == b""
    for client in (alice, bob):
        refused = client.cmd(f"APPEND {INBOX}".encode() + APPEND)
        assert (refused.status, refused.code) == ("NO", "OVERQUOTA")
    set_quota(alice, "MESSAGE 2", GROUP)
    bob.append(INBOX, MAIL)


def test_nobody_else_limits_a_group(choir: Choir) -> None:
    """Members may not, whoever administers the domain neither; to others it is not there."""
    choir.server.update(choir.people["carol"], domain_admin=True)
    for name in ("bob", "carol"):
        refused = choir(name).cmd(f"SETQUOTA {GROUP} (MESSAGE 1)")
        assert (refused.status, refused.code) == ("NO", "NOPERM")
    for limits in ("MESSAGE 1", "MAILBOX 1", ""):
        assert choir("eve").cmd(f"SETQUOTA {GROUP} ({limits})").code == "NONEXISTENT"
        assert choir("alice").cmd(f"SETQUOTA Groups/Other ({limits})").code == "NONEXISTENT"
    assert quota(choir("alice"), GROUP) == b""
    server, carol = choir.server, choir.people["carol"]
    acting = Groups(server.store, actor=actor_of(server.store, carol.address))
    # What is hers to do as the administrator of the domain.
    reactor.call(lambda: acting.limit(choir.address, {Tool.MAIL: OwnLimit(items=3)}))
    assert quota(choir("alice"), GROUP) == b"MESSAGE 0 3"


def test_a_group_is_handed_over(choir: Choir) -> None:
    """The own limit stays the group's, below the new plan; that of a person never becomes it."""
    alice, bob, server = choir("alice"), choir("bob"), choir.server
    server.update(choir.people["bob"], limits={Tool.MAIL: Limit(None, 8)})
    set_quota(alice, "MESSAGE 5", GROUP)
    set_quota(bob, "MESSAGE 2")
    groups = server.groups
    reactor.call(lambda: groups.hand_over(choir.address, choir.people["bob"].address))
    assert quota(bob, GROUP) == b"MESSAGE 0 5"
    assert alice.cmd(f"SETQUOTA {GROUP} ()").code == "NOPERM"
    assert set_quota(bob, "", GROUP) == b"MESSAGE 0 8"
    assert quota(bob) == b"MESSAGE 0 2"


def test_a_group_that_is_founded(server: TestServer, ada: TestAccount) -> None:
    """It has the room of the plan, not what its founder left herself."""
    client = server.imap(ada)
    set_quota(client, "MESSAGE 2")
    server.group("choir", ada)
    assert quota(client, GROUP) == b"STORAGE 0 100 MESSAGE 0 10"


def test_an_agent_of_support_limits_nothing(server: TestServer, ada: TestAccount) -> None:
    """Whom the person lets in may look."""
    agent = server.let_in(server.agent(), ada)
    refused = server.imap(agent).cmd('SETQUOTA "" (MESSAGE 1)')
    assert (refused.status, refused.code) == ("NO", "NOPERM")
