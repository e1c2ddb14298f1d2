"""Fixtures for the whole suite."""

from __future__ import annotations

import pytest

from tests.kit.databases import Databases


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Where fresh databases come from."""
    return Databases(tmp_path_factory.mktemp("databases"))
