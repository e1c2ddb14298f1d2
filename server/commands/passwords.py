"""Where commands get passwords from: a prompt, standard input or chance; never the command line."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from typing import Any

import click

# Without letters that are easily taken for others; 18 of them are about 88 bits.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_MAX_LINE = 4096


def password_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of commands that set a password; see ``read_password``."""
    command = click.option(
        "--password-stdin", is_flag=True, help="Read the password from the first line of stdin."
    )(command)
    return click.option(
        "--generate", is_flag=True, help="Make a random password and print it once."
    )(command)


def read_password(password_stdin: bool, generate: bool) -> tuple[str, bool]:
    """The new password, and whether it has to be shown because nobody knows it yet."""
    if password_stdin and generate:
        raise click.UsageError("Use only one of --password-stdin and --generate.")
    if generate:
        groups = ("".join(secrets.choice(_LETTERS) for _ in range(6)) for _ in range(3))
        return "-".join(groups), True
    if password_stdin:
        line = sys.stdin.readline(_MAX_LINE).rstrip("\r\n")
        if not line:
            raise click.UsageError("There is no password on stdin.")
        return line, False
    if not sys.stdin.isatty():
        raise click.UsageError(
            "There is no terminal to ask on: use --password-stdin or --generate."
        )
    return str(click.prompt("New password", hide_input=True, confirmation_prompt=True)), False
