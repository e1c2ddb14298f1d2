"""From the config to the plain values that the other layers take; they never see the config."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from folkmoot.auth.throttle import ThrottleLimits
from folkmoot.config.schema import Config
from folkmoot.protocols.dav.limits import DavLimits
from folkmoot.protocols.http.forwarded import Proxies
from folkmoot.protocols.http.limits import HttpLimits
from folkmoot.protocols.imap.session import ImapLimits
from folkmoot.protocols.smtp.limits import SmtpLimits
from folkmoot.protocols.smtp.outcomes import RetryPolicy
from folkmoot.protocols.smtp.queue_worker import WorkerLimits
from folkmoot.protocols.smtp.relay import RelayOptions, TlsMode
from folkmoot.protocols.smtp.signing import DkimKey
from folkmoot.server.run import StartFailed

FEWEST_MISTAKES = 3  # wrong passwords that are forgiven, however many processes there are


def throttle_limits(config: Config) -> ThrottleLimits:
    """How many wrong passwords one process forgives; each has its share of those in all."""
    passwords = config.passwords

    def share(free: int) -> int:
        return max(min(free, FEWEST_MISTAKES), -(-free // config.server.workers))

    return ThrottleLimits(
        per_pair=share(passwords.throttle_account),
        per_account=share(passwords.throttle_account),
        per_address=share(passwords.throttle_address),
        window=passwords.throttle_window,
    )


def imap_limits(config: Config) -> ImapLimits:
    """Bounds of IMAP connections."""
    return ImapLimits(
        append=config.mail.max_message_size,
        login_seconds=config.limits.login,
        idle_seconds=config.limits.idle,
        connections_per_address=config.limits.connections_per_address,
        connections_per_account=config.limits.connections_per_account,
        messages=config.imap.messages_per_command or 0,
        saved=config.imap.messages_per_copy,
    )


def smtp_limits(config: Config) -> SmtpLimits:
    """Bounds of submission and LMTP connections."""
    return SmtpLimits(
        message_size=config.mail.max_message_size,
        recipients=config.mail.max_recipients,
        received_fields=config.mail.max_received,
        connections_per_address=config.limits.connections_per_address,
        idle_seconds=config.limits.smtp_idle,
        login_seconds=config.limits.login,
    )


def http_limits(config: Config) -> HttpLimits:
    """Bounds of HTTP connections."""
    return HttpLimits(
        idle_seconds=config.http.idle,
        connections_per_address=config.limits.connections_per_address,
    )


def http_proxies(config: Config) -> Proxies:
    """The proxies that HTTP listeners believe."""
    return Proxies(tuple(map(ipaddress.ip_network, config.http.trusted_proxies)))


def dav_limits(config: Config) -> DavLimits:
    """What one DAV request may take."""
    return DavLimits(max_upload=config.http.max_upload)


def retry_policy(config: Config) -> RetryPolicy:
    """When a message that could not be sent is tried again."""
    return RetryPolicy(tuple(config.relay.retry), config.relay.delay_warning)


def worker_limits(config: Config) -> WorkerLimits:
    """How much the outbound queue does at a time."""
    connections = config.relay.connections
    # All mail has one destination when there is a smarthost.
    per_domain = connections if config.relay.host else WorkerLimits().per_domain
    return WorkerLimits(connections=connections, per_domain=min(per_domain, connections))


def relay_options(config: Config) -> RelayOptions:
    """How to speak to next hops. Raises ``StartFailed`` when the password cannot be read."""
    relay = config.relay
    mode = TlsMode(relay.tls) if relay.host is not None else TlsMode.OPPORTUNISTIC
    password = relay.password or ""
    if relay.password_file is not None:
        password = read_secret(relay.password_file)
    return RelayOptions(config.server.hostname, mode, relay.username or "", password)


def dkim_keys(config: Config) -> dict[str, DkimKey]:
    """Signing keys by domain. Raises ``StartFailed`` when one cannot be read."""
    return {entry.domain: DkimKey(entry.selector, _read(entry.key)) for entry in config.dkim}


def read_secret(file: Path) -> str:
    """The first line of a file. Raises ``StartFailed`` when it cannot be read or is empty."""
    secret = _read(file).decode("utf-8", "replace").partition("\n")[0].strip()
    if not secret:
        raise StartFailed(f"{file}: the first line is empty")
    return secret


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(2**20)
    except OSError as error:
        raise StartFailed(f"{file}: {error.strerror or 'cannot be read'}") from None
