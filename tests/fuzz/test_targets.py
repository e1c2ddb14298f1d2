"""The short form of ``make fuzz``: seeds, what was found once, and a moment of random inputs."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from tests.fuzz.mutate import grown, mutate
from tests.fuzz.target import CORPUS, all_targets

TARGETS = all_targets()
MUTATIONS = 60  # inputs for each target: as many on every machine, so that none fails by chance
GROWN = 3  # inputs of GROWN_SIZE octets for each target
GROWN_SIZE = 64 * 1024
SLACK = 10.0  # the machine may be slow, and do other work
MEMORY = 400  # octets for each octet of an input, beside
MEMORY_BASE = 16 << 20


def test_there_is_a_target_for_all_found() -> None:
    """Inputs that once broke something are still tried."""
    assert {each.name for each in CORPUS.iterdir() if each.is_dir()} <= set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_known_inputs(name: str) -> None:
    """Seeds, inputs that once broke something, nothing, and noise hold."""
    target = TARGETS[name]
    for data in (b"", b"\0", b"\xff" * 100, bytes(range(256)), *target.seeds):
        target.run(data, SLACK)
    for file in target.found():
        target.run(file.read_bytes(), SLACK)


@pytest.mark.parametrize("name", TARGETS)
def test_mutations(name: str) -> None:
    """Almost valid inputs hold; always the same ones in the same order."""
    target = TARGETS[name]
    rng = random.Random(name)
    words = target.words or (b"",)
    for _ in range(MUTATIONS):
        data = mutate(rng, target.seeds, words)[: 16 * 1024]
        try:
            target.run(data, SLACK)
        except Exception as error:
            raise AssertionError(f"{name}: {data!r}") from error


@pytest.mark.parametrize("name", TARGETS)
def test_cost_grows_with_the_length(name: str) -> None:
    """Long inputs of any kind cost time and memory in proportion to their length."""
    target = TARGETS[name]
    rng = random.Random(name)
    words = target.words or (b"",)
    for _ in range(GROWN):
        data = grown(rng, target.seeds, words, GROWN_SIZE)
        target.run(data, SLACK)
    small = data[:8192]
    tracemalloc.start()
    try:
        target.harness(small)
        assert tracemalloc.get_traced_memory()[1] < MEMORY_BASE + MEMORY * len(small)
    finally:
        tracemalloc.stop()
