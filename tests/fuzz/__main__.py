"""``make fuzz``: each target for a while, guided by coverage where atheris is installed.

    python -m tests.fuzz [--seconds N] [TARGET ...]

What breaks a target is kept in ``build/fuzz/TARGET/``; when it is mended, the file goes to
``tests/fuzz/corpus/TARGET/`` with a name that says what it was.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import random
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.mutate import grown, mutate
from tests.fuzz.target import Target, all_targets

FOUND = Path("build/fuzz")
GROWN_SIZES = (1 << 14, 1 << 16, 1 << 18)
SLACK = 4.0


def keep(target: Target, data: bytes, error: Exception) -> None:
    """Write an input that broke something to where people look."""
    folder = FOUND / target.name
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / hashlib.sha256(data).hexdigest()[:12]
    file.write_bytes(data)
    print(f"{target.name}: {type(error).__name__}: {str(error)[:200]}\n    {file}", flush=True)


def plain(target: Target, seconds: float) -> int:
    """Mutations without guidance, and long inputs. Returns how many broke something."""
    rng, broken, tried = random.Random(), 0, 0
    seeds = [*target.seeds, *(file.read_bytes() for file in target.found())]
    words = target.words or (b"",)
    until = time.monotonic() + seconds
    while time.monotonic() < until and broken < 5:
        tried += 1
        long = tried % 50 == 0
        data = (
            grown(rng, seeds, words, rng.choice(GROWN_SIZES)) if long else mutate(rng, seeds, words)
        )
        try:
            target.run(data, SLACK)
        except Exception as error:
            keep(target, data, error)
            broken += 1
    print(f"{target.name}: {tried} inputs without guidance, {broken} broke something", flush=True)
    return broken


def guided(target: Target, seconds: int) -> int:
    """Atheris in a process of its own, because it ends its process when it finds something."""
    folder = FOUND / target.name
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    for data in (*target.seeds, *(file.read_bytes() for file in target.found())):
        (folder / "corpus" / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    words = folder / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words if word))
    command = [sys.executable, "-m", "tests.fuzz.guided", target.name, f"-max_total_time={seconds}"]
    command += ["-rss_limit_mb=2048", "-timeout=20", "-max_len=8192", "-verbosity=1"]
    command += [f"-artifact_prefix={folder}/", *([f"-dict={words}"] if target.words else [])]
    command += [str(folder / "corpus")]
    with open(folder / "log", "wb") as log:
        code = subprocess.run(command, stdout=log, stderr=log, check=False).returncode
    lines = (folder / "log").read_text(errors="replace").splitlines()
    runs = next((line for line in reversed(lines) if line.startswith("Done ")), "")
    print(f"{target.name}: {'held' if code == 0 else f'BROKEN: see {folder}'} {runs}", flush=True)
    return int(code != 0)


def _escaped(word: bytes) -> str:
    return "".join(
        chr(octet) if 32 < octet < 127 and octet not in b'"\\' else f"\\x{octet:02x}"
        for octet in word
    )


def main() -> int:
    """The exit code is how many targets were broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the parsers.")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("targets", nargs="*")
    given = parser.parse_args()
    known = all_targets()
    if unknown := set(given.targets) - set(known):
        parser.error(f"no such targets: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    is_guided = importlib.util.find_spec("atheris") is not None
    if not is_guided:
        print("atheris is not installed here: inputs are mutated without guidance by coverage")
    broken = 0
    for name in given.targets or known:
        share = given.seconds // 4 if is_guided else given.seconds
        failed = plain(known[name], share)
        if is_guided:
            failed += guided(known[name], given.seconds - share)
        broken += bool(failed)
    return broken


if __name__ == "__main__":
    sys.exit(main())
