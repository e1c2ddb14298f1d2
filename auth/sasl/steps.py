"""What a SASL mechanism can ask of, or tell, the exchange that runs it (RFC 4422 section 3).

A mechanism only reads and writes messages. It never looks anything up: it says what it wants to
know (``Identify``) or what it was told (``Credentials``), and ``auth.session`` does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

# Decoded octets of one message of a client. RFC 4954 section 4 asks for 12,288 in base64.
MAX_RESPONSE_OCTETS = 9216


class BadExchange(Exception):
    """The client broke the rules of the mechanism; the text is for logs only."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send ``data`` (not yet in base64) and wait for the client's answer."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Credentials:
    """The client said who it is and its password; ``authzid`` is who it wants to act as or ""."""

    authcid: str
    password: str
    authzid: str = ""


@dataclass(frozen=True, slots=True)
class Identify:
    """The client said who it is; the mechanism goes on when ``provide`` gives it the record."""

    authcid: str
    authzid: str


@dataclass(frozen=True, slots=True)
class Proof:
    """The client proved that it knows the password (``answer`` goes to it), or not (None)."""

    answer: bytes | None


@dataclass(frozen=True, slots=True)
class Finished:
    """The client took note of the server's proof; the exchange is over."""


Step = Challenge | Credentials | Identify | Proof | Finished


class Mechanism(Protocol):
    """One exchange of one mechanism. Both methods raise ``BadExchange``."""

    name: ClassVar[str]
    plaintext: ClassVar[bool]  # the password crosses the wire: only where nobody listens
    bound: ClassVar[bool]  # needs the channel bindings of a TLS connection

    def start(self, initial: bytes | None) -> Step:
        """Begin; ``initial`` is the initial response, b"" an empty one, None when there is none."""
        ...

    def step(self, response: bytes) -> Step:
        """Go on with the client's answer to the last challenge."""
        ...


def decode(octets: bytes) -> str:
    """Text of a client; raises ``BadExchange`` unless it is UTF-8 without NUL."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise BadExchange("not UTF-8") from None
    if "\0" in text:
        raise BadExchange("NUL in text")
    return text
