"""``folkmoot serve``: run the server in the foreground."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from folkmoot.config.directory import Directory, load_directory
from folkmoot.config.schema import Config
from folkmoot.server.commands.config import file_problems
from folkmoot.server.commands.context import load_or_exit, refuse, with_config
from folkmoot.server.logs import Logs


@click.command(short_help="Run the server in the foreground.")
@click.option("--worker", hidden=True, help="The place of a worker, as its supervisor gives it.")
@with_config
def command(config: Config, worker: str | None) -> None:
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
    if config.server.workers > 1 and worker is None:
        _supervise(config)
    else:
        _serve(config, directory, worker)


def _supervise(config: Config) -> None:
    from folkmoot.server.supervisor import supervise

    file: Path = click.get_current_context().obj
    logs = _logs(config)
    sys.exit(supervise(config, file, logs.reopen))


def _serve(config: Config, directory: Directory | None, worker: str | None) -> None:
    # Not at the top: the reactor has to be installed before the server's modules are imported.
    from folkmoot.server.run import install_reactor, run

    reactor = install_reactor()
    from folkmoot.server.place import ALONE, Place
    from folkmoot.server.wiring import Server

    place = ALONE if worker is None else Place.of(worker)
    logs = _logs(config, None if worker is None else place.number)
    logs.bridge_twisted()

    def make() -> Server:
        return Server(config, reactor, directory=directory, reopen_logs=logs.reopen, place=place)

    sys.exit(run(reactor, make, watch=place.line))


def _logs(config: Config, worker: int | None = None) -> Logs:
    try:
        return Logs(config.log.level, config.log.format, config.log.file, worker=worker)
    except OSError as error:
        refuse(f"{config.log.file}: {error.strerror}")
