"""Mailboxes: making, renaming, deleting them, and who hears of it."""

from __future__ import annotations

import itertools

import pytest

from folkmoot.storage.errors import (
    AlreadyExists,
    Conflict,
    HasChildren,
    InvalidName,
    LimitReached,
    NotFound,
    Unchangeable,
)
from folkmoot.storage.mutations import mailboxes as module
from folkmoot.storage.mutations.mailboxes import (
    CreateMailbox,
    DeleteMailbox,
    RenameMailbox,
    SetSpecialUse,
    Subscribe,
)
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, Tool
from folkmoot.storage.views.mailboxes import Subscriptions
from folkmoot.storage.views.messages import ReadState
from tests.storage.accounts_kit import make_domain
from tests.storage.mail_kit import Mail, new_mail, sql


@pytest.fixture
def mail(store: Store) -> Mail:
    return new_mail(store)


def rename(mail: Mail, old: str, new: str) -> None:
    """Rename by full names."""
    boxes = mail.boxes()
    levels = tuple(new.split("/"))
    mail.apply(RenameMailbox(boxes[old].id, mail.actor.space_id, boxes[""].id, levels))


def test_create_makes_missing_levels(mail: Mail) -> None:
    """A/B/C makes A and A/B too, as mailboxes that hold mail: no name without a mailbox."""
    created = mail.create("A/B/C")
    boxes = mail.boxes()
    assert boxes["A/B/C"].id == created
    assert boxes["A"].has_children
    assert boxes["A/B"].has_children
    assert not boxes["A/B/C"].has_children
    mail.append(boxes["A/B"].id)
    mail.create("A/B/D")
    assert mail.box("A/B").id == boxes["A/B"].id, "existing levels stay"


def test_names_are_taken_once(mail: Mail) -> None:
    """The same name cannot be made twice, but the same last level elsewhere can."""
    mail.create("A/B")
    with pytest.raises(AlreadyExists):
        mail.create("A/B")
    with pytest.raises(AlreadyExists):
        mail.create("A")
    mail.create("B")


def test_impossible_names_are_refused(mail: Mail) -> None:
    """What no client could list or name again never becomes a mailbox, nor do its parents."""
    before = set(mail.boxes())
    for name in (
        *("", "A//B", "a\x00b", "a\x7fb", "a\u0085", "a\u2028b", "a*", "50%", "e\u0301"),
        *("x" * 256, "\ud800", "ä" * 128),
    ):
        with pytest.raises(InvalidName):
            mail.create(f"Parent/{name}")
    assert set(mail.boxes()) == before


def test_depth_is_limited(mail: Mail) -> None:
    """Fifty levels are enough for everybody, also when a rename puts trees on top of each other."""
    mail.create("/".join(["d"] * 50))
    with pytest.raises(InvalidName):
        mail.create("/".join(["e"] * 51))
    mail.create("top")
    with pytest.raises(InvalidName):
        rename(mail, "d", "top/d")


