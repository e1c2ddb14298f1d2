"""ACL (RFC 4314) and LIST-MYRIGHTS (RFC 8440)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from folkmoot.sharing.rights import LETTERS, OLD_LETTERS, from_letters, to_letters
from folkmoot.storage.types import ALL_RIGHTS, Right
from tests.imap.listed import listed
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer

ALL = b"lrswipkxteacd"


def test_letters_both_ways() -> None:
    """Each letter means one right, and comes back from it. # rfc4314#2.1"""
    for letter, right in LETTERS.items():
        assert from_letters(letter) == right
        assert to_letters(right).rstrip("cd") == letter
    assert "".join(LETTERS) == "lrswipkxtea"
    assert len(set(LETTERS.values())) == len(LETTERS)


def test_old_letters() -> None:
    """RFC 2086's letters stand for several rights, and show when one of these is there."""
    # rfc4314#2.1.1
    assert from_letters("c") == Right.CREATE | Right.REMOVE
    assert from_letters("d") == Right.DELETE | Right.EXPUNGE
    for old, tied in OLD_LETTERS.items():
        for right in Right:
            assert (old in to_letters(right)) == bool(right & tied)


def test_rights_without_a_letter() -> None:
    """They are not shown, and no letter gives them."""
    assert to_letters(Right.BUSY | Right.EDIT | Right.SEND_AS) == ""
    assert from_letters(to_letters(ALL_RIGHTS)) == ALL_RIGHTS & ~(
        Right.BUSY | Right.EDIT | Right.SEND_AS
    )
    with pytest.raises(ValueError, match="no such right"):
        from_letters("lrz")


def test_the_owner_has_all(server: TestServer) -> None:
    """MYRIGHTS, GETACL and LISTRIGHTS agree. # rfc4314#3.3, rfc4314#3.4, rfc4314#3.5"""
    account = server.account()
    client = server.imap(account)
    address = account.address.encode()
    assert client.ok("MYRIGHTS INBOX").lines == [b"* MYRIGHTS INBOX " + ALL]
    assert client.ok("GETACL INBOX").lines == [b"* ACL INBOX %b %b" % (address, ALL)]
    listed = client.ok(f"LISTRIGHTS INBOX {account.address}").lines
    assert listed == [b"* LISTRIGHTS INBOX %b %b" % (address, ALL)]


def test_nothing_is_given_to_strangers(server: TestServer) -> None:
    """Who is in no group with the owner looks like who does not exist; nor is it for everybody."""
    account, other = server.account(), server.account()
    client = server.imap(account)
    before = client.ok("GETACL INBOX").lines
    for stranger in (other.address, "nobody@example.test", "nobody"):
        for command in ("SETACL INBOX {} lr", "DELETEACL INBOX {}", "LISTRIGHTS INBOX {}"):
            refused = client.cmd(command.format(stranger))
            assert (refused.status, refused.code) == ("NO", "NONEXISTENT")
            assert "no group or fellow member" in refused.text
    for everybody in ("anyone", "anonymous", f"-{account.address}"):
        assert client.cmd(f"SETACL INBOX {everybody} lr").code == "CANNOT"
        assert client.cmd(f"DELETEACL INBOX {everybody}").code == "CANNOT"
        assert client.cmd(f"LISTRIGHTS INBOX {everybody}").code == "CANNOT"
    assert client.ok("GETACL INBOX").lines == before
    assert server.imap(other).ok('LIST "" "*"').matching(account.address) == []


def test_the_owner_keeps_all(server: TestServer) -> None:
    """Rights of owners, and of administrators of groups, are not taken away. # rfc4314#2"""
    account = server.account()
    server.group("choir", account)
    client = server.imap(account)
    for mailbox in ("INBOX", "Groups/Choir/INBOX"):
        before = client.ok(f"GETACL {mailbox}").lines
        for command in (
            f"SETACL {mailbox} {account.address} -a",
            f"SETACL {mailbox} {account.address} l",
        ):
            assert client.cmd(command).code == "CANNOT"
        assert client.cmd(f"DELETEACL {mailbox} {account.address}").code == "CANNOT"
        assert client.ok(f"GETACL {mailbox}").lines == before


