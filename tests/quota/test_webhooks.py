"""Signed events of payment providers: genuine ones count once, all others never."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.quota.btcpay import BtcPay
from folkmoot.quota.payments import Counted
from folkmoot.quota.stripe import Stripe
from folkmoot.quota.webhooks import Forged, Headers, PaymentOrder, Useless
from folkmoot.storage.views.billing import ListPayments, ReadDomainCredit
from tests.quota.events import (
    BTCPAY_SECRET,
    STRIPE_SECRET,
    Event,
    btcpay_field,
    encode,
    intent,
    session,
    settled,
    stripe_event,
    stripe_field,
)
from tests.quota.office import ADA, DOMAIN, Town, result
from tests.storage.accounts_kit import view

NOW = 1_778_966_890
STRIPE, BTCPAY = Stripe(STRIPE_SECRET), BtcPay(BTCPAY_SECRET)
FOR_ADA = {"account": "Ada@Example.test"}
FOR_DOMAIN = {"domain": "EXAMPLE.test"}


def fields(**values: str) -> Headers:
    """The header of a request."""
    return {name.replace("_", "-"): value for name, value in values.items()}.get


def stripe(event: Event, now: int = NOW) -> PaymentOrder | None:
    """What Stripe's adapter reads from a genuine event."""
    body = encode(event)
    return STRIPE.read(fields(Stripe_Signature=stripe_field(body, NOW)), body, now)


def btcpay(event: Event) -> PaymentOrder | None:
    """What BTCPay's adapter reads from a genuine event."""
    body = encode(event)
    return BTCPAY.read(fields(BTCPay_Sig=btcpay_field(body)), body, NOW)


# --- Stripe ----------------------------------------------------------------------------------


def test_stripe_tells_of_a_payment() -> None:
    """Session and intent of one payment have the same reference."""
    order = PaymentOrder(ADA, "stripe", "pi_3RgRPqEEXQJo9EEO1a43uB5g", 1200, "EUR", "pro")
    assert stripe(session({**FOR_ADA, "plan": "pro"})) == order
    assert stripe(intent({**FOR_ADA, "plan": "pro"})) == order
    order = PaymentOrder(DOMAIN, "stripe", "cs_1", 1200, "EUR")
    assert stripe(session(FOR_DOMAIN, id="cs_1", payment_intent=None)) == order


def test_stripe_tells_of_other_things() -> None:
    """Sessions without money yet, other kinds of events, and what others sell."""
    assert stripe(session(FOR_ADA, status="unpaid")) is None
    assert stripe(stripe_event("charge.refunded", {"metadata": FOR_ADA})) is None
    assert stripe(session({})) is None
    assert stripe(session({"order": "12"})) is None
    late = session(FOR_ADA)
    late["type"] = "checkout.session.async_payment_succeeded"
    assert stripe(late) is not None


def test_stripe_keeps_digits_that_iso_has_not() -> None:
    """Its ISK and UGX are in hundredths; yen are whole."""
    order = stripe(session(FOR_ADA, currency="isk", amount_total=500000))
    assert order is not None
    assert (order.amount, order.currency) == (5000, "ISK")
    order = stripe(session(FOR_ADA, currency="jpy", amount_total=500))
    assert order is not None
    assert order.amount == 500
    with pytest.raises(Useless):
        stripe(session(FOR_ADA, currency="isk", amount_total=150))


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_total": None},
        {"amount_total": 0},
        {"amount_total": -5},
        {"amount_total": "1200"},
        {"amount_total": 12.5},
        {"amount_total": True},
        {"currency": None},
        {"currency": "euro"},
        {"payment_intent": None, "id": 5},
        {"metadata": {"account": "no address"}},
        {"metadata": {**FOR_ADA, **FOR_DOMAIN}},
    ],
)
def test_stripe_events_that_are_no_use(changes: Event) -> None:
    """Genuine, but not to be counted: the provider is told so."""
    with pytest.raises(Useless):
        stripe(session(**{"metadata": FOR_ADA, **changes}))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'"x"'])
