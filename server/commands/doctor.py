"""``folkmoot doctor``: are the surroundings of the server right."""

from __future__ import annotations

import dataclasses
import sys

import click
from rich.console import Console

from folkmoot.config.schema import Config
from folkmoot.server.commands.context import EXIT_FAILED, json_option, print_json, with_config
from folkmoot.server.commands.work import working
from folkmoot.server.doctor import FAIL, OK, WARN, Finding, examine
from folkmoot.server.doctor_dns import examine_dns

_STYLES = {OK: "green", WARN: "yellow", FAIL: "bold red"}


@click.command(short_help="Check the machine around the server.")
@click.option("--no-dns", is_flag=True, help="Do not ask the DNS.")
@json_option
@with_config
def command(config: Config, no_dns: bool, as_json: bool) -> None:
    """Check the machine: ports, certificate, DNS, folders, disk, database, clock.

    Each line says ok, warn or fail, and what to do. The exit code is 1 when a line says fail.
    """
    findings = [*examine(config)]
    if not no_dns:
        findings += examine_dns(config, _domains(config))
    if as_json:
        print_json([dataclasses.asdict(one) for one in findings])
    else:
        _print(findings)
    sys.exit(EXIT_FAILED if any(one.level == FAIL for one in findings) else 0)


def _domains(config: Config) -> list[str]:
    """The domains in the database; it is not made or changed for that."""
    if not config.server.data_dir.is_dir():
        return []
    with working(config) as work:
        return [domain.name for domain in work.wait(work.accounts.domains())]


def _print(findings: list[Finding]) -> None:
    console = Console(markup=False, highlight=False, soft_wrap=True)
    for one in findings:
        console.print(f"{one.level:<5}", style=_STYLES[one.level], end="")
        console.print(f"{one.subject}: {one.text}")
        if one.advice:
            console.print(f"     -> {one.advice}")
