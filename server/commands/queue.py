"""``folkmoot queue``: mail that waits to be sent."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from folkmoot.config.schema import Config
from folkmoot.server.commands.context import json_option, print_json, print_table, with_config
from folkmoot.server.commands.work import working
from folkmoot.storage.types_mail import QueuedRecipient, QueueEntry

message_id = click.argument("number", type=click.IntRange(1))


@click.group("queue")
def command() -> None:
    """Mail that waits to be sent.

    A message is named by its number in `queue list`.
    """


@command.command("list")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="At most this many recipients, the oldest messages first.",
)
@json_option
@with_config
def list_queue(config: Config, limit: int, as_json: bool) -> None:
    """List waiting messages and their recipients."""
    with working(config) as work:
        entries = work.wait(work.outbound.entries(limit))
    if as_json:
        print_json([_plain(entry) for entry in entries])
        return
    now = datetime.now(UTC)
    rows = [
        (
            str(entry.message.id),
            entry.message.sender or "<>",
            one.recipient.address,
            _span((now - entry.message.created).total_seconds()),
            str(one.attempts),
            _when(one, now),
            one.last_reply,
        )
        for entry in entries
        for one in entry.recipients
    ]
    print_table(("Number", "From", "To", "Age", "Attempts", "Next", "Last reply"), rows)


@command.command()
@message_id
@json_option
@with_config
def show(config: Config, number: int, as_json: bool) -> None:
    """Show one message: its envelope and what became of each attempt."""
    with working(config) as work:
        entry = work.wait(work.outbound.show(number))
    if as_json:
        print_json(_plain(entry))
        return
    message = entry.message
    click.echo(f"Number:   {message.id}")
    click.echo(f"From:     {message.sender or '<> (a report of this server)'}")
    click.echo(f"Size:     {message.size:,} bytes")
    click.echo(f"Queued:   {message.created:%Y-%m-%d %H:%M} UTC")
    click.echo(f"Given up: {message.expires:%Y-%m-%d %H:%M} UTC")
    for one in entry.recipients:
        click.echo(f"To:       {one.recipient.address}")
        next_attempt = f"{one.next_attempt:%Y-%m-%d %H:%M} UTC"
        click.echo(f"          attempts: {one.attempts}, next: {next_attempt}")
        if one.last_reply:
            click.echo(f"          {one.last_reply}")


@command.command()
@click.argument("number", type=click.IntRange(1), required=False)
@click.option("--all", "everything", is_flag=True, help="All messages.")
@with_config
def retry(config: Config, number: int | None, everything: bool) -> None:
    """Try a message, or with --all every message, again now."""
    if (number is None) != everything:
        raise click.UsageError("Give the NUMBER of one message, or --all.")
    with working(config) as work:
        recipients = work.wait(work.outbound.retry(number))
    click.echo(f"{recipients} recipients are due now.")


@command.command()
@message_id
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_config
def drop(config: Config, number: int, yes: bool) -> None:
    """Forget a message; its sender is not told."""
    if not yes and not click.confirm(f"Drop message {number} without telling its sender?"):
        raise click.ClickException("Nothing was dropped.")
    with working(config) as work:
        work.wait(work.outbound.drop(number))
    click.echo(f"Message {number} is dropped.")


def _when(recipient: QueuedRecipient, now: datetime) -> str:
    seconds = (recipient.next_attempt - now).total_seconds()
    return f"in {_span(seconds)}" if seconds > 0 else "now"


def _span(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def _plain(entry: QueueEntry) -> dict[str, object]:
    message = entry.message
    return {
        "number": message.id,
        "sender": message.sender,
        "size": message.size,
        "created": message.created.isoformat(),
        "expires": message.expires.isoformat(),
        "recipients": [
            {
                "address": one.recipient.address,
                "attempts": one.attempts,
                "next_attempt": one.next_attempt.isoformat(),
                "last_reply": one.last_reply,
            }
            for one in entry.recipients
        ],
    }
