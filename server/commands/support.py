"""``folkmoot support``: who of support may look into an account, and what they do there."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from folkmoot.auth.authenticate import Authenticator
from folkmoot.auth.cache import VerifiedCache
from folkmoot.auth.directory import StoreDirectory
from folkmoot.auth.periods import DEFAULT, PERIODS
from folkmoot.auth.throttle import Throttle
from folkmoot.config.schema import Config
from folkmoot.server.commands.context import json_option, print_json, print_table, with_config
from folkmoot.server.commands.support_staff import agent, department
from folkmoot.server.commands.work import Work, working
from folkmoot.storage.types import Tool
from folkmoot.storage.types_support import (
    SupportGrant,
    SupportLogin,
    SupportScope,
    SupportWish,
    scope_text,
)

_C = TypeVar("_C", bound=Callable[..., Any])
_MAX_LINE = 4096
account_argument = click.argument("address", metavar="ACCOUNT")


@click.group("support")
def command() -> None:
    """Access of support staff to accounts.

    Nobody of support sees anything of an account unless its owner lets them in: for a time, for
    some tools, to read or to change. Everything that they do is recorded. The help is in
    docs/support.md.
    """


command.add_command(department)
command.add_command(agent)


def scope_options(function: _C) -> _C:
    """How far a grant goes."""
    for option in (
        click.option("--groups", "with_groups", is_flag=True, help="With the spaces of groups."),
        click.option("--export", is_flag=True, help="Data may be taken out, also many at once."),
        click.option("--read-only", is_flag=True, help="Look only, change nothing."),
        click.option(
            "--tools",
            default=",".join(Tool),
            show_default=True,
            help="Only these tools, with commas between them.",
        ),
    ):
        function = option(function)
    return function


def _period_option(function: _C) -> _C:
    return click.option(
        "--for",
        "period",
        type=click.Choice(PERIODS),
        default=DEFAULT,
        show_default=True,
        help="How long, from now on; today is until midnight.",
    )(function)


def _scope(tools: str, read_only: bool, export: bool, with_groups: bool) -> SupportScope:
    names = [name.strip() for name in tools.split(",") if name.strip()]
    unknown = sorted(set(names) - set(Tool))
    if unknown or not names:
        raise click.UsageError(f"--tools: some of {', '.join(Tool)}.")
    return SupportScope(frozenset(map(Tool, names)), read_only, export, with_groups)


def ask_secret(prompt: str, from_stdin: bool) -> str:
    """A password or code, from the terminal or from a line of standard input."""
    if from_stdin:
        line = sys.stdin.readline(_MAX_LINE).rstrip("\r\n")
        if not line:
            raise click.UsageError(f"There is no {prompt.lower()} on stdin.")
        return line
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on: use --password-stdin.")
    return str(click.prompt(prompt, hide_input=True))


_stdin_option = click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password, and the code in the next line if there is one, from stdin.",
)


# --- customers -----------------------------------------------------------------------------------


@command.command()
@account_argument
@click.option("--to", "grantee", required=True, metavar="AGENT|DEPARTMENT", help="Who is let in.")
@_period_option
@click.option("--zone", default="", help="The customer's time zone, for --for today.")
@scope_options
@json_option
@with_config
def grant(
    config: Config,
    address: str,
    grantee: str,
    period: str,
    zone: str,
    tools: str,
    read_only: bool,
    export: bool,
    with_groups: bool,
    as_json: bool,
) -> None:
    """Let an agent or a department of support into ACCOUNT. Its owner gets a mail."""
    scope = _scope(tools, read_only, export, with_groups)
    with working(config) as work:
        made = work.wait(work.core.support.grant(address, grantee, period, scope, zone=zone))
    if as_json:
        print_json(plain_grant(made))
        return
    click.echo(f"Grant {made.id}: {made.grantee} may come into {made.account} {_until(made)}.")


@command.command()
@account_argument
@click.argument("grant_id", metavar="[GRANT]", type=int, default=0)
@json_option
@with_config
def withdraw(config: Config, address: str, grant_id: int, as_json: bool) -> None:
    """End a grant of ACCOUNT, or all of them; open sessions end with it."""
    with working(config) as work:
        ended = work.wait(work.core.support.withdraw(address, grant_id))
    if as_json:
        print_json(ended)
        return
    click.echo(f"Withdrawn: {', '.join(f'grant {id_}' for id_ in ended) or 'there was none'}.")


@command.command()
@account_argument
@click.argument("grant_id", metavar="GRANT", type=int)
@scope_options
@json_option
@with_config
def narrow(
    config: Config,
    address: str,
    grant_id: int,
    tools: str,
    read_only: bool,
    export: bool,
    with_groups: bool,
    as_json: bool,
) -> None:
    """Take from a grant what is not said here; nothing is added. It counts at once."""
    scope = _scope(tools, read_only, export, with_groups)
    with working(config) as work:
        work.wait(work.core.support.narrow(address, grant_id, scope))
        found = work.wait(work.core.support.grants(address))
    if as_json:
        print_json(next(plain_grant(one) for one in found if one.id == grant_id))
        return
    click.echo(f"Grant {grant_id} of {address} is narrower now.")


@command.command()
@account_argument
@json_option
@with_config
def grants(config: Config, address: str, as_json: bool) -> None:
    """Show who may, and who could in the last six months."""
    with working(config) as work:
        found = work.wait(work.core.support.grants(address))
    if as_json:
        print_json([plain_grant(one) for one in found])
        return
    rows = [
        (
            str(one.id),
            one.grantee,
            _time(one.starts),
            _time(one.ends) if one.ends is not None else "permanent",
            scope_text(one.scope),
            _state(one),
            f"{one.items_read} items, {one.octets_read:,} bytes",
        )
        for one in found
    ]
    print_table(
        ("Grant", "To", "From (UTC)", "Until (UTC)", "How far", "State", "Read freely"), rows
    )


@command.command()
@account_argument
@json_option
@with_config
def logins(config: Config, address: str, as_json: bool) -> None:
    """Show who of support came into ACCOUNT, when, from where and why."""
    found: list[SupportLogin] = []
    with working(config) as work:
        while page := work.wait(
            work.core.support.logins(address, below=found[-1].id if found else 1 << 62)
        ):
            found += page
    if as_json:
        print_json(
            [
                {
                    "time": _iso(one.time),
                    "agent": one.agent,
                    "protocol": one.protocol,
                    "address": one.peer,
                    "reason": one.reason,
                    "grant": one.grant_id,
                }
                for one in found
            ]
        )
        return
    rows = [(_time(one.time), one.agent, one.protocol, one.peer, one.reason) for one in found]
    print_table(("Time (UTC)", "Agent", "Protocol", "From", "Reason"), rows)


@command.command()
@click.argument("link")
@click.option("--zone", default="", help="Your time zone, for a grant until midnight.")
@_stdin_option
@json_option
@with_config
def activate(config: Config, link: str, zone: str, password_stdin: bool, as_json: bool) -> None:
    """Confirm what an agent asked for, with the LINK of the mail and your password."""
    with working(config) as work:
        asked = work.wait(work.core.support.find_link(link))
        if not password_stdin and not as_json:
            click.echo(f"{asked.agent} asks to be let into {asked.account}: {asked.wish.reason}")
            click.echo(f"For {asked.wish.period}, {scope_text(asked.wish.scope)}.")
        password = ask_secret(f"Password of {asked.account}", password_stdin)
        signed_in = _authenticator(config, work).authenticate(
            asked.account, password, "portal", "local"
        )
        made = work.wait(work.core.support.activate(link, work.wait(signed_in), zone=zone))
    if as_json:
        print_json(plain_grant(made))
        return
    click.echo(f"Grant {made.id}: {made.grantee} may come into {made.account} {_until(made)}.")


def _authenticator(config: Config, work: Work) -> Authenticator:
    """Sign-in for one command."""
    directory = StoreDirectory(work.core.store)
    return Authenticator(
        directory,
        work.core.hasher,
        Throttle(time.monotonic),
        VerifiedCache(time.monotonic, config.passwords.remember),
        work.core.store.compute,
        secret=work.wait(directory.secret()),
        scram_iterations=config.passwords.scram_iterations,
    )


# --- agents --------------------------------------------------------------------------------------


@command.command("open")
@account_argument
@click.option("--as", "agent", required=True, metavar="AGENT", help="Your address.")
@click.option("--reason", required=True, help="Why; the customer sees it.")
@click.option(
    "--grant", "grant_id", type=int, default=0, help="Under this grant.  [default: the newest]"
)
@_stdin_option
@json_option
@with_config
def open_session(
    config: Config,
    address: str,
    agent: str,
    reason: str,
    grant_id: int,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Open a session in ACCOUNT and print its key, this once.

    Sign in with the name ACCOUNT*AGENT and the key as password, in any program for mail, calendars,
    contacts or documents.
    """
    with working(config) as work:
        password, code = _credentials(work, agent, password_stdin)
        opened, key = work.wait(
            work.core.support.open(address, agent, password, code, reason, grant_id=grant_id)
        )
    if as_json:
        print_json(
            {
                "key": key,
                "name": f"{address}*{agent}",
                "session": opened.session_id,
                "grant": opened.grant_id,
                "expires": _iso(opened.expires),
            }
        )
        return
    click.echo(f"Name:   {address}*{agent}")
    click.echo(f"Key:    {key}")
    click.echo(f"Until:  {_time(opened.expires)} UTC")


