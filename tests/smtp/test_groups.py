"""Mail to groups: into their own INBOX, charged to them, and nobody writes in their name."""

from __future__ import annotations

import smtplib

import pytest

from folkmoot.storage.types import Limit, Tool
from folkmoot.storage.views.mailboxes import ListMailboxes
from tests.kit.messages import simple
from tests.kit.server import TestAccount
from tests.smtp.conftest import MailServer
from tests.storage.accounts_kit import actor_of

LONG = b"Subject: x\r\n\r\n" + b"x" * 99


def in_group(mail: MailServer, member: TestAccount, space: int) -> tuple[int, int]:
    """Messages in the group's INBOX, and their octets, as a member sees them."""
    actor = actor_of(mail.base.store, member.address)
    view = ListMailboxes(space, member.id)
    boxes = mail.base.store.call_read(actor, "test", lambda txn: txn.view(view))
    [inbox] = [box for box in boxes if box.name == "INBOX"]
    return inbox.messages, inbox.size


def test_mail_to_a_group_is_the_groups(mail: MailServer) -> None:
    """By LMTP, with a subaddress too; members get no copy of their own, and pay nothing."""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    group = mail.base.group("choir", alice, bob)
    client = mail.lmtp()
    assert client.sendmail("x@example.org", [group.address], simple()) == {}
    assert client.sendmail("x@example.org", ["choir+x@example.test", bob.address], simple()) == {}
    messages, octets = in_group(mail, bob, group.space_id)
    assert messages == 2
    assert octets > 2 * len(simple())
    assert len(mail.inbox(bob)) == 1
    assert mail.inbox(alice) == []


def test_a_full_group_takes_no_more(mail: MailServer) -> None:
    """Its administrator's plan says how much; the sender is told."""
    alice = mail.base.account("alice")
    group = mail.base.group("choir", alice)
    full, small = Limit(None, 0), Limit(10, None)
    for limit in (full, small):
        mail.base.update(alice, limits={Tool.MAIL: limit})
        with pytest.raises(smtplib.SMTPException) as caught:
            mail.lmtp().sendmail("x@example.org", [group.address], LONG)
        if limit is full:
            assert isinstance(caught.value, smtplib.SMTPRecipientsRefused)
            assert caught.value.recipients[group.address][0] == 452
        else:  # it would not fit into an empty mailbox either
            assert isinstance(caught.value, smtplib.SMTPDataError)
            assert caught.value.smtp_code == 552
    assert in_group(mail, alice, group.space_id) == (0, 0)


def test_nobody_sends_in_the_name_of_a_group(mail: MailServer) -> None:
    """Not even the administrator: neither in the envelope nor in From."""
    alice = mail.base.account("alice")
    group = mail.base.group("choir", alice)
    message = b"From: <%s>\r\nTo: <x@example.test>\r\n\r\nx\r\n" % group.address.encode()
    client = mail.smtp(alice)
    with pytest.raises(smtplib.SMTPException):
        client.sendmail(group.address, [alice.address], message)
    client = mail.smtp(alice)
    with pytest.raises(smtplib.SMTPException):
        client.sendmail(alice.address, [alice.address], message)
    assert mail.inbox(alice) == []
