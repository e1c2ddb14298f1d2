"""What people and programs say who they are, and what payment providers send."""

from __future__ import annotations

import contextlib
import hmac
import json

from folkmoot.auth.login_name import normalize_login_name
from folkmoot.auth.sasl.registry import create
from folkmoot.auth.sasl.steps import BadExchange, Challenge, Credentials, Identify
from folkmoot.auth.saslprep import saslprep
from folkmoot.auth.scram import ScramError, fake_record, parse_client_final, parse_client_first
from folkmoot.auth.support_names import is_signed, key_hash, make_token, split_name
from folkmoot.protocols.http.login import credentials
from folkmoot.quota.btcpay import BtcPay
from folkmoot.quota.stripe import Stripe
from folkmoot.quota.webhooks import Forged, PaymentOrder, Useless
from folkmoot.storage.errors import AuthenticationFailed
from tests.fuzz.target import cut, target

_NAMES = ("PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")
_BINDINGS = {"tls-exporter": b"x" * 32}


@target(
    [
        b"\0\0alice@x.example\0secret",
        b"\x01alice\xffsecret",
        b"\x02n,,n=alice,r=abc\xffc=biws,r=abcdef,p=AAAA",
        b"\x03p=tls-exporter,,n=a,r=b\xffc=,r=b,p=",
    ],
    [
        b"\0",
        b"\xff",
        b"n,,",
        b"y,,",
        b"p=tls-exporter,,",
        b"a=",
        b"n=",
        b"r=",
        b"c=biws",
        b"p=",
        b"=2C",
        b"=3D",
        b"=",
        b",",
        b"m=x",
        b"\xc2\xa0",
        b"*",
    ],
)
def sasl(data: bytes) -> None:
    """No exchange with a mechanism ends in anything but credentials, a refusal or a question."""
    mechanism = create(_NAMES[data[0] % 4 if data else 0], _BINDINGS)
    first, *others = data[1:].split(b"\xff")
    try:
        step = mechanism.start(first or None)
        for each in others[:5]:
            if isinstance(step, Identify):
                step = mechanism.provide(fake_record(b"k", step.authcid, 4096))  # type: ignore[attr-defined]
            if not isinstance(step, Challenge):
                break
            step = mechanism.step(each)
    except BadExchange:
        return
    if isinstance(step, Credentials):
        assert step.password


@target(
    [b"Alice@X.example", b"a%40b.example", b"a@x.example*s@support.test", "ﬀ\u00a0ä".encode()],
    [b"*", b"@", b"%40", b"\0", "\u05d0".encode(), "\u00ad".encode()],
)
def login_names(data: bytes) -> None:
    """A name has one form; keys and tokens of any form are refused without a word."""
    text = data.decode("utf-8", "replace")
    name = normalize_login_name(text)
    assert normalize_login_name(name) == name
    pair = split_name(text)
    assert pair is None or all(pair)
    key_hash(text)
    assert not is_signed(b"k", text, 1, 2)
    made = make_token(b"k", 1, 1, 2)
    for place in cut(made.encode(), bytes([len(data) % 60]))[:1]:
        changed = place.decode() + text + made[len(place) + len(text) :]
        assert changed == made or not is_signed(b"k", changed, 1, 2)
    try:
        prepared = saslprep(text)
    except ValueError:
        prepared = ""
    assert not prepared or saslprep(prepared) == prepared or not prepared.isascii()
    for parse in (parse_client_first, parse_client_final):
        try:
            parse(data)
        except ScramError:
            continue
    with contextlib.suppress(AuthenticationFailed):
        assert len(credentials(text)) == 2


def _signature(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, "sha256").hexdigest()


_STRIPE = {
    "type": "checkout.session.completed",
    "data": {"object": {"payment_status": "paid", "payment_intent": "pi_1", "amount_total": 500, "currency": "eur",
                        "metadata": {"account": "a@x.example", "plan": "business"}}},
}  # fmt: skip
_BTC = {
    "type": "InvoiceSettled",
    "invoiceId": "x",
    "metadata": {"domain": "x.example", "amount": "5.00", "currency": "EUR"},
}


@target(
    [json.dumps(_STRIPE).encode(), json.dumps(_BTC).encode()],
    [
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b":",
        b",",
        b"null",
        b"1e999",
        b"NaN",
        b"-5",
        b"\\ud800",
        b'"amount":"',
        b'"currency":"isk"',
        b"0.005",
        b"99999999999999999999999",
    ],
)
def payment_events(data: bytes) -> None:
    """A signed event is a payment, nothing, or useless; one with a wrong signature is forged."""
    now = 1_770_000_000
    for adapter, header in (
        (Stripe("s"), f"t={now},v1={_signature('s', b'%d.' % now + data)}"),
        (BtcPay("s"), f"sha256={_signature('s', data)}"),
    ):
        try:
            order = adapter.read(lambda name, told=header: told, data, now)  # type: ignore[misc]
        except Useless:
            order = None
        if isinstance(order, PaymentOrder):
            assert order.amount > 0
            assert order.payer
            assert order.reference
        try:
            adapter.read(lambda name: data.decode("latin-1"), data, now)
        except Forged:
            continue
        raise AssertionError("taken with a signature that is none")
