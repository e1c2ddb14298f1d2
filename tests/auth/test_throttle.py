"""Throttling scenarios with a clock set by hand."""

from __future__ import annotations

import pytest

from folkmoot.auth.peer import is_loopback, network_of, plain_address
from folkmoot.auth.throttle import Scope, Throttle, ThrottleLimits
from tests.auth.support import Clock

OWNER, OTHER = "alice@example.test", "bob@example.test"
HOME, EVIL = "192.0.2.1", "203.0.113.9"


def _make(**limits: float) -> tuple[Throttle, Clock]:
    clock = Clock()
    return Throttle(clock, ThrottleLimits(**limits)), clock  # type: ignore[arg-type]


def _guess(throttle: Throttle, count: int, name: str = OWNER, peer: str = EVIL) -> None:
    for number in range(count):
        throttle.failed(name, peer, f"guess {peer} {number}")


def test_one_stale_password_is_no_attack() -> None:
    """A phone that repeats its old password all day locks nobody out."""
    throttle, clock = _make()
    for _ in range(10_000):
        throttle.failed(OWNER, HOME, "old password")
        clock.now += 8
    assert throttle.blocked(OWNER, HOME) is None
    assert throttle.blocked(OTHER, HOME) is None


def test_guessing_is_slowed_down_more_and_more() -> None:
    """Free guesses first, then a delay that doubles up to its limit."""
    throttle, clock = _make(per_account=10)
    _guess(throttle, 9)
    assert throttle.blocked(OWNER, EVIL) is None
    delays = []
    for number in range(12):
        throttle.failed(OWNER, EVIL, f"more {number}")
        block = throttle.blocked(OWNER, EVIL)
        assert block is not None
        delays.append(block[1])
        clock.now += block[1]
        assert throttle.blocked(OWNER, EVIL) is None
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_wrong_passwords_are_forgotten_after_the_window() -> None:
    """An hour later the free guesses are back."""
    throttle, clock = _make(per_account=10)
    _guess(throttle, 10)
    assert throttle.blocked(OWNER, EVIL) is not None
    clock.now += 3601
    throttle.failed(OWNER, EVIL, "one more")
    assert throttle.blocked(OWNER, EVIL) is None


def test_an_attack_from_everywhere_does_not_lock_the_owner_out() -> None:
    """The owner's own network goes on; networks that never signed in are blocked."""
    throttle, _ = _make()
    throttle.succeeded(OWNER, HOME)
    for host in range(200):
        throttle.failed(OWNER, f"203.0.113.{host}", f"guess {host}")
    block = throttle.blocked(OWNER, "198.51.100.7")
    assert block is not None
    assert block[0] is Scope.ACCOUNT
    assert throttle.blocked(OWNER, HOME) is None


def test_a_noisy_neighbour_behind_the_same_address() -> None:
    """Many accounts guessed from one address block it, but not those who are at home there."""
    throttle, _ = _make()
    throttle.succeeded(OWNER, HOME)
    for number in range(60):
        throttle.failed(f"victim{number}@example.test", HOME, "Summer2026")
    block = throttle.blocked(OTHER, HOME)
    assert block is not None
    assert block[0] is Scope.ADDRESS
    assert throttle.blocked(OWNER, HOME) is None
    assert throttle.blocked(OTHER, EVIL) is None


def test_a_known_network_is_judged_by_itself() -> None:
    """Guessing from the owner's own network is limited too, and stays without effect elsewhere."""
    throttle, _ = _make()
    throttle.succeeded(OWNER, HOME)
    _guess(throttle, 10, peer=HOME)
    block = throttle.blocked(OWNER, HOME)
    assert block is not None
    assert block[0] is Scope.PAIR
    assert throttle.blocked(OWNER, EVIL) is None
    assert throttle.blocked(OTHER, HOME) is None


def test_a_success_gives_no_new_guesses() -> None:
    """The owner's logins do not reset the attacker's counter."""
    throttle, _ = _make()
    _guess(throttle, 10)
    throttle.succeeded(OWNER, HOME)
    assert throttle.blocked(OWNER, EVIL) is not None


def test_unseen_secrets_always_count() -> None:
    """SCRAM never shows the password, so each failure counts."""
    throttle, _ = _make()
    for _ in range(10):
        throttle.failed(OWNER, EVIL, None)
    assert throttle.blocked(OWNER, EVIL) is not None


def test_being_known_ends() -> None:
    """A network that was not used for a month is like any other."""
    throttle, clock = _make()
    throttle.succeeded(OWNER, HOME)
    clock.now += 31 * 86_400
    _guess(throttle, 10)
    assert throttle.blocked(OWNER, HOME) is not None


def test_memory_is_bounded() -> None:
    """Endless names, addresses and secrets leave bounded tables behind."""
    throttle, _ = _make(max_counters=50, max_known=20)
    for number in range(500):
        throttle.failed(f"user{number}", f"10.0.0.{number % 250}", f"guess {number}")
        throttle.failed(OWNER, EVIL, f"guess {number}")
        throttle.succeeded(f"user{number}", HOME)
    assert len(throttle._counters) == 50
    assert len(throttle._known) == 20
    assert max(len(counter.wrong) for counter in throttle._counters.values()) < 80


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix:/run/x", "unix:/run/x"),
    ],
)
def test_what_counts_as_one_network(peer: str, network: str) -> None:
    """An IPv6 customer has 2^64 addresses and is still one."""
    assert network_of(peer) == network


@pytest.mark.parametrize(
    ("peer", "plain", "loopback"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "::1", True),
        ("::ffff:127.0.0.1", "127.0.0.1", True),
        ("::ffff:192.0.2.1", "192.0.2.1", False),
        ("2001:db8::1", "2001:db8::1", False),
        ("local", "local", False),
    ],
)
def test_ipv4_inside_ipv6_is_ipv4(peer: str, plain: str, loopback: bool) -> None:
    """A socket for both families gives IPv4 clients in IPv6 form; they are what they are."""
    # rfc4291#2.5.5.2
    assert plain_address(peer) == plain
    assert is_loopback(peer) is loopback
