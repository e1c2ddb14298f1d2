"""``folkmoot audit``: what was done, by whom, and whether the record of it is whole."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from folkmoot.config.schema import Config
from folkmoot.server.commands.context import (
    EXIT_FAILED,
    json_option,
    print_json,
    print_table,
    with_config,
)
from folkmoot.server.commands.work import working
from folkmoot.storage.types_support import TrailRow


@click.group("audit")
def command() -> None:
    """The audit trail: what administrators and support did.

    Rows are only added. Each has the hash of the one before, so that nobody can change one
    without being found out.
    """


@command.command()
@click.argument("address", metavar="[ACCOUNT]", default="")
@click.option("--support", is_flag=True, help="Only what agents of support did.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="How many rows at most.",
)
@click.option(
    "--on",
    metavar="TEXT",
    default="",
    help="Only what has this in the name of a mailbox, calendar, folder or item: its history.",
)
@click.option("--before", type=int, default=1 << 62, help="Only rows below this number.")
@json_option
@with_config
def show(
    config: Config,
    address: str,
    support: bool,
    limit: int,
    on: str,
    before: int,
    as_json: bool,
) -> None:
    """Show the latest rows, of ACCOUNT or of all."""
    with working(config) as work:
        rows = work.wait(
            work.core.support.trail(address, limit=limit, below=before, support=support, on=on)
        )
    if as_json:
        print_json([_plain(row) for row in rows])
        return
    shown = [
        (
            str(row.id),
            f"{datetime.fromtimestamp(row.time, UTC):%Y-%m-%d %H:%M:%S}",
            f"{row.agent} in {row.name}" if row.agent else row.name,
            row.operation,
            ", ".join(row.names),
            row.detail,
            row.reason,
        )
        for row in rows
    ]
    print_table(("Row", "Time (UTC)", "Who", "Operation", "Where", "What", "Reason"), shown)


@command.command()
@click.option(
    "--holds",
    metavar="NUMBER:HASH",
    help="A row and its hash as they were printed before: they must be in the trail still.",
)
@json_option
@with_config
def verify(config: Config, holds: str | None, as_json: bool) -> None:
    """Read the whole trail and see that nothing in it was changed; exit code 1 if it was.

    Note the last row and its hash somewhere else: with `--holds`, they prove later that nothing
    before was rewritten.
    """
    with working(config) as work:
        result = work.wait(work.core.support.check_trail(holds or ""))
    if as_json:
        print_json(
            {
                "rows": result.rows,
                "first": result.first,
                "last": result.last,
                "hash": result.hash,
                "broken": list(result.broken),
            }
        )
    else:
        for line in result.broken:
            click.echo(f"Broken: {line}", err=True)
        click.echo(f"{result.rows} rows, the last is {result.last}:{result.hash}")
        if not result.broken:
            click.echo("The trail is whole.")
    if result.broken:
        sys.exit(EXIT_FAILED)


def _plain(row: TrailRow) -> dict[str, object]:
    return {
        "row": row.id,
        "time": datetime.fromtimestamp(row.time, UTC).isoformat(),
        "kind": row.kind,
        "account": row.name,
        "agent": row.agent or None,
        "grant": row.grant_id or None,
        "session": row.session_id or None,
        "reason": row.reason,
        "label": row.label,
        "operation": row.operation,
        "collections": list(row.collections),
        "names": list(row.names),
        "detail": row.detail,
    }
