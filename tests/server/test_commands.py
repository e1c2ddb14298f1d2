"""``domain``, ``account``, ``queue`` and ``check`` on an installation that does not run."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from folkmoot.server.main import main

CONFIG = """
[server]
hostname = "mail.example.org"
data_dir = "data"
directory = "directory.toml"
[passwords]
argon2_memory = "64 KiB"
scram_iterations = 4096
[[listener]]
protocol = "imap"
port = 0
"""


class Cli:
    """The command line in this process; each call opens and closes the store anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "folkmoot.toml"
        self.config.write_text(CONFIG)
        (folder / "directory.toml").write_text('[plan.free]\nmail = { bytes = "20 MB" }\n')

    def __call__(self, *args: str, stdin: str | None = None) -> Result:
        """Run a command."""
        return CliRunner().invoke(main, ["-c", str(self.config), *args], input=stdin)

    def ok(self, *args: str, stdin: str | None = None) -> str:
        """Run a command that must succeed; its standard output."""
        done = self(*args, stdin=stdin)
        assert done.exit_code == 0, done.output
        return done.stdout

    def json(self, *args: str) -> object:
        """The result for scripts."""
        return json.loads(self.ok(*args, "--json"))


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """An installation with one domain."""
    made = Cli(tmp_path)
    made.ok("domain", "add", "Example.org")
    return made


@pytest.fixture
def ada(cli: Cli) -> str:
    """An account in it."""
    cli.ok("account", "add", "ada@example.org", "--password-stdin", stdin="correct horse\n")
    return "ada@example.org"


def test_domains(cli: Cli) -> None:
    """Domains are made, listed in both forms, and removed when they are empty."""
    cli.ok("domain", "add", "bücher.example")
    listed = cli.json("domain", "list")
    assert isinstance(listed, list)
    assert [one["name"] for one in listed] == ["example.org", "xn--bcher-kva.example"]
    assert "bücher.example" in cli.ok("domain", "list")
    again = cli("domain", "add", "example.org")
    assert again.exit_code == 1
    assert again.stderr.startswith("Error: ")
    cli.ok("domain", "delete", "bücher.example")
    assert cli("domain", "show", "bücher.example").exit_code == 1
    assert cli("domain", "add", "not a domain").exit_code == 1


def test_a_domain_in_use_is_not_deleted(cli: Cli, ada: str) -> None:
    """Accounts cannot lose their domain; catch-all and accounts are shown."""
    cli.ok("domain", "catchall", "example.org", ada)
    shown = cli.ok("domain", "show", "example.org")
    assert shown.count(ada) == 2
    assert cli("domain", "delete", "example.org").exit_code == 1
    cli.ok("domain", "catchall", "example.org")
    assert "Catch-all:  none" in cli.ok("domain", "show", "example.org")


def test_account_life(cli: Cli, ada: str) -> None:
    """An account is made with its plan, changed, disabled and destroyed."""
    cli.ok(
        *("account", "add", "bob@example.org", "--name", "Bob", "--plan", "free"),
        *("--domain-admin", "--generate"),
    )
    bob = cli.json("account", "show", "bob@example.org")
    assert isinstance(bob, dict)
    assert (bob["name"], bob["plan"], bob["domain_admin"]) == ("Bob", "free", True)
    assert bob["usage"]["mail"]["bytes_limit"] == 20_000_000
    assert bob["usage"]["documents"]["bytes_limit"] is None
    cli.ok("account", "alias", "add", "bob@example.org", "robert@example.org")
    assert "robert@example.org" in cli.ok("account", "show", "bob@example.org")
    cli.ok("account", "alias", "remove", "bob@example.org", "robert@example.org")
    cli.ok("account", "disable", "bob@example.org")
    states = {one["address"]: one["state"] for one in cli.json("account", "list")}  # type: ignore[attr-defined]
    assert states == {ada: "active", "bob@example.org": "disabled"}
    cli.ok("account", "enable", "bob@example.org")
    assert cli("account", "delete", "bob@example.org", stdin="n\n").exit_code == 1
    assert cli("account", "show", "bob@example.org").exit_code == 0
    cli.ok("account", "delete", "bob@example.org", stdin="y\n")
    assert cli("account", "show", "bob@example.org").exit_code == 1
    assert "bob" not in cli.ok("account", "list", "--domain", "example.org")


def test_capabilities_are_hidden_from_an_account(cli: Cli, ada: str) -> None:
    """A capability that a bad client cannot stand is taken away and given back."""
    assert "IDLE, XLIST" in cli.ok("account", "hide", ada, "xlist", "IDLE", "idle")
    assert "IDLE, XLIST" in cli.ok("account", "show", ada)
    shown = cli.json("account", "show", ada)
    assert isinstance(shown, dict)
    assert shown["hidden_capabilities"] == ["IDLE", "XLIST"]
    assert cli("account", "hide", ada, "IMAP4rev1").exit_code == 1
    cli.ok("account", "hide", ada)
    assert "nothing" in cli.ok("account", "show", ada)