def test_the_number_of_mailboxes_is_limited(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither CREATE nor RENAME makes more mailboxes than a LIST should have to print."""
    monkeypatch.setattr(module, "MAX_MAILBOXES", len(mail.boxes()) + 2)
    with pytest.raises(LimitReached):
        mail.create("A/B/C")
    mail.create("A")
    with pytest.raises(LimitReached):
        rename(mail, "A", "B/C/D")
    rename(mail, "A", "B/C")
    assert {"B", "B/C"} <= set(mail.boxes())


def test_delete_takes_messages_and_charges_along(mail: Mail) -> None:
    """Deleting a mailbox frees what its messages were charged; the check at the end counts."""
    box = mail.create("Old")
    mail.append(box, None, None, flags=Flag.SEEN)
    mail.apply(DeleteMailbox(box))
    assert "Old" not in mail.boxes()
    assert sql(mail.store, "SELECT bytes_used, items_used FROM usage WHERE tool = 'mail'") == [
        (0, 0)
    ]
    assert sql(mail.store, "SELECT * FROM changes WHERE collection_id = :id", id=box) == []
    with pytest.raises(NotFound):
        mail.changes(box, 0)
    with pytest.raises(NotFound):
        mail.view(ReadState(box))


def test_delete_refuses_what_must_stay(mail: Mail) -> None:
    """INBOX, the root and mailboxes with children cannot be deleted, and keep their mail."""
    mail.create("A/B")
    boxes = mail.boxes()
    mail.append(boxes["A"].id)
    with pytest.raises(HasChildren):
        mail.apply(DeleteMailbox(boxes["A"].id))
    for name in ("INBOX", ""):
        with pytest.raises(Unchangeable):
            mail.apply(DeleteMailbox(boxes[name].id))
    assert mail.box("A").messages == 1


def test_a_mailbox_named_inbox_below_another_is_nothing_special(mail: Mail) -> None:
    """Only the INBOX at the top is protected."""
    deep = mail.create("A/INBOX")
    mail.apply(DeleteMailbox(deep))
    assert "A/INBOX" not in mail.boxes()


def test_a_new_mailbox_under_an_old_name_has_a_new_validity(mail: Mail) -> None:
    """A client that cached the old mailbox must not take the new one for it (RFC 9051 2.3.1.1)."""
    seen = []
    for _ in range(4):
        box = mail.create("Again")
        seen.append(mail.box("Again").uidvalidity)
        mail.apply(DeleteMailbox(box))
    assert all(former < later for former, later in itertools.pairwise(seen))


def test_validities_of_a_space_ascend(mail: Mail) -> None:
    """No two mailboxes share one, so that a rename onto an old name is noticed too."""
    values = [info.uidvalidity for info in mail.boxes().values() if info.name]
    assert len(set(values)) == len(values)
    mail.create("Later")
    assert mail.box("Later").uidvalidity > max(values)


def test_rename_moves_the_whole_tree(mail: Mail) -> None:
    """Ids, UIDs and validity stay: open sessions go on in the renamed mailbox."""
    mail.create("A/B/C")
    before = mail.boxes()
    mail.append(before["A/B"].id)
    rename(mail, "A/B", "X/Y")
    after = mail.boxes()
    assert after["X/Y"].id == before["A/B"].id
    assert after["X/Y/C"].id == before["A/B/C"].id
    assert after["X/Y"].messages == 1
    assert after["X/Y"].uidvalidity == before["A/B"].uidvalidity
    assert "A" in after
    assert not after["A"].has_children


def test_rename_refuses_loops_and_taken_names(mail: Mail) -> None:
    """A mailbox cannot go below itself, onto another, or to nowhere; INBOX stays."""
    mail.create("A/B")
    mail.create("C")
    before = mail.boxes()
    for old, new, error in (
        ("A", "A/B/A", Conflict),
        ("A", "A/X", Conflict),
        ("A", "A/X/Y", Conflict),
        ("A", "C", AlreadyExists),
        ("A", "A", AlreadyExists),
        ("C", "A/B", AlreadyExists),
        ("A", "x//y", InvalidName),
        ("INBOX", "Old", Unchangeable),
        ("", "Root", Unchangeable),
    ):
        with pytest.raises(error):
            rename(mail, old, new)
    assert mail.boxes() == before


def test_rename_below_an_own_child_by_id_is_refused(mail: Mail) -> None:
    """The new parent may be named by id: that finds loops too."""
    mail.create("A/B")
    boxes = mail.boxes()
    with pytest.raises(Conflict):
        mail.apply(RenameMailbox(boxes["A"].id, mail.actor.space_id, boxes["A/B"].id, ("A",)))


def test_a_parent_of_another_tool_holds_no_mailboxes(mail: Mail) -> None:
    """The roots of calendars and contacts are collections too, but not for mail."""
    calendar = sql(
        mail.store,
        "SELECT id FROM collections WHERE tool = :tool AND parent_id IS NULL",
        tool=Tool.CALENDAR.value,
    )[0][0]
    with pytest.raises(NotFound):
        mail.apply(CreateMailbox(mail.actor.space_id, calendar, ("A",)))


def test_special_use_is_given_once(mail: Mail) -> None:
    """There is one Sent mailbox; giving the use away makes room for another (RFC 6154)."""
    with pytest.raises(Conflict):
        mail.create("Outgoing", "\\Sent")
    mail.apply(SetSpecialUse(mail.box("Sent").id, ""))
    mail.create("Outgoing", "\\Sent")
    assert mail.box("Outgoing").special_use == "\\Sent"
    assert mail.box("Sent").special_use == ""


def test_subscriptions_are_names(mail: Mail) -> None:
    """A name may be subscribed that does not exist, stays after DELETE, and comes only once."""
    space, account = mail.actor.space_id, mail.actor.account_id
    first = mail.view(Subscriptions(account))
    mail.apply(Subscribe(space, account, "Ghost", True))
    mail.apply(Subscribe(space, account, "Ghost", True))
    assert mail.view(Subscriptions(account)) == sorted([*first, "Ghost"])
    box = mail.create("Ghost")
    assert mail.box("Ghost").subscribed
    mail.apply(DeleteMailbox(box))
    assert "Ghost" in mail.view(Subscriptions(account))
    mail.apply(Subscribe(space, account, "Ghost", False))
    mail.apply(Subscribe(space, account, "Ghost", False))
    assert mail.view(Subscriptions(account)) == first


def test_impossible_names_are_not_subscribed(mail: Mail) -> None:
    """Hostile names reach neither database, in both directions."""
    for name in ("a\x00b", "", "a//b", "x" * 256, "/".join("x" * 51), "\ud800"):
        for on in (True, False):
            with pytest.raises(InvalidName):
                mail.apply(Subscribe(mail.actor.space_id, mail.actor.account_id, name, on))


def test_subscriptions_are_limited(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that need not exist are cheap to make up: their number ends somewhere."""
    account = mail.actor.account_id
    monkeypatch.setattr(module, "MAX_SUBSCRIPTIONS", len(mail.view(Subscriptions(account))) + 1)
    mail.apply(Subscribe(mail.actor.space_id, account, "One", True))
    with pytest.raises(LimitReached):
        mail.apply(Subscribe(mail.actor.space_id, account, "Two", True))


def test_spaces_do_not_mix(store: Store) -> None:
    """Naming one's own parent and somebody else's space (or the reverse) opens nothing."""
    make_domain(store)
    alice = new_mail(store, domain=False)
    bob = new_mail(store, "bob@example.test", domain=False)
    before = bob.boxes()
    for space, parent in (
        (bob.actor.space_id, alice.box("").id),
        (alice.actor.space_id, bob.box("").id),
        (bob.actor.space_id, bob.box("").id),
    ):
        with pytest.raises(NotFound):
            alice.apply(CreateMailbox(space, parent, ("Evil",)))
        with pytest.raises((NotFound, Conflict)):
            alice.apply(RenameMailbox(alice.box("Sent").id, space, parent, ("Evil",)))
    for space in (alice.actor.space_id, bob.actor.space_id):
        with pytest.raises(NotFound):
            alice.apply(Subscribe(space, bob.actor.account_id, "Evil", True))
    assert bob.boxes() == before
    assert "Sent" in alice.boxes()
