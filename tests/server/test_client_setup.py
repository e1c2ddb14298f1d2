"""What programs are told about a server, from its config and its listeners."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot.config.load import ConfigError
from folkmoot.config.rules import parse_config
from folkmoot.config.schema import Config
from folkmoot.server.client_setup import configured, services

FILE = Path("/x/folkmoot.toml")
TLS = '[tls]\ncertificate = "c.pem"\nkey = "k.pem"\n'
OUTSIDE = "192.0.2.1"


def config_of(*listeners: tuple[str, int, str, str], more: str = "") -> Config:
    """A config; each listener is protocol, port, encryption and address."""
    tables = "".join(
        f'[[listener]]\nprotocol = "{protocol}"\nport = {port}\ntls = "{tls}"\n'
        f'address = "{address}"\n'
        for protocol, port, tls, address in listeners
    )
    return parse_config(f'[server]\nhostname = "mail.example.org"\n{TLS}{tables}{more}', FILE)


def told(config: Config, protocol: str) -> list[str]:
    """What is told about a protocol, in short."""
    servers = getattr(configured(config), protocol)
    return [f"{one.host}:{one.port} {one.encryption}" for one in servers]


@pytest.mark.parametrize(
    ("http", "listeners", "url"),
    [
        ("", [("http", 443, "implicit")], "https://mail.example.org"),
        ("", [("http", 80, "none")], "http://mail.example.org"),
        ("", [("http", 80, "none"), ("http", 8443, "implicit")], "https://mail.example.org:8443"),
        ("", [("imap", 993, "implicit")], "https://mail.example.org"),
        (
            '[http]\nurl = "HTTPS://dav.Example.org:444/"',
            [("imap", 993, "implicit")],
            "https://dav.example.org:444",
        ),
    ],
)
def test_addresses(http: str, listeners: list[tuple[str, int, str]], url: str) -> None:
    """A name of its own, or the host name and the best listener, without usual ports."""
    config = config_of(*((*one, OUTSIDE) for one in listeners), more=http)
    assert configured(config).base_url == url


def test_ports_are_the_real_ones() -> None:
    """Where the config leaves the port to the system, programs are told which it was."""
    config = config_of(("imap", 0, "implicit", OUTSIDE), ("http", 0, "none", OUTSIDE))
    found = services(config, [(config.listener[0], 5001), (config.listener[1], 5002)])
    assert [one.port for one in found.imap] == [5001]
    assert found.base_url == "http://mail.example.org:5002"
    assert configured(config).base_url == "http://mail.example.org"  # before anything listens


def test_tls_comes_first() -> None:
    """TLS from the start is better than STARTTLS, and both than nothing. # rfc8314#3"""
    config = config_of(
        ("submission", 25, "none", OUTSIDE),
        ("submission", 587, "starttls", OUTSIDE),
        ("submission", 465, "implicit", OUTSIDE),
        ("imap", 143, "none", OUTSIDE),
        ("imap", 10143, "none", "127.0.0.1"),
    )
    assert told(config, "submission") == [
        "mail.example.org:465 implicit",
        "mail.example.org:587 starttls",
    ]
    assert told(config, "imap") == []  # nobody from elsewhere may sign in there


def test_listeners_for_this_machine_are_told_to_nobody_else() -> None:
    """What only this machine reaches counts where there is nothing else, as in the demo."""
    inside = ("imap", 143, "none", "127.0.0.1")
    assert told(config_of(inside), "imap") == ["mail.example.org:143 none"]
    both = config_of(inside, ("imap", 993, "implicit", OUTSIDE))
    assert told(both, "imap") == ["mail.example.org:993 implicit"]


def test_the_config_has_the_last_word() -> None:
    """Behind a proxy, people need what the proxy has."""
    more = (
        '[clients]\nname = "Tea"\nimap = ["imaps://IMAP.example.org", "imap://b.example.org"]\n'
        'submission = ["smtp://smtp.example.org:2525", "smtps://smtp.example.org"]\n'
    )
    config = config_of(("imap", 1143, "none", "127.0.0.1"), more=more)
    assert configured(config).name == "Tea"
    assert told(config, "imap") == [
        "imap.example.org:993 implicit",
        "b.example.org:143 starttls",
    ]
    assert told(config, "submission") == [
        "smtp.example.org:2525 starttls",
        "smtp.example.org:465 implicit",
    ]


@pytest.mark.parametrize(
    "wrong",
    ["imap.example.org", "smtp://x.org", "imaps://x.org:99999", "imaps://a b", "imap://x/y"],
)
def test_a_wrong_server_is_explained(wrong: str) -> None:
    """The message shows how to write it."""
    with pytest.raises(ConfigError) as caught:
        config_of(("imap", 143, "none", OUTSIDE), more=f'[clients]\nimap = ["{wrong}"]\n')
    assert 'a server such as "imaps://mail.example.org" (TLS)' in str(caught.value.problems[0])
