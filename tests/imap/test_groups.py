"""Mail of groups as their members find it: names, rights, moves, quota, subscriptions."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from folkmoot.storage.mutations.mailboxes import CreateMailbox
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Tool
from folkmoot.storage.views.mailboxes import ListMailboxes
from tests.imap.listed import listed, names, one, status
from tests.kit import reactor
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestAccount, TestServer
from tests.storage.accounts_kit import actor_of

INBOX = "Groups/Choir/INBOX"
LEVEL = frozenset({"\\NonExistent", "\\Noselect", "\\HasChildren"})


@dataclass(frozen=True)
class Choir:
    """Alice administers the group, Bob may write, Carol reads, Eve is not in it."""

    server: TestServer
    people: dict[str, TestAccount]
    address: str

    def __call__(self, name: str, select: str | None = None) -> ImapClient:
        return self.server.imap(self.people[name], select)


@pytest.fixture
def choir(server: TestServer) -> Choir:
    """A group of three, and somebody else."""
    people = {name: server.account(name) for name in ("alice", "bob", "carol", "eve")}
    alice, bob, carol, _ = people.values()
    group = server.group("choir", alice, carol, writers=[bob])
    return Choir(server, people, group.address)


# --- names -----------------------------------------------------------------------------------


def test_a_member_finds_the_group(choir: Choir) -> None:
    """INBOX once and only once, and what lies beside it, below levels that cannot be selected."""
    bob = choir("bob")
    found = {name.name: name.attributes for name in names(bob.ok('LIST "" "*"'))}
    assert found["Groups"] == found["Groups/Choir"] == LEVEL
    assert found[INBOX] == {"\\HasNoChildren"}
    assert {f"Groups/Choir/{name}" for name in ("Sent", "Trash", "Drafts")} <= set(found)
    assert sum(name.endswith("INBOX") for name in found) == 2
    assert listed(bob, 'LIST "" "%"')[:2] == ["INBOX", "Archive"]
    assert "Groups" in listed(bob, 'LIST "" "%"')
    assert listed(bob, 'LIST "" "Groups/%"') == ["Groups/Choir"]
    assert INBOX in listed(bob, 'LIST "Groups/" "*"')
    assert bob.ok('LIST "" Groups/Nobody').lines == []


def test_nobody_else_does(choir: Choir) -> None:
    """To somebody outside all of it looks absent."""
    eve = choir("eve")
    assert not any("Groups" in name for name in listed(eve, 'LIST "" "*"'))
    for command in (f"STATUS {INBOX} (MESSAGES)", f"SELECT {INBOX}", f"MYRIGHTS {INBOX}"):
        assert eve.cmd(command).code == "NONEXISTENT"
    assert eve.cmd("GETQUOTA Groups/Choir").code == "NONEXISTENT"


def test_levels_are_no_mailboxes(choir: Choir) -> None:
    """STATUS and SELECT of them are refused clearly; LIST-STATUS passes over them. # rfc5819#2"""
    bob = choir("bob")
    for name in ("Groups", "Groups/Choir", "Shared"):
        assert bob.cmd(f"STATUS {name} (MESSAGES)").code == "NONEXISTENT"
        assert bob.cmd(f"SELECT {name}").code == "NONEXISTENT"
    lines = bob.ok('LIST "" "*" RETURN (STATUS (MESSAGES))').matching("STATUS")
    assert any(INBOX.encode() in line for line in lines)
    assert not any(b"STATUS Groups/Choir (" in line or b"STATUS Groups (" in line for line in lines)


