"""Mail to groups: who may write to them, where it goes, and who writes in their name."""

from __future__ import annotations

import smtplib
from functools import partial
from typing import Any

import pytest

from folkmoot.sharing.rights import rights_named
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.types import AccountState, Actor, Limit, Tool
from folkmoot.storage.types_groups import Group, Posting
from folkmoot.storage.views.mailboxes import ListMailboxes
from tests.kit import reactor
from tests.kit.messages import simple
from tests.kit.server import TestAccount
from tests.kit.waiting import until
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


def raw(group: Group, text: bytes = b"hello", sender: str = "") -> bytes:
    """A message to a group."""
    return b"From: <%s>\r\nTo: <%s>\r\nSubject: a\r\nDate: x\r\nMessage-ID: <a@b>\r\n\r\n%s\r\n" % (
        (sender or group.address).encode(),
        group.address.encode(),
        text,
    )


def change(mail: MailServer, what: str, group: Group, *rest: object, **named: object) -> None:
    """Call one of the methods of ``Groups``."""
    method: Any = getattr(mail.base.groups, what)
    reactor.call(partial(method, group.address, *rest, **named))


def refused(client: smtplib.SMTP, sender: str, to: str, message: bytes) -> tuple[int, bytes]:
    """What a refusal of the only recipient says."""
    with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
        client.sendmail(sender, [to], message)
    [answer] = caught.value.recipients.values()
    return answer


def fields(message: bytes, name: bytes) -> list[bytes]:
    """The values of a field that is on one line."""
    head = message.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return [line.partition(b": ")[2] for line in head if line.lower().startswith(name + b":")]


def test_members_get_copies_who_want_them(mail: MailServer) -> None:
    """Once each, as a list does it: nothing but fields on top, none for who is addressed as well,
    none for who wrote; the group keeps the same octets."""
    alice, bob, carol = (mail.base.account(name) for name in ("alice", "bob", "carol"))
    group = mail.base.group("choir", alice, bob, carol)
    for account in (alice, bob):
        change(mail, "set_forward", group, account.address, True)
    message = raw(group, sender="x@example.org")
    to = [group.address, "choir+x@example.test"]
    assert mail.lmtp().sendmail("x@example.org", to, message) == {}
    (of_bob,), (of_alice,) = mail.inbox(bob), mail.inbox(alice)
    assert of_bob == of_alice
    assert mail.inbox(carol) == []
    assert of_bob.endswith(message)
    assert fields(of_bob, b"list-id") == [b"Choir <choir.example.test>"]
    assert fields(of_bob, b"list-post") == [b"<mailto:choir@example.test>"]
    assert in_group(mail, carol, group.space_id) == (1, len(of_bob))
    # One row of octets for all three.
    statement = Statement("SELECT COUNT(*) FROM blobs")
    count = mail.base.store.call_read(
        Actor.system("test"), "test", lambda txn: txn._context.db.value(statement)
    )
    assert count == 1


def test_nobody_gets_two(mail: MailServer) -> None:
    """Who is addressed directly, and who wrote, has the message already."""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    group = mail.base.group("choir", alice, bob)
    for account in (alice, bob):
        change(mail, "set_forward", group, account.address, True)
    message = raw(group, sender=alice.address)
    mail.smtp(alice).sendmail(alice.address, [group.address, bob.address], message)
    assert len(mail.inbox(bob)) == 1
    assert fields(mail.inbox(bob)[0], b"list-id") == []
    assert mail.inbox(alice) == []
    mail.lmtp().sendmail("Alice+x@example.test", [group.address], message)
    assert mail.inbox(alice) == []
    assert len(mail.inbox(bob)) == 2
    assert in_group(mail, bob, group.space_id)[0] == 2


