"""Payment providers at /hooks: over real sockets, into the store, and the receipt to the payer."""

from __future__ import annotations

import imaplib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.server.run import StartFailed
from folkmoot.server.selfsigned import write_self_signed
from folkmoot.storage.types import Actor
from folkmoot.storage.types_billing import Payment
from folkmoot.storage.views.accounts import FindAccount
from folkmoot.storage.views.billing import ListPayments
from tests.kit.databases import Databases
from tests.kit.http import HttpClient
from tests.kit.waiting import until
from tests.quota.events import (
    BTCPAY_SECRET,
    STRIPE_SECRET,
    btcpay_field,
    encode,
    session,
    settled,
    stripe_field,
)
from tests.server.test_wiring import DIRECTORY, Site, make_config, running

PAID = """
[plan.pro]
price = "12.00"
currency = "EUR"
"""
BILLING = f"""
[billing]
issuer = ["Example Ltd", "Main Street 1"]
stripe_secret = "{STRIPE_SECRET}"
btcpay_secret_file = "btcpay"
"""
FOR_ADA = {"account": "ada@example.org", "plan": "pro"}


@pytest.fixture
def paid_site(databases: Databases, tmp_path: Path) -> Iterator[Site]:
    """A server that knows both providers."""
    write_self_signed(tmp_path / "certificate.pem", tmp_path / "key.pem", ["localhost"])
    (tmp_path / "btcpay").write_text(f"{BTCPAY_SECRET}\n", "utf-8")
    config = make_config(tmp_path, databases.fresh("sqlite"), more=BILLING)
    with running(config, tmp_path, DIRECTORY + PAID) as site:
        yield site


def _payments(site: Site) -> list[Payment]:
    store = site.server.core.store
    return store.call_read(Actor.system("test"), "test", lambda txn: txn.view(ListPayments()))


def _plan(site: Site) -> str:
    view = FindAccount("ada@example.org")
    store = site.server.core.store
    return store.call_read(Actor.system("test"), "test", lambda txn: txn.view(view)).plan


def _post(site: Site, name: str, body: bytes, **fields: str) -> int:
    with HttpClient(site.port("http", "none")) as client:
        pairs = [(key.replace("_", "-"), value) for key, value in fields.items()]
        return client.request("POST", f"/hooks/{name}", pairs, body).status


def _subjects(client: imaplib.IMAP4) -> bytes:
    client.select("INBOX")
    _, found = client.fetch("1:*", "(BODY[HEADER.FIELDS (SUBJECT)])")
    return repr(found).encode()


def test_a_card_payment(paid_site: Site) -> None:
    """The plan is there at once, the receipt comes by mail; the same event again does nothing."""
    body = encode(session(FOR_ADA))
    field = stripe_field(body, int(time.time()))
    assert _post(paid_site, "stripe", body, Stripe_Signature=field) == 200
    assert _plan(paid_site) == "pro"
    assert _post(paid_site, "stripe", body, Stripe_Signature=field) == 200
    assert len(_payments(paid_site)) == 1
    client = paid_site.imap()
    until(lambda: b"Receipt " in _subjects(client), 10)
    client.logout()


def test_a_bitcoin_payment(paid_site: Site) -> None:
    """The secret comes from a file; the money becomes the domain's credit."""
    body = encode(settled({"domain": "example.org", "amount": "50.00", "currency": "EUR"}))
    assert _post(paid_site, "btcpay", body, BTCPay_Sig=btcpay_field(body)) == 200
    (payment,) = _payments(paid_site)
    assert (payment.source, payment.amount, payment.payer) == ("btcpay", 5000, "example.org")
    assert payment.issuer == "Example Ltd\nMain Street 1"


def test_what_is_refused(paid_site: Site) -> None:
    """Forged, old, of no use, too large, another method, another place: nothing is counted."""
    body = encode(session(FOR_ADA))
    now = int(time.time())
    good = stripe_field(body, now)
    assert _post(paid_site, "stripe", body) == 400
    assert _post(paid_site, "stripe", body, Stripe_Signature=f"t={now},v1=00") == 400
    assert _post(paid_site, "stripe", body + b" ", Stripe_Signature=good) == 400
    old = stripe_field(body, now - 3600)
    assert _post(paid_site, "stripe", body, Stripe_Signature=old) == 400
    assert _post(paid_site, "btcpay", body, Stripe_Signature=good) == 400
    nobody = encode(session({"account": "nobody@example.org"}))
    field = stripe_field(nobody, now)
    assert _post(paid_site, "stripe", nobody, Stripe_Signature=field) == 422
    large = b" " * (256 * 1024 + 1)
    assert _post(paid_site, "stripe", large, Stripe_Signature=stripe_field(large, now)) == 413
    assert _post(paid_site, "paypal", body, Stripe_Signature=good) == 404
    assert _post(paid_site, "stripe/more", body, Stripe_Signature=good) == 404
    with HttpClient(paid_site.port("http", "none")) as client:
        answer = client.request("GET", "/hooks/stripe")
        assert (answer.status, answer.header("Allow")) == (405, "POST")
        assert client.request("GET", "/hooks").status == 404
    assert _payments(paid_site) == []
    assert _plan(paid_site) == "small"


def test_what_is_about_something_else(paid_site: Site) -> None:
    """The provider is told that it came, and nothing happens."""
    body = encode(session({"order": "of a shop"}))
    field = stripe_field(body, int(time.time()))
    assert _post(paid_site, "stripe", body, Stripe_Signature=field) == 200
    assert _payments(paid_site) == []


def test_without_secrets_there_are_no_hooks(databases: Databases, tmp_path: Path) -> None:
    """Nobody can sign with an empty secret, because there is nothing to ask."""
    write_self_signed(tmp_path / "certificate.pem", tmp_path / "key.pem", ["localhost"])
    config = make_config(tmp_path, databases.fresh("sqlite"))
    with running(config, tmp_path) as site:
        body = encode(session(FOR_ADA))
        field = stripe_field(body, int(time.time()), "")
        assert _post(site, "stripe", body, Stripe_Signature=field) == 404


def test_an_empty_secret_file_is_refused(databases: Databases, tmp_path: Path) -> None:
    """The server does not start, rather than believe everybody."""
    write_self_signed(tmp_path / "certificate.pem", tmp_path / "key.pem", ["localhost"])
    (tmp_path / "empty").write_text("\n", "utf-8")
    more = '[billing]\nstripe_secret_file = "empty"\n'
    config = make_config(tmp_path, databases.fresh("sqlite"), more=more)
    with pytest.raises(StartFailed, match="empty"), running(config, tmp_path):
        pass