# --- giving and taking -----------------------------------------------------------------------


@dataclass(frozen=True)
class Choir:
    """Alice administers the group and has a mailbox Work, Bob may write, Carol reads."""

    alice: ImapClient
    bob: ImapClient
    carol: ImapClient


@pytest.fixture
def choir(server: TestServer) -> Choir:
    """A group of three, and Eve who is not in it."""
    alice, bob, carol = (server.account(name) for name in ("alice", "bob", "carol"))
    server.group("choir", alice, carol, writers=[bob])
    clients = Choir(*(server.imap(each) for each in (alice, bob, carol)))
    clients.alice.ok("CREATE Work")
    clients.alice.append("Work", simple("Plans"))
    return clients


BOB, CHOIR, CAROL = "bob@example.test", "choir@example.test", "carol@example.test"
HIS = "Shared/alice@example.test/Work"
GROUPS = "Groups/Choir/INBOX"


def acl(client: ImapClient, mailbox: str) -> dict[str, str]:
    """GETACL: rights without the older letters, by the front of the address."""
    [line] = client.ok(f"GETACL {mailbox}").matching("ACL")
    words = line.decode().split()[3:]
    pairs = zip(words[::2], words[1::2], strict=True)
    return {name.partition("@")[0]: rights.strip('"').rstrip("cd") for name, rights in pairs}


def mine(client: ImapClient, mailbox: str) -> str:
    """MYRIGHTS, without the older letters."""
    [line] = client.ok(f"MYRIGHTS {mailbox}").matching("MYRIGHTS")
    return line.decode().split()[3].rstrip("cd")


def test_sharing_with_one(choir: Choir) -> None:
    """Who is given rights finds the mailbox, does what is allowed, and nobody else does."""
    # rfc4314#3.1, rfc4314#4
    choir.alice.ok(f"SETACL Work {BOB} lrs")
    assert acl(choir.alice, "Work") == {"alice": "lrswipkxtea", "bob": "lrs"}
    assert HIS in listed(choir.bob, 'LIST "" "*"')
    assert HIS in listed(choir.bob, 'LSUB "" "*"')
    assert mine(choir.bob, HIS) == "lrs"
    assert choir.bob.cmd(f"GETACL {HIS}").code == "NOPERM"
    choir.bob.ok(f"SELECT {HIS}")
    assert b"Plans" in choir.bob.ok("FETCH 1 BODY.PEEK[]").lines[0]
    assert choir.bob.cmd("STORE 1 +FLAGS (\\Flagged)").code == "NOPERM"
    assert not any(name.startswith("Shared") for name in listed(choir.carol, 'LIST "" "*"'))
    assert choir.carol.cmd(f"SELECT {HIS}").code == "NONEXISTENT"


def test_more_and_less(choir: Choir) -> None:
    """Signs add and take; what is taken is gone at once. # rfc4314#3.1, rfc4314#3.2"""
    choir.alice.ok(f"SETACL Work {BOB} lr")
    choir.alice.ok(f"SETACL Work {BOB} +swi")
    assert mine(choir.bob, HIS) == "lrswi"
    choir.bob.append(HIS, simple("From Bob"))
    choir.alice.ok(f"SETACL Work {BOB} -i")
    assert choir.bob.cmd(b"APPEND %b {1+}\r\nx" % HIS.encode()).code == "NOPERM"
    choir.alice.ok(f"SETACL Work {BOB} lrd")
    assert mine(choir.bob, HIS) == "lrte"
    choir.alice.ok(f"SETACL Work {BOB} -lrte")
    assert choir.bob.cmd(f"MYRIGHTS {HIS}").code == "NONEXISTENT"
    assert acl(choir.alice, "Work") == {"alice": "lrswipkxtea"}
    assert choir.alice.cmd(f"SETACL Work {BOB} lra").code == "CANNOT"


