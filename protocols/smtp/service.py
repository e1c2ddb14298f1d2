"""What all connections of one listener share: its settings, its neighbours, its counters."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from folkmoot.auth.authenticate import Authenticator
from folkmoot.protocols.smtp.intake import MailIntake
from folkmoot.protocols.smtp.limits import SmtpLimits


class Connections:
    """Counts the open connections of each address."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count one more, and return True; False when the address has its share already."""
        if self._open[address] >= self._limit:
            return False
        self._open[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Count one less."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]


@dataclass(frozen=True, slots=True)
class Service:
    """Settings of one listener.

    ``tls_context`` is asked at each handshake, so that a new certificate takes effect at once;
    None: no STARTTLS. ``plaintext_logins`` allows passwords without TLS from everywhere, not from
    this machine only. ``end_point`` gives the ``tls-server-end-point`` binding of the certificate.
    """

    hostname: str
    intake: MailIntake
    limits: SmtpLimits = field(default_factory=SmtpLimits)
    authenticator: Authenticator | None = None
    tls_context: Callable[[], ssl.SSLContext] | None = None
    plaintext_logins: bool = False
    end_point: Callable[[], bytes | None] = lambda: None
    connections: Connections = field(default_factory=lambda: Connections(20))
