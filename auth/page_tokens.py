"""What a browser keeps of who has signed in on pages: signed, and good for a while.

No process has to remember it, so any process answers the next request. It says who somebody was
when signing in; whether that still counts, and whether somebody signed out since, is asked anew of
the store, each time.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from folkmoot.storage.types import Actor, ActorKind, Feature
from folkmoot.storage.types_support import SupportAccess

IDLE_SECONDS: Final = 1800
LONGEST_SECONDS: Final = 8 * 3600
_LONGEST: Final = 4000  # characters


@dataclass(frozen=True, slots=True)
class PageToken:
    """Somebody who has signed in. ``form_token`` is in the forms of the pages: others do not know
    it. Times are seconds since 1970."""

    who: Mapping[str, Any]
    begun: int
    seen: int
    nonce: str
    form_token: str


class PageTokens:
    """``area`` keeps the tokens of different pages apart; ``secret`` is of the installation."""

    def __init__(
        self,
        area: str,
        secret: Callable[[], Awaitable[bytes]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._area = area
        self._secret = secret
        self._clock = clock

    async def begin(self, who: Mapping[str, Any]) -> PageToken:
        """For somebody who signs in now."""
        now, nonce = int(self._clock()), secrets.token_urlsafe(16)
        return PageToken(who, now, now, nonce, await self._sign("form", nonce))

    async def text(self, token: PageToken) -> str:
        """What the browser is to send with its next request."""
        values = {"who": dict(token.who), "begun": token.begun, "nonce": token.nonce}
        values["seen"] = int(self._clock())
        octets = json.dumps(values, separators=(",", ":")).encode()
        packed = base64.urlsafe_b64encode(octets).decode()
        return f"{packed}.{await self._sign('who', packed)}"

    async def read(self, text: str) -> PageToken | None:
        """What a browser sent; None for what was not made here, or is too old."""
        packed, _, signature = text[:_LONGEST].partition(".")
        if not hmac.compare_digest(signature.encode(), (await self._sign("who", packed)).encode()):
            return None
        try:
            values = json.loads(base64.urlsafe_b64decode(packed))
        except (binascii.Error, ValueError):
            return None
        begun, seen, nonce = values["begun"], values["seen"], values["nonce"]
        now = self._clock()
        if not begun - 60 <= now < begun + LONGEST_SECONDS or now >= seen + IDLE_SECONDS:
            return None
        return PageToken(values["who"], begun, seen, nonce, await self._sign("form", nonce))

    async def _sign(self, purpose: str, text: str) -> str:
        data = f"page\0{self._area}\0{purpose}\0{text}".encode("utf-8", "replace")
        return hmac.digest(await self._secret(), data, "sha256").hex()


def actor_values(actor: Actor) -> Mapping[str, Any]:
    """Who somebody is, for a token."""
    values: dict[str, Any] = {
        "kind": actor.kind.value,
        "account": actor.account_id,
        "space": actor.space_id,
        "name": actor.name,
        "credential": actor.credential_id,
        "epoch": actor.epoch,
        "withheld": sorted(actor.withheld),
    }
    if actor.support is not None:
        support = actor.support
        values["support"] = (support.agent_id, support.agent, support.grant_id, support.session_id)
    return values


def actor_from(values: Mapping[str, Any]) -> Actor:
    """The same as an actor: what an agent may do is asked of the store by the gate."""
    given, support = values.get("support"), None
    if given is not None:
        agent, name, grant, session = given
        support = SupportAccess(
            agent,
            name,
            grant,
            session,
            tools=frozenset(),
            read_only=True,
            export=False,
            with_groups=False,
            until=0,
        )
    return Actor(
        ActorKind(values["kind"]),
        values["account"],
        values["space"],
        values["name"],
        credential_id=values["credential"],
        epoch=values["epoch"],
        withheld=frozenset(map(Feature, values["withheld"])),
        support=support,
    )
