"""``folkmoot share``: what accounts and groups share, and with whom."""

from __future__ import annotations

import click

from folkmoot.config.schema import Config
from folkmoot.server.commands.context import json_option, print_json, print_table, with_config
from folkmoot.server.commands.work import working
from folkmoot.sharing.rights import granted_rights_named, rights_text
from folkmoot.sharing.sharing import path_of
from folkmoot.storage.types import Right
from folkmoot.storage.types_sharing import SharedThing

owner_argument = click.argument("owner")
path_argument = click.argument("path")
with_option = click.option(
    "--with",
    "grantee",
    required=True,
    metavar="GROUP|ACCOUNT",
    help="A group that OWNER is in (or is itself), or a member of such a group.",
)


@click.group("share")
def command() -> None:
    """What accounts and groups share with groups and with people in them.

    OWNER is the mail address of an account or of a group. PATH is a thing of it as people see it:
    mail/Projects, calendar/Calendar, contacts/Contacts, documents/Reports/2026, with all below it;
    or one item, for groups: documents/Reports/Plan.odt, mail/INBOX;UID=7. Changes take effect at
    once, also in a server that runs.
    """


def _rights(context: click.Context, parameter: click.Parameter, value: str) -> Right:
    try:
        return granted_rights_named(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}: {value!r}.") from None


@command.command()
@owner_argument
@path_argument
@with_option
@click.option(
    "--rights",
    required=True,
    callback=_rights,
    metavar="RIGHTS",
    help="read, write, busy (of calendars: when, not what), none (nothing, whatever is given "
    "above), or letters of RFC 4314. They count instead of those given before.",
)
@with_config
def add(config: Config, owner: str, path: str, grantee: str, rights: Right) -> None:
    """Share something, or change what was given on it.

    A group may share a collection of its own with itself: then this is what all its members may
    do there, but for its administrator.
    """
    with working(config) as work:
        work.wait(work.sharing.share(owner, path, grantee, rights))
    click.echo(f"{path} of {owner} is shared with {grantee}: {rights_text(rights)}.")


@command.command("list")
@owner_argument
@click.argument("path", default="")
@json_option
@with_config
def list_shared(config: Config, owner: str, path: str, as_json: bool) -> None:
    """List what OWNER shares, all or at PATH."""
    with working(config) as work:
        shared = work.wait(work.sharing.shared(owner, path))
    if as_json:
        print_json([_plain(each) for each in shared])
        return
    rows = [(path_of(one), one.grant.address, rights_text(one.grant.rights)) for one in shared]
    print_table(("Path", "With", "Rights"), rows)


@command.command()
@owner_argument
@path_argument
@with_option
@with_config
def remove(config: Config, owner: str, path: str, grantee: str) -> None:
    """Share something no more, at once."""
    with working(config) as work:
        work.wait(work.sharing.unshare(owner, path, grantee))
    click.echo(f"{path} of {owner} is not shared with {grantee} any more.")


def _plain(shared: SharedThing) -> dict[str, object]:
    grant = shared.grant
    return {
        "path": path_of(shared),
        "with": grant.address,
        "group": grant.is_group,
        "rights": rights_text(grant.rights),
    }
