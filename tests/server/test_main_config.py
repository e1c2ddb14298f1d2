"""``folkmoot config`` as people run it."""

from __future__ import annotations

import json
from pathlib import Path

from folkmoot.server.selfsigned import write_self_signed
from tests.server.cli import run

GOOD = '[server]\nhostname = "a.example"\n[[listener]]\nprotocol = "imap"\nport = 143\n'


def test_wrong_config_ends_with_2_and_names_file_and_line(tmp_path: Path) -> None:
    """Scripts see the exit code, people see where to look."""
    file = tmp_path / "folkmoot.toml"
    file.write_text(GOOD + 'plaintext_login = true\n[log]\nlevel = "loud"\n')
    done = run("-c", file, "config", "check")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f'{file}:6: listener[0].plaintext_login: unknown key; did you mean "plaintext_logins"?',
        f'{file}:8: log.level: expected one of "debug", "info", "warning", "error", '
        'found the text "loud"',
    ]


def test_check_looks_into_the_files_that_are_named(tmp_path: Path) -> None:
    """A certificate that does not load or a wrong directory is found before the start."""
    file = tmp_path / "folkmoot.toml"
    file.write_text(GOOD + 'tls = "starttls"\n[tls]\ncertificate = "c.pem"\nkey = "k.pem"\n')
    done = run("-c", file, "config", "check")
    assert (done.returncode, done.stderr) == (2, f"{tmp_path}/c.pem: No such file or directory\n")
    write_self_signed(tmp_path / "c.pem", tmp_path / "k.pem", ["a.example"])
    done = run("-c", file, "config", "check")
    assert (done.returncode, done.stdout) == (0, "The config is good.\n")
    (tmp_path / "directory.toml").write_text('[[account]]\naddress = "ada@a.example"\n')
    file.write_text(GOOD.replace("\n[[", '\ndirectory = "directory.toml"\n[[', 1))
    done = run("-c", file, "config", "check")
    assert done.returncode == 2
    assert f"{tmp_path}/directory.toml:2: account[0].address: " in done.stderr


def test_sample_and_describe(tmp_path: Path) -> None:
    """The printed sample is a file that the check accepts; --json is JSON."""
    file = tmp_path / "folkmoot.toml"
    file.write_text(run("config", "sample").stdout)
    assert run("--config", file, "config", "check").returncode == 0
    assert "[[account]]" in run("config", "sample", "--directory").stdout
    keys = json.loads(run("config", "describe", "--json").stdout)
    assert {"path", "type", "default", "required", "help"} == set(keys[0])
    plain = run("config", "describe", "--directory").stdout
    assert "account[].address  (mail address, required)" in plain


def test_wrong_usage_ends_with_2() -> None:
    """An unknown command is not an operation that failed."""
    assert run("konfig").returncode == 2
    assert "config" in run("--help").stdout
