"""Payments: counted once, receipts without gaps, used for the plan that they are for."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from folkmoot.quota import receipts
from folkmoot.quota.receipts import receipt_pdf, receipt_text
from folkmoot.storage.errors import Conflict, InvalidContent, InvalidName, NotFound
from folkmoot.storage.money import currency_code, parse_amount, show_amount
from folkmoot.storage.mutations.accounts import DeleteAccount
from folkmoot.storage.views.billing import ListPayments, ReadDomainCredit
from tests.quota.office import ADA, BOB, DOMAIN, Town, at, result
from tests.storage.accounts_kit import apply, view


@pytest.mark.parametrize(
    ("text", "currency", "units"),
    [
        ("12.50", "EUR", 1250),
        ("12", "EUR", 1200),
        (" -0.5 ", "EUR", -50),
        ("12.500", "EUR", 1250),
        ("1200", "JPY", 1200),
        ("0.00012345", "BTC", 12345),
        ("1.234", "KWD", 1234),
    ],
)
def test_amounts(text: str, currency: str, units: int) -> None:
    """As people write them, without a float on the way."""
    assert parse_amount(text, currency) == units
    assert parse_amount(show_amount(units, currency).split()[0], currency) == units


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        *[(text, "EUR") for text in ("", "x", "1.234", "1,5", "1e3", "٣", "nan", "9" * 16, "--1")],
        ("1.5", "JPY"),
    ],
)
def test_amounts_that_are_none(text: str, currency: str) -> None:
    """Nothing is rounded or guessed."""
    with pytest.raises(InvalidName):
        parse_amount(text, currency)


def test_currencies() -> None:
    """Three letters."""
    assert currency_code(" eur") == "EUR"
    for text in ("", "EURO", "E1R", "€"):
        with pytest.raises(InvalidName):
            currency_code(text)


def test_a_payment_buys_a_period(town: Town) -> None:
    """The plan is there at once, and the receipt has the first number of the year."""
    town.person()
    counted = town.pay(1200, plan="pro")
    assert (counted.payment.number, counted.fresh, counted.plan) == ("2026-000001", True, "pro")
    assert town.account().plan == "pro"
    assert town.facts().paid_until == at("2027-01-01")


def test_what_is_not_enough_stays_as_credit(town: Town) -> None:
    """A second payment completes it."""
    town.person()
    assert town.pay(700, plan="pro").plan == ""
    assert town.account().plan == "free"
    assert town.pay(500, reference="2", plan="pro").plan == "pro"
    assert town.facts().credit.amount == 0  # type: ignore[union-attr]


def test_paying_early_is_for_the_next_period(town: Town) -> None:
    """The paid period is not shortened."""
    town.person()
    town.pay(1200, plan="pro")
    assert town.pay(1200, reference="2").plan == ""
    town.now = at("2027-01-01")
    assert town.renew().renewed == 1


def test_paying_brings_an_ended_plan_back(town: Town) -> None:
    """Without naming it; the period begins then."""
    town.person(plan="pro")
    town.days(31)
    assert town.account().plan == "free"
    assert town.pay(1200).plan == "pro"
    assert town.account().plan == "pro"
    assert town.facts().paid_until == at("2027-02-01")
    assert town.facts().unpaid is None


def test_a_domain_pays(town: Town) -> None:
    """It becomes credit."""
    assert town.pay(5000, DOMAIN).payment.payer == DOMAIN
    credit, entries = view(town.store, ReadDomainCredit(DOMAIN))
    assert credit is not None
    assert (credit.amount, entries[0].receipt) == (5000, "2026-000001")


def test_a_payment_counts_once(town: Town) -> None:
    """By its source and reference, also when it is told eight times at the same moment."""
    town.pay(1, DOMAIN, "0")
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda _: town.pay(100, DOMAIN, "pi_1"), range(8)))
    assert sum(each.fresh for each in counted) == 1
    assert {each.payment.number for each in counted} == {"2026-000002"}
    credit, _ = view(town.store, ReadDomainCredit(DOMAIN))
    assert credit is not None
    assert credit.amount == 101


def test_numbers_have_no_gaps(town: Town) -> None:
    """Many at the same moment, some of which fail; each year begins with one."""
    town.person(BOB)

    def pay(number: int) -> None:
        payer = "nobody@example.test" if number % 3 == 0 else DOMAIN
        currency = "USD" if number % 5 == 0 else "EUR"
        with contextlib.suppress(NotFound, Conflict):
            town.pay(100, payer, str(number), currency)

    town.pay(1, DOMAIN, "first")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(pay, range(30)))
    numbers = sorted(one.number for one in view(town.store, ListPayments()))
    assert numbers == [f"2026-{each:06}" for each in range(1, 18)]
    town.now = at("2026-12-31T23:59:59") + 1
    assert town.pay(1, DOMAIN, "new year").payment.number == "2027-000001"


@pytest.mark.parametrize("units", [0, -5, 10**16])
def test_amounts_that_are_no_payment(town: Town, units: int) -> None:
    """Nothing, less than nothing, and more than there is."""
    with pytest.raises(InvalidContent):
        town.pay(units, DOMAIN)
    assert view(town.store, ListPayments()) == []


@pytest.mark.parametrize("reference", ["", "  ", "x" * 501, "a\nb"])
def test_references_that_are_none(town: Town, reference: str) -> None:
    """They stand on receipts."""
    with pytest.raises(InvalidContent):
        town.pay(1, DOMAIN, reference)


def test_unknown_payers_and_plans(town: Town) -> None:
    """Nothing is written down."""
    town.person()
    with pytest.raises(NotFound):
        town.pay(1, "nobody@example.test")
    with pytest.raises(NotFound):
        town.pay(1, "nowhere.test")
    with pytest.raises(NotFound):
        town.pay(1, plan="no such plan")
    assert view(town.store, ListPayments()) == []


def test_the_payer_gets_the_receipt(town: Town) -> None:
    """Once, with text and PDF; a domain's goes to its administrators."""
    town.person()
    town.person(BOB, domain_admin=True)
    town.pay(1200)
    town.pay(5000, DOMAIN, "2")
    assert town.send_receipts() == 2
    first, second = town.mail()
    assert (first["To"], second["To"]) == (ADA, BOB)
    text, pdf = first.iter_parts()
    assert "12.00 EUR" in text.get_content()
    assert pdf.get_content_type() == "application/pdf"
    assert pdf.get_filename() == "receipt-2026-000001.pdf"
    assert pdf.get_content().startswith(b"%PDF-")
    assert town.send_receipts() == 0


