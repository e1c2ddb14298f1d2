"""A file and octets in memory are the same source."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.storage.content import source as module
from folkmoot.storage.content.mime import index_message
from folkmoot.storage.content.source import BytesSource, FileSource
from tests.storage.test_mime_parts import MESSAGE


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every search cross many windows."""
    monkeypatch.setattr(module, "WINDOW", 7)
    monkeypatch.setattr(module, "_FIRST_WINDOW", 5)


@given(
    st.lists(st.sampled_from([b"a", b"b", b"\n", b"ab"]), max_size=60).map(b"".join),
    st.lists(st.sampled_from([b"a", b"b", b"\n"]), min_size=1, max_size=12).map(b"".join),
    st.integers(0, 70),
    st.integers(0, 70),
)
@settings(max_examples=200, deadline=None)
def test_searches_agree(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, needle: bytes, start: int, end: int
) -> None:
    """Reading, finding and counting in windows is the same as in memory."""
    path = tmp_path_factory.mktemp("source") / "file"
    path.write_bytes(data)
    memory = BytesSource(data)
    with pytest.MonkeyPatch.context() as patch, FileSource(path) as file:
        patch.setattr(module, "WINDOW", 7)
        patch.setattr(module, "_FIRST_WINDOW", 5)
        assert file.size == memory.size
        assert file.find(needle, start, end) == memory.find(needle, start, end)
        assert file.count(needle[:1], start, end) == memory.count(needle[:1], start, end)
        assert file.read(start, end) == memory.read(start, end)


@pytest.mark.usefixtures("small_windows")
def test_index_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message in a file has the same index as in memory, however the windows fall."""
    monkeypatch.setattr("folkmoot.storage.content.mime._IN_MEMORY", 0)
    path = tmp_path / "message"
    for data in (MESSAGE, MESSAGE.replace(b"\r\n", b"\n"), b"", b"\n", b"a"):
        path.write_bytes(data)
        with FileSource(path) as file:
            assert index_message(file) == index_message(BytesSource(data))


def test_descriptor_stays_open(tmp_path: Path) -> None:
    """A descriptor that was handed in is neither closed nor moved."""
    path = tmp_path / "message"
    path.write_bytes(b"Subject: x\n\nbody")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with FileSource(descriptor) as source:
            assert index_message(source).header_size == 12
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 0
    finally:
        os.close(descriptor)


def test_own_descriptor_is_closed(tmp_path: Path) -> None:
    """A path's descriptor is closed with the source."""
    path = tmp_path / "message"
    path.write_bytes(b"x")
    source = FileSource(path)
    source.close()
    source.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        source.read(0, 1)
