"""Waiting for what happens soon, but not at once."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.kit.pace import patience


def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Look again and again; fails when it does not come true in ``patience(seconds)``."""
    end = time.monotonic() + patience(seconds)
    while not true():
        assert time.monotonic() < end, f"not true within {patience(seconds)} seconds"
        time.sleep(0.02)