def test_copies_of_what_a_list_sent(mail: MailServer) -> None:
    """A message has one List-Id; large ones and names of all kinds go the same way. # rfc2919#3"""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    group = mail.base.group("choir", alice, bob)
    change(mail, "set_forward", group, bob.address, True)
    change(mail, "rename", group, "Ch\u00f6re, " * 20)
    listed = b"List-Id: <other.example.org>\r\n" + raw(group)
    mail.lmtp().sendmail("x@example.org", [group.address], listed)
    mail.lmtp().sendmail("x@example.org", [group.address], raw(group, b"x" * 900 + b"\r\n"))
    large = raw(group, b"0123456789\r\n" * 60_000)
    mail.lmtp().sendmail("x@example.org", [group.address], large)
    first, second, third = mail.inbox(bob)
    assert fields(first, b"list-id") == [b"<other.example.org>"]
    assert second.startswith(b"List-Id: =?utf-8?")
    assert b"\r\n <choir.example.test>\r\nList-Post:" in second
    assert max(map(len, second.partition(b"\r\n\r\n")[0].split(b"\r\n"))) < 100
    assert third.endswith(large)


def test_one_without_room_misses_a_copy(mail: MailServer) -> None:
    """A member's full mailbox is the member's; the group's full one is that of all."""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    small = mail.base.account("small", {Tool.MAIL: Limit(10, None)})
    group = mail.base.group("choir", alice, bob, small)
    for account in (bob, small):
        change(mail, "set_forward", group, account.address, True)
    mail.lmtp().sendmail("x@example.org", [group.address], raw(group))
    assert (len(mail.inbox(bob)), mail.inbox(small)) == (1, [])
    mail.base.update(alice, limits={Tool.MAIL: Limit(None, 1)})
    code, _ = refused(mail.lmtp(), "x@example.org", group.address, raw(group))
    assert code == 452
    assert len(mail.inbox(bob)) == 1


def test_disabled_members_get_no_copies(mail: MailServer) -> None:
    """As they get no other mail."""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    group = mail.base.group("choir", alice, bob)
    change(mail, "set_forward", group, bob.address, True)
    state = partial(mail.base.accounts.set_state, bob.address)
    reactor.call(partial(state, AccountState.DISABLED))
    mail.lmtp().sendmail("x@example.org", [group.address], raw(group))
    details = reactor.call(partial(mail.base.accounts.show, bob.address))
    assert [usage.items_used for usage in details.usage if usage.tool is Tool.MAIL] == [0]
    assert in_group(mail, alice, group.space_id)[0] == 1


def test_who_may_write_to_a_group(mail: MailServer) -> None:
    """By who has signed in, whatever address they write from; by LMTP the envelope says who."""
    alice, bob, carol, eve = (mail.base.account(name) for name in ("alice", "bob", "carol", "eve"))
    group = mail.base.group("choir", alice, bob, writers=[carol])
    change(mail, "set_settings", group, Posting.MEMBERS)
    assert refused(mail.smtp(eve), eve.address, group.address, raw(group)) == (
        550,
        b"5.7.1 This group takes mail only from members who may write to it",
    )
    for sender in ("x@example.org", eve.address, "alice@example.org"):
        assert refused(mail.lmtp(), sender, group.address, raw(group))[0] == 550
    for sender in (bob.address, "BOB+lists@Example.Test"):
        mail.lmtp().sendmail(sender, [group.address], raw(group))
    mail.smtp(bob).sendmail(bob.address, [group.address], raw(group, sender=bob.address))
    # Without an envelope sender it is still Bob who has signed in.
    mail.smtp(bob).sendmail("", [group.address], raw(group, sender=bob.address))
    assert in_group(mail, bob, group.space_id)[0] == 4
    change(mail, "set_settings", group, Posting.WRITERS)
    assert refused(mail.smtp(bob), bob.address, group.address, raw(group))[0] == 550
    for account in (alice, carol):
        message = raw(group, sender=account.address)
        mail.smtp(account).sendmail(account.address, [group.address], message)
    assert in_group(mail, bob, group.space_id)[0] == 6
    change(mail, "set_settings", group, Posting.ANYONE)
    mail.smtp(eve).sendmail(eve.address, [group.address], raw(group, sender=eve.address))


def test_a_catch_all_makes_nobody_a_member(mail: MailServer) -> None:
    """An address that does not exist is nobody's when it asks to write."""
    alice = mail.base.account("alice")
    group = mail.base.group("choir", alice)
    reactor.call(partial(mail.base.accounts.set_catchall, "example.test", alice.address))
    change(mail, "set_settings", group, Posting.MEMBERS)
    assert refused(mail.lmtp(), "ghost@example.test", group.address, raw(group))[0] == 550


