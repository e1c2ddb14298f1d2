"""``folkmoot plan``: what accounts may use, as the directory file says."""

from __future__ import annotations

from collections.abc import Iterable

import click

from folkmoot.config.schema import Config
from folkmoot.server import billing
from folkmoot.server.commands.context import json_option, print_json, print_table, with_config
from folkmoot.server.commands.paid import plain_offer, price_of
from folkmoot.server.commands.work import directory_of, plan_named
from folkmoot.server.directory_apply import plan_of
from folkmoot.storage.types import Feature, Limit, Tool
from folkmoot.storage.types_accounts import Plan, Terms


@click.group("plan")
def command() -> None:
    """What accounts may use. Plans are written in the directory file, and given to accounts."""


@command.command("list")
@json_option
@with_config
def list_plans(config: Config, as_json: bool) -> None:
    """List plans."""
    directory = directory_of(config)
    offers = billing.offers(directory)
    plans = [plan_of(name, section) for name, section in directory.plans().items()]
    if as_json:
        print_json([{**plain_plan(plan), **plain_offer(offers[plan.name])} for plan in plans])
        return
    rows = [
        (
            plan.name,
            price_of(offers[plan.name]),
            *(_octets(plan.limits[tool].bytes) for tool in Tool),
            without(plan.terms),
        )
        for plan in plans
    ]
    print_table(("Name", "Price", *(tool.value for tool in Tool), "Without"), rows)


@command.command()
@click.argument("name")
@json_option
@with_config
def show(config: Config, name: str, as_json: bool) -> None:
    """Show a plan: price, room, numbers and features."""
    plan = plan_of(name, plan_named(config, name))
    offer = billing.offers(directory_of(config))[name]
    if as_json:
        print_json({**plain_plan(plan), **plain_offer(offer)})
        return
    click.echo(f"{'Name:':<16}{plan.name}")
    click.echo(f"{'Price:':<16}{price_of(offer)}")
    if offer.inactive_after and not offer.price:
        click.echo(
            f"{'Unused:':<16}disabled after {offer.inactive_after:,} days,"
            f" deleted {offer.delete_after:,} days later"
        )
    for title, value in terms_lines(plan.terms, plan.limits.values()).items():
        click.echo(f"{title + ':':<16}{value}")
    rows = [
        (tool.value, _octets(limit.bytes), _number(limit.items))
        for tool, limit in plan.limits.items()
    ]
    print_table(("Tool", "Space", "Items"), rows)


def terms_lines(terms: Terms, limits: Iterable[Limit], sent: int | None = None) -> dict[str, str]:
    """What a plan gives beside room in tools, for people; ``sent`` is how much mail today."""
    groups = "any number" if terms.groups is None else f"at most {terms.groups:,}"
    members = "" if terms.members is None else f", with at most {terms.members:,} members each"
    per_day = f"{_number(terms.mail_per_day)} recipients elsewhere in a day"
    largest = min((one.largest for one in limits if one.largest is not None), default=None)
    return {
        "Largest item": _octets(largest),
        "Mail": per_day if sent is None else f"{per_day}, {sent:,} today",
        "Groups": groups + members,
        "Without": without(terms),
    }


def without(terms: Terms) -> str:
    """The features that a plan does not have."""
    return ", ".join(sorted(terms.withheld)) or "nothing"


def plain_terms(terms: Terms) -> dict[str, object]:
    """What a plan gives beside room in tools, for scripts."""
    return {
        "groups_limit": terms.groups,
        "members_limit": terms.members,
        "mail_per_day": terms.mail_per_day,
        "features": {feature.value: feature not in terms.withheld for feature in Feature},
    }


def plain_plan(plan: Plan) -> dict[str, object]:
    """A plan for scripts."""
    limits = {
        tool.value: {
            "bytes_limit": limit.bytes,
            "items_limit": limit.items,
            "largest_item": limit.largest,
        }
        for tool, limit in plan.limits.items()
    }
    return {"name": plan.name, "limits": limits, **plain_terms(plan.terms)}


def _octets(number: int | None) -> str:
    return "no limit" if number is None else f"{number:,} bytes"


def _number(number: int | None) -> str:
    return "no limit" if number is None else f"{number:,}"
