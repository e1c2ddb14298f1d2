"""Fixtures of the tests of faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.preload import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine whose disk and clock fail when told to."""
    return Machine(tmp_path)
