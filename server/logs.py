"""Structured logs: one line for each event, as text or JSON, with secrets masked.

Modules use the standard library's ``logging`` and give values as ``extra={...}``; Twisted's own
log events are bridged in. Every line passes ``Mask``.
"""

from __future__ import annotations

import datetime
import json
import logging
import re
import sys
import traceback
from pathlib import Path
from typing import IO, Any

from twisted.logger import (
    ILogObserver,
    LogEvent,
    LogLevel,
    formatEvent,
    globalLogBeginner,
)
from zope.interface import implementer  # type: ignore[import-untyped]

MAX_LINE = 8192
_MASKED = "***"
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|credential|authorization|sasl|initial_response|cookie",
    re.IGNORECASE,
)
_SECRET_TEXT = (
    # LOGIN user password, as IMAP's strings or atoms; in lower case it may be plain English
    re.compile(r'(\bLOGIN\s+(?:"(?:[^"\\]|\\.)*"|[^\s"]+)\s+)("(?:[^"\\]|\\.)*"|\S+)'),
    re.compile(
        r'(\bLOGIN\s+(?:"(?:[^"\\]|\\.)*"|[^\s"]+)\s+)("(?:[^"\\]|\\.)*"|\S+)(?=\s*$)', re.I | re.M
    ),
    # AUTHENTICATE PLAIN blob, AUTH PLAIN blob
    re.compile(r"(\bAUTH(?:ENTICATE)?\s+[A-Z0-9-]+\s+)(\S+)", re.I),
    re.compile(r"(\b(?:Bearer|Basic)\s+)([A-Za-z0-9+/=._~-]{6,})", re.I),
    re.compile(
        r"(\b(?:password|passwd|secret|token)[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;)]+)", re.I
    ),
    # postgresql://user:password@host
    re.compile(r"(\b[a-z][a-z0-9+]{0,30}+://[^\s:/@]+:)([^\s@/]+)(?=@)", re.I),
)
# Also what turns the direction of writing: a line must read on a terminal as it is.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")
_PLAIN_VALUE = re.compile(r'[^\s"=\\]+')
_LEVELS = {
    LogLevel.debug: logging.DEBUG,
    LogLevel.info: logging.INFO,
    LogLevel.warn: logging.WARNING,
    LogLevel.error: logging.ERROR,
    LogLevel.critical: logging.CRITICAL,
}


def mask(text: str) -> str:
    """The beginning of a text, with what looks like a secret replaced by ``***``.

    What clients write may be long, and no line is: the patterns see no more than that.
    """
    text = text[: 2 * MAX_LINE]
    for pattern in _SECRET_TEXT:
        text = pattern.sub(rf"\1{_MASKED}", text)
    return text


class Mask(logging.Filter):
    """Masks secrets in the message, its values and its traceback, before anything formats them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; it is always logged."""
        record.msg = mask(record.getMessage())
        record.args = None
        for name, value in fields_of(record).items():
            if _SECRET_NAME.search(name):
                setattr(record, name, _MASKED)
            elif isinstance(value, str | bytes):
                text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
                setattr(record, name, mask(text))
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = mask("".join(traceback.format_exception(*record.exc_info)))
        return True


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The values given as ``extra``."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


class _Named(logging.Filter):
    """Adds the number of the worker to each line."""

    def __init__(self, worker: int) -> None:
        super().__init__()
        self._worker = worker

    def filter(self, record: logging.LogRecord) -> bool:
        """Note it in the record; it is always logged."""
        record.worker = self._worker
        return True


