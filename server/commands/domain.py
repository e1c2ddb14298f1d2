"""``folkmoot domain``: the mail domains of this server."""

from __future__ import annotations

import click

from folkmoot.config.schema import Config
from folkmoot.server.commands.context import json_option, print_json, print_table, with_config
from folkmoot.server.commands.payment import payments_of
from folkmoot.server.commands.work import Work, working
from folkmoot.storage.addresses import display_domain, normalize_domain
from folkmoot.storage.errors import NotFound
from folkmoot.storage.money import currency_code, parse_amount, show_amount
from folkmoot.storage.types_accounts import Domain
from folkmoot.storage.types_billing import CreditEntry

domain_name = click.argument("name", metavar="DOMAIN")


@click.group("domain")
def command() -> None:
    """The mail domains of this server."""


@command.command()
@domain_name
@with_config
def add(config: Config, name: str) -> None:
    """Take mail for a domain, and allow accounts in it."""
    with working(config) as work:
        work.wait(work.accounts.create_domain(name))
    click.echo(f"The domain {name} is served now.")


@command.command("list")
@json_option
@with_config
def list_domains(config: Config, as_json: bool) -> None:
    """List all domains."""
    with working(config) as work:
        domains = work.wait(work.accounts.domains())
    if as_json:
        print_json([_plain(domain) for domain in domains])
        return
    rows = [
        (display_domain(domain.name), str(domain.accounts), domain.catchall) for domain in domains
    ]
    print_table(("Domain", "Accounts", "Catch-all"), rows)


@command.command()
@domain_name
@json_option
@with_config
def show(config: Config, name: str, as_json: bool) -> None:
    """Show one domain and its accounts."""
    with working(config) as work:
        domain = _find(work, name)
        addresses = [a.address for a in work.wait(work.accounts.accounts(domain.name))]
    if as_json:
        print_json({**_plain(domain), "accounts": addresses})
        return
    click.echo(f"Domain:     {display_domain(domain.name)}")
    click.echo(f"Catch-all:  {domain.catchall or 'none'}")
    click.echo(f"Plans:      {', '.join(domain.plans) or 'none'} (its administrators give these)")
    click.echo(f"Since:      {domain.created:%Y-%m-%d}")
    click.echo(f"Accounts:   {len(addresses)}")
    for address in addresses:
        click.echo(f"  {address}")


@command.command()
@domain_name
@click.argument("address", required=False)
@with_config
def catchall(config: Config, name: str, address: str | None) -> None:
    """Give mail for unknown addresses of a domain to an account; to nobody without ADDRESS."""
    with working(config) as work:
        work.wait(work.accounts.set_catchall(name, address))
    click.echo(f"Mail for unknown addresses of {name} goes to {address or 'nobody'}.")


@command.command()
@domain_name
@with_config
def delete(config: Config, name: str) -> None:
    """Serve a domain no longer. It must not have accounts or aliases any more."""
    with working(config) as work:
        work.wait(work.accounts.delete_domain(name))
    click.echo(f"The domain {name} is no longer served.")


@command.group()
def credit() -> None:
    """What a domain has paid in advance for the plans of its accounts."""


@credit.command("show")
@domain_name
@json_option
@with_config
def credit_show(config: Config, name: str, as_json: bool) -> None:
    """Show the credit of a domain and its latest changes, newest first."""
    with working(config) as work:
        found, entries = work.wait(payments_of(work, config).domain_credit(name))
    if as_json:
        print_json(
            {
                "amount": found.amount if found else 0,
                "currency": found.currency if found else None,
                "entries": [_plain_entry(entry) for entry in entries],
            }
        )
        return
    click.echo(f"Credit: {show_amount(found.amount, found.currency) if found else 'none'}")
    rows = [
        (
            f"{entry.created:%Y-%m-%d}",
            show_amount(entry.amount, entry.currency),
            " ".join(filter(None, (entry.note, entry.account, entry.receipt))),
        )
        for entry in entries
    ]
    print_table(("Date", "Amount", "For"), rows)


@credit.command("add")
@domain_name
@click.argument("amount")
@click.argument("currency")
@click.option("--note", required=True, help="What it is for; it stands beside the change.")
@with_config
def credit_add(config: Config, name: str, amount: str, currency: str, note: str) -> None:
    """Add AMOUNT to the credit of a domain, without a receipt; below 0, take from it (-- -5).

    For money that came in, there is `folkmoot payment record`.
    """
    with working(config) as work:
        code = currency_code(currency)
        units = parse_amount(amount, code)
        left = work.wait(payments_of(work, config).adjust_credit(name, units, code, note))
    click.echo(f"The credit of {name} is {show_amount(left, code)} now.")


def _plain_entry(entry: CreditEntry) -> dict[str, object]:
    return {
        "created": entry.created.isoformat(),
        "amount": entry.amount,
        "currency": entry.currency,
        "note": entry.note,
        "receipt": entry.receipt or None,
        "account": entry.account or None,
    }


def _find(work: Work, name: str) -> Domain:
    wanted = normalize_domain(name)
    for domain in work.wait(work.accounts.domains()):
        if domain.name == wanted:
            return domain
    raise NotFound("There is no such domain.")


def _plain(domain: Domain) -> dict[str, object]:
    return {
        "name": domain.name,
        "catchall": domain.catchall,
        "accounts": domain.accounts,
        "plans": list(domain.plans),
        "created": domain.created.isoformat(),
    }
