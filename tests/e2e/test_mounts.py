"""The drive as a file system, where one can be mounted: davfs2, and what rclone mounts."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Demo
from tests.kit.pace import patience

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not Path("/dev/fuse").exists() or os.geteuid() != 0,
        reason="nothing can be mounted here: FUSE needs /dev/fuse, and mount.davfs root",
    ),
]

NAME, PASSWORD = "eve@example.test", "eve-demo"
MINE = "My documents"


def drive(demo: Demo) -> str:
    """The whole drive, with what is one's own and what is shared."""
    return f"http://127.0.0.1:{demo.port(80)}/dav/drive/"


def curl(demo: Demo, path: str, *words: str | Path) -> str:
    """What another program gets from one's own documents."""
    url = f"{drive(demo)}{MINE}/{path}".replace(" ", "%20")
    done = demo.run("curl", "-sS", "-u", f"{NAME}:{PASSWORD}", *words, url)
    assert done.returncode == 0, done.stderr
    return done.stdout


def until(holds: Callable[[], bool]) -> None:
    """Wait for what mounts do in the background."""
    end = time.monotonic() + patience(20)
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


# Since Linux 6.16, listings fail with less than this, which is in KiB.
DAVFS = """
secrets {folder}/secrets
cache_dir {folder}/cache
buf_size 64
delay_upload 0
dir_refresh 1
file_refresh 0
ask_auth 0
"""


@pytest.fixture
def davfs(demo: Demo) -> Iterator[Path]:
    """The drive, mounted by davfs2."""
    # It works as a user of its own, who must come there.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield from mounted_by_davfs2(demo, Path(folder))


def mounted_by_davfs2(demo: Demo, folder: Path) -> Iterator[Path]:
    """The drive, mounted in a folder."""
    (folder / "secrets").touch(0o600)
    (folder / "secrets").write_text(f"{drive(demo)} {NAME} {PASSWORD}\n")
    (folder / "conf").write_text(DAVFS.format(folder=folder))
    (folder / "cache").mkdir()
    (folder / "cache").chmod(0o775)
    shutil.chown(folder / "cache", group="davfs2")
    place = folder / "drive"
    place.mkdir()
    done = demo.run("/sbin/mount.davfs", "-o", f"conf={folder}/conf", drive(demo), place)
    assert done.returncode == 0, done.stderr
    yield place
    # Waits until everything has been sent.
    done = demo.run("umount", place)
    assert done.returncode == 0, done.stderr


@pytest.mark.client("davfs2")
def test_davfs2(demo: Demo, davfs: Path) -> None:
    """Mounted: folders, files under lock, renaming, copies, free room, and what others change."""
    assert {MINE, "Groups", "Shared", "Drop folders"} <= {*os.listdir(davfs)}
    mine = davfs / MINE
    folder = mine / "Mounted ä #%&"
    folder.mkdir()
    octets = os.urandom(3_000_000)
    (folder / "random.bin").write_bytes(octets)
    with (folder / "notes.txt").open("w") as file:
        file.write("one\n")
        file.flush()
        file.write("two\n")
    with (folder / "notes.txt").open("a") as file:
        file.write("three\n")
    (folder / "random.bin").rename(mine / "moved.bin")
    shutil.copy(mine / "moved.bin", folder / "copy.bin")
    folder.rename(mine / "Renamed")
    (mine / "Renamed" / "empty").touch()
    assert sorted(os.listdir(mine / "Renamed")) == ["copy.bin", "empty", "notes.txt"]
    room = os.statvfs(davfs)
    # Without an answer, it would tell of a drive of its own invention.
    assert 0 < room.f_bavail * room.f_frsize < 10_000_000_000

    assert curl(demo, "Renamed/notes.txt") == "one\ntwo\nthree\n"
    curl(demo, "Renamed/other.txt", "-X", "PUT", "--data-binary", "from another program")
    until((mine / "Renamed" / "other.txt").exists)
    assert (mine / "Renamed" / "other.txt").read_text() == "from another program"
    assert (mine / "Renamed" / "copy.bin").read_bytes() == octets
    with pytest.raises(OSError, match="new"):
        (davfs / "Groups" / "new").mkdir()
    shutil.rmtree(mine / "Renamed")
    (mine / "moved.bin").unlink()
    assert curl(demo, "moved.bin", "-o", "/dev/null", "-w", "%{http_code}") == "404"


@pytest.fixture
def rclone(demo: Demo, tmp_path: Path) -> Iterator[Path]:
    """The drive, mounted by rclone."""
    obscured = demo.run("rclone", "obscure", PASSWORD).stdout.strip()
    config = tmp_path / "rclone.conf"
    config.write_text(
        f"[drive]\ntype = webdav\nurl = {drive(demo)}\nvendor = owncloud\n"
        f"user = {NAME}\npass = {obscured}\n"
    )
    place = tmp_path / "drive"
    place.mkdir()
    words: list[str | Path] = ["--config", config, "--dir-cache-time", "0s"]
    words += ["--vfs-cache-mode", "writes", "--vfs-write-back", "0.1s", "--cache-dir", tmp_path]
    process = subprocess.Popen(
        ["rclone", *words, "mount", "drive:", place], stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + patience(20)
    while not place.is_mount():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.05)
    yield place
    demo.run("fusermount3", "-u", place)
    assert process.wait(60) == 0


@pytest.mark.client("rclone")
def test_rclone_mount(demo: Demo, rclone: Path, tmp_path: Path) -> None:
    """Mounted: files with their times, changes in the middle, renaming, what others change."""
    mine, source, copy = rclone / MINE, tmp_path / "source", tmp_path / "copy"
    folder = mine / "Mounted ä #%&"
    escaped = "Mounted%20%C3%A4%20%23%25%26/random.bin"
    octets = bytearray(os.urandom(2_000_000))
    source.write_bytes(octets)
    os.utime(source, (1_000_000_000, 1_000_000_000))

    def sent() -> bool:
        curl(demo, escaped, "-o", copy)
        return copy.read_bytes() == octets

    folder.mkdir()
    shutil.copy2(source, folder / "random.bin")
    until(sent)
    assert "Sun, 09 Sep 2001 01:46:40 GMT" in curl(demo, escaped, "-I")
    with (folder / "random.bin").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"changed")
    octets[1_000_000:1_000_007] = b"changed"
    until(sent)
    (folder / "random.bin").rename(mine / "moved.bin")
    assert (mine / "moved.bin").read_bytes() == octets
    curl(demo, "moved.bin", "-X", "PUT", "--data-binary", "from another program")
    until(lambda: (mine / "moved.bin").read_bytes() == b"from another program")
    folder.rename(mine / "Renamed")
    assert os.listdir(mine / "Renamed") == []
    (mine / "Renamed").rmdir()
    (mine / "moved.bin").unlink()
    assert curl(demo, "moved.bin", "-o", "/dev/null", "-w", "%{http_code}") == "404"
