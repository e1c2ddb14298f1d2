"""The schema explained by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from folkmoot.config.describe import describe, sample_config, sample_directory
from folkmoot.config.directory import Directory, parse_directory
from folkmoot.config.rules import parse_config
from folkmoot.config.schema import Config

FILE = Path("/etc/folkmoot/sample.toml")


def uncommented(sample: str) -> str:
    """The sample with every key and table switched on."""
    return re.sub(r"(?m)^# (?=\[|[a-z_]+ = )", "", sample)


def test_the_sample_config_loads_and_changes_no_default() -> None:
    """The file that people start from is right as it stands."""
    minimal = """
    server = { hostname = "mail.example.org" }
    listener = [{ protocol = "imap", port = 993 }]
    """
    assert parse_config(sample_config(), FILE) == parse_config(minimal, FILE)


def test_the_sample_directory_loads() -> None:
    """It is empty until somebody removes comment signs."""
    assert parse_directory(sample_directory(), FILE) == Directory()


def test_everything_in_the_samples_can_be_switched_on() -> None:
    """Every example is a value that its key can have, and every key is there."""
    config = uncommented(sample_config())
    config = re.sub(r"(?m)^(password|stripe_secret|btcpay_secret)_file.*$", "", config)
    loaded = parse_config(config, FILE)
    assert loaded.relay.username == "relay-user"
    assert loaded.dkim[0].domain == "example.org"
    directory = uncommented(sample_directory())
    directory = re.sub(r"(?m)^password_hash.*$", "", directory)
    assert parse_directory(directory, FILE).plan["free"].mail.bytes == 10**10


@pytest.mark.parametrize(
    ("cls", "sample"), [(Config, sample_config()), (Directory, sample_directory())]
)
def test_every_key_is_described(cls: type, sample: str) -> None:
    """Each key has a type and a help text that is a sentence, and stands in the sample."""
    keys = describe(cls)
    assert len({key.path for key in keys}) == len(keys) > 10
    for key in keys:
        assert key.type
        assert key.help.endswith(".")
        assert len(key.help) > 15
        assert re.search(rf"\b{key.path.rpartition('.')[2]} = ", sample)
    by_path = {key.path: key for key in keys}
    if cls is Config:
        assert by_path["server.hostname"].required
        assert by_path["blobs.inline_limit"].default == '"256 KiB"'
        assert by_path["tls.key"].default == ""
