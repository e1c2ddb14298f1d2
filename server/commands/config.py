"""``folkmoot config``: check, describe and sample."""

from __future__ import annotations

import dataclasses
import textwrap
from pathlib import Path

import click

from folkmoot.config.describe import describe, sample_config, sample_directory
from folkmoot.config.directory import Directory, load_directory
from folkmoot.config.schema import Config
from folkmoot.server.commands.context import (
    json_option,
    load_or_exit,
    print_json,
    refuse,
    with_config,
)
from folkmoot.server.tls import TlsError, TlsStore

directory_option = click.option(
    "--directory", is_flag=True, help="The directory file instead of the config file."
)


@click.group("config")
def command() -> None:
    """Check and explain the config file."""


@command.command()
@with_config
def check(config: Config) -> None:
    """Check the config file and the files that it names, without starting anything.

    Every problem is printed with its file and line; the exit code is then 2.
    """
    if config.server.directory is not None:
        load_or_exit(load_directory, config.server.directory)
    problems = file_problems(config)
    if problems:
        refuse(*problems)
    click.echo("The config is good.")


def file_problems(config: Config) -> list[str]:
    """What is wrong with the files that a config names, one sentence each."""
    problems = []
    if config.tls.certificate is not None and config.tls.key is not None:
        try:
            TlsStore(config.tls.certificate, config.tls.key)
        except TlsError as error:
            problems.append(str(error))
    named = [("relay.password_file", config.relay.password_file)]
    named += [(f"dkim[{n}].key", entry.key) for n, entry in enumerate(config.dkim)]
    for key, file in named:
        if file is not None and not _readable(file):
            problems.append(f"{file}: {key} names this file, which cannot be read")
    return problems


def _readable(file: Path) -> bool:
    try:
        with file.open("rb"):
            return True
    except OSError:
        return False


@command.command("describe")
@directory_option
@json_option
def describe_command(directory: bool, as_json: bool) -> None:
    """List every key with its type, default and meaning."""
    keys = describe(Directory if directory else Config)
    if as_json:
        print_json([dataclasses.asdict(key) for key in keys])
        return
    for key in keys:
        default = "required" if key.required else f"default {key.default}" if key.default else ""
        click.echo(f"{key.path}  ({', '.join(filter(None, (key.type, default)))})")
        click.echo(textwrap.indent(textwrap.fill(key.help, 92), "    ") + "\n")


@command.command()
@directory_option
def sample(directory: bool) -> None:
    """Print a commented file with every key, to start from."""
    click.echo(sample_directory() if directory else sample_config(), nl=False)
