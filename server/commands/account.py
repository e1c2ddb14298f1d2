"""``folkmoot account``: the people who sign in."""

from __future__ import annotations

from collections.abc import Mapping

import click

from folkmoot.auth.accounts import AccountWanted
from folkmoot.config.directory import DEFAULT_PLAN
from folkmoot.config.schema import Config
from folkmoot.server import billing
from folkmoot.server.commands.context import json_option, print_json, print_table, with_config
from folkmoot.server.commands.paid import paid_lines, plain_paid
from folkmoot.server.commands.passwords import password_options, read_password
from folkmoot.server.commands.payment import payments_of
from folkmoot.server.commands.plan import plain_terms, terms_lines
from folkmoot.server.commands.usage import limit_options, plain_usage, print_usage
from folkmoot.server.commands.work import directory_of, plan_named, working
from folkmoot.server.directory_apply import plan_limits, plan_of, plan_terms
from folkmoot.storage.types import Account, AccountState, AppPassword, Limit, OwnLimit, Tool
from folkmoot.storage.types_accounts import AccountDetails, AccountUpdate

PROTOCOLS = ("imap", "submission", "dav")
address_argument = click.argument("address")


@click.group("account")
def command() -> None:
    """The people who sign in.

    An account is named by its mail address. Changes take effect at once, also in a server that
    runs: sessions end when an account is disabled, deleted or gets a new password.
    """


@command.command()
@address_argument
@click.option("--name", default="", help="The person's name.")
@click.option("--plan", default=DEFAULT_PLAN, show_default=True, help="A plan of directory.toml.")
@click.option("--domain-admin", is_flag=True, help="Let the person administer the domain.")
@password_options
@with_config
def add(
    config: Config,
    address: str,
    name: str,
    plan: str,
    domain_admin: bool,
    password_stdin: bool,
    generate: bool,
) -> None:
    """Make an account. Its domain must be served already (`folkmoot domain add`)."""
    section = plan_named(config, plan)
    password, shown = read_password(password_stdin, generate)
    wanted = AccountWanted(
        address=address,
        password=password,
        name=name,
        plan=plan,
        limits=plan_limits(section),
        terms=plan_terms(section),
        domain_admin=domain_admin,
    )
    with working(config) as work:
        made = work.wait(work.accounts.create(wanted))
    click.echo(f"The account {made.address} is ready.")
    if shown:
        click.echo(f"Password: {password}")


@command.command("list")
@click.option("--domain", help="Only the accounts of this domain.")
@json_option
@with_config
def list_accounts(config: Config, domain: str | None, as_json: bool) -> None:
    """List accounts."""
    with working(config) as work:
        accounts = work.wait(work.accounts.accounts(domain))
    if as_json:
        print_json([_plain(account) for account in accounts])
        return
    rows = [
        (
            account.address,
            account.name,
            account.plan,
            account.state.value,
            f"{account.last_used:%Y-%m-%d}" if account.last_used else "never",
        )
        for account in accounts
    ]
    print_table(("Address", "Name", "Plan", "State", "Last used"), rows)


@command.command(short_help="Show one account.")
@address_argument
@json_option
@with_config
def show(config: Config, address: str, as_json: bool) -> None:
    """Show an account: plan and payment, aliases, app passwords, used and allowed space."""
    offers = billing.offers(directory_of(config))
    with working(config) as work:
        details = work.wait(work.accounts.show(address))
        paid = work.wait(payments_of(work, config).account(address))
    offer = offers.get(details.account.plan)
    if as_json:
        print_json({**_plain_details(details), "billing": plain_paid(paid, offer)})
        return
    account = details.account
    largest = [Limit(None, None, usage.largest_item) for usage in details.usage]
    lines = {
        "Address": account.address,
        "Name": account.name or "not set",
        "State": account.state.value,
        "Plan": account.plan,
        **paid_lines(paid, offer),
        "Role": "domain administrator" if account.domain_admin else "user",
        "Password": "set" if details.has_password else "none",
        "Created": f"{account.created:%Y-%m-%d}",
        "Last used": f"{account.last_used:%Y-%m-%d %H:%M}" if account.last_used else "never",
        "Aliases": ", ".join(details.aliases) or "none",
        "App passwords": ", ".join(one.name for one in details.app_passwords) or "none",
        **terms_lines(details.terms, largest, details.sent_today),
        "Hidden in IMAP": ", ".join(account.hidden_capabilities) or "nothing",
    }
    for title, value in lines.items():
        click.echo(f"{title + ':':<16}{value}")
    print_usage(details.usage)


