"""Flags: how STORE changes them, and what counts as a change."""

from __future__ import annotations

import random

import pytest

from folkmoot.storage.errors import LimitReached
from folkmoot.storage.mutations.messages import ExpungeMessages
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, FlagChange, UidSet
from folkmoot.storage.views.messages import ReadState
from tests.storage.mail_kit import ALL_UIDS, Mail, new_mail, uids


@pytest.fixture
def mail(store: Store) -> Mail:
    return new_mail(store)


def test_add_remove_replace(mail: Mail) -> None:
    """The three kinds of STORE, with system flags and keywords together."""
    inbox = mail.box().id
    mail.append(inbox, None, None, flags=Flag.SEEN, keywords=("a", "b"))
    mail.flag(inbox, uids("1"), Flag.FLAGGED, ("c", "a"))
    assert mail.flags(inbox)[1] == (Flag.SEEN | Flag.FLAGGED, "a b c")
    mail.flag(inbox, uids("1"), Flag.SEEN, ("b", "zzz"), FlagChange.REMOVE)
    assert mail.flags(inbox)[1] == (Flag.FLAGGED, "a c")
    mail.flag(inbox, uids("1"), Flag.DRAFT, ("x",), FlagChange.REPLACE)
    assert mail.flags(inbox) == {1: (Flag.DRAFT, "x"), 2: (Flag.SEEN, "a b")}
    mail.flag(inbox, ALL_UIDS, change=FlagChange.REPLACE)
    assert mail.flags(inbox) == {1: (0, ""), 2: (0, "")}


def test_what_stays_the_same_is_no_change(mail: Mail) -> None:
    """Setting a flag that is set touches no modseq: other clients need not hear of it."""
    inbox = mail.box().id
    mail.append(inbox, None, None, flags=Flag.SEEN)
    before = mail.box()
    stored = mail.flag(inbox, ALL_UIDS, Flag.SEEN)
    assert (stored.modseq, stored.changed) == (0, UidSet())
    assert mail.box() == before


def test_only_changed_messages_get_the_new_modseq(mail: Mail) -> None:
    """A STORE over many messages numbers those that it changed (RFC 7162 section 3.1)."""
    inbox = mail.box().id
    mail.append(inbox, *[None] * 4)
    mail.flag(inbox, uids("2"), Flag.SEEN)
    before = mail.modseqs(inbox)
    stored = mail.flag(inbox, ALL_UIDS, Flag.SEEN)
    assert stored.changed == uids("1,3:4")
    assert mail.modseqs(inbox) == {
        1: stored.modseq,
        2: before[2],
        3: stored.modseq,
        4: stored.modseq,
    }
    assert mail.box().modseq == stored.modseq


def test_unchanged_since_refuses_newer_messages(mail: Mail) -> None:
    """Conditional STORE: who changed meanwhile keeps its flags, the others change."""
    inbox = mail.box().id
    mail.append(inbox, *[None] * 3)
    known = mail.box().modseq
    mail.flag(inbox, uids("2"), Flag.ANSWERED)
    stored = mail.flag(inbox, ALL_UIDS, Flag.FLAGGED, unchanged_since=known)
    assert (stored.changed, stored.refused) == (uids("1,3"), uids("2"))
    assert mail.flags(inbox)[2] == (Flag.ANSWERED, "")
    again = mail.flag(inbox, ALL_UIDS, Flag.SEEN, unchanged_since=0)
    assert (again.changed, again.refused) == (UidSet(), uids("1:3"))


def test_keywords_are_remembered_by_the_mailbox(mail: Mail) -> None:
    """SELECT lists every keyword that was used; taking one off a message keeps it listed."""
    inbox = mail.box().id
    mail.append(inbox, None, keywords=("b",))
    mail.flag(inbox, uids("1"), keywords=("a", "b"))
    mail.flag(inbox, uids("1"), keywords=("a", "never"), change=FlagChange.REMOVE)
    assert mail.view(ReadState(inbox)).keywords == ("b", "a")


def test_keywords_are_limited(mail: Mail) -> None:
    """Too many different keywords are refused, and the refused STORE changes nothing."""
    inbox = mail.box().id
    mail.append(inbox)
    for start in range(0, 256, 64):
        mail.flag(inbox, uids("1"), keywords=tuple(f"k{n:03}" for n in range(start, start + 64)))
    before = mail.box(), mail.flags(inbox)
    with pytest.raises(LimitReached):
        mail.flag(inbox, uids("1"), Flag.SEEN, ("one-more",))
    assert (mail.box(), mail.flags(inbox)) == before
    mail.flag(inbox, uids("1"), Flag.SEEN, ("k000",))


def test_mixed_states_change_in_groups(mail: Mail) -> None:
    """Messages in different states, with gaps between their UIDs, each get the right flags."""
    inbox = mail.box().id
    for number in range(24):
        mail.append(inbox, None, flags=Flag(number % 4), keywords=("odd",) if number % 3 else ())
    mail.flag(inbox, uids("1:5,7,9,11:20"), Flag.DELETED, ("new",))
    for uid, (bits, keywords) in mail.flags(inbox).items():
        number = uid - 1
        chosen = uid in uids("1:5,7,9,11:20")
        words = ([] if not chosen else ["new"]) + (["odd"] if number % 3 else [])
        assert bits == number % 4 | (Flag.DELETED if chosen else 0)
        assert keywords == " ".join(words)


def test_many_messages_change_as_few_do(mail: Mail) -> None:
    """However many messages and states there are, each STORE does what it does to one message."""
    chance = random.Random(5)
    inbox = mail.box().id
    mail.append(inbox, *[None] * 150)
    mail.flag(inbox, uids("20:22,90"), Flag.DELETED)
    mail.apply(ExpungeMessages(inbox))
    model = dict.fromkeys(mail.flags(inbox), (0, ""))
    modseqs = mail.modseqs(inbox)
    kinds = [FlagChange.ADD, FlagChange.REMOVE, FlagChange.REPLACE]
    for _ in range(40):
        low = chance.randrange(1, 150)
        which = UidSet.from_ranges([(low, chance.randrange(low, 151))])
        if not chance.randrange(4):
            which = UidSet.from_iterable(chance.sample(range(1, 151), 100))
        bits = Flag(chance.choice([0, 1, 2, 4, 5]))
        words = chance.choice([(), ("a",), ("a", "b")])
        kind = chance.choice(kinds)
        limit = chance.choice([None, chance.choice([*modseqs.values()])])
        stored = mail.flag(inbox, which, bits, words, kind, limit)
        refused, changed = set(), set()
        for uid in model:
            if uid not in which:
                continue
            if limit is not None and modseqs[uid] > limit:
                refused.add(uid)
                continue
            old, known = model[uid][0], set(model[uid][1].split())
            new, after = int(bits), set(words)
            if kind is FlagChange.ADD:
                new, after = old | new, known | after
            elif kind is FlagChange.REMOVE:
                new, after = old & ~new, known - after
            state = (new, " ".join(sorted(after)))
            if state != model[uid]:
                model[uid] = state
                modseqs[uid] = stored.modseq
                changed.add(uid)
        assert set(stored.changed) == changed
        assert set(stored.refused) == refused
        assert mail.flags(inbox) == model
        assert mail.modseqs(inbox) == modseqs
        assert mail.box().unseen == sum(not state[0] & Flag.SEEN for state in model.values())
