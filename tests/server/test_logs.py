"""Logs: one line for each event, and no secrets in any of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from folkmoot.server.logs import Logs, ToStandardLibrary, mask

log = logging.getLogger("folkmoot.test")


@pytest.fixture(params=["text", "json"])
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Logs]:
    """Logging into ``tmp_path/log``, in both formats."""
    root = logging.getLogger()
    level = root.level
    logs = Logs("info", request.param, tmp_path / "log")
    yield logs
    logs.close()
    root.setLevel(level)


def lines(folder: Path) -> list[str]:
    """What was logged."""
    return (folder / "log").read_text("utf-8").splitlines()


def test_one_line_for_each_event(logs: Logs, tmp_path: Path) -> None:
    """Line breaks and control characters from clients cannot forge log lines."""
    log.info("got %s", "a\r\nFAKE line\x1b[2J", extra={"peer": "::1", "text": 'x\n"y', "n": 3})
    try:
        raise ValueError("broken\nthings")
    except ValueError:
        log.exception("failed")
    log.debug("not logged")
    written = lines(tmp_path)
    assert len(written) == 2
    assert "\x1b" not in written[0]
    assert "ValueError: broken" in written[1]
    assert "test_logs.py" in written[1]


def test_json_lines_are_objects(tmp_path: Path) -> None:
    """Scripts get typed values under their names."""
    logs = Logs("info", "json", tmp_path / "log")
    try:
        log.warning("slow", extra={"seconds": 1.5, "peer": "::1", "ok": True})
    finally:
        logs.close()
    event = json.loads(lines(tmp_path)[0])
    assert event.pop("time").endswith("Z")
    assert event == {
        "level": "warning",
        "logger": "test",
        "message": "slow",
        "seconds": 1.5,
        "peer": "::1",
        "ok": True,
    }


@pytest.mark.parametrize(
    "text",
    [
        "a1 LOGIN alice hunter2",
        'a1 LOGIN "al ice" "hunter2 \\" x"',
        'a1 login alice "hunter2"',
        "a1 AUTHENTICATE PLAIN hunter2",
        "AUTH SCRAM-SHA-256 hunter2",
        "Authorization: Bearer hunter2",
        "connect to postgresql://folkmoot:hunter2@db/x failed",
        "password=hunter2",
        "{'password': 'hunter2', 'x': 1}",
        'token: "hunter2"',
    ],
)
def test_secrets_are_masked(logs: Logs, tmp_path: Path, text: str) -> None:
    """A password is in no line, whether it came as text, as a value or in a traceback."""
    log.info(text)
    log.info("got %s", text)
    log.info("got", extra={"line": text, "octets": text.encode(), "password": "hunter2"})
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("failed")
    written = "\n".join(lines(tmp_path))
    assert written.count("***") >= 5
    assert "hunter2" not in written


@pytest.mark.parametrize(
    "text", ["login of account 7", "LOGIN failed", "plan business, 3 tokens", "AUTH", "a@b:c@d"]
)
def test_harmless_text_stays(text: str) -> None:
    """Masking does not eat what people need to read."""
    assert mask(text) == text


def test_reopen_follows_rotation(logs: Logs, tmp_path: Path) -> None:
    """After logrotate moved the file, SIGHUP's reopen writes a new one."""
    log.info("one")
    (tmp_path / "log").rename(tmp_path / "log.1")
    log.info("two")
    logs.reopen()
    log.info("three")
    assert len((tmp_path / "log.1").read_text().splitlines()) == 2
    assert len(lines(tmp_path)) == 1


def test_a_file_that_cannot_be_reopened_is_kept(logs: Logs, tmp_path: Path) -> None:
    """A mistake in rotation loses no lines."""
    (tmp_path / "log").rename(tmp_path / "log.1")
    (tmp_path / "log").mkdir()
    logs.reopen()
    log.info("still here")
    assert "still here" in (tmp_path / "log.1").read_text()


def test_twisted_events_arrive(logs: Logs, tmp_path: Path) -> None:
    """Errors that Twisted catches are in the same log, with their traceback."""
    try:
        raise RuntimeError("inside twisted")
    except RuntimeError:
        failure = Failure()  # type: ignore[no-untyped-call]
    observer = ToStandardLibrary()
    observer(
        {
            "log_namespace": "twisted.internet",
            "log_level": LogLevel.critical,
            "log_format": "Unhandled {what}",
            "what": "error",
            "log_failure": failure,
        }
    )
    observer({"log_namespace": "twisted.x", "log_level": LogLevel.info, "log_format": "noise"})
    written = lines(tmp_path)
    assert len(written) == 1
    assert "Unhandled error" in written[0]
    assert "RuntimeError: inside twisted" in written[0]