def test_sharing_with_a_group(choir: Choir) -> None:
    """All who are in it find it; what one is given beside that adds up. # rfc4314#2"""
    choir.alice.ok(f"SETACL Work {CHOIR} lr")
    choir.alice.ok(f"SETACL Work {CAROL} lw")
    assert mine(choir.bob, HIS) == "lr"
    assert mine(choir.carol, HIS) == "lrw"
    choir.alice.ok(f"DELETEACL Work {CHOIR}")
    assert choir.bob.cmd(f"STATUS {HIS} (MESSAGES)").code == "NONEXISTENT"
    assert acl(choir.alice, "Work") == {"alice": "lrswipkxtea", "carol": "lw"}


def test_below(choir: Choir) -> None:
    """Rights hold for mailboxes below, until others are given there; ended, they end there too."""
    choir.alice.ok("CREATE Work/Deep")
    choir.alice.ok("CREATE Work/Secret")
    choir.alice.ok(f"SETACL Work {BOB} lrs")
    assert acl(choir.alice, "Work/Deep")["bob"] == "lrs"
    choir.alice.ok(f"SETACL Work/Deep {BOB} +i")
    assert (mine(choir.bob, HIS), mine(choir.bob, f"{HIS}/Deep")) == ("lrs", "lrsi")
    choir.alice.ok(f"DELETEACL Work/Secret {BOB}")
    assert listed(choir.bob, 'LIST "" "Shared/*"')[1:] == [HIS, f"{HIS}/Deep"]
    choir.alice.ok(f"DELETEACL Work/Deep {BOB}")
    assert choir.bob.cmd(f"SELECT {HIS}/Deep").code == "NONEXISTENT"
    choir.alice.ok(f"DELETEACL Work {BOB}")
    assert listed(choir.bob, 'LIST "" "Shared/*"') == []


def test_mailboxes_of_groups(choir: Choir) -> None:
    """The group itself stands for its members; who may more is listed; the administrator gives."""
    listing = acl(choir.alice, GROUPS)
    assert listing == {"alice": "lrswipkxtea", "choir": "lrs", "bob": "lrswipkxte"}
    assert choir.bob.cmd(f"GETACL {GROUPS}").code == "NOPERM"
    assert choir.bob.cmd(f"SETACL {GROUPS} {CAROL} lrsi").code == "NOPERM"
    choir.alice.ok(f"SETACL {GROUPS} {CAROL} i")
    assert mine(choir.carol, GROUPS) == "lrsi"
    assert acl(choir.alice, GROUPS)["carol"] == "lrsi"
    assert choir.alice.cmd(f"SETACL {GROUPS} {CAROL} -r").code == "CANNOT"
    choir.alice.ok(f"DELETEACL {GROUPS} {CAROL}")
    assert mine(choir.carol, GROUPS) == "lrs"
    assert choir.alice.cmd(f"DELETEACL {GROUPS} {BOB}").code == "CANNOT"


def test_hiding_a_mailbox_of_a_group(choir: Choir) -> None:
    """What is granted to the group replaces what members may do: less, or more, or nothing."""
    # rfc4314#3.2
    choir.alice.ok("CREATE Groups/Choir/Board")
    choir.alice.ok(f'SETACL Groups/Choir/Board {CHOIR} ""')
    assert choir.bob.cmd("SELECT Groups/Choir/Board").code == "NONEXISTENT"
    choir.alice.ok(f"SETACL Groups/Choir/Board {CAROL} lr")
    assert mine(choir.carol, "Groups/Choir/Board") == "lr"
    assert "Groups/Choir/Board" not in listed(choir.bob, 'LIST "" "*"')
    choir.alice.ok(f"SETACL Groups/Choir/Board {CHOIR} lrswit")
    assert mine(choir.bob, "Groups/Choir/Board") == "lrswit"
    choir.alice.ok(f"DELETEACL Groups/Choir/Board {CHOIR}")
    assert mine(choir.bob, "Groups/Choir/Board") == "lrswipkxte"
    assert choir.alice.cmd(f"DELETEACL Groups/Choir/Board {CHOIR}").code == "CANNOT"


