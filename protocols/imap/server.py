"""What all IMAP connections of a listener share: its settings, and how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import Factory

from folkmoot.auth.authenticate import Authenticator
from folkmoot.auth.peer import network_of
from folkmoot.protocols.imap import registry
from folkmoot.protocols.imap.connection import ImapConnection
from folkmoot.protocols.imap.session import ImapLimits
from folkmoot.sharing.workspace import Workspace
from folkmoot.storage.types import Actor


class ImapFactory(Factory):
    """Makes connections for one listener, and counts them.

    ``tls`` is what ``startTLS`` takes (None: no STARTTLS); ``implicit_tls`` says that the listener
    speaks TLS from the first octet; ``plaintext_logins`` tells by a client's address whether it may
    send passwords without TLS; ``channel_bindings`` reads binding data from a transport.
    ``counts`` is shared by all listeners of the server. ``hidden`` are capabilities that are not
    offered to anybody, in upper case.
    """

    noisy = False

    def __init__(
        self,
        reactor: Any,
        authenticator: Authenticator,
        workspace_for: Callable[[Actor], Workspace],
        *,
        hostname: str,
        limits: ImapLimits,
        counts: ConnectionCounts,
        tls: Any | None = None,
        implicit_tls: bool = False,
        plaintext_logins: Callable[[str], bool] = lambda peer: False,
        channel_bindings: Callable[[Any], dict[str, bytes]] = lambda transport: {},
        hidden: frozenset[str] = frozenset(),
    ) -> None:
        registry.load()
        self.reactor = reactor
        self.authenticator = authenticator
        self.workspace_for = workspace_for
        self.hostname = hostname
        self.limits = limits
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.plaintext_logins = plaintext_logins
        self.channel_bindings = channel_bindings
        self.hidden = hidden
        self._counts = counts
        self.connections: set[ImapConnection] = set()

    def buildProtocol(self, addr: object) -> ImapConnection:  # noqa: N802
        connection = ImapConnection(self)
        self.connections.add(connection)
        return connection

    def arrived(self, peer: str) -> bool:
        """Count a connection; False when its address has too many."""
        network = network_of(peer)
        self._counts.addresses[network] += 1
        return self._counts.addresses[network] <= self.limits.connections_per_address

    def account_arrived(self, account_id: int) -> bool:
        """Count a login; False when the account has too many connections."""
        if self._counts.accounts[account_id] >= self.limits.connections_per_account:
            return False
        self._counts.accounts[account_id] += 1
        return True

    def account_left(self, account_id: int) -> None:
        """A connection signed out."""
        _decrease(self._counts.accounts, account_id)

    def left(self, peer: str, account_id: int) -> None:
        """A connection ended; ``account_id`` 0 when it was not signed in."""
        _decrease(self._counts.addresses, network_of(peer))
        if account_id:
            _decrease(self._counts.accounts, account_id)


class ConnectionCounts:
    """How many connections addresses and accounts have, over all listeners."""

    def __init__(self) -> None:
        self.addresses: Counter[str] = Counter()
        self.accounts: Counter[int] = Counter()


def _decrease(counter: Counter[Any], key: Any) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
