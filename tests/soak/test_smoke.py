"""A soak in small: some people for some seconds, on both stores."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from benchmarks.soak.report import write_files
from benchmarks.soak.store import soak
from tests.kit.databases import Databases

MOST_KINDS = 25


def _arguments(plant: str = "") -> argparse.Namespace:
    return argparse.Namespace(people=10, minutes=0.08, pace=5.0, seed=1, workers=1, plant=plant)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_everything_agrees(kind: str, databases: Databases, tmp_path: Path) -> None:
    """No change is lost, doubled or foreign; the files of the report are written."""
    url = databases.fresh(kind) if kind == "postgres" else ""
    outcome = soak(kind, url, tmp_path / "server", _arguments())
    assert outcome.faults == [], outcome.journal.violations
    assert len(outcome.journal.total) >= MOST_KINDS, sorted(outcome.journal.total)
    assert outcome.journal.drops
    write_files(tmp_path, outcome, {})
    assert json.loads((tmp_path / f"{kind}.json").read_text())["samples"]
    assert (tmp_path / f"{kind}.svg").read_text().startswith("<svg")