def test_stripe_bodies_that_are_no_events(body: bytes) -> None:
    """Signed rubbish is refused in good order."""
    with pytest.raises(Useless):
        STRIPE.read(fields(Stripe_Signature=stripe_field(body, NOW)), body, NOW)


def test_stripe_forgeries() -> None:
    """Wrong secret, other body, other time, and fields of any shape."""
    body = encode(session(FOR_ADA))
    good = stripe_field(body, NOW)
    made = good.split(",")[1]
    forged = [
        "",
        "t=,v1=",
        "x",
        f"t={NOW}",
        made,
        f"t={NOW},v1=",
        f"t={NOW},v0={made[3:]}",
        f"t={NOW + 1},{made}",
        f"t={NOW},t={NOW},{made}",
        f"t=-{NOW},{made}",
        f"t={NOW}.0,{made}",
        f"t={'9' * 5000},{made}",
        f"t=²,{made}",
        f"t={NOW},v1=é€",
        f"t={NOW}" + ",v1=00" * 20 + f",{made}",
        stripe_field(body, NOW, "whsec_other"),
        stripe_field(body + b" ", NOW),
        stripe_field(body, NOW, ""),
    ]
    for field in forged:
        with pytest.raises(Forged):
            STRIPE.read(fields(Stripe_Signature=field), body, NOW)
    with pytest.raises(Forged):
        STRIPE.read(fields(), body, NOW)
    assert STRIPE.read(fields(Stripe_Signature=good), body, NOW) is not None


def test_stripe_while_the_secret_changes() -> None:
    """There are two signatures then, of which one is right."""
    body = encode(session(FOR_ADA))
    other = stripe_field(body, NOW, "whsec_old").split(",")[1]
    field = f"t={NOW},{other},{stripe_field(body, NOW).split(',')[1]}"
    assert STRIPE.read(fields(Stripe_Signature=field), body, NOW) is not None


@pytest.mark.parametrize("seconds", [-301, 301, 86_400 * 365])
def test_stripe_events_from_another_time(seconds: int) -> None:
    """Kept and sent again later, or from a clock that is wrong."""
    assert stripe(session(FOR_ADA), NOW + 300) is not None
    with pytest.raises(Forged):
        stripe(session(FOR_ADA), NOW + seconds)


# --- BTCPay Server ---------------------------------------------------------------------------


def test_btcpay_tells_of_a_payment() -> None:
    """The amount stands in the metadata."""
    paid = {"amount": "12.00", "currency": "EUR"}
    order = PaymentOrder(ADA, "btcpay", "HvNuvSS2Lw5yGnxPk1BQgw", 1200, "EUR")
    assert btcpay(settled({**FOR_ADA, **paid})) == order
    bitcoin = btcpay(settled({**FOR_DOMAIN, "amount": "0.001", "currency": "BTC"}))
    assert bitcoin is not None
    assert (bitcoin.payer, bitcoin.amount) == (DOMAIN, 100_000)


def test_btcpay_tells_of_other_things() -> None:
    """What is not settled, and what others sell."""
    paid = {**FOR_ADA, "amount": "12.00", "currency": "EUR"}
    for kind in ("InvoiceCreated", "InvoiceProcessing", "InvoicePaymentSettled", "InvoiceExpired"):
        assert btcpay(settled(paid, kind)) is None
    assert btcpay(settled({})) is None


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"amount": "12.00"},
        {"amount": 12.0, "currency": "EUR"},
        {"amount": "12.001", "currency": "EUR"},
        {"amount": "-12", "currency": "EUR"},
        {"amount": "0", "currency": "EUR"},
        {"amount": "12", "currency": "EURO"},
    ],
)
def test_btcpay_events_that_are_no_use(metadata: Event) -> None:
    """Genuine, but without an amount that can be counted."""
    with pytest.raises(Useless):
        btcpay(settled({**FOR_ADA, **metadata}))


