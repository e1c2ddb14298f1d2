"""The command line. Exit codes: 0 done, 1 the operation failed, 2 wrong config or usage."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import click

from folkmoot.server.commands.context import DEFAULT_CONFIG

# Each is the object `command` of the module with its name in `commands` (with _ for -).
_NAMES = (
    *("account", "audit", "check", "config", "demo", "doctor", "domain", "group", "help-desk"),
    *("init", "payment", "plan", "queue", "serve", "share", "support"),
)


class _Commands(click.Group):
    """Imports a command when it is asked for: the store and the DNS take a while to load."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _NAMES:
            return None
        module = import_module(f"folkmoot.server.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


_EPILOG = (
    "Exit codes: 0 done; 1 the operation failed or something was found; 2 wrong config or usage."
)


@click.group(
    cls=_Commands,
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
