"""Searching and sorting on the PostgreSQL that administrators of Debian use, which has pg_trgm.

The PostgreSQL of the other tests has no extensions, and compares texts by their octets.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.kit.databases import ELSEWHERE

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SUITES = ("test_index.py", "test_search.py", "test_sort_views.py")
# Not all of them: random searches with the index and without, its making, and sorting.
TESTS = "postgres and (0-8 or too_much_other or rebuilding or batches or sorts_as_we_do)"
# An index is used for the few rows of a test, too.
OPTIONS = "-c listen_addresses='' -c fsync=off -c enable_seqscan=off -k "


@pytest.fixture
def cluster() -> Iterator[str]:
    """The URL of a cluster of its own, with English as its language."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parts[4]))
    assert found, "PostgreSQL is not installed: run tests/e2e/clients.sh"
    folder = Path(tempfile.mkdtemp(prefix="folkmoot-debian-"))
    who: dict[str, Any] = {}
    if os.geteuid() == 0:  # which PostgreSQL refuses to be
        who = {"user": "postgres", "group": "postgres"}
        shutil.chown(folder, "postgres", "postgres")

    def run(program: str, *words: str) -> None:
        command = [str(found[-1] / program), "-D", str(folder / "data"), *words]
        with (folder.parent / f"{folder.name}.log").open("ab") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd="/", **who)

    language = ["--locale=C.UTF-8", "-E", "UTF8"]
    if int(found[-1].parts[4]) >= 15:
        language += ["--locale-provider=icu", "--icu-locale=en"]
    try:
        run("initdb", "-A", "trust", "-U", "postgres", "--no-sync", *language)
        run("pg_ctl", "-w", "-o", f"{OPTIONS}{folder}", "start")
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
        (folder.parent / f"{folder.name}.log").unlink()


def scans(cluster: str) -> int:
    """How often trigrams were looked at in all databases."""
    with psycopg.connect(cluster) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test%'")
        names = [name for (name,) in rows.fetchall()]
    total = 0
    for name in names:
        with psycopg.connect(cluster.replace("/postgres?", f"/{name}?")) as connection:
            row = connection.execute(
                "SELECT COALESCE(SUM(idx_scan), 0) FROM pg_stat_user_indexes"
                " WHERE indexrelname = 'ix_search_texts_trigrams'"
            ).fetchone()
            total += int(row[0]) if row else 0
    return total


def test_searching_and_sorting(cluster: str, tmp_path: Path) -> None:
    """The suites that search and sort pass there, and trigrams are what is searched."""
    storage = Path(__file__).parents[1] / "storage"
    done = subprocess.run(
        [
            *(sys.executable, "-bb", "-m", "pytest", "-q", "-m", "not e2e", "-k", TESTS),
            *("-p", "no:cacheprovider", "--basetemp", str(tmp_path / "inner")),
            *[str(storage / suite) for suite in SUITES],
        ],
        env={**os.environ, ELSEWHERE: cluster},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert scans(cluster) > 20
