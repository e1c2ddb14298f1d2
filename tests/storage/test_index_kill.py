"""kill -9 while the index is being filled: it goes on where it was, and is never half."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from folkmoot.storage.index import build
from folkmoot.storage.types_search import BodyContains
from folkmoot.storage.upkeep import check
from folkmoot.storage.views.search import SearchMessages
from tests.kit.databases import Databases
from tests.kit.messages import simple
from tests.kit.stores import open_store
from tests.storage.mail_kit import Mail, new_mail, sql

MESSAGES = 400
ROUNDS = 3

# Indexes a few messages at a time until it dies; says so once it has begun.
WORK = """
import sys, time
from pathlib import Path
from folkmoot.storage.index import build
from tests.kit.stores import open_store

build.BATCH = 3
store = open_store(sys.argv[1], Path(sys.argv[2]))
build.prepare(store)
print("begun", flush=True)
while build.step(store):
    pass
time.sleep(60)
"""


def killed(url: str, folder: Path, seconds: float) -> None:
    """Index for a while, and die."""
    command = [sys.executable, "-c", WORK, url, str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)


def test_the_index_survives_kill(databases: Databases, tmp_path: Path) -> None:
    """After each crash, texts, trigrams and states agree; in the end all is found."""
    url = databases.fresh("sqlite")
    store = open_store(url, tmp_path)
    mail = new_mail(store)
    inbox = mail.box().id
    mail.append(inbox, *[simple(body=f"number {n} needle\r\n" * 20) for n in range(MESSAGES)])
    store.close()
    done = 0
    for _ in range(ROUNDS):
        killed(url, tmp_path, random.uniform(0.0, 0.1))
        store = open_store(url, tmp_path)
        assert check(store) == []
        facts = build.describe(store)
        assert facts.messages + facts.waiting == MESSAGES
        assert facts.messages >= done
        done = facts.messages
        sql(store, "INSERT INTO search_index (search_index) VALUES ('integrity-check')")
        store.close()
    store = open_store(url, tmp_path)
    while build.step(store):
        pass
    assert build.describe(store).messages == MESSAGES
    found = Mail(store).view(SearchMessages(inbox, BodyContains("number 7 needle"), store.blobs))
    assert [uid for uid, _ in found] == [8]
    sql(store, "INSERT INTO search_index (search_index) VALUES ('integrity-check')")
    assert check(store) == []
    store.close()
