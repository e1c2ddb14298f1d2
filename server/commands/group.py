"""``folkmoot group``: people with a space of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import click

from folkmoot.config.schema import Config
from folkmoot.server.commands.account import confirm_destruction
from folkmoot.server.commands.context import json_option, print_json, print_table, with_config
from folkmoot.server.commands.usage import limit_options, plain_usage, print_usage
from folkmoot.server.commands.work import working
from folkmoot.sharing.policy import MEMBER
from folkmoot.sharing.rights import member_rights_named, rights_text
from folkmoot.storage.types import OwnLimit, Right, Tool
from folkmoot.storage.types_groups import Group, GroupDetails, Member, Posting

_C = TypeVar("_C", bound=Callable[..., object])

group_argument = click.argument("address", metavar="GROUP")
account_argument = click.argument("account")


@click.group("group")
def command() -> None:
    """People with a mail address and a space of their own.

    A group and an account are named by their mail addresses. Changes take effect at once, also in
    a server that runs.
    """


@command.command()
@group_argument
@click.option("--admin", required=True, metavar="ACCOUNT", help="Who administers the group.")
@click.option("--name", default="", help="What it is called.  [default: the part before the @]")
@with_config
def add(config: Config, address: str, admin: str, name: str) -> None:
    """Make a group. It has the limits of its administrator's plan for itself."""
    with working(config) as work:
        made = work.wait(work.groups.create(address, admin, name))
    click.echo(f"The group {made.address} is ready.")


@command.command("list")
@json_option
@with_config
def list_groups(config: Config, as_json: bool) -> None:
    """List groups."""
    with working(config) as work:
        groups = work.wait(work.groups.groups())
    if as_json:
        print_json([_plain(group) for group in groups])
        return
    rows = [(one.address, one.name, one.administrator, str(one.members)) for one in groups]
    print_table(("Address", "Name", "Administrator", "Members"), rows)


@command.command()
@group_argument
@json_option
@with_config
def show(config: Config, address: str, as_json: bool) -> None:
    """Show a group: its members and their rights, used and allowed space."""
    with working(config) as work:
        details = work.wait(work.groups.show(address))
    if as_json:
        print_json(_plain_details(details))
        return
    group = details.group
    click.echo(f"Address:        {group.address}")
    click.echo(f"Name:           {group.name}")
    click.echo(f"Administrator:  {group.administrator}")
    click.echo(f"Created:        {group.created:%Y-%m-%d}")
    if details.aliases:
        click.echo(f"Aliases:        {', '.join(details.aliases)}")
    tools = tuple(Tool)
    used = ", ".join(tool.value for tool in tools if tool in details.tools)
    click.echo(f"Tools:          {used or 'none'}")
    click.echo(f"Mail from:      {details.posting.value}")
    rows = [
        (
            one.address,
            *(_rights(one, tool) for tool in tools),
            "yes" if one.forward else "no",
            f"{one.joined:%Y-%m-%d}",
        )
        for one in details.members
    ]
    print_table(("Member", *(tool.value for tool in tools), "Forward", "Joined"), rows)
    print_usage(details.usage)


@command.command()
@group_argument
@click.argument("name")
@with_config
def rename(config: Config, address: str, name: str) -> None:
    """Call a group something else; its address stays."""
    with working(config) as work:
        work.wait(work.groups.rename(address, name))
    click.echo(f'The group {address} is called "{name}" now.')


