"""Bodies of many messages at once: the right octets, in order, and no more than asked for."""

from __future__ import annotations

from folkmoot.storage.mutations.messages import ExpungeMessages
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, UidSet
from folkmoot.storage.views.bodies import LocateBody, ReadBodies
from tests.kit.messages import simple
from tests.storage.mail_kit import ALL_UIDS, new_mail, uids

BUDGET = 1 << 20


def test_bodies_are_those_of_single_looks(store: Store) -> None:
    """For runs, sparse and dense sets, with gaps; small ones with data, large ones with a file."""
    mail = new_mail(store)
    inbox = mail.box().id
    mail.append(inbox, *[None] * 30)
    mail.append(inbox, simple("large", body="x" * (store.inline_limit + 1)))
    mail.flag(inbox, uids("1,7:9"), Flag.DELETED)
    mail.apply(ExpungeMessages(inbox))
    there = [uid for uid in range(1, 32) if uid not in (1, 7, 8, 9)]
    for which in (
        ALL_UIDS,
        uids("2:20"),
        uids("1,5,31"),
        uids("1:6,8:20,22:31"),
        uids("5"),
        uids("7"),
    ):
        found = mail.view(ReadBodies(inbox, which, BUDGET, True))
        assert found == [mail.view(LocateBody(inbox, uid)) for uid in there if uid in which]
    bare = mail.view(ReadBodies(inbox, uids("5,31"), BUDGET, False))
    assert [(body.uid, body.parts, body.data is None) for body in bare] == [
        (5, b"", False),
        (31, b"", True),
    ]
    assert mail.view(ReadBodies(inbox, UidSet(), BUDGET, True)) == []


def test_bodies_keep_to_the_budget(store: Store) -> None:
    """Reading goes on where it stopped; a message larger than the budget comes alone."""
    mail = new_mail(store)
    inbox = mail.box().id
    mail.append(inbox, *[simple("s", body="x" * size) for size in (100, 5000, 100, 100, 9000)])
    left, batches = ALL_UIDS, []
    while found := mail.view(ReadBodies(inbox, left, 3000, False)):
        batches.append([body.uid for body in found])
        left = left.difference(UidSet.from_ranges([(1, found[-1].uid)]))
    assert batches == [[1, 2], [3, 4, 5]]
