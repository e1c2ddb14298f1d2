"""``folkmoot demo``: a whole server to try, with people and mail."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from folkmoot.server.commands.context import load_or_exit


@click.command(short_help="Try a server with five people and some mail.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-data"),
    show_default=True,
    help="The folder of the demo's data; made when it is missing.",
)
@click.option(
    "--base-port",
    type=click.IntRange(0, 64542),
    default=10000,
    show_default=True,
    help="What is added to the usual port numbers: IMAP is then on port N+143.",
)
def command(data: Path, base_port: int) -> None:
    """Run a server on this machine only, with five people and some mail to try.

    It listens on 127.0.0.1 and prints its ports and logins, then a line "ready". Data stays in the
    folder until you delete it. Mail to other domains is not sent. SIGINT (Ctrl-C) ends it.
    """
    # Not at the top: the reactor has to be installed before the server's modules are imported.
    from folkmoot.server.run import install_reactor, run

    reactor = install_reactor()
    from folkmoot.config.directory import load_directory
    from folkmoot.config.rules import load_config
    from folkmoot.server.demo import Demo, prepare
    from folkmoot.server.logs import Logs
    from folkmoot.server.wiring import Server

    folder = data.absolute()
    try:
        file = prepare(folder, base_port)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    config = load_or_exit(load_config, file)
    directory = load_or_exit(load_directory, folder / "directory.toml")
    logs = Logs("warning", "text", None)
    logs.bridge_twisted()

    def make() -> Demo:
        return Demo(folder, reactor, Server(config, reactor, directory=directory))

    sys.exit(run(reactor, make))
