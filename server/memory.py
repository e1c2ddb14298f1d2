"""How the C library holds on to memory that the server has given back.

Blocks above a certain size are mappings of their own, which are returned at once when they are
freed. glibc raises that size to the one of the largest block that was ever freed: 19 MiB after the
first password hash. From then on everything comes from heaps, of which each thread has one that
keeps what it once needed: with forty people at work some 100 MiB that nobody used, and rising.
Sizes that are set are never raised.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from typing import Final

# mallopt(3), malloc.h
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8

OPTIONS: Final = {
    # Blocks below this occur all the time, and mapping each would cost more than it saves.
    _MMAP_THRESHOLD: 4 << 20,
    # What a heap keeps at its end.
    _TRIM_THRESHOLD: 8 << 20,
    # Threads of Python seldom ask for memory at the same time: two heaps serve them all.
    _ARENA_MAX: 2,
}


def give_memory_back(environment: Mapping[str, str] = os.environ) -> bool:
    """Set this up, before any thread is started; whether it was done.

    Nothing is done where the operator has decided by the environment (``MALLOC_ARENA_MAX`` and its
    like, ``GLIBC_TUNABLES``), and where the C library is another one.
    """
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in environment):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # musl, macOS
        return False
    return all(mallopt(option, value) for option, value in OPTIONS.items())
