"""The bus between processes that share an SQLite file: what one commits, the others hear of.

Each process has a Unix datagram socket in a folder beside the database, which only the server's
user may enter, and after a commit sends its hints to all that it finds there. So the command line
and the worker processes of a server need to know nothing of each other.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import select
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from folkmoot.storage.bus.wire import decode_hints, encode_hints
from folkmoot.storage.types import Hint, Topic

MOST_WAITING = 100  # payloads for one neighbour that takes none; then it is to look at everything
_EVERYTHING = encode_hints([Hint(Topic.ALL, 0)])
_DATAGRAM = 8192  # octets, more than a payload has
_SUFFIX = ".sock"

log = logging.getLogger("folkmoot.storage")


class Neighbours:
    """``hear`` is called in a thread of its own with what others have committed.

    ``tell`` and ``pass_on`` are for one thread. Where the system has no such sockets nobody hears
    anything, and the engine finds out by looking.
    """

    def __init__(self, folder: Path, hear: Callable[[list[Hint]], None]) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._hear = hear
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        # The path of a socket has room for some 100 octets, and the data may lie deeper.
        by_number = Path(f"/proc/self/fd/{self._folder}")
        self._path = by_number if by_number.exists() else folder
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
        self._waiting: dict[str, list[str]] = {}
        self._heard = False
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender.setblocking(False)
        self._receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._listen, name="store-neighbours", daemon=True)
        try:
            self._receiver.bind(str(self._path / self._name))
        except OSError as error:
            log.warning("changes by other processes are seen late: %s", error.strerror)
        self._thread.start()

    def tell(self, hints: list[Hint]) -> None:
        """Send the hints of a commit. Never raises; what cannot be sent now waits."""
        payloads = encode_hints(hints)
        if payloads:
            for name in self._others():
                waiting = self._waiting.setdefault(name, [])
                if waiting != _EVERYTHING:
                    waiting += payloads
                if len(waiting) > MOST_WAITING:
                    waiting[:] = _EVERYTHING
        self.pass_on()

    def pass_on(self) -> bool:
        """Try to send what waits; whether something still does."""
        for name, waiting in [*self._waiting.items()]:
            try:
                while waiting:
                    self._sender.sendto(waiting[0].encode(), str(self._path / name))
                    del waiting[0]
            except BlockingIOError:
                continue
            except OSError:
                # Nobody is there any more: whoever ends by force leaves its socket.
                with contextlib.suppress(OSError):
                    os.unlink(name, dir_fd=self._folder)
            del self._waiting[name]
        return bool(self._waiting)

    def heard(self) -> bool:
        """Whether somebody has told something since this was asked the last time."""
        heard, self._heard = self._heard, False
        return heard

    def close(self) -> None:
        """Be gone. Not to be used after."""
        with contextlib.suppress(OSError):
            os.unlink(self._name, dir_fd=self._folder)
        self._stop.send(b"x")
        self._thread.join()
        for one in (self._stop, self._stopped, self._sender, self._receiver):
            one.close()
        os.close(self._folder)

    def _others(self) -> list[str]:
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []
        return [name for name in names if name.endswith(_SUFFIX) and name != self._name]

    def _listen(self) -> None:
        poll = select.poll()
        poll.register(self._stopped, select.POLLIN)
        poll.register(self._receiver, select.POLLIN)
        while all(number != self._stopped.fileno() for number, _ in poll.poll()):
            payload = self._receiver.recv(_DATAGRAM)
            self._heard = True
            self._hear(decode_hints(payload.decode("ascii", "replace")))
