"""``folkmoot support department`` and ``agent``: who works for support."""

from __future__ import annotations

import click

from folkmoot.auth import totp
from folkmoot.auth.support_staff import AgentWanted
from folkmoot.config.schema import Config
from folkmoot.server.commands.context import json_option, print_json, print_table, with_config
from folkmoot.server.commands.passwords import password_options, read_password
from folkmoot.server.commands.work import working
from folkmoot.storage.types_support import AgentState


@click.group()
def department() -> None:
    """Departments of support."""


@department.command("add")
@click.argument("name")
@with_config
def department_add(config: Config, name: str) -> None:
    """Make a department."""
    with working(config) as work:
        work.wait(work.core.staff.create_department(name))
    click.echo(f"The department {name} is ready.")


@department.command("list")
@json_option
@with_config
def department_list(config: Config, as_json: bool) -> None:
    """List departments."""
    with working(config) as work:
        found = work.wait(work.core.staff.departments())
    if as_json:
        print_json([{"name": one.name, "agents": one.agents} for one in found])
        return
    print_table(("Name", "Agents"), [(one.name, str(one.agents)) for one in found])


@click.group()
def agent() -> None:
    """People who work for support. They have no account by this, and see nothing."""


@agent.command("add")
@click.argument("agent_address", metavar="AGENT")
@click.option("--name", default="", help="The person's name.")
@click.option("--department", "department_name", default="", help="The department.")
@click.option("--no-second-factor", is_flag=True, help="Sign in with the password alone.")
@password_options
@with_config
def agent_add(
    config: Config,
    agent_address: str,
    name: str,
    department_name: str,
    no_second_factor: bool,
    password_stdin: bool,
    generate: bool,
) -> None:
    """Make an agent. The secret of the second factor is printed, this once."""
    password, shown = read_password(password_stdin, generate)
    secret = "" if no_second_factor else totp.new_secret()
    wanted = AgentWanted(
        address=agent_address,
        name=name,
        password=password,
        totp=secret,
        department=department_name,
    )
    with working(config) as work:
        work.wait(work.core.staff.create_agent(wanted))
    click.echo(f"The agent {agent_address} is ready.")
    if shown:
        click.echo(f"Password: {password}")
    if secret:
        click.echo(f"Second factor: {secret}")
        click.echo(totp.secret_uri(secret, agent_address, config.server.hostname))


@agent.command("list")
@json_option
@with_config
def agent_list(config: Config, as_json: bool) -> None:
    """List agents."""
    with working(config) as work:
        found = work.wait(work.core.staff.agents())
    if as_json:
        print_json(
            [
                {
                    "address": one.address,
                    "name": one.name,
                    "department": one.department or None,
                    "state": one.state.value,
                    "second_factor": one.second_factor,
                }
                for one in found
            ]
        )
        return
    rows = [
        (
            one.address,
            one.name,
            one.department or "none",
            one.state.value,
            "yes" if one.second_factor else "no",
        )
        for one in found
    ]
    print_table(("Address", "Name", "Department", "State", "Second factor"), rows)


@agent.command("set")
@click.argument("agent_address", metavar="AGENT")
@click.option("--name", help="The person's name.")
@click.option("--department", "department_name", help='The department; "" for none.')
@click.option("--disable/--enable", default=None, help="Whether the agent can do anything.")
@click.option("--new-second-factor", is_flag=True, help="Make another one and print it.")
@with_config
def agent_set(
    config: Config,
    agent_address: str,
    name: str | None,
    department_name: str | None,
    disable: bool | None,
    new_second_factor: bool,
) -> None:
    """Change an agent. Sessions that this ends are cut off."""
    secret = totp.new_secret() if new_second_factor else None
    state = None
    if disable is not None:
        state = AgentState.DISABLED if disable else AgentState.ACTIVE
    with working(config) as work:
        work.wait(
            work.core.staff.update_agent(
                agent_address,
                name=name,
                second_factor=secret,
                department=department_name,
                state=state,
            )
        )
    click.echo(f"The agent {agent_address} is changed.")
    if secret:
        click.echo(f"Second factor: {secret}")
        click.echo(totp.secret_uri(secret, agent_address, config.server.hostname))


@agent.command("passwd")
@click.argument("agent_address", metavar="AGENT")
@password_options
@with_config
def agent_passwd(config: Config, agent_address: str, password_stdin: bool, generate: bool) -> None:
    """Change the password of an agent."""
    password, shown = read_password(password_stdin, generate)
    with working(config) as work:
        work.wait(work.core.staff.update_agent(agent_address, password=password))
    click.echo(f"The password of {agent_address} is changed.")
    if shown:
        click.echo(f"Password: {password}")