def test_special_uses_are_not_the_persons(choir: Choir) -> None:
    """No client takes the group's Sent for one's own; who asks in the group is told."""
    bob = choir("bob")
    for command in ('LIST "" "*"', 'LIST "" "*" RETURN (SPECIAL-USE)', 'XLIST "" "*"'):
        response = bob.ok(command)
        response.lines[:] = [line.replace(b"* XLIST", b"* LIST") for line in response.lines]
        sent = [name.name for name in names(response) if "\\Sent" in name.attributes]
        assert sent == ["Sent"]
    assert listed(bob, 'LIST (SPECIAL-USE) "" "*"')[-1] == "Trash"
    there = names(bob.ok('LIST (SPECIAL-USE) "" "Groups/*"'))
    assert {name.name: name.attributes for name in there}["Groups/Choir/Sent"] >= {"\\Sent"}


def test_names_of_ones_own(choir: Choir) -> None:
    """They do not begin like those of groups."""
    bob = choir("bob")
    for name in ("Groups", "Groups/x", "Groups/Nobody/x", "Shared/x", "Shared", "Groups/Choir"):
        assert bob.cmd(f"CREATE {name}").code == "CANNOT"
    bob.ok("CREATE Old")
    assert bob.cmd("RENAME Old Groups/x").code == "CANNOT"
    assert bob.cmd(f"RENAME Old {INBOX}/x").code == "CANNOT"
    bob.ok("CREATE groups/x")


# --- writing ---------------------------------------------------------------------------------


def test_a_writer(choir: Choir) -> None:
    """Makes, renames and removes mailboxes in the group, below its INBOX too."""
    bob, carol = choir("bob"), choir("carol")
    bob.ok(f"CREATE {INBOX}/Sub")
    bob.ok("CREATE Groups/Choir/Deep/Er")
    assert {f"{INBOX}/Sub", "Groups/Choir/Deep", "Groups/Choir/Deep/Er"} <= set(
        listed(carol, 'LIST "" "Groups/*"')
    )
    bob.ok("RENAME Groups/Choir/Deep Groups/Choir/Flat")
    assert "Groups/Choir/Flat/Er" in listed(carol, 'LIST "" "*"')
    assert bob.cmd("RENAME Groups/Choir/Flat Mine").code == "CANNOT"
    assert bob.cmd(f"DELETE {INBOX}").code == "CANNOT"
    bob.ok("DELETE Groups/Choir/Flat/Er")
    bob.ok("DELETE Groups/Choir/Flat")


def test_a_reader(choir: Choir) -> None:
    """Reads, and writes nothing."""
    choir("bob").append(INBOX, simple("For all"))
    carol = choir("carol", INBOX)
    assert b"For all" in carol.ok("FETCH 1 BODY.PEEK[]").lines[0]
    for command in (
        f"CREATE {INBOX}/x",
        "DELETE Groups/Choir/Archive",
        "RENAME Groups/Choir/Archive Groups/Choir/x",
        "STORE 1 +FLAGS (\\Flagged)",
        f"COPY 1 {INBOX}",
        "MOVE 1 INBOX",
    ):
        assert carol.cmd(command).code == "NOPERM", command
    refused = carol.cmd(b"APPEND %b {1+}\r\nx" % INBOX.encode())
    assert refused.code == "NOPERM"
    carol.ok("COPY 1 INBOX")
    assert status(carol, "INBOX", "MESSAGES") == {"MESSAGES": 1}


def test_mail_goes_in_and_out(choir: Choir) -> None:
    """COPY and MOVE into the group, within it and out of it; each message is there once."""
    bob = choir("bob")
    for number in range(3):
        bob.append("INBOX", simple(f"Number {number}"))
    bob.ok("SELECT INBOX")
    assert "COPYUID" in bob.ok(f"COPY 1 {INBOX}").text
    bob.ok(f"MOVE 2:3 {INBOX}")
    assert status(bob, INBOX, "MESSAGES") == {"MESSAGES": 3}
    assert status(bob, "INBOX", "MESSAGES") == {"MESSAGES": 1}
    bob.ok(f"SELECT {INBOX}")
    bob.ok("MOVE 1 Groups/Choir/Archive")
    bob.ok("MOVE 1 INBOX")
    assert status(bob, INBOX, "MESSAGES") == {"MESSAGES": 1}
    assert status(bob, "Groups/Choir/Archive", "MESSAGES") == {"MESSAGES": 1}
    assert status(bob, "INBOX", "MESSAGES") == {"MESSAGES": 2}