@command.command("set")
@address_argument
@click.option("--name", help="The person's name.")
@click.option("--plan", metavar="PLAN", help="A plan of directory.toml.")
@click.option(
    "--domain-admin/--no-domain-admin", default=None, help="Whether to administer the domain."
)
@click.option(
    "--may-grant",
    type=click.Choice(("on", "off")),
    help="Whether the person may let support into the account.",
)
@with_config
def set_account(
    config: Config,
    address: str,
    name: str | None,
    plan: str | None,
    domain_admin: bool | None,
    may_grant: str | None,
) -> None:
    """Change an account. Another plan counts at once; nothing is deleted where it is smaller."""
    given = plan_of(plan, plan_named(config, plan)) if plan is not None else None
    if given is None and name is None and domain_admin is None and may_grant is None:
        raise click.UsageError(
            "Nothing to change: give --name, --plan, --domain-admin or --may-grant."
        )
    with working(config) as work:
        excess = work.wait(work.accounts.assign_plan(address, given)) if given else ()
        if name is not None or domain_admin is not None:
            update = AccountUpdate(name=name, domain_admin=domain_admin)
            work.wait(work.accounts.update(address, update))
        if may_grant is not None:
            work.wait(work.core.support.set_may_grant(address, may_grant == "on"))
    click.echo(f"The account {address} is changed.")
    for one in excess:
        click.echo(
            f"More than the plan allows: {one.what}, {one.used:,} of {one.limit:,} {one.unit}"
        )


@command.command()
@address_argument
@password_options
@with_config
def passwd(config: Config, address: str, password_stdin: bool, generate: bool) -> None:
    """Change the password of an account; its open sessions end."""
    password, shown = read_password(password_stdin, generate)
    with working(config) as work:
        work.wait(work.accounts.set_password(address, password))
    click.echo(f"The password of {address} is changed.")
    if shown:
        click.echo(f"Password: {password}")


@command.command(short_help="Lock an account; its data stays.")
@address_argument
@with_config
def disable(config: Config, address: str) -> None:
    """Let nobody sign in, end open sessions and refuse mail; all data stays."""
    with working(config) as work:
        work.wait(work.accounts.set_state(address, AccountState.DISABLED))
    click.echo(f"The account {address} is disabled.")


@command.command()
@address_argument
@with_config
def enable(config: Config, address: str) -> None:
    """Undo `disable`."""
    with working(config) as work:
        work.wait(work.accounts.set_state(address, AccountState.ACTIVE))
    click.echo(f"The account {address} is enabled.")


@command.command()
@address_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_config
def delete(config: Config, address: str, yes: bool) -> None:
    """Destroy an account and all its data for good."""
    with working(config) as work:
        found = work.wait(work.accounts.show(address)).account
        confirm_destruction(found.address, yes)
        work.wait(work.accounts.delete(address))
    click.echo(f"The account {address} is deleted.")


@command.command("hide")
@address_argument
@click.argument("capabilities", nargs=-1, metavar="[CAPABILITY]...")
@with_config
def hide(config: Config, address: str, capabilities: tuple[str, ...]) -> None:
    """Offer all but these IMAP capabilities to the account; without any, offer all again.

    For a client that has trouble with one. It counts from its next login.
    """
    update = AccountUpdate(hidden_capabilities=capabilities)
    with working(config) as work:
        work.wait(work.accounts.update(address, update))
        hidden = work.wait(work.accounts.show(address)).account.hidden_capabilities
    click.echo(f"Hidden from {address}: {', '.join(hidden) or 'nothing'}.")


