"""Ports for servers that are told theirs: free ones, which nobody else in the same run is given."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from functools import cache

BLOCK = 1000  # more than the largest offset
LOWEST, BLOCKS = 10_000, 20  # all below the ports that clients are given
STRIDE = 19  # bases that follow each other, until an offset of one would be another one of another
WORKERS = 4  # processes of one run


@cache
def _bases() -> Iterator[int]:
    """All bases of this process, each once; none shares a port with another one.

    A server that ends and comes back finds its ports again, though others were given some
    meanwhile.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % WORKERS
    blocks = range(LOWEST + worker * BLOCK, LOWEST + BLOCKS * BLOCK, WORKERS * BLOCK)
    bases = [block + step for block in blocks for step in range(STRIDE)]
    random.SystemRandom().shuffle(bases)  # other runs on this machine look for some as well
    return iter(bases)


def free_base(*offsets: int) -> int:
    """A base port with all base + offset free. ``offsets`` are 0, 100, or ports of mail and DAV."""
    for base in _bases():
        if all(_free(base + offset) for offset in offsets):
            return base
    raise AssertionError("no free ports")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
