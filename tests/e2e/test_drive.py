"""Real WebDAV programs against the drive: litmus, rclone, cadaver, curl."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Demo

pytestmark = pytest.mark.e2e

LOGIN = "bob@example.test:bob-demo"
SUITES = ("basic", "copymove", "props", "locks", "http")


def drive(demo: Demo) -> str:
    """The URL of somebody's own documents."""
    return f"http://127.0.0.1:{demo.port(80)}/dav/drive/My%20documents/"


@pytest.mark.client("litmus")
@pytest.mark.parametrize("suite", SUITES)
def test_litmus(demo: Demo, tmp_path: Path, suite: str) -> None:
    """No failure, no warning, and nothing left out."""
    env = {**os.environ, "TESTS": suite}
    name, _, password = LOGIN.partition(":")
    done = demo.run("litmus", "-k", drive(demo), name, password, env=env, cwd=tmp_path)
    summary = re.search(r"of (\d+) tests run: (\d+) passed, (\d+) failed", done.stdout)
    assert summary is not None, done.stdout + done.stderr
    run, passed, failed = map(int, summary.groups())
    assert (passed, failed) == (run, 0), done.stdout
    assert run > 3
    assert "SKIPPED" not in done.stdout.upper(), done.stdout
    assert "WARNING" not in done.stdout, done.stdout


@pytest.fixture
def remote(demo: Demo, tmp_path: Path) -> list[str]:
    """What rclone needs to know of the server."""
    obscured = demo.run("rclone", "obscure", "bob-demo").stdout.strip()
    config = tmp_path / "rclone.conf"
    config.write_text(
        f"[drive]\ntype = webdav\nurl = {drive(demo)}\nvendor = owncloud\n"
        f"user = bob@example.test\npass = {obscured}\n"
    )
    return ["--config", str(config), "--retries", "1", "--low-level-retries", "1"]


@pytest.mark.client("rclone")
def test_rclone_keeps_times(demo: Demo, tmp_path: Path, remote: list[str]) -> None:
    """Two folders are alike after a sync, dates included; a second sync has nothing to do."""
    source, back = tmp_path / "source", tmp_path / "back"
    (source / "sub folder").mkdir(parents=True)
    (source / "a & b.txt").write_text("hello")
    (source / "sub folder" / "ä ö #%.bin").write_bytes(os.urandom(3_000_000))
    (source / "empty").write_bytes(b"")
    for number, path in enumerate(sorted(source.rglob("*"))):
        if path.is_file():
            os.utime(path, (1_000_000_000 + number, 1_000_000_000 + number))
    for arguments in (
        ["sync", str(source), "drive:synced"],
        ["check", str(source), "drive:synced", "--download"],
        ["sync", "drive:synced", str(back)],
    ):
        done = demo.run("rclone", *remote, *arguments)
        assert done.returncode == 0, done.stderr
    for path in source.rglob("*"):
        if path.is_file():
            copied = back / path.relative_to(source)
            assert copied.read_bytes() == path.read_bytes()
            assert int(copied.stat().st_mtime) == int(path.stat().st_mtime)
    (source / "empty").unlink()
    demo.run("rclone", *remote, "sync", str(source), "drive:synced")
    again = demo.run(
        "rclone", *remote, "sync", str(source), "drive:synced", "-v", "--stats-one-line"
    )
    assert "There was nothing to transfer" in again.stderr, again.stderr
    listed = demo.run("rclone", *remote, "lsf", "-R", "drive:synced").stdout.splitlines()
    assert sorted(listed) == ["a & b.txt", "sub folder/", "sub folder/ä ö #%.bin"]
    about = demo.run("rclone", *remote, "about", "drive:", "--json")
    assert '"used"' in about.stdout, about.stderr


