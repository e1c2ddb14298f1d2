"""The command line. Exit codes: 0 done, 1 the operation failed, 2 wrong config or usage."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path

import click

from folkmoot.server.commands.account import account_group
from folkmoot.server.commands.check import check, doctor
from folkmoot.server.commands.config import config_group
from folkmoot.server.commands.context import DEFAULT_CONFIG
from folkmoot.server.commands.demo import demo
from folkmoot.server.commands.domain import domain_group
from folkmoot.server.commands.init import init
from folkmoot.server.commands.queue import queue_group
from folkmoot.server.commands.serve import serve

_EPILOG = (
    "Exit codes: 0 done; 1 the operation failed or something was found; 2 wrong config or usage."
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
@click.option(
    "-c",
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_CONFIG,
    envvar="FOLKMOOT_CONFIG",
    show_default=True,
    show_envvar=True,
    help="The config file.",
)
@click.version_option(version("folkmoot"), prog_name="folkmoot")
@click.pass_context
def main(context: click.Context, config_file: Path) -> None:
    """Folkmoot: mail, calendars, contacts and documents for people and groups.

    Try it with `folkmoot demo`. Set up a server with `folkmoot init`, then run `folkmoot serve`.
    """
    os.umask(0o077)  # whatever is written here is for the server only
    context.obj = config_file


for command in (
    demo,
    init,
    serve,
    config_group,
    domain_group,
    account_group,
    queue_group,
    check,
    doctor,
):
    main.add_command(command)
