"""The directory file: what loads, and what is said about what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot.config.directory import PlanSection, parse_directory
from folkmoot.config.load import ConfigError

FILE = Path("/etc/folkmoot/directory.toml")
GOOD = """
[plan.free]
mail = { bytes = "20 MB", items = 0 }
contacts = { items = 1000 }
mail_per_day = 100

[[domain]]
name = "example.test"
catchall = "bob@example.test"


[[account]]
address = "Ada@Example.test"
name = "Ada"
password = "ada-demo"
aliases = ["countess@example.test"]
domain_admin = true

[[account]]
address = "bob@example.test"
plan = "free"
disabled = true
"""


def problems(text: str) -> list[str]:
    """What is wrong with a directory text, one line each."""
    with pytest.raises(ConfigError) as caught:
        parse_directory(text, FILE)
    return [str(problem).removeprefix(str(FILE)) for problem in caught.value.problems]


def test_a_directory_loads() -> None:
    """Domains, accounts and plans arrive with defaults filled in; 0 stays 'no limit'."""
    directory = parse_directory(GOOD, FILE)
    assert directory.plan["free"].mail.bytes == 20_000_000
    assert directory.plan["free"].contacts.items == 1000
    assert directory.plan["free"].documents.bytes == 0
    assert directory.plans()["default"] == PlanSection()
    ada, bob = directory.account
    assert (ada.address, ada.plan, ada.aliases) == (
        "ada@example.test",
        None,
        ("countess@example.test",),
    )
    assert ada.domain_admin
    assert bob.disabled
    assert bob.password is None
    assert "ada-demo" not in repr(directory)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'plan = "free"',
            'plan = "fre"',
            ':21: account[1].plan: expected one of default, free, found "fre"',
        ),
        ("countess@", "bob@", ':20: account[1].address: "bob@example.test" is used already'),
        (
            "countess@example.test",
            "countess@example.net",
            ':16: account[0].aliases[0]: "countess@example.net" is in no [[domain]] of this file',
        ),
        (
            'catchall = "bob@',
            'catchall = "eve@',
            ':9: domain[0].catchall: "eve@example.test" is no [[account]] here',
        ),
        (
            'name = "Ada"',
            'password_hash = "$argon2id$x"',
            ":14: account[0].password_hash: expected only one of password, password_hash",
        ),
        (
            'password = "ada-demo"',
            'password_hash = "{SHA}x"',
            ":15: account[0].password_hash: expected a hash $argon2id$..., found something else",
        ),
        (
            "[plan.free]",
            '[plan."Not Free"]',
            ':2: plan."Not Free": expected a name of a-z, 0-9, - and _, found "Not Free"',
        ),
        (
            "items = 1000",
            "itms = 1000",
            ':4: plan.free.contacts.itms: unknown key; did you mean "items"?',
        ),
        (
            'address = "bob@example.test"',
            'address = "bob"',
            ':20: account[1].address: expected a mail address such as "ada@example.org", '
            'found the text "bob"',
        ),
    ],
)
def test_wrong_directories_say_where(old: str, new: str, expected: str) -> None:
    """Whatever refers to something refers to what is there; the line says what to change."""
    assert old in GOOD
    assert expected in problems(GOOD.replace(old, new, 1))


GROUP = """
[[group]]
address = "choir@example.test"
admin = "ada@example.test"
members = ["bob@example.test"]
"""


def test_groups_load() -> None:
    """A group refers to accounts of the file; a plan without a number of groups has no limit."""
    directory = parse_directory(
        GOOD.replace("[plan.free]", "[plan.free]\ngroups = 0") + GROUP, FILE
    )
    (group,) = directory.group
    assert (group.name, group.members, group.editors) == (None, ("bob@example.test",), ())
    assert (directory.plan["free"].groups, directory.plan["free"].members) == (0, None)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("choir@example.test", "bob@example.test", '"bob@example.test" is used already'),
        ("choir@example.test", "choir@example.net", "is in no [[domain]] of this file"),
        ('admin = "ada', 'admin = "eve', '"eve@example.test" is no [[account]] here'),
        ('members = ["bob', 'members = ["eve', '"eve@example.test" is no [[account]] here'),
    ],
)
def test_wrong_groups_say_so(old: str, new: str, expected: str) -> None:
    """An address is of one account or group, and who is in a group is in the file."""
    (problem,) = problems(GOOD + GROUP.replace(old, new, 1))
    assert ": group[0]." in problem
    assert expected in problem