def test_reports_come_from_nobody(mail: MailServer) -> None:
    """A closed group takes those about its own mail, and nothing else from the null path."""
    # rfc3461#6.1
    alice = mail.base.account("alice")
    group = mail.base.group("choir", alice)
    change(mail, "set_settings", group, Posting.WRITERS)
    report = b"Content-Type: Multipart/Report; report-type=delivery-status\r\n" + raw(group)
    mail.lmtp().sendmail("", [group.address], report)
    with pytest.raises(smtplib.SMTPDataError) as caught:
        mail.lmtp().sendmail("", [group.address], raw(group))
    assert caught.value.smtp_code == 550
    assert in_group(mail, alice, group.space_id)[0] == 1


def test_a_group_without_mail(mail: MailServer) -> None:
    """Its address takes nothing, and nobody writes in its name, until mail is used again."""
    alice = mail.base.account("alice")
    group = mail.base.group("choir", alice)
    mail.lmtp().sendmail("x@example.org", [group.address], raw(group))
    change(mail, "set_settings", group, tools={Tool.CALENDAR})
    answer = refused(mail.lmtp(), "x@example.org", group.address, raw(group))
    assert answer == (550, b"5.2.1 The mailbox is disabled")
    with pytest.raises(smtplib.SMTPSenderRefused):
        mail.smtp(alice).sendmail(group.address, [alice.address], raw(group))
    change(mail, "set_settings", group, tools=set(Tool))
    mail.lmtp().sendmail("x@example.org", [group.address], raw(group))
    assert in_group(mail, alice, group.space_id)[0] == 2


def test_who_writes_in_the_name_of_a_group(mail: MailServer) -> None:
    """The administrator, and members who were given that: in the envelope and in From, with the
    aliases of the group; it counts as the person's own mail."""
    alice, bob, carol, eve = (mail.base.account(name) for name in ("alice", "bob", "carol", "eve"))
    group = mail.base.group("choir", alice, bob, writers=[carol])
    change(mail, "add_alias", group, "singers@example.test")
    send_as = {Tool.MAIL: rights_named("read+send-as")}
    change(mail, "set_rights", group, bob.address, send_as)
    for account in (alice, bob):
        for address in (group.address, "singers@example.test", "choir+x@example.test"):
            message = raw(group, sender=address)
            mail.smtp(account).sendmail(address, [eve.address], message)
            mail.smtp(account).sendmail(account.address, [eve.address], message)
    assert len(mail.inbox(eve)) == 12
    for account in (carol, eve):
        with pytest.raises(smtplib.SMTPSenderRefused):
            mail.smtp(account).sendmail(group.address, [alice.address], raw(group))
        with pytest.raises(smtplib.SMTPDataError):
            mail.smtp(account).sendmail(account.address, [alice.address], raw(group))
    assert mail.inbox(alice) == []
    change(mail, "remove_member", group, bob.address)
    with pytest.raises(smtplib.SMTPSenderRefused):
        mail.smtp(bob).sendmail(group.address, [alice.address], raw(group))


def test_a_full_group_gets_it_later(mail: MailServer) -> None:
    """Mail of a member to a closed group waits for room, also when it was sent in its own name."""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    group = mail.base.group("choir", alice, bob)
    change(mail, "set_settings", group, Posting.WRITERS)
    change(mail, "set_forward", group, bob.address, True)
    mail.smtp(alice).sendmail(alice.address, [group.address], raw(group, sender=alice.address))
    mail.base.update(alice, limits={Tool.MAIL: Limit(None, 1)})
    client = mail.smtp(alice)
    client.mail(group.address)
    assert client.rcpt(group.address)[0] == 250
    assert client.data(raw(group))[0] == 250
    assert len(mail.queue()) == 1
    mail.base.update(alice, limits={Tool.MAIL: Limit(None, None)})
    mail.worker(1)
    until(lambda: mail.queue() == [])
    assert in_group(mail, alice, group.space_id)[0] == 2
    assert len(mail.inbox(bob)) == 2
