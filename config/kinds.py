"""The types that a value in a config file can have: how it is read, named and written.

Each kind turns a value that the TOML reader gave into a Python value, or raises ``WrongValue`` with
what was expected. Sizes are octets, durations are seconds.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from folkmoot.storage.addresses import normalize_address, normalize_domain
from folkmoot.storage.errors import InvalidName
from folkmoot.storage.money import currency_code
from folkmoot.storage.names import capability_name


class WrongValue(ValueError):
    """A value that its key cannot have; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of value.

    ``parse`` takes the TOML value and the folder of the file (paths are relative to it).
    ``show`` writes a parsed value as TOML. A ``secret`` is never shown in an error. For lists,
    ``member`` is the kind of each member.
    """

    name: str
    parse: Callable[[object, Path], Any]
    show: Callable[[Any], str] = json.dumps
    secret: bool = False
    member: Kind | None = None


_SIZE = re.compile(r"\s*(\d{1,15})(\.\d{1,6})?\s*([kmgt]i?)?b?\s*", re.IGNORECASE)
_SIZE_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}
_DURATION = re.compile(r"\s*(\d{1,9})\s*([a-z]*)\s*")
_DURATION_UNITS = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "seconds": 1,
    "min": 60,
    "minute": 60,
    "minutes": 60,
    "h": 3600,
    "hour": 3600,
    "hours": 3600,
    "d": 86400,
    "day": 86400,
    "days": 86400,
}


def text(name: str = "text", *, secret: bool = False, empty: bool = False) -> Kind:
    """A string without control characters."""

    def parse(value: object, base: Path) -> str:
        if not isinstance(value, str) or any(ord(c) < 32 or ord(c) == 127 for c in value):
            raise WrongValue(f"a {name} in quotes")
        if not value and not empty:
            raise WrongValue(f"a {name} that is not empty")
        return value

    return Kind(name, parse, _show_text, secret)


def choice(*values: str) -> Kind:
    """One of some words."""
    listed = ", ".join(f'"{v}"' for v in values)

    def parse(value: object, base: Path) -> str:
        if not isinstance(value, str) or value not in values:
            raise WrongValue(f"one of {listed}")
        return value

    return Kind(f"one of {listed}", parse, _show_text)


def whole(lowest: int, highest: int | None = None) -> Kind:
    """A whole number within limits, both included."""
    name = f"whole number from {lowest}" + (f" to {highest}" if highest is not None else "")

    def parse(value: object, base: Path) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
            raise WrongValue(f"a {name}")
        if highest is not None and value > highest:
            raise WrongValue(f"a {name}")
        return value

    return Kind(name, parse)


def size(lowest: int = 0) -> Kind:
    """A number of octets: a whole number, or text such as "20 MB" or "10 GiB"."""
    expected = 'a size such as "20 MB", "10 GiB" or a whole number of bytes'
    if lowest:
        expected += f", at least {show_size(lowest)}"

    def parse(value: object, base: Path) -> int:
        octets = _size_of(value)
        if octets is None or octets < lowest:
            raise WrongValue(expected)
        return octets

    return Kind("size", parse, show_size)


def _size_of(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    number = float(match[1] + match[2]) if match[2] else int(match[1])
    return int(number * _SIZE_UNITS[(match[3] or "").lower()])


def show_size(octets: int) -> str:
    """A size as TOML, in the largest unit that shows it exactly: ``"64 MiB"``, ``"10 GB"``."""
    for unit, factor in sorted(_SIZE_UNITS.items(), key=lambda pair: -pair[1]):
        if unit and octets and octets % factor == 0:
            return f'"{octets // factor} {"k" if unit == "k" else unit.capitalize()}B"'
    return str(octets)


def duration(lowest: int = 0) -> Kind:
    """A time span in seconds: a whole number, or text such as "90 s", "30 min", "4 h", "5 days"."""
    expected = 'a time such as "90 s", "30 min", "4 h", "5 days"'
    if lowest:
        expected += f", at least {show_duration(lowest)}"

    def parse(value: object, base: Path) -> int:
        seconds = _seconds_of(value)
        if seconds is None or seconds < lowest:
            raise WrongValue(expected)
        return seconds

    return Kind("duration", parse, show_duration)


def _seconds_of(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in _DURATION_UNITS:
        return None
    return int(match[1]) * _DURATION_UNITS[match[2]]


def show_duration(seconds: int) -> str:
    """A time span as TOML, in the largest unit that shows it exactly."""
    for unit, factor in (("days", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds and seconds % factor == 0:
            return f'"{seconds // factor} {unit}"'
    return str(seconds)


def path() -> Kind:
    """A file or folder; relative ones lie beside the config file."""

    def parse(value: object, base: Path) -> Path:
        if not isinstance(value, str) or not value or "\0" in value:
            raise WrongValue("a path in quotes")
        return base / Path(value).expanduser()

    return Kind("path", parse, lambda value: _show_text(str(value)))


def address_ip() -> Kind:
    """An IP address to listen on."""
    expected = 'an IP address such as "127.0.0.1", "0.0.0.0" or "::"'
    return _of_addresses("IP address", ipaddress.ip_address, expected)


def network() -> Kind:
    """An IP address, or a network of them."""
    expected = 'an IP address or a network such as "127.0.0.1", "::1" or "10.1.0.0/16"'
    return _of_addresses("IP address or network", ipaddress.ip_network, expected)


def _of_addresses(name: str, read: Callable[[str], object], expected: str) -> Kind:
    """What ``read`` makes of a text, or raises ``ValueError`` for, in its usual spelling."""

    def parse(value: object, base: Path) -> str:
        try:
            if isinstance(value, str):
                return str(read(value))
        except ValueError:
            pass
        raise WrongValue(expected)

    return Kind(name, parse, _show_text)


def domain() -> Kind:
    """A domain or host name, as ``storage.addresses`` keeps it."""

    def parse(value: object, base: Path) -> str:
        try:
            return normalize_domain(value if isinstance(value, str) else "")
        except InvalidName:
            raise WrongValue('a domain name such as "example.org"') from None

    return Kind("domain name", parse, _show_text)


def email() -> Kind:
    """A mail address, as ``storage.addresses`` keeps it."""

    def parse(value: object, base: Path) -> str:
        try:
            return normalize_address(value if isinstance(value, str) else "")
        except InvalidName:
            raise WrongValue('a mail address such as "ada@example.org"') from None

    return Kind("mail address", parse, _show_text)


def capability() -> Kind:
    """An IMAP capability that can be hidden, in upper case."""

    def parse(value: object, base: Path) -> str:
        try:
            return capability_name(value if isinstance(value, str) else "")
        except InvalidName:
            raise WrongValue('an IMAP capability such as "IDLE", not "IMAP4rev1"') from None

    return Kind("IMAP capability", parse, _show_text)


def amount() -> Kind:
    """An amount of money, as text: how many digits it may have depends on the currency."""

    def parse(value: object, base: Path) -> str:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12:
            return str(value)
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,8})?", value.strip()):
            return value.strip()
        raise WrongValue('an amount of money such as "12.50"')

    return Kind("amount of money", parse, _show_text)


def currency() -> Kind:
    """Three letters."""

    def parse(value: object, base: Path) -> str:
        try:
            return currency_code(value if isinstance(value, str) else "")
        except InvalidName:
            raise WrongValue('a currency such as "EUR"') from None

    return Kind("currency", parse, _show_text)


def database_url() -> Kind:
    """Where the database is."""

    def parse(value: object, base: Path) -> str:
        if isinstance(value, str):
            if value.startswith("sqlite:///") and len(value) > len("sqlite:///"):
                return f"sqlite:///{base / value.removeprefix('sqlite:///')}"
            if re.match(r"postgresql://[^\s]+", value):
                return value
        raise WrongValue('"sqlite:///FILE" or "postgresql://USER:PASSWORD@HOST/DATABASE"')

    return Kind("database URL", parse, _show_text, secret=True)


def web_address() -> Kind:
    """A scheme and a host, perhaps with a port, without a slash at the end."""

    def parse(value: object, base: Path) -> str:
        match = re.fullmatch(
            r"(https?)://([^\s/:@?#]+|\[[0-9a-fA-F:]+\])(:[1-9][0-9]{0,4})?/?",
            value if isinstance(value, str) else "",
            re.IGNORECASE,
        )
        if match is None:
            raise WrongValue('an address such as "https://mail.example.org" without a path')
        return f"{match[1]}://{match[2]}{match[3] or ''}".lower()

    return Kind("web address", parse, _show_text)


_MAIL_PORTS = {"imaps": 993, "imap": 143, "smtps": 465, "smtp": 587}


def mail_server(protocol: str) -> Kind:
    """Where clients find ``imap`` or ``smtp``: a URL whose scheme tells TLS from STARTTLS.

    The value is such a URL with a port.
    """
    secure, plain = f"{protocol}s", protocol

    def parse(value: object, base: Path) -> str:
        match = re.fullmatch(
            rf"({secure}|{plain})://([^\s/:@?#]+)(?::([1-9][0-9]{{0,4}}))?/?",
            value if isinstance(value, str) else "",
            re.IGNORECASE,
        )
        if match is None or int(match[3] or 1) > 65535:
            raise WrongValue(
                f'a server such as "{secure}://mail.example.org" (TLS) or '
                f'"{plain}://mail.example.org:{_MAIL_PORTS[plain]}" (STARTTLS)'
            )
        scheme = match[1].lower()
        return f"{scheme}://{match[2].lower()}:{match[3] or _MAIL_PORTS[scheme]}"

    return Kind(f"{protocol} server", parse, _show_text)


def list_of(kind: Kind, lowest: int = 0) -> Kind:
    """A list of values of one kind."""

    def parse(value: object, base: Path) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) < lowest:
            some = f" with at least {lowest} members" if lowest else ""
            raise WrongValue(f"a list [...]{some}, each a {kind.name}")
        return tuple(kind.parse(member, base) for member in value)

    def show(value: tuple[Any, ...]) -> str:
        return f"[{', '.join(kind.show(member) for member in value)}]"

    return Kind(f"list, each a {kind.name}", parse, show, kind.secret, kind)


def _parse_boolean(value: object, base: Path) -> bool:
    if not isinstance(value, bool):
        raise WrongValue("true or false, without quotes")
    return value


def _show_text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


BOOLEAN = Kind("true or false", _parse_boolean)
PORT = whole(0, 65535)