def test_what_is_in_a_group_is_charged_to_it(choir: Choir) -> None:
    """Members see how much it is; their own stays what it was."""
    bob, carol = choir("bob"), choir("carol")
    before = bob.ok('GETQUOTA ""').lines
    bob.append(INBOX, b"Subject: x\r\n\r\n" + b"x" * 5000)
    assert bob.ok('GETQUOTA ""').lines == before
    root, quota = carol.ok(f"GETQUOTAROOT {INBOX}").lines
    assert root == b"* QUOTAROOT Groups/Choir/INBOX Groups/Choir"
    assert quota.startswith(b"* QUOTA Groups/Choir (")
    assert carol.ok("GETQUOTA Groups/Choir").lines == [quota]


def test_annotations(choir: Choir) -> None:
    """Private ones are each member's own; shared ones take the right to write. # rfc5464#3.3"""
    bob, carol = choir("bob"), choir("carol")
    bob.ok(f'SETMETADATA {INBOX} (/private/comment "mine" /shared/comment "ours")')
    assert b"mine" in bob.ok(f"GETMETADATA {INBOX} /private/comment").lines[0]
    assert b"mine" not in b"".join(carol.ok(f"GETMETADATA {INBOX} /private/comment").lines)
    assert b"ours" in carol.ok(f"GETMETADATA {INBOX} /shared/comment").lines[0]
    assert carol.cmd(f'SETMETADATA {INBOX} (/shared/comment "no")').code == "NOPERM"
    carol.ok(f'SETMETADATA {INBOX} (/private/comment "hers")')


def test_searching_in_several(choir: Choir) -> None:
    """MULTISEARCH looks into the group where it is named, and not among what is personal."""
    bob = choir("bob")
    bob.append(INBOX, simple("Needle"))
    found = bob.ok('ESEARCH IN (subtree "Groups/Choir") SUBJECT Needle').matching("ESEARCH")
    assert len(found) == 1
    assert INBOX.encode() in found[0]
    assert bob.ok("ESEARCH IN (personal) SUBJECT Needle").matching("ESEARCH") == []


def test_catenate(choir: Choir) -> None:
    """A URL names a message of the group."""
    bob = choir("bob")
    uid = bob.append(INBOX, simple("Part")).text.split()[2].rstrip("]")
    bob.ok(f'APPEND INBOX CATENATE (URL "/{INBOX}/;UID={uid}")')
    bob.ok("SELECT INBOX")
    assert b"Part" in bob.ok("FETCH 1 BODY.PEEK[HEADER]").lines[0]


# --- subscriptions ---------------------------------------------------------------------------


def test_subscriptions_are_each_members_own(choir: Choir) -> None:
    """A new member has the group's INBOX subscribed; ending that hides it from one's programs."""
    bob, carol = choir("bob"), choir("carol")
    for command in ('LSUB "" "*"', 'LIST (SUBSCRIBED) "" "*"'):
        assert INBOX in listed(bob, command)
        assert "Groups/Choir/Trash" not in listed(bob, command)
    bob.ok("CREATE Groups/Choir/Songs")
    assert "Groups/Choir/Songs" in listed(carol, 'LSUB "" "*"')
    bob.ok(f"UNSUBSCRIBE {INBOX}")
    bob.ok("SUBSCRIBE Groups/Choir/Trash")
    assert INBOX not in listed(bob, 'LSUB "" "*"')
    assert "Groups/Choir/Trash" in listed(bob, 'LSUB "" "*"')
    assert INBOX in listed(carol, 'LSUB "" "*"')
    assert INBOX in listed(bob, 'LIST "" "*"')
    assert "\\Subscribed" not in one(bob, f'LIST "" {INBOX} RETURN (SUBSCRIBED)').attributes
    bob.ok(f"SUBSCRIBE {INBOX}")
    assert "\\Subscribed" in one(bob, f'LIST "" {INBOX} RETURN (SUBSCRIBED)').attributes


