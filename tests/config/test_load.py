"""Config files: what loads, and what is said about what does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.config.kinds import WrongValue, duration, show_duration, show_size, size
from folkmoot.config.load import ConfigError
from folkmoot.config.rules import load_config, parse_config
from folkmoot.config.schema import Config

FILE = Path("/etc/folkmoot/folkmoot.toml")
GOOD = """
[server]
hostname = "Mail.Example.org"
data_dir = "data"

[[listener]]
protocol = "imap"
port = 143
"""


def problems(text: str) -> list[str]:
    """What is wrong with a config text, one line each."""
    with pytest.raises(ConfigError) as caught:
        parse_config(text, FILE)
    return [str(problem).removeprefix(str(FILE)) for problem in caught.value.problems]


def test_defaults_are_filled_in() -> None:
    """A short file is enough; paths are relative to the file, names in lower case."""
    config = parse_config(GOOD, FILE)
    assert config.server.hostname == "mail.example.org"
    assert config.server.data_dir == Path("/etc/folkmoot/data")
    assert config.database_url == "sqlite:////etc/folkmoot/data/folkmoot.db"
    assert config.mail.max_message_size == 64 * 2**20
    assert config.relay.retry[0] == 300
    assert config.listener[0].address == "127.0.0.1"
    assert config.listener[0].loopback


def test_every_problem_is_listed_with_its_line() -> None:
    """One run of the check shows everything that has to be changed, and where."""
    text = """[serve]
