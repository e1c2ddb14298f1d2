"""``folkmoot serve``: run the server in the foreground."""

from __future__ import annotations

import sys

import click

from folkmoot.config.directory import load_directory
from folkmoot.config.schema import Config
from folkmoot.server.commands.config import file_problems
from folkmoot.server.commands.context import load_or_exit, refuse, with_config


@click.command(short_help="Run the server in the foreground.")
@with_config
def command(config: Config) -> None:
    """Run the server in the foreground, until SIGTERM or SIGINT.

    SIGHUP reads the certificate and directory.toml again and reopens the log file. Nothing is
    started when the config is wrong; the exit code is then 2.
    """
    directory = None
    if config.server.directory is not None:
        directory = load_or_exit(load_directory, config.server.directory)
    problems = file_problems(config)
    if problems:
        refuse(*problems)
    # Not at the top: the reactor has to be installed before the server's modules are imported.
    from folkmoot.server.run import install_reactor, run

    reactor = install_reactor()
    from folkmoot.server.logs import Logs
    from folkmoot.server.wiring import Server

    try:
        logs = Logs(config.log.level, config.log.format, config.log.file)
    except OSError as error:
        refuse(f"{config.log.file}: {error.strerror}")
    logs.bridge_twisted()
    sys.exit(
        run(
            reactor,
            lambda: Server(config, reactor, directory=directory, reopen_logs=logs.reopen),
        )
    )
