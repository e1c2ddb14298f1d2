"""Rules about the code itself: packaging, who imports whom, tables that must be total."""

from __future__ import annotations

import ast
import configparser
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.protocols.dav import errors as dav_errors
from folkmoot.protocols.http import errors as http_errors
from folkmoot.protocols.imap import errors as imap_errors
from folkmoot.protocols.imap import registry
from folkmoot.protocols.smtp import errors as smtp_errors
from folkmoot.storage import errors
from tests.imap.wire import parse
from tests.kit.imap import ImapClient
from tests.kit.server import TestServer

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("server", "protocols", "sharing", "quota", "auth", "storage", "config")
# What the protocols may know of the store: values, errors, and pure functions over octets.
OPEN = (
    "types",
    "types_accounts",
    "types_groups",
    "types_mail",
    "types_search",
    "types_sharing",
    "types_support",
    "types_tree",
    "types_uidset",
    "errors",
)


def _modules(package: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def _imports(tree: ast.Module) -> Iterator[str]:
    """Full names that a module imports, ``package.module.name`` for ``from`` imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _error_classes(base: type[errors.StorageError]) -> Iterator[type[errors.StorageError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _error_classes(kind)


ERRORS = sorted(set(_error_classes(errors.StorageError)), key=lambda kind: kind.__name__)


# --- packaging -------------------------------------------------------------------------------


def test_every_package_is_installed() -> None:
    """A folder that setup.cfg forgets would work here and be missing from an installation."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = config["options"]["packages"].split()
    found = [
        "folkmoot." + ".".join(path.parent.relative_to(ROOT).parts)
        for package in PACKAGES
        for path in (ROOT / package).rglob("__init__.py")
    ]
    assert sorted(listed) == sorted(found)
    assert len(set(listed)) == len(listed)


def test_every_module_is_in_a_package() -> None:
    """Python files in folders without ``__init__.py`` are not installed."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            assert (path.parent / "__init__.py").exists(), path


# --- who imports whom ------------------------------------------------------------------------


def test_import_contracts() -> None:
    """The contracts of pyproject.toml hold (import-linter, in a process of its own)."""
    code = (
        "import sys; from importlinter.cli import lint_imports;"
        "sys.exit(lint_imports(config_filename=sys.argv[1], no_cache=True, no_logo=True))"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "pyproject.toml")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert " 0 broken" in outcome.stdout


def test_protocols_know_little_of_the_store() -> None:
    """Values, errors, pure functions over content: the rest they get from those who may."""
    for path, tree in _modules("protocols"):
        for name in _imports(tree):
            if not name.startswith("folkmoot.storage"):
                continue
            part = name.split(".")[2]
            assert part in OPEN or part == "content", f"{path}: {name}"


def test_sqlalchemy_stays_in_the_store() -> None:
    """Drivers too."""
    for package in PACKAGES:
        for path, tree in _modules(package):
            for name in _imports(tree):
                if name.split(".")[0] in ("sqlalchemy", "psycopg", "alembic", "sqlite3"):
                    assert package == "storage", f"{path}: {name}"


def test_only_the_composition_root_knows_config() -> None:
    """Plain values are handed on; no other layer reads the config."""
    for package in PACKAGES:
        if package in ("server", "config"):
            continue
        for path, tree in _modules(package):
            assert not any(name.startswith("folkmoot.config") for name in _imports(tree)), path


# --- errors ----------------------------------------------------------------------------------


def test_there_are_errors() -> None:
    """The tests below look at something."""
    assert len(ERRORS) >= 16
    for kind in ERRORS:
        assert kind.__module__ == errors.__name__, "the set of errors is closed"
        assert kind().text.endswith("."), kind


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_imap_says_what_an_error_means(kind: type[errors.StorageError]) -> None:
    """Each error has its own line in IMAP's table, and the reply is a NO with its text."""
    assert kind in imap_errors.CODES
    reply = imap_errors.reply(kind("What went wrong."))
    assert (reply.status, reply.text) == ("NO", "What went wrong.")


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_smtp_says_what_an_error_means(kind: type[errors.StorageError]) -> None:
    """Each error is found in SMTP's table; the reply is negative and never the general one."""
    assert any(issubclass(kind, entry) for entry, _, _ in smtp_errors.TABLE)
    reply = smtp_errors.reply_to(kind("What went wrong."))
    assert 400 <= reply.code < 600
    assert reply.status[0] == str(reply.code)[0]
    assert reply.text == "What went wrong."


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_dav_says_what_an_error_means(kind: type[errors.StorageError]) -> None:
    """Each error has its own line in WebDAV's table: a status, and a condition where RFCs have."""
    assert kind in dav_errors.TABLE
    answer = dav_errors.to_dav(kind(), lambda path: "/")
    assert 400 <= answer.status < 600
    assert answer.text == kind.default_text
    if kind in http_errors.STATUSES and answer.status in (401, 413, 503):
        assert answer.status == http_errors.STATUSES[kind]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_http_says_what_an_error_means(kind: type[errors.StorageError]) -> None:
    """Each error has its own line in HTTP's table, with a status of its own kind and its text."""
    assert kind in http_errors.STATUSES
    refusal = http_errors.refusal(kind())
    assert refusal is not None
    assert 400 <= refusal.status < 600
    assert refusal.status != 500
    assert refusal.text == kind().text
    names = {name for name, _ in refusal.fields}
    assert ("WWW-Authenticate" in names) == (refusal.status == 401)
    assert ("Retry-After" in names) == (refusal.status in (429, 503))


def test_smtp_table_has_no_dead_lines() -> None:
    """A line behind one that catches its class already would never be used."""
    for position, (kind, _, _) in enumerate(smtp_errors.TABLE):
        above = [entry for entry, _, _ in smtp_errors.TABLE[:position]]
        assert not any(issubclass(kind, entry) for entry in above), kind


# --- the table of IMAP commands --------------------------------------------------------------


def _claimed(client: ImapClient) -> list[str]:
    [line] = client.ok("CAPABILITY").lines
    return line.decode().split()[2:]


def test_capabilities_are_registered(server: TestServer) -> None:
    """What is advertised exists: before login, after it, and in the greeting."""
    registered = set(registry.all_capabilities())
    client = server.imap()
    before = _claimed(client)
    account = server.account()
    client.login(account.address, account.password)
    after = _claimed(client)
    for name in before + after:
        bare = name.split("=")[0]
        assert name in registered or bare in registered or bare == "AUTH", name
    assert len(set(after)) == len(after)
    assert before[0] == after[0] == "IMAP4rev1"
    # rfc9051#6.2: mechanisms are offered to those who are not signed in.
    assert any(name.startswith("AUTH=") for name in before)
    assert not any(name.startswith("AUTH=") for name in after)


def test_every_command_has_an_example() -> None:
    """The example (seed of the fuzz tests) is what the command's own grammar accepts."""
    registry.load()
    entries = registry.all_commands()
    assert len(entries) > 20
    for entry in entries:
        name = entry.name.encode()
        assert entry.example[: len(name)].upper() == name, entry.name
        parse(entry.parse, entry.example[len(name) + 1 :], utf8=True)
        assert inspect.iscoroutinefunction(entry.handler), entry.name


def test_every_command_says_what_it_is() -> None:
    """Handlers carry a text that names their source or effect."""
    registry.load()
    for entry in registry.all_commands():
        assert entry.handler.__doc__, entry.name
        assert entry.states, entry.name
