"""How long, and with which random numbers, faults are tried."""

from __future__ import annotations

import os
import random

#: Crashes in each test: ``FOLKMOOT_FAULT_ROUNDS=50`` for a night.
ROUNDS = int(os.environ.get("FOLKMOOT_FAULT_ROUNDS", "2"))


def seed() -> int:
    """A new one for each run, printed so that ``FOLKMOOT_FAULT_SEED`` can repeat it."""
    given = os.environ.get("FOLKMOOT_FAULT_SEED")
    number = int(given) if given else random.SystemRandom().randrange(2**32)
    print(f"FOLKMOOT_FAULT_SEED={number}")
    return number
