"""Mailboxes of groups and others by their names, and who may do what there, on both databases."""

from __future__ import annotations

import pytest

from folkmoot.sharing import mail_places
from folkmoot.sharing.mail_acl import entries
from folkmoot.storage.errors import InvalidName, NotFound
from folkmoot.storage.mutations.grants import Share
from folkmoot.storage.txn import ReadTxn
from folkmoot.storage.types import ALL_RIGHTS, Right
from folkmoot.storage.views.acl import ReadAcl
from folkmoot.storage.views.mailboxes import ListMailboxes
from tests.storage.test_seen import Choir, choir

__all__ = ["choir"]

INBOX = "Groups/Choir/INBOX"
SENT = "Shared/alice@example.test/Sent"
GIVEN = Right.LOOKUP | Right.READ


def _share_sent(choir: Choir) -> int:
    alice = choir.people["alice"]
    mine = choir.view("alice", ListMailboxes(alice.space_id, alice.account_id))
    [sent] = [info.id for info in mine if info.name == "Sent"]
    choir.apply("alice", Share(sent, choir.people["bob"].space_id, GIVEN))
    return sent


def test_names(choir: Choir) -> None:
    """Each leads to its mailbox, and what is not there is absent."""
    sent = _share_sent(choir)
    bob = choir.people["bob"]

    def look(txn: ReadTxn) -> None:
        found = {info.name: info for info in mail_places.other_mailboxes(txn)}
        assert found[INBOX].id == choir.boxes["INBOX"] == mail_places.locate(txn, INBOX)
        assert found[SENT].id == sent == mail_places.locate(txn, SENT)
        assert not found[SENT].personal
        assert mail_places.find(txn, SENT).rights == GIVEN
        space, parent, levels = mail_places.nearest(txn, f"{INBOX}/a/b")
        assert (space, parent, levels) == (choir.space, choir.boxes["INBOX"], ("a", "b"))
        for name in ("Groups/Choir", "Groups/No/INBOX", "Groups", "Shared/alice@example.test"):
            with pytest.raises(NotFound):
                mail_places.locate(txn, name)
            with pytest.raises(InvalidName):
                mail_places.nearest(txn, name)

    choir.store.call_read(bob, "test", look)


def test_lists_of_rights(choir: Choir) -> None:
    """Grants here and above, members, and the group itself."""
    sent = _share_sent(choir)
    listed = entries(choir.view("alice", ReadAcl(sent)))
    assert [(entry.identifier.partition("@")[0], entry.rights) for entry in listed] == [
        ("alice", ALL_RIGHTS),
        ("bob", GIVEN),
    ]
    inbox = choir.boxes["INBOX"]
    names = [
        entry.identifier.partition("@")[0] for entry in entries(choir.view("alice", ReadAcl(inbox)))
    ]
    assert names == ["alice", "choir", "bob", "carol"]
