"""Payments by card: webhooks of Stripe (docs.stripe.com/webhooks, API 2019 to 2026)."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.quota.webhooks import (
    Forged,
    Headers,
    PaymentOrder,
    Useless,
    parse,
    payer_of,
    signed,
    table,
    text,
)
from folkmoot.storage.errors import InvalidName
from folkmoot.storage.money import currency_code

TOLERANCE = 300  # seconds between the signature's time and ours, as in Stripe's own libraries
MAX_SIGNATURES = 10  # two while a secret is changed
_SESSION = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
_INTENT = "payment_intent.succeeded"
# Stripe keeps two digits where ISO 4217 has none any more.
_TWO_DIGITS_MORE = ("ISK", "UGX")


@dataclass(frozen=True, slots=True)
class Stripe:
    """Implements ``webhooks.Adapter``; ``secret`` is that of the webhook endpoint (whsec_...).

    A payment is told of twice, as a checkout session and as a payment intent. Both have the
    number of the intent, which is the reference, so it counts once.
    """

    secret: str
    tolerance: int = TOLERANCE

    @property
    def name(self) -> str:
        """Its source."""
        return "stripe"

    def read(self, header: Headers, body: bytes, now: int) -> PaymentOrder | None:
        """See ``webhooks.Adapter``."""
        self._check(header("Stripe-Signature") or "", body, now)
        event = parse(body)
        kind, thing = text(event.get("type")), table(table(event.get("data")).get("object"))
        if kind in _SESSION:
            # A bank transfer completes the session before the money comes.
            if text(thing.get("payment_status")) != "paid":
                return None
            reference = text(thing.get("payment_intent")) or text(thing.get("id"))
            amount = thing.get("amount_total")
        elif kind == _INTENT:
            reference, amount = text(thing.get("id")), thing.get("amount_received")
        else:
            return None
        metadata = table(thing.get("metadata"))
        payer = payer_of(metadata)
        if not payer:  # something else that the same Stripe account sells
            return None
        if type(amount) is not int or amount <= 0 or not reference:
            raise Useless("the event has no amount or no number")
        try:
            currency = currency_code(text(thing.get("currency")))
        except InvalidName:
            raise Useless("the event has no currency") from None
        if currency in _TWO_DIGITS_MORE:
            amount, rest = divmod(amount, 100)
            if rest:
                raise Useless("the amount has parts that the currency does not have")
        plan = text(metadata.get("plan"))
        return PaymentOrder(payer, self.name, reference, amount, currency, plan)

    def _check(self, field: str, body: bytes, now: int) -> None:
        """Raises ``Forged`` unless one signature of the field is right and recent."""
        times, signatures = [], []
        for part in field.split(",")[: MAX_SIGNATURES + 1]:
            name, _, value = part.strip().partition("=")
            if name == "t":
                times.append(value)
            elif name == "v1":
                signatures.append(value)
        if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()):
            raise Forged
        if len(times[0]) > 12 or abs(now - int(times[0])) > self.tolerance:
            raise Forged
        message = times[0].encode() + b"." + body
        if not any(signed(self.secret, message, each) for each in signatures):
            raise Forged
