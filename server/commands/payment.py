"""``folkmoot payment``: money that came in, and its receipts."""

from __future__ import annotations

import time
from pathlib import Path

import click

from folkmoot.config.schema import Config
from folkmoot.quota.payments import MANUAL, Payments, normalize_payer
from folkmoot.quota.receipts import receipt_pdf, receipt_text, send_receipts
from folkmoot.quota.webhooks import PaymentOrder
from folkmoot.server import billing
from folkmoot.server.commands.context import json_option, print_json, print_table, with_config
from folkmoot.server.commands.work import Work, directory_of, working
from folkmoot.storage.money import currency_code, parse_amount, show_amount
from folkmoot.storage.types_billing import Payment

number_argument = click.argument("number")


@click.group("payment")
def command() -> None:
    """Money that came in, and its receipts.

    A payment of a domain becomes its credit, from which the plans of its accounts are renewed. A
    payment of an account pays for its own plan; what is left is its credit.
    """


def payments_of(work: Work, config: Config) -> Payments:
    """Payments of the open store, with the plans of the directory file."""
    offers = billing.offers(directory_of(config))
    return billing.payments(work.core.store, lambda: offers, config, reason="command line")


@command.command(short_help="Record a payment.")
@click.argument("payer", metavar="ACCOUNT|DOMAIN")
@click.argument("amount")
@click.argument("currency")
@click.option(
    "--reference", required=True, help="What the payment is called at the bank; it counts once."
)
@click.option("--plan", default="", help="The plan that an account gets with it.")
@with_config
def record(
    config: Config, payer: str, amount: str, currency: str, reference: str, plan: str
) -> None:
    """Record a payment, and send the receipt to the payer.

    AMOUNT is written like 12.50, CURRENCY like EUR. The receipt of a domain goes to its
    administrators.
    """
    with working(config) as work:
        code = currency_code(currency)
        name = normalize_payer(payer)
        if plan and "@" not in name:
            raise click.UsageError("--plan is for payments of accounts.")
        order = PaymentOrder(name, MANUAL, reference, parse_amount(amount, code), code, plan)
        counted = work.wait(payments_of(work, config).record(order))
        if not counted.fresh:
            raise click.ClickException(
                f"That payment is recorded already, with the receipt {counted.payment.number}."
            )
        send_receipts(work.core.store, billing.office(config), int(time.time()))
    click.echo(f"Receipt {counted.payment.number}.")
    if counted.plan:
        click.echo(f'The plan "{counted.plan}" of {name} is paid.')
    else:
        click.echo(f"It is credit of {name}.")


@command.command("list")
@click.argument("payer", metavar="[ACCOUNT|DOMAIN]", required=False)
@json_option
@with_config
def list_payments(config: Config, payer: str | None, as_json: bool) -> None:
    """List the latest payments, newest first; with a payer, only theirs."""
    with working(config) as work:
        found = work.wait(payments_of(work, config).payments(payer))
    if as_json:
        print_json([_plain(payment) for payment in found])
        return
    rows = [
        (
            payment.number,
            f"{payment.created:%Y-%m-%d}",
            payment.payer,
            show_amount(payment.amount, payment.currency),
            payment.source,
            payment.reference,
        )
        for payment in found
    ]
    print_table(("Receipt", "Date", "Payer", "Amount", "By", "Reference"), rows)


@command.command()
@number_argument
@json_option
@with_config
def show(config: Config, number: str, as_json: bool) -> None:
    """Show the payment with the receipt NUMBER."""
    with working(config) as work:
        payment = work.wait(payments_of(work, config).payment(number))
    if as_json:
        print_json(_plain(payment))
        return
    lines = {
        "Receipt": payment.number,
        "Date": f"{payment.created:%Y-%m-%d %H:%M}",
        "Payer": payment.payer,
        "Amount": show_amount(payment.amount, payment.currency),
        "By": payment.source,
        "Reference": payment.reference,
        "Sent": f"{payment.mailed:%Y-%m-%d %H:%M}" if payment.mailed else "not yet",
    }
    for title, value in lines.items():
        click.echo(f"{title + ':':<12}{value}")


@command.command()
@number_argument
@click.option(
    "--pdf",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it into this file as PDF.",
)
@with_config
def receipt(config: Config, number: str, pdf: Path | None) -> None:
    """Print the receipt NUMBER, or write it as PDF."""
    with working(config) as work:
        payment = work.wait(payments_of(work, config).payment(number))
    if pdf is None:
        click.echo(receipt_text(payment), nl=False)
        return
    try:
        pdf.write_bytes(receipt_pdf(payment))
    except OSError as error:
        raise click.ClickException(f"{pdf}: {error.strerror or 'cannot be written'}") from None
    click.echo(f"{pdf} is written.")


def _plain(payment: Payment) -> dict[str, object]:
    return {
        "number": payment.number,
        "created": payment.created.isoformat(),
        "payer": payment.payer,
        "payer_name": payment.payer_name,
        "amount": payment.amount,
        "currency": payment.currency,
        "source": payment.source,
        "reference": payment.reference,
        "mailed": payment.mailed.isoformat() if payment.mailed else None,
    }