def test_what_can_be_given(choir: Choir) -> None:
    """LISTRIGHTS: first what one has in any case, then what can be given, each by itself."""
    # rfc4314#3.4
    [line] = choir.alice.ok(f"LISTRIGHTS {GROUPS} {CAROL}").lines
    assert line == b"* LISTRIGHTS %b carol@example.test lrs w i p k x t e c d" % GROUPS.encode()
    [line] = choir.alice.ok(f"LISTRIGHTS Work {CHOIR}").lines
    assert line == b'* LISTRIGHTS Work choir@example.test "" l r s w i p k x t e c d'
    [line] = choir.alice.ok(f"LISTRIGHTS {GROUPS} alice@example.test").lines
    assert line.endswith(b" lrswipkxteacd")


def test_special_uses_of_others(choir: Choir) -> None:
    """A shared Sent is not taken for one's own. # rfc6154#2"""
    choir.alice.ok(f"SETACL Sent {BOB} lr")
    [sent] = choir.bob.ok('LIST "" "Shared/*/Sent"').lines
    assert b"\\Sent" not in sent


def test_writing_into_what_is_shared(choir: Choir) -> None:
    """It is charged to the owner, whose capacities nobody else is told."""
    choir.alice.ok(f"SETACL Work {BOB} lrswipkxte")
    choir.bob.ok(f"CREATE {HIS}/Sub/Deeper")
    assert "Work/Sub/Deeper" in listed(choir.alice, 'LIST "" "*"')
    choir.bob.append(f"{HIS}/Sub", simple("x"))
    assert choir.bob.ok(f"GETQUOTAROOT {HIS}").lines == [b"* QUOTAROOT %b" % HIS.encode()]
    choir.bob.ok(f"RENAME {HIS}/Sub {HIS}/Other")
    choir.bob.ok(f"DELETE {HIS}/Other/Deeper")
    assert choir.bob.cmd(f"RENAME {HIS} {HIS}2").code == "CANNOT"
    assert choir.bob.cmd("CREATE Shared/alice@example.test/New").code == "CANNOT"
    choir.bob.ok(f'SETMETADATA {HIS} (/private/comment "mine")')
    assert choir.alice.ok("GETMETADATA Work /private/comment").lines == [
        b"* METADATA Work (/private/comment NIL)"
    ]


def test_refusals(server: TestServer) -> None:
    """Missing mailboxes, unknown rights, missing arguments. # rfc4314#3"""
    client = server.imap(server.account())
    for command in ("MYRIGHTS no", "GETACL no", "LISTRIGHTS no a", "SETACL no a l"):
        assert client.cmd(command).code == "NONEXISTENT"
    for command in ("SETACL INBOX a lz", "SETACL INBOX a", "GETACL", "LISTRIGHTS INBOX"):
        assert client.cmd(command).status == "BAD"


def test_capabilities(server: TestServer) -> None:
    """RIGHTS= names the rights that RFC 2086 did not have. # rfc4314#2, rfc4314#2.2"""
    words = server.imap(server.account()).ok("CAPABILITY").lines[0].split()
    assert {b"ACL", b"RIGHTS=kxte", b"LIST-MYRIGHTS"} <= set(words)


def test_list_myrights(server: TestServer) -> None:
    """One MYRIGHTS behind each LIST of a mailbox that exists. # rfc8440#3"""
    client = server.imap(server.account())
    client.ok("SUBSCRIBE Gone")
    lines = client.ok('LIST (SUBSCRIBED) "" (INBOX Gone) RETURN (MYRIGHTS)').lines
    assert lines[0].startswith(b"* LIST (")
    assert lines[0].endswith(b"INBOX")
    assert lines[1] == b"* MYRIGHTS INBOX " + ALL
    assert b"\\NonExistent" in lines[2]
    assert len(lines) == 3
