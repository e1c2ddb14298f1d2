"""How long things may take, on a machine that may be slow or busy with something else.

A number of seconds in a test is what the thing needs on a machine with nothing else to do, with
room. Here it becomes a bound that only fails when the thing waits for something else, or costs more
than in proportion: who wants to see the numbers themselves hold, on a quiet machine, sets
``FOLKMOOT_PATIENCE=1``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = float(os.environ.get("FOLKMOOT_PATIENCE", "20"))
LONGEST = 120.0  # seconds: the test itself, and not its timeout, says what it waited for


def patience(seconds: float) -> float:
    """The bound, in seconds, for what needs less than ``seconds``."""
    return max(seconds, min(seconds * PATIENCE, LONGEST))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """The block takes less than ``patience(seconds)``."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < patience(seconds), f"it took {took:.1f} seconds, and should take {seconds}"
