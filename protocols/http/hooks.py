"""Where payment providers tell of payments: POST to /hooks/NAME, signed instead of signed in."""

from __future__ import annotations

import logging

from folkmoot.protocols.http.errors import Refused
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.quota.payments import Payments
from folkmoot.quota.webhooks import Forged, Useless
from folkmoot.storage.errors import NotFound

log = logging.getLogger("folkmoot.http")

MAX_EVENT = 256 * 1024  # octets; events are some kilobytes


class Hooks:
    """An application for which nobody signs in: each event carries a signature.

    A provider sends an event again until the status is 200, and shows its owner the ones that were
    refused: 400 for a signature that is not right, 422 for a payment that cannot be counted.
    """

    def __init__(self, payments: Payments) -> None:
        self._payments = payments

    async def __call__(self, exchange: Exchange) -> None:
        """Answer, or raise what ``errors.refusal`` knows."""
        name = exchange.path[1] if len(exchange.path) == 2 else ""
        if name not in self._payments.adapters:
            raise NotFound
        if exchange.method != "POST":
            raise Refused(405, fields=[("Allow", "POST")])
        body = await exchange.read_body(MAX_EVENT)
        try:
            await self._payments.receive(name, exchange.header, body)
        except Forged:
            log.warning("event with a wrong signature", extra={"hook": name, "peer": exchange.peer})
            raise Refused(400, "The signature is not right, or too old.") from None
        except Useless as error:
            log.error("event of no use", extra={"hook": name, "why": str(error)})
            raise Refused(422, "The event cannot be counted.") from None
        await exchange.respond(200, [("Content-Type", "text/plain")], b"Thank you.\n")
