"""What payment providers have in common: a signed event, and the payment that it tells of."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from folkmoot.storage.addresses import normalize_address, normalize_domain
from folkmoot.storage.errors import InvalidName

Headers = Callable[[str], str | None]


class Forged(Exception):
    """The signature is not there, not right, or too old. Nothing of the event may be believed."""


class Useless(Exception):
    """A genuine event from which no payment can be made; the text says why, without secrets."""


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """A payment as it is told. ``payer`` is an address or a domain, normalised.

    ``amount`` is in the smallest unit. ``plan`` is the plan that it is for, "" for the one that
    the account has.
    """

    payer: str
    source: str
    reference: str
    amount: int
    currency: str
    plan: str = ""


class Adapter(Protocol):
    """One provider. A third way to pay is one more of these, and a line in the composition root."""

    @property
    def name(self) -> str:
        """What payments call their source, and the last part of the URL."""
        ...

    def read(self, header: Headers, body: bytes, now: int) -> PaymentOrder | None:
        """The payment that a request tells of, None where it tells of something else.

        Raises ``Forged``, ``Useless``.
        """
        ...


def signed(secret: str, message: bytes, signature: str) -> bool:
    """Whether a signature is the HMAC-SHA256 of a message, in hexadecimal; in constant time."""
    expected = hmac.new(secret.encode(), message, "sha256").hexdigest()
    return hmac.compare_digest(expected.encode(), signature.lower().encode("latin-1", "replace"))


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object of an event. Raises ``Useless``."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise Useless("the event is not JSON") from None
    if not isinstance(event, dict):
        raise Useless("the event is not an object")
    return event


def table(value: object) -> dict[str, Any]:
    """A JSON object inside an event; empty where there is something else."""
    return value if isinstance(value, dict) else {}


def text(value: object) -> str:
    """A text inside an event; empty where there is something else."""
    return value if isinstance(value, str) else ""


def payer_of(metadata: Mapping[str, Any]) -> str:
    """Whose payment it is: ``account`` or ``domain`` of the metadata, "" where it names neither.

    Raises ``Useless`` when it names both, or what cannot be a name.
    """
    account, domain = text(metadata.get("account")), text(metadata.get("domain"))
    if account and domain:
        raise Useless("the metadata names an account and a domain")
    try:
        if account:
            return normalize_address(account)
        return normalize_domain(domain) if domain else ""
    except InvalidName:
        raise Useless("the metadata names what cannot be an account or domain") from None
