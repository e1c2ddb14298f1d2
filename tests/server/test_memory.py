"""What the server gives back, the C library gives back too."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from folkmoot.server import memory

glibc = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="not glibc")

_HELD = """
import ctypes
from folkmoot.server.memory import OPTIONS, give_memory_back

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
        "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]

library = ctypes.CDLL(None)
library.mallinfo2.restype = Info
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
assert give_memory_back({}) is True
library.free(library.malloc(19 << 20))
before = library.mallinfo2()
block = library.malloc(8 << 20)
print(library.mallinfo2().hblks - before.hblks)
library.free(block)
print(library.mallinfo2().fordblks < before.fordblks + (1 << 20))
"""


@glibc
def test_large_blocks_are_given_back() -> None:
    """Memory that one password hash took is not kept for ever by each thread that made one."""
    done = subprocess.run(
        [sys.executable, "-c", _HELD], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["1", "True"]


@glibc
@pytest.mark.parametrize("name", ["MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"])
def test_the_operator_decides(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was set by the environment stays, and so does another C library as it is."""
    monkeypatch.setattr(memory, "OPTIONS", {})
    assert memory.give_memory_back({"PATH": "/bin"}) is True
    assert memory.give_memory_back({name: "1"}) is False


def test_without_glibc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the C library has no such settings, the server runs without."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert memory.give_memory_back({}) is False
