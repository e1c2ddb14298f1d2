"""``folkmoot domain``: the mail domains of this server."""

from __future__ import annotations

import click

from folkmoot.config.schema import Config
from folkmoot.server.commands.context import json_option, print_json, print_table, with_config
from folkmoot.server.commands.work import Work, working
from folkmoot.storage.addresses import display_domain, normalize_domain
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types_accounts import Domain

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
        "created": domain.created.isoformat(),
    }