class TextFormat(logging.Formatter):
    """``2026-01-31T12:00:00.000Z INFO imap message key=value``, with control characters escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        parts = [_time(record), record.levelname, _name(record), _clean(record.getMessage())]
        parts += [f"{name}={_value(value)}" for name, value in fields_of(record).items()]
        if record.exc_text:
            parts.append(f"traceback={_value(record.exc_text)}")
        return " ".join(parts)[:MAX_LINE]


class JsonFormat(logging.Formatter):
    """One JSON object on one line: time, level, logger, message and the values."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        event: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": _name(record),
            "message": record.getMessage()[:MAX_LINE],
        }
        for name, value in fields_of(record).items():
            plain = isinstance(value, int | float | bool) or value is None
            event.setdefault(name, value if plain else str(value)[:MAX_LINE])
        if record.exc_text:
            event["traceback"] = record.exc_text[:MAX_LINE]
        return _json(event)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(record.msecs):03d}Z"


def _name(record: logging.LogRecord) -> str:
    return record.name.removeprefix("folkmoot.")


def _clean(text: str) -> str:
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


def _value(value: object) -> str:
    text = str(value)
    return text if _PLAIN_VALUE.fullmatch(text) and not _CONTROL.search(text) else _json(text)


def _json(value: object) -> str:
    """JSON for people: letters as they are, but nothing that controls a terminal."""
    text = json.dumps(value, ensure_ascii=False)
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class Logs:
    """Where the process logs to. ``close`` undoes what ``__init__`` did."""

    def __init__(
        self, level: str, format: str, file: Path | None, *, worker: int | None = None
    ) -> None:
        """Start logging; raises ``OSError`` when the file cannot be opened.

        ``worker`` is the number of a process among several that log to the same place.
        """
        self._file = file
        stream = self._open()
        self._handler = logging.StreamHandler(stream)
        self._handler.setFormatter(JsonFormat() if format == "json" else TextFormat())
        self._handler.addFilter(Mask())
        if worker is not None:
            self._handler.addFilter(_Named(worker))
        root = logging.getLogger()
        root.addHandler(self._handler)
        root.setLevel(level.upper())
        # Factories that start and stop are news to nobody.
        quiet = logging.DEBUG if level == "debug" else logging.WARNING
        for name in (
            "twisted",
            "asyncio",
            "mail.log",
            "alembic",
            "sqlalchemy",
            "fontTools",
            "fpdf",
        ):
            logging.getLogger(name).setLevel(quiet)

    def bridge_twisted(self) -> None:
        """Send Twisted's log events here as well; once in a process."""
        globalLogBeginner.beginLoggingTo([ToStandardLibrary()], redirectStandardIO=False)  # type: ignore[list-item]

    def reopen(self) -> None:
        """Open the file again, after it was rotated; a file that cannot be opened is kept open."""
        if self._file is None:
            return
        try:
            fresh = self._open()
        except OSError as error:
            logging.getLogger("folkmoot.logs").error(
                "log file not reopened", extra={"why": error.strerror or "unknown"}
            )
            return
        old = self._handler.setStream(fresh)
        if old is not None:
            old.close()

    def close(self) -> None:
        """Stop logging here."""
        logging.getLogger().removeHandler(self._handler)
        self._handler.flush()
        if self._file is not None:
            self._handler.stream.close()

    def _open(self) -> IO[str]:
        if self._file is None:
            return sys.stderr
        return self._file.open("a", encoding="utf-8", errors="backslashreplace")


@implementer(ILogObserver)
class ToStandardLibrary:
    """Hands Twisted's log events to ``logging``, under the logger of their namespace."""

    def __call__(self, event: LogEvent) -> None:
        """Log one event."""
        namespace = str(event.get("log_namespace") or "")
        if not namespace.startswith("twisted"):
            namespace = f"twisted.{namespace}"
        level = _LEVELS.get(event.get("log_level", LogLevel.info), logging.INFO)
        logger = logging.getLogger(namespace)
        if not logger.isEnabledFor(level):
            return
        failure = event.get("log_failure")
        trouble = None
        if failure is not None:
            trouble = (failure.type, failure.value, failure.getTracebackObject())
        logger.log(level, "%s", formatEvent(event), exc_info=trouble)
