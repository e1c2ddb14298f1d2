"""Slows down guessing without punishing mistakes.

What counts is *different* wrong passwords: one device that repeats an old password all day counts
once. Three counters exist:

- of an account and network that signed in successfully together before ("known"): such a pair is
  judged by its own counter only, so that nobody elsewhere can lock an owner out at home;
- of an account, for all networks not known to it: a distributed attack on one account;
- of a network, for all accounts not known to it: one attacker who tries many accounts.

Within the free number nothing happens; from there each further wrong password doubles the delay.
Everything is kept in bounded memory as keyed hashes, is forgotten after a window, and is lost with
the process: nothing here is needed for correctness.
"""

from __future__ import annotations

import enum
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from folkmoot.auth.peer import network_of


class Scope(enum.Enum):
    """Which counter blocks."""

    PAIR = "pair"
    ACCOUNT = "account"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class ThrottleLimits:
    """Free wrong passwords per scope; times in seconds; table sizes in entries."""

    per_pair: int = 10
    per_account: int = 10
    per_address: int = 50
    window: float = 3600.0
    base_delay: float = 1.0
    max_delay: float = 900.0
    known_for: float = 30 * 86_400.0
    max_counters: int = 10_000
    max_known: int = 50_000

    def free(self, scope: Scope) -> int:
        """How many different wrong passwords of a scope have no consequence."""
        by_scope = {
            Scope.PAIR: self.per_pair,
            Scope.ACCOUNT: self.per_account,
            Scope.ADDRESS: self.per_address,
        }
        return by_scope[scope]


@dataclass(slots=True)
class _Counter:
    """Different wrong secrets (keyed hash to time first seen, oldest first)."""

    wrong: dict[bytes, float] = field(default_factory=dict)
    blocked_until: float = 0.0


# A counter needs no more entries than it takes to reach the longest delay by doubling.
_ENTRIES_OVER_FREE = 12

_Key = tuple[Scope, str, str]


class Throttle:
    """The counters of one process. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float], limits: ThrottleLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or ThrottleLimits()
        self._key = secrets.token_bytes(32)
        self._counters: OrderedDict[_Key, _Counter] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], float] = OrderedDict()

    def blocked(self, name: str, peer: str) -> tuple[Scope, float] | None:
        """The scope that blocks a login of ``name`` from ``peer`` now, and for how many seconds.

        The longest block counts. None when the login may be tried.
        """
        now = self._clock()
        blocks = [
            (key[0], counter.blocked_until - now)
            for key in self._scopes(name, network_of(peer))
            if (counter := self._counters.get(key)) is not None and counter.blocked_until > now
        ]
        return max(blocks, key=lambda block: block[1], default=None)

    def failed(self, name: str, peer: str, password: str | None) -> None:
        """Count a wrong password; None when it is not known (SCRAM), which always counts."""
        if password is None:
            digest = secrets.token_bytes(8)
        else:
            text = f"{name}\0{password}".encode("utf-8", "surrogatepass")
            digest = hmac.digest(self._key, text, "sha256")[:8]
        for key in self._scopes(name, network_of(peer)):
            self._count(key, digest)

    def succeeded(self, name: str, peer: str) -> None:
        """Remember that the account signs in from this network.

        It clears no counter: an attacker must not get new guesses each time the owner signs in.
        """
        pair = (name, network_of(peer))
        self._known[pair] = self._clock() + self._limits.known_for
        self._known.move_to_end(pair)
        if len(self._known) > self._limits.max_known:
            self._known.popitem(last=False)

    def _scopes(self, name: str, network: str) -> tuple[_Key, ...]:
        if self._known.get((name, network), 0.0) > self._clock():
            return ((Scope.PAIR, name, network),)
        return ((Scope.ACCOUNT, name, ""), (Scope.ADDRESS, "", network))

    def _count(self, key: _Key, digest: bytes) -> None:
        now = self._clock()
        counter = self._counters.setdefault(key, _Counter())
        self._counters.move_to_end(key)
        if len(self._counters) > self._limits.max_counters:
            self._counters.popitem(last=False)
        wrong = counter.wrong
        while (
            wrong and (oldest := next(iter(wrong))) and wrong[oldest] <= now - self._limits.window
        ):
            del wrong[oldest]
        if digest in wrong:
            return
        wrong[digest] = now
        free = self._limits.free(key[0])
        if len(wrong) > free + _ENTRIES_OVER_FREE:
            del wrong[next(iter(wrong))]
        if len(wrong) >= free:
            delay = self._limits.base_delay * 2.0 ** (len(wrong) - free)
            counter.blocked_until = now + min(delay, self._limits.max_delay)
