"""Payments in Bitcoin: webhooks of BTCPay Server (docs.btcpayserver.org, Greenfield API)."""

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
from folkmoot.storage.money import currency_code, parse_amount


@dataclass(frozen=True, slots=True)
class BtcPay:
    """Implements ``webhooks.Adapter``; ``secret`` is that of the webhook.

    InvoiceSettled names no amount: whoever makes the invoice writes ``amount`` and ``currency``
    into its metadata, beside ``account`` or ``domain``. The event has no time in its signature; an
    invoice is settled once and its number is the reference, so a repeated one counts for nothing.
    """

    secret: str

    @property
    def name(self) -> str:
        """Its source."""
        return "btcpay"

    def read(self, header: Headers, body: bytes, now: int) -> PaymentOrder | None:
        """See ``webhooks.Adapter``."""
        scheme, _, signature = (header("BTCPay-Sig") or "").partition("=")
        if scheme.strip() != "sha256" or not signed(self.secret, body, signature.strip()):
            raise Forged
        event = parse(body)
        if text(event.get("type")) != "InvoiceSettled":
            return None
        metadata = table(event.get("metadata"))
        payer = payer_of(metadata)
        if not payer:
            return None
        reference = text(event.get("invoiceId"))
        try:
            currency = currency_code(text(metadata.get("currency")))
            amount = parse_amount(text(metadata.get("amount")), currency)
        except InvalidName:
            raise Useless("the metadata has no amount in a currency") from None
        if amount <= 0 or not reference:
            raise Useless("the event has no amount or no number")
        plan = text(metadata.get("plan"))
        return PaymentOrder(payer, self.name, reference, amount, currency, plan)
