"""kill -9 in the middle of a storm of appends: what was acknowledged is there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

from folkmoot.storage.upkeep import check, sweep
from tests.kit.databases import Databases
from tests.kit.stores import open_store
from tests.storage.mail_kit import Mail, new_mail

ROUNDS = 3
WRITERS = 4

# Appends small and large messages until it dies; each line is one acknowledged message.
STORM = """
import hashlib, os, random, sys, threading
from pathlib import Path
from tests.kit.messages import simple
from tests.kit.stores import open_store
from tests.storage.mail_kit import Mail

url, folder, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
store = open_store(url, folder)
mail = Mail(store)
inbox = mail.box().id

def work(number):
    chance = random.Random(f"{seed}-{number}")
    while True:
        size = store.inline_limit + 1 if chance.random() < 0.1 else chance.randrange(4000)
        body = simple(f"{seed} {number} {chance.random()}") + chance.randbytes(size)
        (uid,) = mail.append(inbox, body).uids
        line = f"{uid} {hashlib.sha256(body).hexdigest()}\\n"
        os.write(1, line.encode())

for number in range(int(sys.argv[4])):
    threading.Thread(target=work, args=(number,), daemon=True).start()
threading.Event().wait()
"""


def storm(url: str, folder: Path, seed: int, seconds: float) -> dict[int, str]:
    """Run a storm, kill it after a while; what it had acknowledged: digest by UID."""
    command = [sys.executable, "-c", STORM, url, str(folder), str(seed), str(WRITERS)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        lines = [first, *process.stdout]
    whole = [line.split() for line in lines if line.endswith(b"\n")]
    return {int(uid): hashed.decode() for uid, hashed in whole}


def test_acknowledged_messages_survive_kill(databases: Databases, tmp_path: Path) -> None:
    """Three crashes at random moments: nothing acknowledged is lost, nothing half is there."""
    url = databases.fresh("sqlite")
    store = open_store(url, tmp_path)
    inbox = new_mail(store).box().id
    store.close()
    acknowledged: dict[int, str] = {}
    for seed in range(ROUNDS):
        came = storm(url, tmp_path, seed, random.uniform(0.2, 1.0))
        assert came, "the storm must have begun"
        assert not came.keys() & acknowledged.keys(), "no UID is given twice"
        acknowledged |= came
        store = open_store(url, tmp_path)
        mail = Mail(store)
        assert check(store, deep=True) == []
        stored = {row[0] for row in mail.rows(inbox)}
        assert acknowledged.keys() <= stored
        # What was under way may have been committed unheard, one for each writer.
        assert len(stored) <= len(acknowledged) + WRITERS * (seed + 1)
        for uid, hashed in acknowledged.items():
            assert sha256(mail.octets(inbox, uid)).hexdigest() == hashed
        sweep(store, age=-1)  # files whose transactions died; nothing else may go
        assert check(store, deep=True) == []
        store.close()