x = 1
[server]
hostnme = "mail.example.org"
[[listener]]
protocol = "imap"
port = "imap"
[[listener]]
protocol = "pop3"
port = 110
[relay]
retry = [
  "5 min",
  "soon",
]
[limits]
idle = true
[http]
trusted_proxies = ["127.0.0.1", "10.1.2.3/16"]
"""
    assert problems(text) == [
        ':1: serve: unknown key; did you mean "server"?',
        ":3: server.hostname: this key is required: The name under which clients and other mail "
        "servers know this server.",
        ':4: server.hostnme: unknown key; did you mean "hostname"?',
        ':7: listener[0].port: expected a whole number from 0 to 65535, found the text "imap"',
        ':9: listener[1].protocol: expected one of "imap", "submission", "lmtp", "http", '
        'found the text "pop3"',
        ':14: relay.retry[1]: expected a time such as "90 s", "30 min", "4 h", "5 days", '
        'at least "1 s", found the text "soon"',
        ':17: limits.idle: expected a time such as "90 s", "30 min", "4 h", "5 days", '
        'at least "30 min", found true',
        ":19: http.trusted_proxies[1]: expected an IP address or a network such as "
        '"127.0.0.1", "::1" or "10.1.0.0/16", found the text "10.1.2.3/16"',
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("[tls]\ncertificate = 'c.pem'", "tls: certificate and key are only of use together"),
        (
            "[[listener]]\nprotocol = 'imap'\nport = 993\ntls = 'implicit'",
            'listener[1].tls: "implicit" needs tls.certificate and tls.key, which are not set',
        ),
        (
            "[[listener]]\nprotocol = 'lmtp'\nport = 143",
            "listener[1].port: listener[0] has the same address and port already",
        ),
        (
            "[relay]\nhost = 'a.example'\nusername = 'u'\npassword = 'p'\ntls = 'none'",
            'relay.tls: expected "starttls" or "implicit" with a login, found "none"',
        ),
        (
            "[relay]\nhost = 'a.example'\nusername = 'u'",
            "relay.username: username and password are only of use together",
        ),
        (
            "[relay]\ngive_up_after = '1 h'",
            "relay.delay_warning: expected a shorter time than relay.give_up_after",
        ),
        (
            "[[dkim]]\ndomain = 'a.example'\nselector = 's'\nkey = 'k'\n" * 2,
            'dkim[1].domain: "a.example" has a key already',
        ),
        (
            "[tls]\ncertificate = 'c'\nkey = 'k'\n"
            "[[listener]]\nprotocol = 'http'\nport = 80\ntls = 'starttls'",
            'listener[1].tls: expected "implicit" or "none" for http, found "starttls"',
        ),
        ("[http]\nurl = 'https://x/dav'", 'http.url: expected an address such as "https://'),
        ("[database]\nurl = 'mysql://x'", 'database.url: expected "sqlite:///FILE" or'),
        ("[mail]\nmax_recipients = 10", "mail.max_recipients: expected a whole number from 100"),
    ],
)
def test_impossible_values_are_refused(more: str, expected: str) -> None:
    """Values that are fine alone but not together never reach the server."""
    assert any(expected in problem for problem in problems(GOOD + more))


def test_no_listener_is_a_problem() -> None:
    """A server that listens nowhere is a mistake, not a wish."""
    assert problems('[server]\nhostname = "a.example"') == [
        ":1: listener: expected at least one [[listener]], found none"
    ]


def test_secrets_are_not_shown() -> None:
    """Neither an error nor the repr of a config tells a password."""
    text = "[relay]\nhost = 'a.example'\nusername = 'u'\npassword = 'hunter2'\n"
    assert "hunter2" not in repr(parse_config(GOOD + text, FILE))
    wrong = problems(GOOD + text.replace("'hunter2'", '"hunter2\\t"'))
    assert "found a text of 8 characters" in wrong[0]


def test_not_toml_names_the_line() -> None:
    """A syntax error names file and line."""
    assert problems("[server]\nhostname = \n")[0].startswith(":2: this is not valid TOML: ")
    assert problems("x = " + "[" * 5000)[0].startswith(":1: this is not valid TOML")


def test_unreadable_files_are_problems(tmp_path: Path) -> None:
    """A missing file, a folder or octets that are not UTF-8 end in one clear sentence."""
    with pytest.raises(ConfigError, match="cannot read the file: No such file"):
        load_config(tmp_path / "missing.toml")
    with pytest.raises(ConfigError, match="cannot read the file: Is a directory"):
        load_config(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"\n\n# caf\xe9\n")
    with pytest.raises(ConfigError, match=r"latin.toml:3: expected UTF-8 text"):
        load_config(tmp_path / "latin.toml")


def test_a_table_in_place_of_a_value_and_back() -> None:
    """The shape of the file is checked as well as its values."""
    assert problems(GOOD + "[[tls]]\n") == [":9: tls: expected a table of keys, found a list"]
    assert ":1: listener: expected tables [[listener]], found 5" in problems(
        "listener = 5\n[server]\nhostname = 'a.example'"
    )
    assert problems(GOOD + "[log.level]\nx = 1") == [
        ':9: log.level: expected one of "debug", "info", "warning", "error", found a table'
    ]


@pytest.mark.parametrize(
    ("written", "octets"),
    [
        (17, 17),
        ("17", 17),
        ("20 MB", 20_000_000),
        ("10 GiB", 10 * 2**30),
        ("1.5 k", 1500),
        ("2kib", 2048),
        ("0", 0),
    ],
)
def test_sizes(written: object, octets: int) -> None:
    """Sizes are taken in decimal and binary units and as plain numbers."""
    assert size().parse(written, Path()) == octets


@pytest.mark.parametrize("written", ["", "MB", "1 XB", "-1", -1, 1.5, True, "1e9", "9" * 400, []])
def test_wrong_sizes(written: object) -> None:
    """What is not a size is refused, not guessed."""
    with pytest.raises(WrongValue):
        size().parse(written, Path())


@given(st.integers(0, 2**50))
def test_shown_sizes_and_durations_read_back(number: int) -> None:
    """What ``describe`` and ``sample`` print means the same when it is read."""
    shown = show_size(number).strip('"')
    assert size().parse(shown if not shown.isdigit() else int(shown), Path()) == number
    seconds = number % 10**9
    shown = show_duration(seconds).strip('"')
    assert duration().parse(shown if not shown.isdigit() else int(shown), Path()) == seconds


@given(st.text(max_size=60))
def test_garbage_is_a_config_error(text: str) -> None:
    """No text at all makes the loader fail in any other way."""
    with pytest.raises(ConfigError):
        parse_config(text, FILE)
    assert isinstance(parse_config(GOOD, FILE), Config)
