"""A small client for Marionette, by which Mozilla's programs are driven from outside.

Messages are JSON behind their length: ``LENGTH:[0, number, command, parameters]`` to the program,
``LENGTH:[1, number, error, result]`` back.
"""

from __future__ import annotations

import itertools
import json
import socket
import time
from typing import Any

_ASYNC = """
const done = arguments[arguments.length - 1];
const given = Array.from(arguments).slice(0, -1);
(async (...args) => { %s })(...given).then(
  value => done({value: value === undefined ? null : value}),
  error => done({error: `${error}\\n${error?.stack ?? ""}`}));
"""


class ScriptError(Exception):
    """A script in the program failed."""


class Marionette:
    """A session in the program's own privileged context."""

    def __init__(self, port: int, seconds: float) -> None:
        """Wait for the program to listen. Raises ``OSError`` when it does not in time."""
        self._numbers = itertools.count(1)
        self._unread = b""
        self._socket = _connect(port, time.monotonic() + seconds)
        self._socket.settimeout(60)
        self._read()  # its greeting
        self.command("WebDriver:NewSession", {})
        self.command("Marionette:SetContext", {"value": "chrome"})

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def command(self, name: str, parameters: dict[str, Any]) -> Any:
        """Send a command and wait for its result. Raises ``ScriptError``."""
        number = next(self._numbers)
        data = json.dumps([0, number, name, parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(data), data))
        _, answered, error, result = self._read()
        assert answered == number
        if error:
            raise ScriptError(f"{error['error']}: {error['message']}")
        return result

    def run(self, script: str, *args: Any, seconds: float = 60) -> Any:
        """Run the body of an asynchronous function with ``args``; what it returns, as JSON."""
        found = self.command(
            "WebDriver:ExecuteAsyncScript",
            {
                "script": _ASYNC % script,
                "args": list(args),
                "sandbox": "system",
                "newSandbox": False,
                "scriptTimeout": int(seconds * 1000),
            },
        )["value"]
        if "error" in found:
            raise ScriptError(found["error"])
        return found["value"]

    def _read(self) -> Any:
        while b":" not in self._unread:
            self._receive()
        digits, _, rest = self._unread.partition(b":")
        length = int(digits)
        self._unread = rest
        while len(self._unread) < length:
            self._receive()
        message, self._unread = self._unread[:length], self._unread[length:]
        return json.loads(message)

    def _receive(self) -> None:
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the program hung up")
        self._unread += data


def _connect(port: int, until: float) -> socket.socket:
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 5)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
