"""The config file: every key with its type, default and help text.

Sizes are octets and durations seconds once loaded. ``rules.load_config`` is the way to get one.
"""

# ruff: noqa: RUF009 - key(), section() and their like return dataclass fields

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from folkmoot.config.fields import array, key, required_section, section
from folkmoot.config.kinds import (
    BOOLEAN,
    PORT,
    address_ip,
    capability,
    choice,
    database_url,
    domain,
    duration,
    list_of,
    path,
    size,
    text,
    whole,
)
from folkmoot.config.schema_billing import BillingSection
from folkmoot.config.schema_clients import ClientsSection
from folkmoot.config.schema_http import HttpSection
from folkmoot.config.schema_support import SupportSection

MINUTE, HOUR, DAY = 60, 3600, 86400
KIB, MIB, GIB = 2**10, 2**20, 2**30
_DOMAIN = domain()
_TLS = choice("none", "starttls", "implicit")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSection:
    """Who this server is and where it keeps its data."""

    hostname: str = key(
        _DOMAIN,
        "The name under which clients and other mail servers know this server.",
        example="mail.example.org",
    )
    data_dir: Path = key(
        path(),
        "The folder of everything the server stores: database, large messages, secrets.",
        default=Path("/var/lib/folkmoot"),
    )
    directory: Path | None = key(
        path(),
        "A file of domains, accounts and plans that is applied at start and on SIGHUP. "
        "Without it, they are managed by the command line only.",
        default=None,
        example=Path("directory.toml"),
    )
    workers: int = key(
        whole(1, 64),
        "How many processes serve clients. One per processor core serves more people at a time; "
        "each takes some 150 MB of memory and, with PostgreSQL, nine connections to it.",
        default=1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSection:
    """Where accounts, messages and the queue are kept."""

    url: str | None = key(
        database_url(),
        "SQLite (a file) or PostgreSQL. Without it: the SQLite file folkmoot.db in data_dir.",
        default=None,
        example="postgresql://folkmoot:secret@localhost/folkmoot",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobsSection:
    """How contents are stored."""

    inline_limit: int = key(
        size(),
        "Contents up to this size lie in the database, larger ones in files beside it.",
        default=256 * KIB,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSection:
    """The certificate of the server. SIGHUP reads both files again."""

    certificate: Path | None = key(
        path(),
        "PEM file with the certificate and the chain below it, the server's own first.",
        default=None,
        example=Path("certificate.pem"),
    )
    key: Path | None = key(
        path(),
        "PEM file with the private key, without a passphrase.",
        default=None,
        example=Path("key.pem"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSection:
    """One port to listen on."""

    protocol: str = key(
        choice("imap", "submission", "lmtp", "http"),
        "What is spoken: imap for reading mail, submission for sending it, lmtp for mail that an "
        "MTA in front hands over, http for calendars, contacts and documents.",
        example="imap",
    )
    port: int = key(PORT, "The TCP port; 0 takes any free one.", example=993)
    address: str = key(
        address_ip(),
        'The IP address to listen on; "0.0.0.0" is all of IPv4, "::" all of IPv6. '
        "LMTP knows no logins: let only the MTA reach it.",
        default="127.0.0.1",
    )
    tls: str = key(
        _TLS,
        "none: no encryption; starttls: the client asks for it (not http); implicit: from the "
        "first octet.",
        default="none",
    )
    plaintext_logins: bool = key(
        BOOLEAN,
        "Accept logins without TLS from other machines too. Connections from this machine may "
        "always log in.",
        default=False,
    )

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the listener."""
        return ipaddress.ip_address(self.address).is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSection:
    """Rules for messages."""

    max_message_size: int = key(
        size(lowest=64 * KIB),
        "The largest message that is accepted, by any way in.",
        default=64 * MIB,
    )
    max_recipients: int = key(
        whole(100, 100_000),  # rfc5321#4.5.3.1.8 asks for at least 100
        "The number of recipients of one message.",
        default=1000,
    )
    subaddress_separator: str = key(
        choice("+", "-", "_", "=", ""),
        'What begins a detail that does not matter for delivery, as in "bob+lists@"; '
        "empty: no details.",
        default="+",
    )
    max_received: int = key(
        whole(30, 1000),  # rfc5321#6.3
        "A message with more Received fields than this goes round in circles and is refused.",
        default=100,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySection:
    """Where outbound mail goes."""

    host: str | None = key(
        _DOMAIN,
        "The mail server that takes all outbound mail (smarthost). "
        "Without it, mail goes to the MX hosts of each domain.",
        default=None,
        example="smtp.example.net",
    )
    port: int = key(whole(1, 65535), "The port of the smarthost.", default=587)
    tls: str = key(
        _TLS,
        "Encryption towards the smarthost; its certificate is checked. MX hosts get "
        "STARTTLS whenever they offer it.",
        default="starttls",
    )
    username: str | None = key(
        text("user name"), "The login at the smarthost.", default=None, example="relay-user"
    )
    password: str | None = key(
        text("password", secret=True),
        "The password at the smarthost.",
        default=None,
        example="secret",
    )
    password_file: Path | None = key(
        path(),
        "A file whose first line is the password, instead of `password`.",
        default=None,
        example=Path("relay-password"),
    )
    retry: tuple[int, ...] = key(
        list_of(duration(lowest=1), lowest=1),
        "The waiting times after the first, second, ... failed attempt; the last one repeats.",
        default=(5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR),
    )
    give_up_after: int = key(
        duration(lowest=MINUTE),
        "When a message that could not be sent goes back to its sender.",
        default=5 * DAY,
    )
    delay_warning: int = key(
        duration(),
        "When the sender is told that a message is still waiting; 0: never.",
        default=4 * HOUR,
    )
    connections: int = key(
        whole(1, 1000), "The number of messages that are being sent at a time.", default=20
    )
    hold: bool = key(
        BOOLEAN,
        "Keep mail for other servers in the queue and do not send it, for a test installation.",
        default=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimSection:
    """The key that signs the mail of one domain (RFC 6376)."""

    domain: str = key(domain(), "The domain of the From address.", example="example.org")
    selector: str = key(
        _DOMAIN, "The name under which the public key stands in DNS.", example="folkmoot"
    )
    key: Path = key(path(), "PEM file with the private RSA key.", example=Path("dkim-key.pem"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordsSection:
    """How passwords are judged, stored and defended."""

    min_length: int = key(
        whole(6, 128), "The least number of characters of a new password.", default=8
    )
    argon2_memory: int = key(
        size(lowest=8 * KIB), "Memory that one argon2id hash takes.", default=19 * MIB
    )
    argon2_passes: int = key(whole(1, 100), "Passes over that memory.", default=2)
    argon2_lanes: int = key(whole(1, 16), "Parallel lanes of one hash.", default=1)
    scram_iterations: int = key(
        whole(4096, 1_000_000),  # rfc7677#4
        "Iterations of the SCRAM-SHA-256 record of a new password.",
        default=10_000,
    )
    remember: int = key(
        duration(),
        "How long a verified password need not be hashed again; 0: always hash.",
        default=10 * MINUTE,
    )
    throttle_account: int = key(
        whole(1, 1000),
        "The number of different wrong passwords of one account without consequence; from there "
        "each one more doubles the waiting time. An address from which the owner signed in "
        "before is counted by itself, so that nobody elsewhere can lock the owner out.",
        default=10,
    )
    throttle_address: int = key(
        whole(1, 100_000),
        "The same for one IP address (IPv6: one /64) and all accounts.",
        default=50,
    )
    throttle_window: int = key(
        duration(lowest=1), "How long a wrong password is counted.", default=HOUR
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsSection:
    """Bounds for what clients can ask of the server."""

    idle: int = key(
        duration(lowest=30 * MINUTE),  # rfc9051#5.4
        "When an IMAP session without any sign of life is closed.",
        default=35 * MINUTE,
    )
    smtp_idle: int = key(
        duration(lowest=30),
        "When an SMTP or LMTP session without any sign of life is closed.",
        default=5 * MINUTE,  # rfc5321#4.5.3.2.7
    )
    login: int = key(
        duration(lowest=5), "When a connection that has not logged in is closed.", default=MINUTE
    )
    connections_per_address: int = key(
        whole(1, 1_000_000),
        "The number of connections from one IP address (IPv6: one /64).",
        default=100,
    )
    connections_per_account: int = key(
        whole(1, 100_000), "The number of connections of one account.", default=50
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapSection:
    """What IMAP offers."""

    hide_capabilities: tuple[str, ...] = key(
        list_of(capability()),
        "Capabilities that are not offered to anybody, for a client that has trouble with one; "
        "their commands are refused. A single account can have its own list in the directory.",
        default=(),
        example=("COMPRESS=DEFLATE", "NOTIFY"),
    )
    messages_per_command: int | None = key(
        whole(1000, 1_000_000),  # rfc9738#3
        "How many messages one command may work on (MESSAGELIMIT); of more, only the newest are "
        "worked on, which many mail programs do not understand. Without it: any number.",
        default=None,
        example=10_000,
    )
    messages_per_copy: int = key(
        whole(1000, 1_000_000),
        "How many messages one COPY or APPEND may add (SAVELIMIT); more are refused.",
        default=100_000,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSection:
    """What is logged, and where. Passwords and other secrets never are."""

    level: str = key(
        choice("debug", "info", "warning", "error"),
        "The least important messages that are logged.",
        default="info",
    )
    format: str = key(
        choice("text", "json"),
        "text: one line of words and key=value; json: one object on each line.",
        default="text",
    )
    file: Path | None = key(
        path(),
        "The file to write to; SIGHUP opens it again. Without it: standard error.",
        default=None,
        example=Path("/var/log/folkmoot.log"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSection:
    """Numbers for Prometheus, on a port of their own."""

    port: int | None = key(
        PORT, "The port of the metrics; without it there are none.", default=None, example=9100
    )
    address: str = key(address_ip(), "The IP address of that port.", default="127.0.0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole config file."""

    server: ServerSection = required_section(
        ServerSection, "Who this server is and where it keeps its data."
    )
    listener: tuple[ListenerSection, ...] = array(
        ListenerSection, "One port to listen on; as many of these as wanted, at least one."
    )
    tls: TlsSection = section(
        TlsSection, "The certificate of the server. SIGHUP reads both files again."
    )
    database: DatabaseSection = section(
        DatabaseSection, "Where accounts, messages and the queue are kept."
    )
    blobs: BlobsSection = section(BlobsSection, "How contents are stored.")
    mail: MailSection = section(MailSection, "Rules for messages.")
    relay: RelaySection = section(RelaySection, "Where outbound mail goes.")
    dkim: tuple[DkimSection, ...] = array(
        DkimSection, "The key that signs the mail of one domain; one of these for each."
    )
    passwords: PasswordsSection = section(
        PasswordsSection, "How passwords are judged, stored and defended."
    )
    limits: LimitsSection = section(LimitsSection, "Bounds for what clients can ask of the server.")
    imap: ImapSection = section(ImapSection, "What IMAP offers.")
    http: HttpSection = section(
        HttpSection, "What HTTP listeners take: calendars, contacts and documents."
    )
    clients: ClientsSection = section(
        ClientsSection, "What programs are told when they look for the settings of an account."
    )
    billing: BillingSection = section(
        BillingSection, "Payments, receipts, and the mail about them."
    )
    support: SupportSection = section(
        SupportSection,
        "Access of support staff to accounts that let them in, and the help desk.",
    )
    log: LogSection = section(
        LogSection, "What is logged, and where. Passwords and other secrets never are."
    )
    metrics: MetricsSection = section(
        MetricsSection, "Numbers for Prometheus, on a port of their own."
    )

    @property
    def database_url(self) -> str:
        """The URL of the database, with the default filled in."""
        return self.database.url or f"sqlite:///{self.server.data_dir / 'folkmoot.db'}"
