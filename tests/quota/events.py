"""Events as Stripe and BTCPay Server send them, with the signatures that they make."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

STRIPE_SECRET = "whsec_test_0123456789"
BTCPAY_SECRET = "a secret of the store"
Event = dict[str, Any]


def session(metadata: Event, *, status: str = "paid", **changes: Any) -> Event:
    """A checkout session that is complete (API version 2026-01-28)."""
    thing = {
        "id": "cs_live_a1o3Ky7bRCXbnKNUYrGFS1JSmBFYLCxQ8z",
        "object": "checkout.session",
        "after_expiration": None,
        "amount_subtotal": 1200,
        "amount_total": 1200,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "client_reference_id": None,
        "created": 1778966878,
        "currency": "eur",
        "customer": None,
        "customer_details": {"email": "ada@elsewhere.test", "name": "Ada", "tax_ids": []},
        "expires_at": 1779053278,
        "livemode": True,
        "metadata": metadata,
        "mode": "payment",
        "payment_intent": "pi_3RgRPqEEXQJo9EEO1a43uB5g",
        "payment_method_types": ["card"],
        "payment_status": status,
        "status": "complete",
        "subscription": None,
        **changes,
    }
    return stripe_event("checkout.session.completed", thing)


def intent(metadata: Event, **changes: Any) -> Event:
    """The payment intent of the same payment."""
    thing = {
        "id": "pi_3RgRPqEEXQJo9EEO1a43uB5g",
        "object": "payment_intent",
        "amount": 1200,
        "amount_capturable": 0,
        "amount_received": 1200,
        "capture_method": "automatic",
        "client_secret": "pi_3RgRPqEEXQJo9EEO1a43uB5g_secret_x",
        "created": 1778966879,
        "currency": "eur",
        "latest_charge": "ch_3RgRPqEEXQJo9EEO1f9",
        "livemode": True,
        "metadata": metadata,
        "payment_method_types": ["card"],
        "status": "succeeded",
        **changes,
    }
    return stripe_event("payment_intent.succeeded", thing)


def stripe_event(kind: str, thing: Event) -> Event:
    """The envelope of Stripe's events."""
    return {
        "id": "evt_1TXpkh0AcRNJbwd4J9O7c5Up",
        "object": "event",
        "api_version": "2026-01-28.clover",
        "created": 1778966887,
        "data": {"object": thing},
        "livemode": True,
        "pending_webhooks": 2,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def settled(metadata: Event, kind: str = "InvoiceSettled", **changes: Any) -> Event:
    """An invoice of BTCPay Server that is paid and confirmed."""
    return {
        "manuallyMarked": False,
        "overPaid": False,
        "deliveryId": "4oP6TKCtqJvVRs1EqGTMCv",
        "webhookId": "VsBPmVPvpwQZ9GUkYkrNCH",
        "originalDeliveryId": "4oP6TKCtqJvVRs1EqGTMCv",
        "isRedelivery": False,
        "type": kind,
        "timestamp": 1778966887,
        "storeId": "BkQWTCRDWCrr5ZtiyUxPGS5cTgQ2dzNYeUVpTLkZxdmN",
        "invoiceId": "HvNuvSS2Lw5yGnxPk1BQgw",
        "metadata": {"orderId": "pos-app_346KRC5BjXXXo8cRFKwTBmdR6ZJ4", **metadata},
        **changes,
    }


def encode(event: Event) -> bytes:
    """The body of a request."""
    return json.dumps(event, indent=2).encode()


def stripe_field(body: bytes, time: int, secret: str = STRIPE_SECRET) -> str:
    """The Stripe-Signature of a body."""
    made = hmac.new(secret.encode(), b"%d." % time + body, hashlib.sha256).hexdigest()
    return f"t={time},v1={made},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"


def btcpay_field(body: bytes, secret: str = BTCPAY_SECRET) -> str:
    """The BTCPay-Sig of a body."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
