"""The change log: what sessions and clients learn from a modseq on."""

from __future__ import annotations

import pytest

from folkmoot.storage.mutations.messages import CopyMessages, ExpungeMessages, MoveMessages
from folkmoot.storage.mutations.upkeep import TrimLog
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, UidSet
from folkmoot.storage.views.mailboxes import ChangesSince
from folkmoot.storage.views.messages import ReadState
from tests.storage.accounts_kit import apply
from tests.storage.mail_kit import Mail, new_mail, sql, uids


@pytest.fixture
def mail(store: Store) -> Mail:
    return new_mail(store)


def test_every_change_has_its_number(mail: Mail) -> None:
    """Append, flags, expunge, copy and move each take the next modseq of the mailbox."""
    inbox, other = mail.box().id, mail.create("Other")
    seen = [mail.box().modseq]
    for change in (
        lambda: mail.append(inbox, None, None, None),
        lambda: mail.flag(inbox, uids("1"), Flag.DELETED),
        lambda: mail.apply(ExpungeMessages(inbox)),
        lambda: mail.apply(MoveMessages(inbox, uids("2"), other)),
        lambda: mail.apply(CopyMessages(other, uids("1"), inbox)),
    ):
        change()
        seen.append(mail.box().modseq)
    assert seen == list(range(seen[0], seen[0] + 6))
    logged = sql(
        mail.store,
        "SELECT modseq, kind, uids FROM changes WHERE collection_id = :id ORDER BY modseq",
        id=inbox,
    )
    assert logged == [
        (seen[1], "added", "1:3"),
        (seen[2], "flagged", "1"),
        (seen[3], "removed", "1"),
        (seen[4], "removed", "2"),
        (seen[5], "added", "4"),
    ]


def test_changed_and_vanished_from_each_number_on(mail: Mail) -> None:
    """From any older state, what changed and what vanished are exact and do not overlap."""
    inbox = mail.box().id
    start = mail.box().modseq
    mail.append(inbox, None, None, None)
    added = mail.box().modseq
    mail.flag(inbox, uids("1:2"), Flag.DELETED)
    flagged = mail.box().modseq
    mail.apply(ExpungeMessages(inbox, uids("1")))
    now = mail.box().modseq

    def since(modseq: int) -> tuple[UidSet, UidSet]:
        changes = mail.changes(inbox, modseq)
        assert changes.modseq == now
        assert changes.uidnext == 4
        assert changes.complete
        assert changes.exists
        return changes.changed, changes.vanished

    assert since(start) == (uids("2:3"), uids("1"))
    assert since(added) == (uids("2"), uids("1"))
    assert since(flagged) == (UidSet(), uids("1"))
    assert since(now) == (UidSet(), UidSet())


def test_a_number_from_the_future_brings_nothing(mail: Mail) -> None:
    """A client may hold a modseq of another life of the server; that is no error here."""
    inbox = mail.box().id
    mail.append(inbox)
    changes = mail.changes(inbox, mail.box().modseq + 1000)
    assert (changes.changed, changes.vanished) == (UidSet(), UidSet())
    assert changes.modseq == mail.box().modseq


def test_trimming_raises_the_floor(mail: Mail) -> None:
    """After TrimLog, older states are answered "incomplete", states from the floor on exactly."""
    inbox = mail.box().id
    for _ in range(10):
        mail.append(inbox)
    now = mail.box().modseq
    assert apply(mail.store, TrimLog(kept=4)) == 1
    floor = mail.view(ReadState(inbox)).log_floor
    assert floor == now - 4
    assert not mail.changes(inbox, floor - 1).complete
    exact = mail.changes(inbox, floor)
    assert exact.complete
    assert exact.changed == uids("7:10")
    assert mail.changes(inbox, now).complete
    assert apply(mail.store, TrimLog(kept=4)) == 0, "nothing is left to trim"


def test_trimming_leaves_short_logs(mail: Mail) -> None:
    """Mailboxes with few changes keep all of them, however long another's log is."""
    inbox, other = mail.box().id, mail.create("Other")
    start = mail.box("Other").modseq
    mail.append(other)
    for _ in range(5):
        mail.append(inbox)
    apply(mail.store, TrimLog(kept=2))
    changes = mail.changes(other, start)
    assert changes.complete
    assert changes.changed == uids("1")


def test_no_message_is_ahead_of_its_mailbox(mail: Mail) -> None:
    """HIGHESTMODSEQ is never below a message's MODSEQ, in source and target of a move too."""
    inbox, other = mail.box().id, mail.create("Other")
    for _ in range(4):
        mail.append(inbox)
    mail.flag(inbox, uids("3"), Flag.SEEN)
    mail.apply(MoveMessages(inbox, uids("2:3"), other))
    for name, id_ in (("INBOX", inbox), ("Other", other)):
        assert max(mail.modseqs(id_).values()) <= mail.box(name).modseq
    assert set(mail.modseqs(other).values()) == {mail.box("Other").modseq}


def test_own_changes_are_told_apart(mail: Mail) -> None:
    """Who made a change needs not read it; but what somebody else changed too must be read."""
    inbox = mail.box().id
    mail.append(inbox, *[None] * 5)
    since = mail.box().modseq
    own = mail.flag(inbox, uids("1:4"), Flag.SEEN).modseq
    mail.flag(inbox, uids("2"), Flag.FLAGGED)
    mail.flag(inbox, uids("3"), Flag.DELETED)
    mail.apply(ExpungeMessages(inbox))
    changes = mail.view(ChangesSince(inbox, since, frozenset({own})))
    assert changes.changed == uids("1:2,4")
    assert changes.known == uids("1,4")
    assert changes.vanished == uids("3")
    assert mail.view(ChangesSince(inbox, since)).known == UidSet()
