"""Keeps the table of clients: a plugin, ``pytest -p tests.e2e.results``, as ``make e2e`` has it.

Tests may run in several processes; the reports of all of them come to the one that writes the page.
"""

from __future__ import annotations

import pytest

from tests.e2e import clients

#: Results of this run by test.
_results: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test passed when all of its cases did; what was skipped has no result."""
    test = report.nodeid.rpartition("/")[2].partition("[")[0]
    if report.failed:
        _results[test] = "failed"
    elif report.when == "call" and report.passed:
        _results.setdefault(test, "passed")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the page."""
    if hasattr(session.config, "workerinput"):
        return
    rows = {row.test: row for row in clients.declared()}
    clients.write(
        {
            test: (clients.versions(rows[test]), result)
            for test, result in _results.items()
            if test in rows
        }
    )