def test_passwords_come_from_stdin_or_chance_only(cli: Cli, ada: str) -> None:
    """No option takes a password; a script that gives none is told what to use."""
    first = cli.ok("account", "passwd", ada, "--generate")
    second = cli.ok("account", "passwd", ada, "--generate")
    assert first != second
    assert "Password: " in first
    assert cli("account", "passwd", ada, "secret").exit_code == 2
    for stdin in ("", "\n"):
        assert cli("account", "passwd", ada, "--password-stdin", stdin=stdin).exit_code == 2
    refused = cli("account", "passwd", ada)
    assert refused.exit_code == 2
    assert "--password-stdin or --generate" in refused.stderr
    assert cli("account", "passwd", ada, "--password-stdin", "--generate").exit_code == 2


def test_bad_passwords_are_refused_by_the_policy(cli: Cli, ada: str) -> None:
    """The rules of the config hold on the command line too."""
    done = cli("account", "passwd", ada, "--password-stdin", stdin="short\n")
    assert done.exit_code == 1
    assert "at least 8 characters" in done.stderr


def test_wrong_names_are_failures_with_a_sentence(cli: Cli, ada: str) -> None:
    """What is not there, or there already, ends with 1; an unknown plan is wrong usage."""
    for args in (
        ("account", "show", "eve@example.org"),
        ("account", "add", ada, "--generate"),
        ("account", "add", "eve@elsewhere.example", "--generate"),
        ("account", "alias", "remove", ada, "nobody@example.org"),
    ):
        done = cli(*args)
        assert done.exit_code == 1, args
        assert done.stderr.startswith("Error: ")
        assert "Traceback" not in done.output
    done = cli("account", "add", "eve@example.org", "--plan", "gold", "--generate")
    assert done.exit_code == 2
    assert 'There is no plan "gold"; there are: default, free.' in done.stderr


def test_app_passwords(cli: Cli, ada: str) -> None:
    """An app password is shown once, listed without it, and can be revoked."""
    shown = cli.ok("account", "app-password", "add", ada, "phone", "--protocol", "imap")
    secret = shown.removeprefix("Password: ").strip()
    assert len(secret) == 23
    listed = cli.json("account", "app-password", "list", ada)
    assert isinstance(listed, list)
    assert [(one["name"], one["protocols"]) for one in listed] == [("phone", ["imap"])]
    assert secret not in cli.ok("account", "app-password", "list", ada)
    assert cli("account", "app-password", "add", ada, "x", "--protocol", "pop").exit_code == 2
    cli.ok("account", "app-password", "revoke", ada, "phone")
    assert cli.json("account", "app-password", "list", ada) == []
    assert cli("account", "app-password", "revoke", ada, "phone").exit_code == 1


def test_an_empty_queue(cli: Cli) -> None:
    """Commands on messages that are not there fail with a sentence."""
    assert cli.json("queue", "list") == []
    assert "0 recipients" in cli.ok("queue", "retry", "--all")
    assert cli("queue", "retry").exit_code == 2
    for args in (("show", "7"), ("drop", "7", "--yes")):
        done = cli("queue", *args)
        assert done.exit_code == 1
        assert done.stderr.startswith("Error: ")


def test_check_finds_and_repairs(cli: Cli, ada: str) -> None:
    """A wrong counter is found (exit code 1), mended on request, and then gone."""
    assert "Everything is as it must be." in cli.ok("check", "--deep")
    with sqlite3.connect(cli.folder / "data" / "folkmoot.db") as database:
        database.execute("UPDATE collections SET messages = 7 WHERE name = 'INBOX'")
    found = cli("check")
    assert found.exit_code == 1
    assert "found: " in found.stdout
    assert "--repair" in found.stdout
    repaired = cli("check", "--repair")
    assert repaired.exit_code == 1
    assert "repaired: " in repaired.stdout
    assert "found: " not in repaired.stdout
    assert cli.json("check") == {"found": [], "repaired": []}


def test_data_that_cannot_be_opened(cli: Cli) -> None:
    """A database that does not answer is one sentence, without its password."""
    url = '"postgresql://folkmoot:hunter2@127.0.0.1:1/none"'
    cli.config.write_text(CONFIG + f"[database]\nurl = {url}\n")
    done = cli("domain", "list")
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: the data cannot be opened: ")
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.output


def test_doctor(cli: Cli) -> None:
    """Its report is JSON for scripts, and a failure gives exit code 1."""
    report = json.loads(cli("doctor", "--no-dns", "--json").stdout)
    assert {"level", "subject", "text", "advice"} == set(report[0])
    (cli.folder / "data").chmod(0o755)
    done = cli("doctor", "--no-dns")
    assert done.exit_code == 1
    assert "chmod 0700" in done.stdout


def test_every_command_explains_itself(cli: Cli) -> None:
    """Each command and option has a help text."""

    context = click.Context(main)

    def visit(command: click.Command | None, path: tuple[str, ...]) -> None:
        assert command is not None
        assert command.help, path
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, (path, parameter.name)
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                visit(command.get_command(context, name), (*path, name))

    visit(main, ())
    assert "Exit codes" in cli.ok("--help")


def test_check_makes_the_index_anew(cli: Cli, ada: str) -> None:
    """``--reindex`` tells how many messages there are, how long it took and how large it is."""
    assert "Indexed 0 messages" in cli.ok("check", "--reindex")
    told = cli.json("check", "--reindex")
    assert isinstance(told, dict)
    index = told["index"]
    assert index["seconds"] > 0
    assert index["facts"]["waiting"] == index["facts"]["messages"] == 0
