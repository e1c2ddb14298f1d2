"""``folkmoot help-desk``: what customers write to support, and call-backs that they book."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from folkmoot.config.schema import Config
from folkmoot.server.commands.context import json_option, print_json, print_table, with_config
from folkmoot.server.commands.work import working
from folkmoot.storage.types_support import HelpRequest

account_argument = click.argument("address", metavar="ACCOUNT")


@click.group("help-desk")
def command() -> None:
    """What customers write to support, and call-backs that they book."""


@command.command()
@account_argument
@click.option("--subject", required=True, help="What it is about, in one line.")
@click.option("--text", "body", default="", help="The message.")
@click.option("--phone", default="", help="A telephone number, where it is of use.")
@json_option
@with_config
def contact(
    config: Config, address: str, subject: str, body: str, phone: str, as_json: bool
) -> None:
    """Write to support for ACCOUNT."""
    with working(config) as work:
        made = work.wait(work.core.help.contact(address, subject, body, phone=phone))
    print_json(_plain(made)) if as_json else click.echo(f"Request {made.id} is with support.")


@command.command()
@account_argument
@click.option("--subject", required=True, help="What it is about, in one line.")
@click.option("--phone", required=True, help="The number to call.")
@click.option("--from", "starts", required=True, metavar="TIME", help='As "2026-12-01 09:00".')
@click.option("--to", "ends", required=True, metavar="TIME", help="The end of the time window.")
@click.option("--text", "body", default="", help="What it is about.")
@json_option
@with_config
def book(
    config: Config,
    address: str,
    subject: str,
    phone: str,
    starts: str,
    ends: str,
    body: str,
    as_json: bool,
) -> None:
    """Book a call-back for ACCOUNT, within the opening hours and in their time zone.

    ACCOUNT gets an invitation for its calendar. One booking can be open at a time.
    """
    zone = ZoneInfo(config.support.zone)
    window = (_moment(starts, zone), _moment(ends, zone))
    with working(config) as work:
        made = work.wait(work.core.help.book(address, subject, phone, *window, body=body))
    print_json(_plain(made)) if as_json else click.echo(f"Call-back {made.id} is booked.")


@command.command()
@account_argument
@click.argument("number", type=int)
@with_config
def cancel(config: Config, address: str, number: int) -> None:
    """Take a request of ACCOUNT back; a booking is called off in the calendars."""
    with working(config) as work:
        work.wait(work.core.help.cancel(address, number))
    click.echo(f"Request {number} is cancelled.")


@command.command()
@click.argument("number", type=int)
@click.option("--as", "agent", required=True, metavar="AGENT", help="Who answered it.")
@with_config
def close(config: Config, number: int, agent: str) -> None:
    """Note that a request is answered."""
    with working(config) as work:
        work.wait(work.core.help.close(number, agent))
    click.echo(f"Request {number} is closed.")


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what is answered.")
@click.option("--ics", is_flag=True, help="Print the bookings as a calendar.")
@json_option
@with_config
def list_requests(config: Config, everything: bool, ics: bool, as_json: bool) -> None:
    """Show what customers want of support."""
    with working(config) as work:
        found = work.wait(work.core.help.open_requests(everything=everything))
        calendar = work.core.help.calendar(found)
    if ics:
        click.echo(calendar.replace("\r\n", "\n"), nl=False)
        return
    if as_json:
        print_json([_plain(one) for one in found])
        return
    rows = [
        (
            str(one.id),
            one.account,
            one.help.kind.value,
            one.help.subject,
            one.help.phone,
            _time(one.help.starts) if one.help.starts else "",
            "answered" if one.closed else "open",
        )
        for one in found
    ]
    print_table(("Number", "Account", "Kind", "Subject", "Phone", "From (UTC)", "State"), rows)


def _moment(text: str, zone: ZoneInfo) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f'{text!r} is no time; write "2026-12-01 09:00".') from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return int(moment.timestamp())


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _plain(one: HelpRequest) -> dict[str, object]:
    new = one.help
    return {
        "number": one.id,
        "account": one.account,
        "kind": new.kind.value,
        "subject": new.subject,
        "text": new.body,
        "phone": new.phone,
        "from": _iso(new.starts),
        "to": _iso(new.ends),
        "created": _iso(one.created),
        "closed": _iso(one.closed),
        "closed_by": one.closed_by or None,
    }


def _iso(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