@command.command()
@account_argument
@click.option("--as", "agent", required=True, metavar="AGENT", help="Your address.")
@click.option("--reason", required=True, help="Why; the customer reads it.")
@_period_option
@scope_options
@_stdin_option
@json_option
@with_config
def request(
    config: Config,
    address: str,
    agent: str,
    reason: str,
    period: str,
    tools: str,
    read_only: bool,
    export: bool,
    with_groups: bool,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Ask the owner of ACCOUNT, by a mail with a link, to be let in."""
    wish = SupportWish(reason, period, _scope(tools, read_only, export, with_groups))
    with working(config) as work:
        password, code = _credentials(work, agent, password_stdin)
        work.wait(work.core.support.request(address, agent, password, code, wish))
    if as_json:
        print_json({"account": address, "agent": agent, "period": period, "reason": reason})
        return
    click.echo(f"If there is an account {address} that may let support in, it has a mail now.")


def _credentials(work: Work, agent: str, from_stdin: bool) -> tuple[str, str]:
    password = ask_secret("Password", from_stdin)
    if not work.wait(work.core.staff.needs_code(agent)):
        return password, ""
    if from_stdin:
        return password, sys.stdin.readline(_MAX_LINE).strip()
    return password, ask_secret("Code of the second factor", False)


# --- how things are shown ------------------------------------------------------------------------


def plain_grant(one: SupportGrant) -> dict[str, object]:
    """A grant for scripts."""
    return {
        "id": one.id,
        "account": one.account,
        "to": one.grantee,
        "department": one.is_department,
        "from": _iso(one.starts),
        "until": _iso(one.ends) if one.ends is not None else None,
        "tools": sorted(one.scope.tools),
        "read_only": one.scope.read_only,
        "export": one.scope.export,
        "groups": one.scope.with_groups,
        "granted_by": one.granted_by,
        "state": _state(one),
        "over": _iso(one.over) if one.over is not None else None,
        "first_login": _iso(one.first_login) if one.first_login is not None else None,
        "items_read": one.items_read,
        "bytes_read": one.octets_read,
    }


def _state(one: SupportGrant) -> str:
    if one.withdrawn is not None:
        return "withdrawn"
    return "holds" if one.over is None else "ended"


def _until(one: SupportGrant) -> str:
    return "without end" if one.ends is None else f"until {_time(one.ends)} UTC"


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