@pytest.mark.client("cadaver")
def test_cadaver(demo: Demo, tmp_path: Path) -> None:
    """A session of a command-line client: folders, files, properties, locks, moving, removing."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login bob@example.test password bob-demo\n")
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / "file.txt").write_text("hello cadaver")
    script = (
        "mkcol cadaver\ncd cadaver\nput file.txt\nls\nlock file.txt\ndiscover file.txt\n"
        "unlock file.txt\npropset file.txt colour blue\npropget file.txt colour\n"
        "copy file.txt copy.txt\nmove copy.txt moved.txt\nget moved.txt got.txt\n"
        "delete moved.txt\nls\ncd ..\nrmcol cadaver\nquit\n"
    )
    env = {**os.environ, "HOME": str(tmp_path)}
    done = demo.run("cadaver", drive(demo), stdin=script, env=env, cwd=tmp_path)
    assert "failed" not in done.stdout.lower(), done.stdout
    assert "Value of colour is: blue" in done.stdout, done.stdout
    assert (tmp_path / "got.txt").read_text() == "hello cadaver"
    assert "file.txt" in done.stdout


@pytest.mark.client("curl")
def test_curl_ranges_and_resumed_transfers(demo: Demo, tmp_path: Path) -> None:
    """What broke off goes on where it was, both ways."""
    octets = os.urandom(2_000_000)
    (tmp_path / "whole").write_bytes(octets)
    (tmp_path / "part").write_bytes(octets[:700_000])
    curl = ["curl", "-sS", "--fail", "-u", LOGIN]
    url = drive(demo) + "resumed.bin"
    steps: list[list[str | Path]] = [
        ["-T", tmp_path / "part", url],
        ["-C", "700000", "-T", tmp_path / "whole", url],
        ["-o", tmp_path / "back", "-r", "0-999999", url],
        ["-C", "-", "-o", tmp_path / "back", url],
    ]
    for arguments in steps:
        done = demo.run(*curl, *arguments)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "back").read_bytes() == octets
    done = demo.run(*curl, "-X", "DELETE", url)
    assert done.returncode == 0, done.stderr
    gone = demo.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-u", LOGIN, url)
    assert gone.stdout == "404"


@pytest.mark.client("curl")
def test_interrupted_upload(demo: Demo, tmp_path: Path) -> None:
    """A client that is cut off in the middle leaves no file behind."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(200 << 20)
    url = drive(demo) + "cut.bin"
    slowly = ["--max-time", "1", "--limit-rate", "5M"]
    assert demo.run("curl", "-sS", "-u", LOGIN, *slowly, "-T", large, url).returncode == 28
    time.sleep(0.2)
    gone = demo.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-u", LOGIN, url)
    assert gone.stdout == "404"


@pytest.mark.client("rclone")
def test_rclone_puts_files_into_a_drop_folder(
    demo: Demo, tmp_path: Path, remote: list[str]
) -> None:
    """A fellow member's drop folder takes files, also again when they changed, and shows them."""
    base = f"http://127.0.0.1:{demo.port(80)}/dav/drive/"
    drops = demo.run("rclone", *remote, "lsf", "drive:", f"--webdav-url={base}Drop folders/")
    assert drops.returncode == 0, drops.stderr
    owner = next(name for name in drops.stdout.splitlines() if name.startswith("Alice"))
    place = f"--webdav-url={base}Drop folders/{owner}"
    source = tmp_path / "source"
    source.mkdir()
    (source / "ä report.txt").write_text("one")
    (source / "large.bin").write_bytes(os.urandom(2_000_000))
    for text in ("one", "one and two"):
        (source / "ä report.txt").write_text(text)
        for command in ("copy", "check"):
            done = demo.run("rclone", *remote, command, str(source), "drive:", place)
            assert done.returncode == 0, done.stderr
    listed = demo.run("rclone", *remote, "lsf", "drive:", place).stdout.splitlines()
    assert sorted(listed) == ["large.bin", "ä report.txt"]
    curl = ["curl", "-sS", "-u", "alice@example.test:alice-demo"]
    found = demo.run(*curl, f"{base}My%20documents/Drop%20folder/%C3%A4%20report.txt")
    assert found.stdout == "one and two"