def _tools(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> frozenset[Tool] | None:
    if value is None:
        return None
    if value in ("all", "none"):
        return frozenset(Tool if value == "all" else ())
    try:
        return frozenset(Tool(name.strip()) for name in value.split(","))
    except ValueError:
        names = ", ".join(tool.value for tool in Tool)
        raise click.BadParameter(f"{value!r} is not a list of {names}.") from None


@command.command("set")
@group_argument
@click.option(
    "--posting",
    type=click.Choice([posting.value for posting in Posting]),
    help="Who may write to the address; writers are the members who may post mail (p, write).",
)
@click.option(
    "--tools",
    callback=_tools,
    metavar="TOOL,…",
    help="The tools that the group uses: mail, calendar, contacts, documents; all or none. "
    "What is in a tool that is left out is kept, but nobody sees it.",
)
@with_config
def set_(config: Config, address: str, posting: str | None, tools: frozenset[Tool] | None) -> None:
    """Say who may write to a group, and which tools it uses."""
    if posting is None and tools is None:
        raise click.UsageError("Say what to set: --posting or --tools.")
    with working(config) as work:
        work.wait(work.groups.set_settings(address, Posting(posting) if posting else None, tools))
    click.echo(f"The group {address} is changed.")


@command.command()
@group_argument
@limit_options
@with_config
def limit(config: Config, address: str, limits: Mapping[Tool, OwnLimit]) -> None:
    """Let TOOL of a group hold less than its plan gives; without options, as much again.

    What is over stays; nothing is added until there is room. Who leads it may change it (IMAP).
    """
    with working(config) as work:
        work.wait(work.groups.limit(address, limits))
        print_usage(work.wait(work.groups.show(address)).usage)


@command.command()
@group_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_config
def delete(config: Config, address: str, yes: bool) -> None:
    """Destroy a group and all its data for good."""
    with working(config) as work:
        found = work.wait(work.groups.show(address)).group
        confirm_destruction(found.address, yes)
        work.wait(work.groups.delete(address))
    click.echo(f"The group {address} is deleted.")


@command.command()
@group_argument
@account_argument
@with_config
def admin(config: Config, address: str, account: str) -> None:
    """Hand a group over to ACCOUNT, which must be a member; it follows the plan of ACCOUNT."""
    with working(config) as work:
        work.wait(work.groups.hand_over(address, account))
    click.echo(f"{account} administers {address} now.")


@command.group(short_help="Who is in a group, and what they may do.")
def member() -> None:
    """Who is in a group, and what they may do. Every member reads what the group has."""


def _tool_rights(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[Tool, Right]:
    found: dict[Tool, Right] = {}
    for value in values:
        name, equals, rights = value.partition("=")
        tools = [*Tool] if name == "all" else [tool for tool in Tool if tool.value == name]
        if not equals or not tools:
            names = ", ".join(["all", *(tool.value for tool in Tool)])
            raise click.BadParameter(f"{value!r} is not TOOL=RIGHTS, with TOOL of {names}.")
        try:
            found.update(dict.fromkeys(tools, member_rights_named(rights)))
        except ValueError as error:
            raise click.BadParameter(f"{error}: {value!r}.") from None
    return found


def tool_option(required: bool) -> Callable[[_C], _C]:
    """The option that says what a member may do."""
    return click.option(
        "--tool",
        "rights",
        multiple=True,
        required=required,
        callback=_tool_rights,
        metavar="TOOL=RIGHTS",
        help="TOOL is mail, calendar, contacts, documents or all; RIGHTS is read, write or "
        "letters of RFC 4314, and +send-as to write mail in the name of the group: "
        "mail=write+send-as. Can be given more than once.",
    )


@member.command("add")
@group_argument
@account_argument
@tool_option(required=False)
@with_config
def member_add(config: Config, address: str, account: str, rights: Mapping[Tool, Right]) -> None:
    """Take ACCOUNT into a group; it reads what is there, and may do what --tool says."""
    with working(config) as work:
        work.wait(work.groups.add_member(address, account, rights))
    click.echo(f"{account} is a member of {address} now.")


@member.command("remove")
@group_argument
@account_argument
@with_config
def member_remove(config: Config, address: str, account: str) -> None:
    """Take ACCOUNT out of a group, at once."""
    with working(config) as work:
        work.wait(work.groups.remove_member(address, account))
    click.echo(f"{account} is no longer a member of {address}.")


@member.command("rights")
@group_argument
@account_argument
@tool_option(required=True)
@with_config
def member_rights(config: Config, address: str, account: str, rights: Mapping[Tool, Right]) -> None:
    """Say what a member may do in tools; those that are not named stay as they are."""
    with working(config) as work:
        work.wait(work.groups.set_rights(address, account, rights))
    click.echo(f"The rights of {account} in {address} are changed.")


@member.command("forward")
@group_argument
@account_argument
@click.argument("state", type=click.Choice(["on", "off"]))
@with_config
def member_forward(config: Config, address: str, account: str, state: str) -> None:
    """Say whether mail to the group goes to the INBOX of ACCOUNT as well."""
    with working(config) as work:
        work.wait(work.groups.set_forward(address, account, state == "on"))
    goes = "goes" if state == "on" else "does not go"
    click.echo(f"Mail to {address} {goes} to {account} as well.")


@command.group(short_help="More addresses of a group.")
def alias() -> None:
    """More addresses of a group."""


@alias.command("add")
@group_argument
@click.argument("alias")
@with_config
def alias_add(config: Config, address: str, alias: str) -> None:
    """Let mail to ALIAS reach a group."""
    with working(config) as work:
        work.wait(work.groups.add_alias(address, alias))
    click.echo(f"{alias} leads to {address} now.")


@alias.command("remove")
@group_argument
@click.argument("alias")
@with_config
def alias_remove(config: Config, address: str, alias: str) -> None:
    """Take an address away from a group."""
    with working(config) as work:
        work.wait(work.groups.remove_alias(address, alias))
    click.echo(f"{alias} leads to {address} no more.")


def _rights(member: Member, tool: Tool) -> str:
    return "all" if member.administrator else rights_text(MEMBER | member.rights[tool])


def _plain(group: Group) -> dict[str, object]:
    return {
        "address": group.address,
        "name": group.name,
        "administrator": group.administrator,
        "members": group.members,
        "created": group.created.isoformat(),
    }


def _plain_details(details: GroupDetails) -> dict[str, object]:
    members = [
        {
            "address": one.address,
            "name": one.name,
            "administrator": one.administrator,
            "rights": {tool.value: _rights(one, tool) for tool in Tool},
            "forward": one.forward,
            "joined": one.joined.isoformat(),
        }
        for one in details.members
    ]
    usage = {usage.tool.value: plain_usage(usage) for usage in details.usage}
    return {
        **_plain(details.group),
        "aliases": list(details.aliases),
        "posting": details.posting.value,
        "tools": [tool.value for tool in Tool if tool in details.tools],
        "members": members,
        "usage": usage,
    }
