"""``folkmoot demo``: a whole server to try, with people and mail."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
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
def demo(data: Path, base_port: int) -> None:
    """Run a server on this machine only, with five people and some mail to try.

    It listens on 127.0.0.1 and prints its ports and logins, then a line "ready". Data stays in the
    folder until you delete it. Mail to other domains is not sent. SIGINT (Ctrl-C) ends it.
    """
    # Not at the top: the reactor has to be installed before the server's modules are imported.
    from folkmoot.server.run import install_reactor, run

    reactor = install_reactor()
    from folkmoot.server.demo import Demo, demo_config, demo_directory, prepare
    from folkmoot.server.logs import Logs
    from folkmoot.server.wiring import Server

    folder = data.absolute()
    try:
        prepare(folder)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    logs = Logs("warning", "text", None)
    logs.bridge_twisted()
    config, directory = demo_config(folder, base_port), demo_directory(folder)

    def make() -> Demo:
        return Demo(folder, reactor, Server(config, reactor, directory=directory))

    sys.exit(run(reactor, make))
