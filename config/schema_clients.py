"""The part of the config file that is about what programs are told when they look for settings."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.config.fields import key
from folkmoot.config.kinds import list_of, mail_server, text


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientsSection:
    """What programs are told when they look for the settings of an account."""

    name: str | None = key(
        text("name"),
        "The name of the service that programs show. Without it: the host name of the server.",
        default=None,
        example="Example Mail",
    )
    imap: tuple[str, ...] = key(
        list_of(mail_server("imap")),
        'Where people reach IMAP, the best first: "imaps://" for TLS, "imap://" for STARTTLS. '
        "Needed where a proxy or a firewall in front has another name or port than the listeners. "
        "Without it: the host name of the server, and the listeners.",
        default=(),
        example=("imaps://imap.example.org",),
    )
    submission: tuple[str, ...] = key(
        list_of(mail_server("smtp")),
        'The same for sending mail: "smtps://" for TLS, "smtp://" for STARTTLS.',
        default=(),
        example=("smtps://smtp.example.org", "smtp://smtp.example.org:587"),
    )