def test_nothing_is_left_of_a_group_that_one_was_in(choir: Choir) -> None:
    """Neither names nor subscriptions."""
    carol = choir("carol")
    carol.ok(f"SUBSCRIBE {INBOX}")
    choir.server.leave(choir.address, choir.people["carol"])
    for command in ('LIST "" "*"', 'LSUB "" "*"', 'LIST (SUBSCRIBED) "" "*"'):
        assert not any("Groups" in name for name in listed(carol, command))


# --- what people complain about elsewhere ----------------------------------------------------


def test_a_mailbox_that_is_not_there_is_not_tried_again(choir: Choir) -> None:
    """TRYCREATE only for who can make it: some programs copy, create and copy for ever."""
    bob, carol = choir("bob"), choir("carol")
    for client, code in ((bob, "TRYCREATE"), (carol, "NONEXISTENT")):
        client.append("INBOX", simple("x"))
        client.ok("SELECT INBOX")
        for command in ("COPY 1 Groups/Choir/No", "MOVE 1 Groups/Choir/No"):
            assert client.cmd(command).code == code
        refused = client.cmd(b"APPEND Groups/Choir/No {1+}\r\nx")
        assert refused.code == code
        for name in ("Groups/Choir", "Groups/Nobody/x", "Groups"):
            assert client.cmd(f"COPY 1 {name}").code == "NONEXISTENT"


def test_names_from_before(choir: Choir) -> None:
    """Mailboxes of one's own under Groups stay what they are, and can be moved away."""
    account = choir.people["bob"]
    store = choir.server.store
    actor = actor_of(store, account.address)

    def make(txn: Txn) -> None:
        root = txn.view(ListMailboxes(actor.space_id, actor.account_id))[0].id
        for levels in (("Groups", "Choir", "INBOX"), ("Groups", "Old"), ("Shared",)):
            txn.apply(CreateMailbox(actor.space_id, root, levels))

    store.call(actor, "test", make)
    bob, carol = choir("bob"), choir("carol")
    found = listed(bob, 'LIST "" "*"')
    assert len(found) == len(set(found))
    assert {INBOX, "Groups/Old", "Groups/Choir/Sent", "Shared"} <= set(found)
    bob.append(INBOX, simple("Mine"))
    assert status(bob, INBOX, "MESSAGES") == {"MESSAGES": 1}
    assert status(carol, INBOX, "MESSAGES") == {"MESSAGES": 0}
    assert bob.cmd("CREATE Groups/Old/x").code == "CANNOT"
    bob.ok(f"RENAME {INBOX} Mine")
    bob.ok("RENAME Shared Mine/Shared")
    assert status(bob, INBOX, "MESSAGES") == {"MESSAGES": 0}
    assert status(bob, "Mine", "MESSAGES") == {"MESSAGES": 1}


def test_a_group_without_mail(choir: Choir) -> None:
    """Where the group does not use mail, nothing of it shows."""
    tools = set(Tool) - {Tool.MAIL}
    reactor.call(lambda: choir.server.groups.set_settings(choir.address, tools=tools))
    assert not any("Groups" in name for name in listed(choir("bob"), 'LIST "" "*"'))
    assert choir("alice").cmd(f"SELECT {INBOX}").code == "NONEXISTENT"


def test_groups_of_equal_names(choir: Choir) -> None:
    """Each is found under a name of its own."""
    choir.server.group("other", choir.people["bob"])
    reactor.call(lambda: choir.server.groups.rename("other@example.test", "Choir"))
    found = listed(choir("bob"), 'LIST "" "Groups/%"')
    assert found == ["Groups/Choir (choir@example.test)", "Groups/Choir (other@example.test)"]
    assert status(choir("bob"), f'"{found[1]}/INBOX"', "MESSAGES") == {"MESSAGES": 0}
