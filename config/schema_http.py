"""The part of the config file that is about HTTP: the DAV tree."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.config.fields import key
from folkmoot.config.kinds import duration, list_of, network, size, web_address

KIB, GIB = 2**10, 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSection:
    """What HTTP listeners take: calendars, contacts and documents."""

    url: str | None = key(
        web_address(),
        "The address under which people reach the HTTP listeners, for the set-up help. Without "
        "it: the host name of the server and the first HTTP listener with TLS.",
        default=None,
        example="https://mail.example.org",
    )
    max_upload: int = key(
        size(lowest=64 * KIB),
        "The largest document that is accepted. Calendars and contacts have limits of their own.",
        default=64 * GIB,
    )
    idle: int = key(
        duration(lowest=5),
        "When a connection without a request is closed.",
        default=120,
    )
    trusted_proxies: tuple[str, ...] = key(
        list_of(network()),
        "The proxies in front of the HTTP listeners. Of them is believed what they say in "
        "X-Forwarded-For (the address of the client, which throttling and logs then see) and in "
        "X-Forwarded-Proto (https: the client came by TLS). They must set both.",
        default=(),
        example=["127.0.0.1", "::1"],
    )
