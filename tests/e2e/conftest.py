"""The real daemon, started as a person starts it, for real mail programs."""

from __future__ import annotations

import shutil
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.ports import free_base

START_SECONDS = 120


@dataclass(frozen=True)
class Demo:
    """A running ``folkmoot demo``."""

    base: int
    data: Path
    output: list[str]

    def port(self, number: int) -> int:
        """The port that stands for a well-known one."""
        return self.base + number

    def run(
        self,
        *command: str | Path,
        stdin: str = "",
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that must be installed; its output is text."""
        words = [str(word) for word in command]
        assert shutil.which(words[0]), f"{words[0]} is not installed: run tests/e2e/clients.sh"
        return subprocess.run(
            words,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            env=env,
            cwd=cwd,
            check=False,
        )

    @property
    def certificate(self) -> str:
        """The server's certificate in PEM, as it shows it to clients."""
        return ssl.get_server_certificate(("127.0.0.1", self.port(993)))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demonstration server for the whole run."""
    data = tmp_path_factory.mktemp("demo")
    base = free_base(143, 993, 587, 465, 24, 80, 443)
    process = subprocess.Popen(
        [
            Path(sys.executable).with_name("folkmoot"),
            "demo",
            "--data",
            data,
            "--base-port",
            str(base),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            output.append(line.rstrip("\n"))
            if line.strip() == "ready":
                ready.set()
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    assert ready.wait(START_SECONDS), output
    assert process.poll() is None, output
    yield Demo(base, data, output)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, output
