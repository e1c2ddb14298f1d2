"""What tools hold and may hold, for commands that show it and those that set own limits."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from folkmoot.config.kinds import WrongValue, size
from folkmoot.server.commands.context import print_table
from folkmoot.storage.types import OwnLimit, Tool, Usage

_T = TypeVar("_T")
_HIGHEST = (1 << 63) - 1


def print_usage(usages: Iterable[Usage]) -> None:
    """Show what a space holds and may hold."""
    rows = [
        (
            usage.tool.value,
            _amount(usage.bytes_used, usage.bytes_limit, usage.plan_bytes, " bytes"),
            _amount(usage.items_used, usage.items_limit, usage.plan_items, ""),
        )
        for usage in usages
    ]
    print_table(("Tool", "Space", "Items"), rows)


def _amount(used: int, limit: int | None, plan: int | None, unit: str) -> str:
    """What is used of what may be used, for people."""
    if limit is None:
        return f"{used:,}{unit}, no limit"
    text = f"{used:,} of {limit:,}{unit}"
    if limit == plan:
        return text
    return f"{text} (plan: {'no limit' if plan is None else f'{plan:,}{unit}'})"


def plain_usage(usage: Usage) -> dict[str, object]:
    """What a tool of a space uses, for scripts."""
    return {
        "bytes_used": usage.bytes_used,
        "bytes_limit": usage.bytes_limit,
        "items_used": usage.items_used,
        "items_limit": usage.items_limit,
        "largest_item": usage.largest_item,
        "plan_bytes": usage.plan_bytes,
        "plan_items": usage.plan_items,
    }


def _octets(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    try:
        octets: int = size().parse(value, Path())
    except WrongValue as error:
        raise click.BadParameter(f"{value!r} is not {error}.") from None
    if octets > _HIGHEST:
        raise click.BadParameter(f"{value!r} is too large.")
    return octets


def limit_options(command: Callable[..., _T]) -> Callable[..., _T]:
    """Give a command ``limits``: the own limits of the tool that is named."""

    @click.argument("tool", type=click.Choice([tool.value for tool in Tool]))
    @click.option("--space", callback=_octets, metavar="SIZE", help='For example "500 MB".')
    @click.option("--items", type=click.IntRange(0, _HIGHEST), help="Messages, entries, files …")
    @functools.wraps(command)
    def run(*args: Any, tool: str, space: int | None, items: int | None, **keywords: Any) -> _T:
        return command(*args, limits={Tool(tool): OwnLimit(space, items)}, **keywords)

    return run
