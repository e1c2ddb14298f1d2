"""What commands share: the config file they work with, and how results and errors are shown."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.table import Table

from folkmoot.config.load import ConfigError
from folkmoot.config.rules import load_config

DEFAULT_CONFIG = Path("/etc/folkmoot/folkmoot.toml")
EXIT_FAILED = 1
EXIT_USAGE = 2
_P = ParamSpec("_P")
_T = TypeVar("_T")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")


def with_config(command: Callable[..., _T]) -> Callable[..., _T]:
    """Give a command the loaded ``Config`` as its first argument, or end with exit code 2."""

    @click.pass_obj
    @functools.wraps(command)
    def run(file: Path, *args: Any, **kwargs: Any) -> _T:
        return command(load_or_exit(load_config, file), *args, **kwargs)

    return run


def load_or_exit(load: Callable[[Path], _T], file: Path) -> _T:
    """The loaded file, or all problems on standard error and exit code 2."""
    try:
        return load(file)
    except ConfigError as error:
        refuse(*map(str, error.problems))


def refuse(*problems: str) -> NoReturn:
    """Say what is wrong with the config or the call, and end with exit code 2."""
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(EXIT_USAGE)


def print_json(value: object) -> None:
    """Print a result for scripts."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a result for people; wide where it goes to a pipe, so that nothing is cut off."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = 1000
    console.print(table)
