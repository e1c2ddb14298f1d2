"""``payment`` and ``domain credit`` on an installation that does not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.test_commands import Cli

ADA = "ada@example.org"
PLANS = """
[plan.free]
inactive_after = 210
[plan.pro]
price = "12.00"
currency = "EUR"
fallback = "free"
mail = { bytes = "1 GB" }
"""


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A domain and an account with the free plan."""
    made = Cli(tmp_path)
    (tmp_path / "directory.toml").write_text(PLANS)
    made.ok("domain", "add", "example.org")
    made.ok("account", "add", ADA, "--plan", "free", "--password-stdin", stdin="correct horse\n")
    return made


def _fails(cli: Cli, *args: str) -> str:
    """Run a command that must fail; its one sentence."""
    done = cli(*args)
    assert done.exit_code == 1, done.output
    assert "Traceback" not in done.output
    return done.stderr


def _payment(cli: Cli) -> dict[str, object]:
    """The only payment there is."""
    found = cli.json("payment", "list")
    assert isinstance(found, list)
    [one] = found
    assert isinstance(one, dict)
    return one


def _billing(cli: Cli) -> dict[str, object]:
    found = cli.json("account", "show", ADA)
    assert isinstance(found, dict)
    billing: dict[str, object] = found["billing"]
    return billing


def test_a_payment_of_an_account(cli: Cli, tmp_path: Path) -> None:
    """From the command to the plan, the receipt and the mail."""
    assert _billing(cli)["free"] is True
    assert "free" in cli.ok("account", "show", ADA)
    told = cli.ok("payment", "record", ADA, "30", "eur", "--reference", "a b:c", "--plan", "pro")
    assert 'The plan "pro" of ada@example.org is paid.' in told
    number = told.split()[1].rstrip(".")
    assert number.endswith("-000001")
    billing = _billing(cli)
    assert billing["free"] is False
    assert billing["credit"] == {"amount": 1800, "currency": "EUR"}
    assert billing["next_renewal"] == billing["paid_until"]
    shown = cli.ok("account", "show", ADA)
    assert "12.00 EUR for a year" in shown
    assert "18.00 EUR" in shown
    assert cli.json("account", "list")[0]["plan"] == "pro"  # type: ignore[index]
    listed = _payment(cli)
    assert (listed["number"], listed["amount"], listed["source"]) == (number, 3000, "manual")
    assert listed["mailed"] is not None
    assert cli.json("payment", "show", number) == listed
    assert "30.00 EUR" in cli.ok("payment", "list")
    assert "a b:c" in cli.ok("payment", "show", number)
    assert f"RECEIPT {number}" in cli.ok("payment", "receipt", number)
    cli.ok("payment", "receipt", number, "--pdf", str(tmp_path / "receipt.pdf"))
    assert (tmp_path / "receipt.pdf").read_bytes().startswith(b"%PDF-")


def test_a_payment_counts_once(cli: Cli) -> None:
    """The same reference again is a mistake."""
    record = ("payment", "record", "example.org", "5", "EUR", "--reference", "1")
    cli.ok(*record)
    assert "recorded already" in _fails(cli, *record)
    assert cli.json("domain", "credit", "show", "example.org")["amount"] == 500  # type: ignore[index]


def test_credit_of_a_domain(cli: Cli) -> None:
    """It is paid, added to and taken from; the changes are listed."""
    assert "none" in cli.ok("domain", "credit", "show", "example.org")
    cli.ok("payment", "record", "example.org", "5", "EUR", "--reference", "1")
    add = ("domain", "credit", "add", "example.org")
    assert "6.50 EUR" in cli.ok(*add, "1.50", "EUR", "--note", "a gift")
    assert "6.00 EUR" in cli.ok(*add, "--note", "a fee", "--", "-0.5", "EUR")
    assert "so much credit" in _fails(cli, *add, "--note", "x", "--", "-7", "EUR")
    assert "another currency" in _fails(cli, *add, "7", "USD", "--note", "x")
    found = cli.json("domain", "credit", "show", "example.org")
    assert isinstance(found, dict)
    assert [entry["amount"] for entry in found["entries"]] == [-50, 150, 500]
    assert "a gift" in cli.ok("domain", "credit", "show", "example.org")
    cli.ok("account", "delete", ADA, "--yes")
    assert "credit left" in _fails(cli, "domain", "delete", "example.org")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("nobody@example.org", "5", "EUR"), "no account"),
        (("nowhere.test", "5", "EUR"), "not served"),
        (("example.org", "five", "EUR"), "is written like"),
        (("example.org", "5", "EURO"), "three letters"),
        (("example.org", "0", "EUR"), "more than nothing"),
        ((ADA, "5", "EUR", "--plan", "gold"), "no plan"),
    ],
)
def test_what_cannot_be_recorded(cli: Cli, arguments: tuple[str, ...], why: str) -> None:
    """One clear sentence, and nothing is written."""
    assert why in _fails(cli, "payment", "record", *arguments, "--reference", "1")
    assert cli.json("payment", "list") == []


def test_receipts_that_are_not_there(cli: Cli, tmp_path: Path) -> None:
    """Also a file that cannot be written."""
    assert "no receipt" in _fails(cli, "payment", "receipt", "2026-000001")
    cli.ok("payment", "record", "example.org", "5", "EUR", "--reference", "1")
    one = _payment(cli)
    gone = str(tmp_path / "no" / "receipt.pdf")
    assert "receipt.pdf" in _fails(cli, "payment", "receipt", str(one["number"]), "--pdf", gone)


def test_plans_tell_what_they_cost(cli: Cli) -> None:
    """For people and for scripts."""
    text = cli.ok("plan", "list")
    assert "12.00 EUR for a year" in text
    assert "free" in text
    assert "12.00 EUR for a year" in cli.ok("plan", "show", "pro")
    assert "disabled after 210 days, deleted 30 days later" in cli.ok("plan", "show", "free")
    found = cli.json("plan", "show", "pro")
    assert isinstance(found, dict)
    assert (found["price"], found["currency"], found["period"]) == (1200, "EUR", "year")
    assert (found["fallback"], found["inactive_after"], found["delete_after"]) == ("free", 0, 30)
