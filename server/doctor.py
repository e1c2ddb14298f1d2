"""Looks at a server's surroundings and says what is wrong and what to do about it.

Each check yields ``Finding``s and stands alone: one that fails does not hide the others. Nothing
here changes anything. All of it blocks; the command line runs it.
"""

from __future__ import annotations

import ctypes
import datetime
import shutil
import socket
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from folkmoot.config.schema import Config, ListenerSection
from folkmoot.server.listeners import bind
from folkmoot.server.run import StartFailed
from folkmoot.server.tls import TlsError, TlsStore
from folkmoot.storage.migrate import revisions

OK, WARN, FAIL = "ok", "warn", "fail"
_DAYS_WARN = 14
_FREE_WARN, _FREE_FAIL = 2 * 2**30, 200 * 2**20
_CLOCK_ERROR = 5  # adjtimex(2): TIME_ERROR
_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - addresses to compare with


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; ``advice`` says what to do, "" where nothing is to be done."""

    level: str
    subject: str
    text: str
    advice: str = ""


Check = Callable[[], Iterable[Finding]]


def examine(config: Config) -> Iterator[Finding]:
    """Run all checks of this machine, in the order in which problems should be solved."""
    checks: tuple[tuple[str, Check], ...] = (
        ("data folder", lambda: data_folder(config.server.data_dir)),
        ("disk", lambda: disk(config.server.data_dir)),
        ("database", lambda: database(config)),
        ("certificate", lambda: certificate(config)),
        ("ports", lambda: ports(config)),
        ("clock", clock),
    )
    for subject, check in checks:
        yield from guarded(subject, check)


def guarded(subject: str, check: Check) -> Iterator[Finding]:
    """The findings of a check; what it could not find out is a finding as well."""
    try:
        yield from check()
    except Exception as error:
        yield Finding(FAIL, subject, f"could not be checked: {error}")


def data_folder(folder: Path) -> Iterator[Finding]:
    """The folder is there, ours, and nobody else can read it."""
    try:
        facts = folder.stat()
    except FileNotFoundError:
        yield Finding(FAIL, "data folder", f"{folder} does not exist", "Run `folkmoot init`.")
        return
    if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        mode = stat.S_IMODE(facts.st_mode)
        yield Finding(
            FAIL,
            "data folder",
            f"{folder} has mode {mode:04o}: other users of this machine can get at mail",
            f"Run `chmod 0700 {folder}`.",
        )
    else:
        yield Finding(OK, "data folder", f"{folder} is private")


def disk(folder: Path) -> Iterator[Finding]:
    """There is room left."""
    present = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(present).free
    text = f"{free / 2**30:.1f} GiB are free on the disk of {folder}"
    advice = "Free some space: mail is refused while the disk is full."
    if free < _FREE_FAIL:
        yield Finding(FAIL, "disk", text, advice)
    elif free < _FREE_WARN:
        yield Finding(WARN, "disk", text, advice)
    else:
        yield Finding(OK, "disk", text)


def database(config: Config) -> Iterator[Finding]:
    """The database answers and has the schema of this program."""
    url = config.database_url
    file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
    if file is not None and not file.exists():
        yield Finding(WARN, "database", f"{file} does not exist yet", "It is made at first use.")
        return
    present, wanted = revisions(url)
    if present == wanted:
        yield Finding(OK, "database", f"the schema is up to date ({present})")
    elif present is None:
        yield Finding(WARN, "database", "the database is empty", "It is filled at first use.")
    else:
        yield Finding(
            WARN,
            "database",
            f"the schema is {present}, this program uses {wanted}",
            "The next start of `folkmoot serve` brings it up to date; make a backup first.",
        )


def certificate(config: Config) -> Iterator[Finding]:
    """The certificate loads, is current, and names this server."""
    tls = config.tls
    if tls.certificate is None or tls.key is None:
        yield Finding(
            WARN,
            "certificate",
            "there is none, so nothing is encrypted",
            "Set tls.certificate and tls.key; `folkmoot init` can write a self-signed pair.",
        )
        return
    try:
        chain = TlsStore(tls.certificate, tls.key).chain
    except TlsError as error:
        yield Finding(FAIL, "certificate", str(error), "Correct the [tls] section or the files.")
        return
    yield _dates(chain[0])
    yield _names(chain[0], config.server.hostname)
    if chain[0].issuer == chain[0].subject:
        yield Finding(
            WARN,
            "certificate",
            "it is self-signed, so clients will warn",
            "Get one from a certificate authority, for example by ACME.",
        )
    if tls.key.stat().st_mode & stat.S_IRWXO:
        yield Finding(
            FAIL,
            "certificate",
            f"every user of this machine can read {tls.key}",
            f"Run `chmod o= {tls.key}`.",
        )


def _dates(first: x509.Certificate) -> Finding:
    now = datetime.datetime.now(datetime.UTC)
    days = (first.not_valid_after_utc - now).days
    advice = "Renew it, then send SIGHUP to the server."
    if first.not_valid_before_utc > now:
        begin = f"{first.not_valid_before_utc:%Y-%m-%d}"
        return Finding(FAIL, "certificate", f"it is valid from {begin} only", "Check the clock.")
    if days < 0:
        return Finding(FAIL, "certificate", f"it expired {-days} days ago", advice)
    text = f"it is valid for {days} more days"
    return Finding(WARN if days < _DAYS_WARN else OK, "certificate", text, advice * (days < 14))


def _names(first: x509.Certificate, hostname: str) -> Finding:
    try:
        san = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = san.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = []
    wildcard = "*." + hostname.partition(".")[2]
    if any(name.lower() in (hostname, wildcard) for name in names):
        return Finding(OK, "certificate", f"it is for {hostname}")
    return Finding(
        FAIL,
        "certificate",
        f"it is for {', '.join(names) or 'no name at all'}, not for {hostname}",
        "Get one that has server.hostname among its names.",
    )


def ports(config: Config) -> Iterator[Finding]:
    """Each port answers, or can be had."""
    for listener in config.listener:
        yield _port(listener)
        if listener.plaintext_logins and listener.tls != "implicit" and not listener.loopback:
            yield Finding(
                WARN,
                f"port {listener.port}",
                "passwords may cross the network unencrypted",
                "Set plaintext_logins = false unless the network is private.",
            )
        if listener.protocol == "lmtp" and not listener.loopback:
            yield Finding(
                WARN,
                f"port {listener.port}",
                f"whoever reaches {listener.address} can hand in mail by LMTP",
                "Let only your MTA reach this port.",
            )


def _port(listener: ListenerSection) -> Finding:
    subject = f"port {listener.port}"
    what = f"{listener.protocol} on {listener.address}"
    if listener.port == 0:
        return Finding(WARN, subject, f"{what} gets a new port at each start", "Set a port.")
    host = _HOSTS.get(listener.address, listener.address)
    try:
        with socket.create_connection((host, listener.port), timeout=3):
            return Finding(OK, subject, f"{what} answers")
    except OSError:
        pass
    try:
        bind(listener.address, listener.port).close()
    except StartFailed as error:
        return Finding(FAIL, subject, f"{what}: {error}", "Free the port or change the config.")
    return Finding(OK, subject, f"{what} is free (the server does not run)")


def clock() -> Iterator[Finding]:
    """The clock is right, as far as the kernel knows."""
    advice = "Run a time service (chrony, systemd-timesyncd)."
    if time.time() < 1_700_000_000:
        yield Finding(FAIL, "clock", "it is years behind", advice)
        return
    try:
        # A struct timex with modes = 0 only asks; 512 octets are more than any kernel fills.
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        state = -1
    if state == _CLOCK_ERROR:
        yield Finding(WARN, "clock", "it is not kept right by a time service", advice)
    else:
        now = datetime.datetime.now(datetime.UTC)
        yield Finding(OK, "clock", f"it is {now:%Y-%m-%d %H:%M} UTC")
