"""``folkmoot check``: is the stored data right."""

from __future__ import annotations

import dataclasses
import sys

import click
from rich.console import Console
from rich.progress import Progress

from folkmoot.config.schema import Config
from folkmoot.server.commands.context import EXIT_FAILED, json_option, print_json, with_config
from folkmoot.server.commands.work import working
from folkmoot.storage import upkeep
from folkmoot.storage.index import build
from folkmoot.storage.store import Store


@click.command(short_help="Check the stored data.")
@click.option("--repair", is_flag=True, help="Recount what can be recounted.")
@click.option("--deep", is_flag=True, help="Also read every message and compare its checksum.")
@click.option("--reindex", is_flag=True, help="Make the search index anew, and tell its size.")
@json_option
@with_config
def command(config: Config, repair: bool, deep: bool, reindex: bool, as_json: bool) -> None:
    """Check the stored data: counters, sizes, usage, lost and superfluous parts.

    The exit code is 1 when something is found. It can run beside the server.
    """
    with working(config) as work:
        store = work.core.store
        found = upkeep.check(store, deep=deep)
        rebuilt = _reindex(store, quiet=as_json) if reindex else None
        repaired = [one for one in found if repair and one.repairable]
        if repaired:
            upkeep.repair(store)
            found = upkeep.check(store, deep=deep)
    if as_json:
        print_json(
            {
                "found": [dataclasses.asdict(one) for one in found],
                "repaired": [one.what for one in repaired],
                **({"index": dataclasses.asdict(rebuilt)} if rebuilt else {}),
            }
        )
    else:
        for one in repaired:
            click.echo(f"repaired: {one.what}")
        for one in found:
            hint = " (--repair mends this)" if one.repairable else ""
            click.echo(f"found: {one.what}{hint}")
        if rebuilt is not None:
            click.echo(_described(rebuilt))
        if not found:
            click.echo("Everything is as it must be.")
    sys.exit(EXIT_FAILED if found or repaired else 0)


def _reindex(store: Store, *, quiet: bool) -> build.Rebuilt:
    build.prepare(store)
    if quiet:
        return build.rebuild(store)
    waiting = build.describe(store)
    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("Indexing", total=waiting.messages + waiting.waiting)
        return build.rebuild(store, lambda done: progress.update(task, completed=done))


def _described(rebuilt: build.Rebuilt) -> str:
    facts = rebuilt.facts
    rate = facts.messages / rebuilt.seconds if rebuilt.seconds else 0
    return (
        f"Indexed {facts.messages} messages in {rebuilt.seconds:.1f} seconds ({rate:.0f} a"
        f" second): {facts.texts / 1e6:.1f} million characters of text,"
        f" {facts.trigrams / 1e6:.1f} MB of trigrams."
    )
