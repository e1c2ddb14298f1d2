"""What programs are told about this server: from the config and the listeners that there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

from folkmoot.config.schema import Config, ListenerSection
from folkmoot.protocols.http.setup.services import Encryption, MailServer, Services

#: Listeners with the ports that they have really, where the config says 0.
Listening = Sequence[tuple[ListenerSection, int]]

_BEST_FIRST: Final = (Encryption.IMPLICIT, Encryption.STARTTLS, Encryption.NONE)  # rfc8314#3
_TLS_SCHEMES: Final = ("imaps", "smtps")


def services(config: Config, listening: Listening) -> Services:
    """What there is."""
    return Services(
        config.clients.name or config.server.hostname,
        base_url(config, listening),
        _given(config.clients.imap) or _listening(config, listening, "imap"),
        _given(config.clients.submission) or _listening(config, listening, "submission"),
    )


def configured(config: Config) -> Services:
    """What there is when the server runs, as far as the config tells."""
    return services(config, [(section, section.port) for section in config.listener])


def base_url(config: Config, listening: Listening) -> str:
    """The address under which people reach the HTTP listeners, without a slash at the end."""
    if config.http.url is not None:
        return config.http.url
    web = [(section, port) for section, port in listening if section.protocol == "http"]
    secure = [one for one in web if one[0].tls == "implicit"]
    if not web:
        return f"https://{config.server.hostname}"
    port = (secure or web)[0][1]
    usual = port in (0, 443 if secure else 80)
    return f"http{'s' if secure else ''}://{config.server.hostname}{'' if usual else f':{port}'}"


def _given(urls: Iterable[str]) -> tuple[MailServer, ...]:
    """The servers of the config, as ``kinds.mail_server`` has them."""
    found = []
    for parts in map(urlsplit, urls):
        way = Encryption.IMPLICIT if parts.scheme in _TLS_SCHEMES else Encryption.STARTTLS
        found.append(MailServer(parts.hostname or "", parts.port or 0, way))
    return tuple(found)


def _listening(config: Config, listening: Listening, protocol: str) -> tuple[MailServer, ...]:
    """The listeners of a protocol at which people from elsewhere can sign in.

    Where all are for this machine only, so are the people: then these. What has no encryption is
    for those who have nothing else.
    """
    all_ = [(section, port) for section, port in listening if section.protocol == protocol]
    reached = [one for one in all_ if not one[0].loopback] or all_
    usable = [
        MailServer(config.server.hostname, port, Encryption(section.tls))
        for section, port in reached
        if section.tls != "none" or section.plaintext_logins or section.loopback
    ]
    encrypted = [one for one in usable if one.encryption is not Encryption.NONE]
    return tuple(sorted(encrypted or usable, key=lambda one: _BEST_FIRST.index(one.encryption)))