def test_btcpay_forgeries() -> None:
    """Wrong secret, other body, other scheme, and fields of any shape."""
    body = encode(settled({**FOR_ADA, "amount": "12.00", "currency": "EUR"}))
    good = btcpay_field(body)
    forged = [
        "",
        "sha256=",
        good.removeprefix("sha256="),
        good.replace("sha256", "sha1"),
        good[:-1],
        good + "0",
        "sha256=é€",
        btcpay_field(body, "other"),
        btcpay_field(body + b" "),
    ]
    for field in forged:
        with pytest.raises(Forged):
            BTCPAY.read(fields(BTCPay_Sig=field), body, NOW)
    with pytest.raises(Forged):
        BTCPAY.read(fields(), body, NOW)
    assert BTCPAY.read(fields(BTCPay_Sig=good.upper().replace("SHA", "sha")), body, NOW) is not None


# --- both, and the store ---------------------------------------------------------------------


def _receive(town: Town, event: Event) -> Counted | None:
    body = encode(event)
    town.now = NOW
    payments = town.payments(STRIPE, BTCPAY)
    if "webhookId" in event:
        answer = payments.receive("btcpay", fields(BTCPay_Sig=btcpay_field(body)), body)
    else:
        field = stripe_field(body, NOW)
        answer = payments.receive("stripe", fields(Stripe_Signature=field), body)
    counted: Counted | None = result(answer)
    return counted


def test_one_payment_in_many_events(town: Town) -> None:
    """Session and intent, each of them twice: one receipt, one period."""
    town.person()
    paid = {**FOR_ADA, "plan": "pro"}
    events = [session(paid), intent(paid), session(paid), intent(paid)]
    counted = [_receive(town, event) for event in events]
    assert [each.fresh for each in counted if each] == [True, False, False, False]
    assert {each.payment.number for each in counted if each} == {"2026-000001"}
    assert town.account().plan == "pro"
    assert town.facts().credit.amount == 0  # type: ignore[union-attr]


def test_a_delivery_that_is_repeated(town: Town) -> None:
    """BTCPay gives it a number of its own; the invoice is the same."""
    paid = {**FOR_DOMAIN, "amount": "50.00", "currency": "EUR"}
    _receive(town, settled(paid))
    again = settled(paid, deliveryId="another", isRedelivery=True)
    counted = _receive(town, again)
    assert counted is not None
    assert not counted.fresh
    credit, _ = view(town.store, ReadDomainCredit(DOMAIN))
    assert credit is not None
    assert credit.amount == 5000


@pytest.mark.parametrize(
    "event",
    [
        session({"account": "nobody@example.test"}),
        session({"domain": "nowhere.test"}),
        session(FOR_DOMAIN, currency="usd"),
        session({**FOR_ADA, "plan": "no such plan"}),
        session(FOR_ADA, amount_total=10**17),
        session(FOR_ADA, payment_intent="x" * 600),
    ],
)
def test_payments_that_cannot_be_counted(town: Town, event: Event) -> None:
    """Nobody there, another currency, no such plan: nothing is written, and the provider told."""
    town.person()
    town.credit(5)
    with pytest.raises(Useless):
        _receive(town, event)
    assert view(town.store, ListPayments()) == []


def test_events_about_nothing(town: Town) -> None:
    """They are answered, and nothing is written."""
    assert _receive(town, session({})) is None
    assert view(town.store, ListPayments()) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(st.data())
def test_signed_events_of_any_shape(data: st.DataObject) -> None:
    """Whatever stands where something is expected: a payment, nothing, or a refusal in order."""
    event = data.draw(st.sampled_from([make({**FOR_ADA}) for make in (session, intent, settled)]))
    tables = [event, event.get("data", {}), event.get("metadata", {})]
    tables.append(event.get("data", {}).get("object", event))
    chosen = data.draw(st.sampled_from([table for table in tables if table]))
    chosen[data.draw(st.sampled_from(sorted(chosen)))] = data.draw(_JSON)
    try:
        order = btcpay(event) if "webhookId" in event else stripe(event)
    except Useless:
        return
    assert order is None or (order.amount > 0 and order.reference and "@" in order.payer)


@given(st.text(max_size=80), st.binary(max_size=80))
def test_fields_of_any_shape(field: str, body: bytes) -> None:
    """Nobody without the secret is believed, and nothing breaks."""
    for adapter in (STRIPE, BTCPAY):
        with pytest.raises(Forged):
            adapter.read(lambda name: field, body, NOW)
