"""The table of clients: each end-to-end test has its row, and each row its test."""

from __future__ import annotations

import pytest

from tests.e2e import clients


def test_each_test_names_its_programs() -> None:
    """An end-to-end test says which programs it drives, and what they do."""
    rows = clients.declared()
    assert len(rows) > 40
    nameless = [row.test for row in rows if not row.clients or not row.done]
    assert nameless == [], 'they lack @pytest.mark.client("program"), or a docstring'


def test_each_program_has_a_version() -> None:
    """A program is one of Debian's packages or of Python's, so that its version is found."""
    python = {
        client
        for row in clients.declared()
        for client in row.clients
        if client not in clients.words()["debian"]
    }
    assert all(clients.version(client)[0].isdecimal() for client in python), python


def test_page_is_complete() -> None:
    """docs/clients.md has what the tests declare; `python -m tests.e2e.clients` writes it anew."""
    page = clients.PAGE.read_text()
    assert page == clients.page(clients.recorded(page))


def test_rows_are_read_again() -> None:
    """Versions and results that a run has written are kept."""
    row = clients.declared()[0]
    results = {row.test: ("1.2, 3", "failed")}
    page = clients.page(results)
    assert clients.recorded(page)[row.test] == ("1.2, 3", "failed")
    assert {told for test, told in clients.recorded(page).items() if test != row.test} == {
        clients.NOT_RUN
    }


@pytest.mark.parametrize("each", clients.words()["elsewhere"], ids=lambda each: each["client"])
def test_tests_of_other_programs_are_there(each: dict[str, list[str]]) -> None:
    """The tests that stand for programs that cannot be driven."""
    for name in each["tests"]:
        file, _, function = name.partition("::")
        assert f"def {function}(" in (clients.ROOT / "tests" / file).read_text(), name
