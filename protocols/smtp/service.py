"""What all connections of one listener share: its settings, its neighbours, its counters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from folkmoot.auth.authenticate import Authenticator
from folkmoot.auth.peer import network_of
from folkmoot.protocols.smtp.intake import MailIntake
from folkmoot.protocols.smtp.limits import SmtpLimits


def _no_bindings(transport: Any) -> Mapping[str, bytes]:
    return {}


class Connections:
    """Counts the open connections of each IP address; an IPv6 /64 is one customer's."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count one more, and return True; False when the address has its share already."""
        network = network_of(address)
        if self._open[network] >= self._limit:
            return False
        self._open[network] += 1
        return True

    def leave(self, address: str) -> None:
        """Count one less."""
        network = network_of(address)
        self._open[network] -= 1
        if not self._open[network]:
            del self._open[network]


@dataclass(frozen=True, slots=True)
class Service:
    """Settings of one listener.

    ``tls`` is what Twisted's ``startTLS`` takes; None: no STARTTLS. ``plaintext_logins`` allows
    passwords without TLS from everywhere, not from this machine only. ``channel_bindings`` gives
    those of a TLS connection by name.
    """

    hostname: str
    intake: MailIntake
    limits: SmtpLimits = field(default_factory=SmtpLimits)
    authenticator: Authenticator | None = None
    tls: Any = None
    plaintext_logins: bool = False
    channel_bindings: Callable[[Any], Mapping[str, bytes]] = _no_bindings
    connections: Connections = field(default_factory=lambda: Connections(20))
