"""What is fuzzed: functions that take octets and raise when something does not hold."""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"

Harness = Callable[[bytes], None]


class TooSlow(AssertionError):
    """An input costs more time than its length allows."""


@dataclass(frozen=True, slots=True)
class Target:
    """One harness. ``seeds`` are valid inputs, ``words`` what matters in them (a dictionary).

    An input may cost ``base`` seconds of processor time and ``pace`` for each 64 KiB of it.
    """

    name: str
    harness: Harness
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]
    base: float
    pace: float

    def run(self, data: bytes, slack: float = 1.0) -> None:
        """Try one input. Raises what the harness raises, and ``TooSlow``."""
        begun = time.thread_time()
        self.harness(data)
        spent = time.thread_time() - begun
        allowed = (self.base + self.pace * len(data) / 65536) * slack
        if spent > allowed:
            raise TooSlow(f"{self.name}: {len(data)} octets cost {spent:.2f} s of {allowed:.2f} s")

    def found(self) -> list[Path]:
        """Inputs that once broke something."""
        return sorted((CORPUS / self.name).glob("*"))


_targets: dict[str, Target] = {}


def target(
    seeds: Iterable[bytes], words: Iterable[bytes] = (), *, base: float = 0.5, pace: float = 1.0
) -> Callable[[Harness], Harness]:
    """Register a harness under the name of its function."""

    def keep(harness: Harness) -> Harness:
        name = harness.__name__
        assert name not in _targets, name
        _targets[name] = Target(name, harness, tuple(seeds), tuple(words), base, pace)
        return harness

    return keep


def all_targets() -> dict[str, Target]:
    """All targets by name."""
    from tests.fuzz import targets

    for module in pkgutil.iter_modules(targets.__path__):
        importlib.import_module(f"{targets.__name__}.{module.name}")
    return dict(sorted(_targets.items()))


class Reader:
    """Takes decisions out of the first octets of an input; the rest is its content."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, below: int) -> int:
        """A number from 0 on; 0 behind the end."""
        octet = self._data[self._at] if self._at < len(self._data) else 0
        self._at += 1
        return octet % below

    def rest(self) -> bytes:
        """What was not taken."""
        return self._data[self._at :]


def cut(data: bytes, places: bytes) -> list[bytes]:
    """The same octets in pieces, as a network may deliver them."""
    pieces, at = [], 0
    for place in places:
        pieces.append(data[at : at + place])
        at += place
    return [*pieces, data[at:]]
