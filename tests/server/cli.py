"""Runs the real command line for tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_PROGRAM = "from folkmoot.server.main import main; main()"


def command(*args: str | Path | int) -> list[str]:
    """The command line as people's shells start it."""
    return [sys.executable, "-c", _PROGRAM, *map(str, args)]


def run(*args: str | Path | int, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run to the end; output is text."""
    return subprocess.run(
        command(*args), input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
