"""``folkmoot init``: the files of a new server."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import click

from folkmoot.config.describe import sample_directory
from folkmoot.config.kinds import WrongValue, domain
from folkmoot.config.rules import load_config
from folkmoot.server.commands.context import load_or_exit
from folkmoot.server.selfsigned import write_self_signed

_CONFIG = """\
# Configuration of Folkmoot. `folkmoot config describe` explains every key that there is,
# `folkmoot config check` tells what is wrong with this file.

[server]
hostname = {hostname}
data_dir = {data_dir}
directory = "directory.toml"

[tls]
certificate = "certificate.pem"
key = "key.pem"

# Reading mail.
[[listener]]
protocol = "imap"
address = "::"
port = 993
tls = "implicit"

[[listener]]
protocol = "imap"
address = "::"
port = 143
tls = "starttls"

# Sending mail.
[[listener]]
protocol = "submission"
address = "::"
port = 465
tls = "implicit"

[[listener]]
protocol = "submission"
address = "::"
port = 587
tls = "starttls"

# Calendars, contacts and documents, and the help to set up programs.
[[listener]]
protocol = "http"
address = "::"
port = 443
tls = "implicit"

# Mail from other servers, handed over by the MTA on this machine.
[[listener]]
protocol = "lmtp"
address = "127.0.0.1"
port = 24
"""


@click.command(short_help="Write the files of a new server.")
@click.option(
    "--hostname",
    help="The name of this server. [default: the name of this machine]",
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/var/lib/folkmoot"),
    show_default=True,
    help="The folder for all data.",
)
@click.pass_obj
def command(file: Path, hostname: str | None, data_dir: Path) -> None:
    """Write the config, a self-signed certificate and the data folder of a new server.

    The files are written where --config says, with directory.toml and the certificate beside it.
    Nothing is replaced: if one of the files is there already, nothing is written.
    """
    name = _hostname(hostname)
    folder = file.absolute().parent
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    directory = folder / "directory.toml"
    present = [one for one in (file, directory, certificate, key) if one.exists()]
    if present:
        raise click.ClickException(f"{present[0]} is there already; nothing was written.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        make_private(data_dir.absolute())
        values = {"hostname": json.dumps(name), "data_dir": json.dumps(str(data_dir.absolute()))}
        write_new(file, _CONFIG.format(**values), 0o640)
        # It may hold first passwords.
        write_new(directory, sample_directory(), 0o600)
        write_self_signed(certificate, key, [name])
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    load_or_exit(load_config, file)
    click.echo(f"Written: {file}, directory.toml, certificate.pem and key.pem beside it.")
    click.echo(f"Next: folkmoot -c {file} domain add {name.partition('.')[2] or name}")


def _hostname(given: str | None) -> str:
    name = given or socket.getfqdn()
    try:
        return str(domain().parse(name, Path()))
    except WrongValue as error:
        raise click.BadParameter(f"expected {error}", param_hint="--hostname") from None


def make_private(folder: Path) -> None:
    """Make a folder that only its owner can open; one that exists keeps its mode."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_new(file: Path, text: str, mode: int) -> None:
    """Write a file that is not there yet. Raises ``FileExistsError``."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as stream:
        stream.write(text)