@command.command()
@address_argument
@limit_options
@with_config
def limit(config: Config, address: str, limits: Mapping[Tool, OwnLimit]) -> None:
    """Let TOOL of the account hold less than its plan gives; without options, as much again.

    What is over stays; nothing is added until there is room. The person may change it (IMAP).
    """
    with working(config) as work:
        work.wait(work.accounts.limit(address, limits))
        print_usage(work.wait(work.accounts.show(address)).usage)


@command.group()
def alias() -> None:
    """More addresses of an account, to receive and to send."""


@alias.command("add")
@address_argument
@click.argument("other", metavar="ALIAS")
@with_config
def alias_add(config: Config, address: str, other: str) -> None:
    """Let mail for ALIAS reach the account, and let it send from there."""
    with working(config) as work:
        work.wait(work.accounts.add_alias(address, other))
    click.echo(f"{other} is an address of {address} now.")


@alias.command("remove")
@address_argument
@click.argument("other", metavar="ALIAS")
@with_config
def alias_remove(config: Config, address: str, other: str) -> None:
    """Take ALIAS away from the account."""
    with working(config) as work:
        work.wait(work.accounts.remove_alias(address, other))
    click.echo(f"{other} is no longer an address of {address}.")


@command.group("app-password", short_help="Passwords for single devices.")
def app_password() -> None:
    """Passwords for single devices, which can be limited to some protocols and revoked."""


@app_password.command("add")
@address_argument
@click.argument("name")
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    type=click.Choice(PROTOCOLS),
    help="Works for this protocol only; can be given more than once.  [default: all]",
)
@with_config
def app_password_add(config: Config, address: str, name: str, protocols: tuple[str, ...]) -> None:
    """Make a password for the device NAME and print it, this once."""
    with working(config) as work:
        _, shown = work.wait(work.accounts.add_app_password(address, name, protocols))
    click.echo(f"Password: {shown}")


@app_password.command("list")
@address_argument
@json_option
@with_config
def app_password_list(config: Config, address: str, as_json: bool) -> None:
    """List the app passwords of an account; the passwords themselves are not kept."""
    with working(config) as work:
        found = work.wait(work.accounts.show(address)).app_passwords
    if as_json:
        print_json([_plain_app_password(one) for one in found])
        return
    rows = [
        (
            one.name,
            " ".join(one.protocols) or "all",
            f"{one.created:%Y-%m-%d}",
            f"{one.last_used:%Y-%m-%d}" if one.last_used else "never",
        )
        for one in found
    ]
    print_table(("Name", "Protocols", "Created", "Last used"), rows)


@app_password.command("revoke")
@address_argument
@click.argument("name")
@with_config
def app_password_revoke(config: Config, address: str, name: str) -> None:
    """Make an app password useless; open sessions of the account end."""
    with working(config) as work:
        work.wait(work.accounts.revoke_app_password(address, name))
    click.echo(f'The app password "{name}" of {address} is revoked.')


def confirm_destruction(address: str, yes: bool) -> None:
    """Ask, unless ``yes`` was said already. Raises ``ClickException`` where it is not wanted."""
    if not yes and not click.confirm(f"Destroy {address} and all its data for good?"):
        raise click.ClickException("Nothing was deleted.")


def _plain(account: Account) -> dict[str, object]:
    return {
        "address": account.address,
        "name": account.name,
        "state": account.state.value,
        "plan": account.plan,
        "domain_admin": account.domain_admin,
        "created": account.created.isoformat(),
        "last_used": account.last_used.isoformat() if account.last_used else None,
        "hidden_capabilities": list(account.hidden_capabilities),
    }


def _plain_app_password(one: AppPassword) -> dict[str, object]:
    return {
        "name": one.name,
        "protocols": list(one.protocols),
        "created": one.created.isoformat(),
        "last_used": one.last_used.isoformat() if one.last_used else None,
    }


def _plain_details(details: AccountDetails) -> dict[str, object]:
    return {
        **_plain(details.account),
        "has_password": details.has_password,
        "aliases": list(details.aliases),
        "app_passwords": [_plain_app_password(one) for one in details.app_passwords],
        **plain_terms(details.terms),
        "sent_today": details.sent_today,
        "usage": {usage.tool.value: plain_usage(usage) for usage in details.usage},
    }
