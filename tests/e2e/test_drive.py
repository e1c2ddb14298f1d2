"""Real WebDAV programs against the drive: litmus, rclone, cadaver, curl."""

from __future__ import annotations

import json
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
@pytest.mark.parametrize("place", ["My%20documents/", "Groups/Choir/"])
@pytest.mark.parametrize("suite", SUITES)
def test_litmus(demo: Demo, tmp_path: Path, suite: str, place: str) -> None:
    """All suites, in one's own documents and in a group's: no failure, no warning, none skipped."""
    env = {**os.environ, "TESTS": suite}
    name, _, password = LOGIN.partition(":")
    url = drive(demo).replace("My%20documents/", place)
    done = demo.run("litmus", "-k", url, name, password, env=env, cwd=tmp_path)
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


CADAVER = """
mkcol cadaver
cd cadaver
mput file.txt more.txt
ls
cat file.txt
lock file.txt
showlocks
discover file.txt
propset file.txt colour blue
propget file.txt colour
propdel file.txt colour
propnames file.txt
unlock file.txt
copy file.txt copy.txt
move copy.txt moved.txt
set searchdepth infinity
search displayname = moved.txt
lock more.txt
steal more.txt
mkcol sub
lock sub
put file.txt sub/in.txt
unlock sub
copy sub sub2
move sub2 sub3
get sub3/in.txt got.txt
ls sub3
delete moved.txt more.txt
rmcol sub sub3
cd ..
rmcol cadaver
quit
"""


@pytest.mark.client("cadaver")
def test_cadaver(demo: Demo, tmp_path: Path) -> None:
    """All that it can do: folders, files, properties, searches, locks, of folders too."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login bob@example.test password bob-demo\n")
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / "file.txt").write_text("hello cadaver")
    (tmp_path / "more.txt").write_text("more")
    env = {**os.environ, "HOME": str(tmp_path)}
    done = demo.run("cadaver", drive(demo), stdin=CADAVER, env=env, cwd=tmp_path)
    assert "failed" not in done.stdout.lower(), done.stdout
    # mkcol 2, mput 2, ls 2, lock 3, unlock 2, propset, propdel, propnames, copy 2, move 2,
    # search, put, get, delete 2, rmcol 3
    assert done.stdout.count("succeeded.") == 26, done.stdout
    assert "Value of colour is: blue" in done.stdout, done.stdout
    assert "Found 1 results" in done.stdout, done.stdout
    assert done.stdout.count("Lock token <urn:uuid:") == 2, done.stdout
    assert (tmp_path / "got.txt").read_text() == "hello cadaver"


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
def test_rclone_commands(demo: Demo, tmp_path: Path, remote: list[str]) -> None:
    """One file at a time: streamed, shown, copied and moved there, measured, removed."""

    def run(*words: str, stdin: str = "") -> str:
        done = demo.run("rclone", *remote, *words, stdin=stdin)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    run("mkdir", "drive:commands/empty/below")
    run("rcat", "drive:commands/ä.txt", stdin="streamed")
    assert run("cat", "drive:commands/ä.txt", "--offset", "2", "--count", "3") == "rea"
    run("copyto", "drive:commands/ä.txt", "drive:commands/copied.txt")
    run("moveto", "drive:commands/ä.txt", "drive:commands/folder/moved.txt")
    run("rmdirs", "drive:commands/empty")
    (tmp_path / "local").mkdir()
    run("copy", "drive:commands", str(tmp_path / "local"))
    run("check", "drive:commands", str(tmp_path / "local"), "--download")
    listed = json.loads(run("lsjson", "-R", "drive:commands"))
    assert {each["Path"]: each["Size"] for each in listed if not each["IsDir"]} == {
        "copied.txt": 8,
        "folder/moved.txt": 8,
    }
    assert {each["Path"] for each in listed if each["IsDir"]} == {"folder"}
    size = json.loads(run("size", "drive:commands", "--json"))
    assert (size["count"], size["bytes"]) == (2, 16)
    run("move", "drive:commands/folder", "drive:commands/renamed")
    run("deletefile", "drive:commands/copied.txt")
    run("purge", "drive:commands")
    assert "commands" not in run("lsf", "drive:")
    top = f"--webdav-url={drive(demo).removesuffix('My%20documents/')}"
    room = json.loads(run("about", "drive:", top, "--json"))
    assert room == json.loads(run("about", "drive:", "--json"))
    assert room["free"] + room["used"] == room["total"]


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
