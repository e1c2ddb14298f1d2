"""Without export, agents of support search what is told anyway, and no content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from folkmoot.storage.content.ical import query
from folkmoot.storage.content.ical.zones import UTC
from folkmoot.storage.content.vcard import filters
from folkmoot.storage.errors import ExportRefused
from folkmoot.storage.mutations.messages import AppendMessages
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, FlagSet, MessageColumn, NewMessage, SearchKey, UidSet
from folkmoot.storage.types_search import (
    And,
    BodyContains,
    Fuzzy,
    HasFlags,
    HeaderContains,
    Not,
    Or,
    TextContains,
    ThreadAlgorithm,
)
from folkmoot.storage.types_support import SupportScope
from folkmoot.storage.views import objects, relevance, sort, thread
from folkmoot.storage.views.base import View
from folkmoot.storage.views.messages import FetchRows
from folkmoot.storage.views.search import SearchMessages
from tests.arch.gate_world import ALICE, World, make_world
from tests.arch.support_world import DORA, let_in
from tests.arch.test_gate_views import calendar_of
from tests.kit.databases import Databases
from tests.kit.messages import simple

AnyView = View[Any]
SECRET = "secret"


@pytest.fixture(scope="module")
def world(databases: Databases) -> Iterator[World]:
    """Alice has three messages with a secret in their bodies."""
    world = make_world(Path(databases.fresh("sqlite").removeprefix("sqlite:///")))

    def fill(txn: Txn) -> None:
        for number in range(3):
            octets = simple(f"subject {number}") + f"{SECRET} {number}\r\n".encode()
            new = NewMessage(world.store.prepare(octets), FlagSet(), world.message.internal_date)
            txn.apply(AppendMessages(world.alice.mailboxes["Archive"], (new,)))

    world.store.call(world.alice.actor, "test", fill)
    yield world
    world.store.close()


def _agent(world: World, scope: SupportScope | None = None, *, free_items: int = 20) -> Actor:
    space = world.alice.account.space_id
    scope = scope or SupportScope()
    return let_in(world.store, space, ALICE, scope, agent=DORA, free_items=free_items)


def _read(world: World, actor: Actor, view: AnyView) -> Any:
    return world.store.call_read(actor, "test", lambda txn: txn.view(view))


def _probing(world: World) -> Sequence[AnyView]:
    """Views that tell whether a word is in something."""
    box, blobs = world.alice.mailboxes["Archive"], world.store.blobs
    fuzzy, uids = Fuzzy(BodyContains(SECRET)), UidSet.from_ranges([(1, 3)])
    keys: list[SearchKey] = [
        BodyContains(SECRET),
        fuzzy,
        And((HeaderContains("subject", ""), Not(Or((HasFlags(1), TextContains(SECRET)))))),
    ]
    word = query.TextMatch(SECRET)
    event = query.CompFilter("VEVENT", prop_filters=(query.PropFilter("SUMMARY", text_match=word),))
    param = query.PropFilter("ATTENDEE", param_filters=(query.ParamFilter("CN", text_match=word),))
    asked = [
        query.CompFilter("VCALENDAR", comp_filters=(event,)),
        query.CompFilter("VCALENDAR", prop_filters=(param,)),
    ]
    card = filters.Filter((filters.PropFilter("NOTE", text_matches=(filters.TextMatch(SECRET),)),))
    calendar = calendar_of(world)
    return [
        *(SearchMessages(box, key, blobs) for key in keys),
        *(sort.SortMessages(box, key, (), blobs) for key in keys),
        thread.ThreadMessages(box, keys[0], ThreadAlgorithm.REFS, 9, blobs),
        relevance.ScoreMessages(box, uids, fuzzy, blobs),
        *(objects.FindObjects(calendar, each, UTC, blobs) for each in asked),
        objects.FindCards(calendar, card, blobs),
    ]


def test_words_in_content_need_export(world: World) -> None:
    """Who may ask whether a word is in a message, has read it after enough questions."""
    exporting = _agent(world, SupportScope(export=True))
    for view in _probing(world):
        _read(world, exporting, view)
        with pytest.raises(ExportRefused, match="search headers"):
            _read(world, world.sam, view)


def test_other_searches_are_free(world: World) -> None:
    """Headers, flags and times are structure; so is the UID of an object."""
    box, blobs = world.alice.mailboxes["Archive"], world.store.blobs
    for key in (HeaderContains("subject", "subject 1"), Fuzzy(HeaderContains("subject", "1"))):
        assert _read(world, world.sam, SearchMessages(box, key, blobs))
    uid = query.PropFilter("UID", text_match=query.TextMatch("x"))
    missing = query.PropFilter("SUMMARY", is_not_defined=True)
    for prop in (uid, missing):
        event = query.CompFilter("VEVENT", prop_filters=(prop,))
        asked = query.CompFilter("VCALENDAR", comp_filters=(event,))
        _read(world, world.sam, objects.FindObjects(calendar_of(world), asked, UTC, blobs))
    card = filters.Filter((filters.PropFilter("uid", text_matches=(filters.TextMatch("x"),)),))
    _read(world, world.sam, objects.FindCards(calendar_of(world), card, blobs))


def test_previews_are_charged(world: World) -> None:
    """The beginning of a message is content: one after the other ends at the limit, too."""
    box, agent = world.alice.mailboxes["Archive"], _agent(world, free_items=2)
    rows = [
        FetchRows(box, UidSet.from_ranges([(uid, uid)]), (MessageColumn.PREVIEW,))
        for uid in (1, 2, 3)
    ]
    for view in (*rows[:2], rows[0]):
        assert _read(world, agent, view)
    with pytest.raises(ExportRefused, match="2 items"):
        _read(world, agent, rows[2])
