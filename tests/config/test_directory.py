"""The directory file: what loads, and what is said about what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot.config.directory import PlanSection, is_paid, parse_directory
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
        ("members =", 'forward = ["eve@example.test"]\nmembers =', "is not in this group"),
        ("members =", 'send_as = ["eve@example.test"]\nmembers =', "is not in this group"),
        ("members =", 'aliases = ["bob@example.test"]\nmembers =', "is used already"),
        ("members =", 'posting = "nobody"\nmembers =', 'one of "anyone", "members"'),
        ("members =", 'tools = ["music"]\nmembers =', 'one of "mail", "calendar"'),
    ],
)
def test_wrong_groups_say_so(old: str, new: str, expected: str) -> None:
    """An address is of one account or group, and who is in a group is in the file."""
    (problem,) = problems(GOOD + GROUP.replace(old, new, 1))
    assert ": group[0]." in problem
    assert expected in problem


@pytest.mark.parametrize(
    ("keys", "key", "why"),
    [
        ('price = "12"', "currency", "needs a currency"),
        ('price = "1.234"\ncurrency = "EUR"', "price", "written like"),
        ('price = "1.5"\ncurrency = "JPY"', "price", "written like"),
        ('price = "1,50"\ncurrency = "EUR"', "price", "amount of money"),
        ("price = -1", "price", "amount of money"),
        ('price = "12"\ncurrency = "EURO"', "currency", "a currency such as"),
        ('price = "12"\ncurrency = "EUR"\nfallback = "gold"', "fallback", "one of default, free"),
        ('price = "12"\ncurrency = "EUR"\nfallback = "pro"', "fallback", "one of default, free"),
        ('period = "week"', "period", "one of"),
        ("inactive_after = -1", "inactive_after", "whole number"),
        ("delete_after = 0", "delete_after", "whole number"),
    ],
)
def test_prices_that_are_wrong(keys: str, key: str, why: str) -> None:
    """Each problem names its key; nobody falls back to a plan that costs something."""
    with pytest.raises(ConfigError) as caught:
        parse_directory(f"[plan.free]\n[plan.pro]\n{keys}\n", FILE)
    [problem] = caught.value.problems
    assert problem.key == f"plan.pro.{key}"
    assert why in problem.text


def test_prices() -> None:
    """As text or whole numbers; 0 is free in any form."""
    directory = parse_directory(
        '[plan.a]\nprice = "12.50"\ncurrency = "eur"\n[plan.b]\nprice = 12\ncurrency = "JPY"\n'
        '[plan.c]\nprice = "0.00"\n',
        FILE,
    )
    plans = directory.plans()
    assert (plans["a"].price, plans["a"].currency, plans["b"].price) == ("12.50", "EUR", "12")
    assert [is_paid(plans[name]) for name in ("a", "b", "c", "default")] == [
        True,
        True,
        False,
        False,
    ]


SHARE = """
[[share]]
owner = "ada@example.test"
path = "documents/Reports"
with = "choir@example.test"
rights = "lrsi"
"""


def test_shares_load() -> None:
    """Between accounts and groups of the file; a key may be a word of Python."""
    (share,) = parse_directory(GOOD + GROUP + SHARE, FILE).share
    assert (share.owner, share.with_) == ("ada@example.test", "choir@example.test")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"ada', '"eve', "share[0].owner"),
        ('"choir', '"eve', "share[0].with:"),
        ("lrsi", "lrsa", "share[0].rights"),
        ("lrsi", "read+send-as", "share[0].rights"),
        ("with =", "with_ =", "share[0].with"),
    ],
)
def test_wrong_shares_say_so(old: str, new: str, expected: str) -> None:
    """Who is not in the file, and rights that cannot be given."""
    found = problems(GOOD + GROUP + SHARE.replace(old, new, 1))
    assert any(expected in problem for problem in found)
