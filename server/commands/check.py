"""``folkmoot check``: is the stored data right."""

from __future__ import annotations

import dataclasses
import sys

import click

from folkmoot.config.schema import Config
from folkmoot.server.commands.context import EXIT_FAILED, json_option, print_json, with_config
from folkmoot.server.commands.work import working
from folkmoot.storage import upkeep


@click.command(short_help="Check the stored data.")
@click.option("--repair", is_flag=True, help="Recount what can be recounted.")
@click.option("--deep", is_flag=True, help="Also read every message and compare its checksum.")
@json_option
@with_config
def command(config: Config, repair: bool, deep: bool, as_json: bool) -> None:
    """Check the stored data: counters, sizes, usage, lost and superfluous parts.

    The exit code is 1 when something is found. It can run beside the server.
    """
    with working(config) as work:
        store = work.core.store
        found = upkeep.check(store, deep=deep)
        repaired = [one for one in found if repair and one.repairable]
        if repaired:
            upkeep.repair(store)
            found = upkeep.check(store, deep=deep)
    if as_json:
        print_json(
            {
                "found": [dataclasses.asdict(one) for one in found],
                "repaired": [one.what for one in repaired],
            }
        )
    else:
        for one in repaired:
            click.echo(f"repaired: {one.what}")
        for one in found:
            hint = " (--repair mends this)" if one.repairable else ""
            click.echo(f"found: {one.what}{hint}")
        if not found:
            click.echo("Everything is as it must be.")
    sys.exit(EXIT_FAILED if found or repaired else 0)
