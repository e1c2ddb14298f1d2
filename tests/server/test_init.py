"""``folkmoot init`` writes a server that the check accepts, and destroys nothing."""

from __future__ import annotations

import stat
from pathlib import Path

from folkmoot.config.rules import load_config
from tests.server.cli import run


def test_init_writes_a_config_that_is_good(tmp_path: Path) -> None:
    """What init leaves behind can be started as it is, and only its owner reads secrets."""
    file = tmp_path / "etc" / "folkmoot.toml"
    data = tmp_path / "data"
    done = run("-c", file, "init", "--hostname", "Mail.Example.org", "--data-dir", data)
    assert done.returncode == 0, done.stderr
    assert "domain add example.org" in done.stdout
    checked = run("-c", file, "config", "check")
    assert (checked.returncode, checked.stderr) == (0, "")
    config = load_config(file)
    assert config.server.hostname == "mail.example.org"
    ports = {(one.protocol, one.port, one.tls) for one in config.listener}
    assert ports == {
        ("imap", 993, "implicit"),
        ("imap", 143, "starttls"),
        ("submission", 465, "implicit"),
        ("submission", 587, "starttls"),
        ("http", 443, "implicit"),
        ("lmtp", 24, "none"),
    }
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for private in ("key.pem", "directory.toml"):
        assert stat.S_IMODE((file.parent / private).stat().st_mode) == 0o600


def test_init_replaces_nothing(tmp_path: Path) -> None:
    """If any of the files exists, no file is written and the exit code is 1."""
    file = tmp_path / "folkmoot.toml"
    (tmp_path / "key.pem").write_text("precious")
    done = run("-c", file, "init", "--hostname", "a.example", "--data-dir", tmp_path / "data")
    assert done.returncode == 1
    assert f"{tmp_path}/key.pem is there already; nothing was written." in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["key.pem"]
    assert (tmp_path / "key.pem").read_text() == "precious"


def test_init_refuses_a_wrong_name(tmp_path: Path) -> None:
    """A host name that is none is a usage error."""
    done = run("-c", tmp_path / "folkmoot.toml", "init", "--hostname", "a b")
    assert done.returncode == 2
    assert 'expected a domain name such as "example.org"' in done.stderr
    assert not list(tmp_path.iterdir())
