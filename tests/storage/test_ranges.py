"""From UID sets to conditions: compared with the simplest thing that can be right."""

from __future__ import annotations

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from folkmoot.storage.types import UidSet
from folkmoot.storage.views.ranges import CHUNK, conditions

PRESENT = [*range(1, 1200), *range(2000, 60_000, 37), 0xFFFF_FFFE, 0xFFFF_FFFF]

_connection = sqlite3.connect(":memory:")
_connection.execute("CREATE TABLE m (uid INTEGER PRIMARY KEY)")
_connection.executemany("INSERT INTO m VALUES (?)", [(uid,) for uid in PRESENT])

_uid = st.one_of(
    st.integers(1, 60), st.integers(1, 1500), st.integers(1, 70_000), st.integers(1, 0xFFFF_FFFF)
)
_width = st.one_of(st.just(0), st.integers(0, 20), st.integers(CHUNK - 2, CHUNK * 3))
_range = st.tuples(_uid, _width).map(lambda r: (r[0], min(r[0] + r[1], 0xFFFF_FFFF)))


@given(st.lists(_range, max_size=40))
def test_conditions_select_exactly_the_set(ranges: list[tuple[int, int]]) -> None:
    """Whatever the set's shape: exactly its UIDs that exist, ascending, each once."""
    wanted = UidSet.from_ranges(ranges)
    found: list[int] = []
    for condition, filtered, numbers in conditions(wanted):
        select = f"SELECT uid FROM m WHERE {condition} ORDER BY uid"
        rows = _connection.execute(select, numbers).fetchall()
        found += [uid for (uid,) in rows if not filtered or uid in wanted]
    assert found == [uid for uid in PRESENT if uid in wanted]


@given(st.lists(_range, min_size=1, max_size=40))
def test_unfiltered_conditions_bring_nothing_else(ranges: list[tuple[int, int]]) -> None:
    """Where no filter is asked for, none is needed; a filtered one spans the set and no more."""
    wanted = UidSet.from_ranges(ranges)
    low, high = wanted.ranges[0][0], wanted.ranges[-1][1]
    for condition, filtered, numbers in conditions(wanted):
        for (uid,) in _connection.execute(f"SELECT uid FROM m WHERE {condition}", numbers):
            assert low <= uid <= high if filtered else uid in wanted


def test_nothing_asks_nothing() -> None:
    """The empty set makes no statement."""
    assert list(conditions(UidSet())) == []


def test_lists_are_bounded() -> None:
    """A hostile set of many single UIDs becomes several statements of bounded length."""
    sparse = UidSet.from_iterable(range(1, 100_000, 11))
    made = list(conditions(sparse))
    assert len(made) == -(-len(sparse) // CHUNK)
    assert all(condition.text.count(",") < CHUNK for condition in made)
