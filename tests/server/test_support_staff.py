"""Support staff in the directory file: made, changed, and never deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot.config.directory import parse_directory
from folkmoot.config.load import ConfigError
from folkmoot.config.rules import parse_config
from folkmoot.server.commands.work import Work
from folkmoot.server.directory_support import apply_staff
from folkmoot.storage.types_support import AgentState

FILE = Path("/etc/folkmoot/directory.toml")
HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"
STAFF = f"""
[[support_department]]
name = "Support"

[[support_department]]
name = "Development"

[[support_agent]]
address = "sam@support.test"
name = "Sam"
department = "Support"
password_hash = "{HASH}"

[[support_agent]]
address = "dora@support.test"
password_hash = "{HASH}"
totp_secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
"""


def _shown(work: Work) -> list[tuple[str, str, str, str, bool]]:
    agents = work.wait(work.core.staff.agents())
    return [
        (one.address, one.name, one.department, one.state.value, one.second_factor)
        for one in agents
    ]


def test_staff_of_the_file(tmp_path: Path) -> None:
    """Applied twice, nothing changes; what is not said stays; who is gone from it stays."""
    text = f'[server]\nhostname = "mail.example.org"\ndata_dir = "{tmp_path}"\n'
    listener = '[[listener]]\nprotocol = "imap"\nport = 0\ntls = "none"\n'
    work = Work(parse_config(text + listener, tmp_path / "folkmoot.toml"))
    try:
        staff = work.core.staff
        expected = [
            ("dora@support.test", "", "", "active", True),
            ("sam@support.test", "Sam", "Support", "active", False),
        ]
        for _ in range(2):
            assert work.wait(apply_staff(staff, parse_directory(STAFF, FILE)))
            assert _shown(work) == expected
        work.wait(staff.update_agent("dora@support.test", department="Development"))
        moved = STAFF.replace('department = "Support"', 'department = "Development"')
        moved = moved.replace('name = "Sam"', 'name = "Sam"\ndisabled = true')
        assert work.wait(apply_staff(staff, parse_directory(moved, FILE)))
        assert _shown(work) == [
            ("dora@support.test", "", "Development", "active", True),
            ("sam@support.test", "Sam", "Development", AgentState.DISABLED.value, False),
        ]
        assert work.wait(apply_staff(staff, parse_directory("", FILE)))
        assert len(_shown(work)) == 2
        rows = work.wait(work.core.support.trail())
        assert {"CreateAgent", "CreateDepartment", "UpdateAgent"} <= {row.operation for row in rows}
        assert work.wait(work.core.support.check_trail()).broken == ()
    finally:
        work.core.close()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (STAFF + STAFF.split("\n\n")[0], "is used already"),
        (STAFF.replace('department = "Support"', 'department = "Sales"'), "support_department"),
        (STAFF.replace('name = "Sam"', 'password = "x"'), "only one of"),
        (STAFF.replace("sam@support.test", "dora@support.test"), "is used already"),
    ],
)
def test_bad_staff(wrong: str, why: str) -> None:
    """What is there twice, and what is referred to and not there."""
    with pytest.raises(ConfigError) as caught:
        parse_directory(wrong, FILE)
    assert why in str(caught.value.problems[0])


@pytest.mark.parametrize(
    "line",
    [
        'zone = "Nowhere/City"',
        'zone = "../etc/passwd"',
        'hours = ["sometimes"]',
        'hours = ["Mon-Fri 17:00-09:00"]',
        'keep_audit = "30 days"',
        'session = "1 s"',
    ],
)
def test_bad_config(tmp_path: Path, line: str) -> None:
    """Each is named with its line."""
    text = '[server]\nhostname = "mail.example.org"\n[[listener]]\nprotocol = "imap"\nport = 0\n'
    text += 'tls = "none"\n'
    with pytest.raises(ConfigError) as caught:
        parse_config(f"{text}[support]\n{line}\n", tmp_path / "folkmoot.toml")
    [problem] = caught.value.problems
    assert f"support.{line.split()[0]}" in str(problem)
