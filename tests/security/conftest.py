"""A server of its own, started as carelessly as somebody can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from folkmoot.server.demo import config_text
from folkmoot.server.selfsigned import write_self_signed
from tests.kit.ports import free_base
from tests.server.cli import Running, eventually, running

SECRET = "correct-hunter2-battery"
WRONG = "wrong-hunter2-staple"
PERSON = "mallory@example.test"
PORTS = (143, 993, 587, 465, 24, 80, 443)
LOG = '\n[log]\nlevel = "debug"\nfile = "server.log"\n'


@dataclass(frozen=True)
class Site:
    """A running server; ports are ``base`` and the usual numbers."""

    process: Running
    data: Path
    base: int

    def log(self) -> str:
        """All that it has logged and printed."""
        return (self.data / "server.log").read_text() + self.process.text()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Started where new files are open to everybody; PERSON has the password SECRET."""
    folder = tmp_path_factory.mktemp("security")
    base, data = free_base(*PORTS), folder / "data"
    data.mkdir(mode=0o700)
    write_self_signed(data / "certificate.pem", data / "key.pem", ["localhost"])
    (data / "folkmoot.toml").write_text(config_text(base) + LOG)
    (folder / "directory.toml").write_text(
        f'[[domain]]\nname = "example.test"\n[[account]]\naddress = "{PERSON}"\n'
        f'password = "{SECRET}"\n'
    )
    # The directory file holds the password, as the operator wrote it: it is not the server's.
    config = data / "folkmoot.toml"
    config.write_text(
        config.read_text().replace('"directory.toml"', f'"{folder / "directory.toml"}"')
    )
    careless = ("sh", "-c", 'umask 000; exec "$@"', "sh")
    with running(folder / "out", "-c", config, "serve", prefix=careless) as process:
        made = Site(process, data, base)
        log = data / "server.log"
        eventually(lambda: log.exists() and log.read_text().count("listening") >= len(PORTS))
        yield made