def test_a_killed_run_sends_the_rest(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between two receipts: none is lost and none goes twice."""
    town.person()
    town.pay(1)
    town.pay(2, reference="2")
    calls: list[str] = []
    real = receipts.receipt_pdf

    def crash(payment: object) -> bytes:
        calls.append("")
        if len(calls) == 2:
            raise RuntimeError("killed")
        return real(payment)  # type: ignore[arg-type]

    monkeypatch.setattr(receipts, "receipt_pdf", crash)
    with pytest.raises(RuntimeError):
        town.send_receipts()
    assert len(town.mail()) == 1
    assert town.send_receipts() == 1
    assert len(town.mail()) == 1


def test_a_receipt_does_not_change(town: Town) -> None:
    """It says what was so then, in any script, and outlives the account."""
    town.person()
    town.sql("UPDATE accounts SET name = :name", name="Ada Łukasiewicz Ωμέγα")
    payment = town.pay(1200).payment
    text = receipt_text(payment)
    for part in ("2026-000001", "Example Ltd", "Ada Łukasiewicz Ωμέγα", ADA, "12.00 EUR"):
        assert part in text
    pdf = receipt_pdf(payment)
    assert pdf == receipt_pdf(payment)
    apply(town.store, DeleteAccount(town.facts().id))
    (kept,) = view(town.store, ListPayments(ADA))
    assert (receipt_text(kept), receipt_pdf(kept)) == (text, pdf)
    assert result(town.payments().payment("2026-000001")) == kept
    with pytest.raises(NotFound):
        result(town.payments().payment("2026-000002"))
