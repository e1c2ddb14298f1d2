"""Sets of UIDs: the ways to make one agree."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.storage.types import UidSet


@given(st.sets(st.integers(1, 300)), st.integers(0, 0xFFFF_FFFF - 300))
def test_ascending_uids_give_the_same_set(uids: set[int], shift: int) -> None:
    """The quick way for UIDs in order finds the same ranges as the way for any order."""
    ordered = [uid + shift for uid in sorted(uids)]
    expected = UidSet.from_iterable(ordered)
    assert UidSet.from_ascending(ordered) == expected
    assert UidSet.from_ascending(array("I", ordered)).ranges == expected.ranges


def test_ascending_uids_are_bounded() -> None:
    """A UID that IMAP cannot express is refused."""
    with pytest.raises(ValueError, match="range"):
        UidSet.from_ascending([0, 1])
