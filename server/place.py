"""Where a process stands among those that are one server."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

READY = b"ready\n"


@dataclass(frozen=True, slots=True)
class Place:
    """A worker's ``number`` of ``count``, and the descriptor of its ``line`` to the supervisor.

    ``sockets`` are descriptors of the listeners, in the order of the config file.
    """

    number: int
    count: int
    sockets: tuple[int, ...]
    line: int

    @property
    def leads(self) -> bool:
        """Whether this one does what is to be done by one process only."""
        return self.number == 0

    def words(self) -> str:
        """For the command line of the worker."""
        return ":".join(map(str, (self.number, self.count, self.line, *self.sockets)))

    def tell_ready(self) -> None:
        """Tell the supervisor, where there is one, that clients are served."""
        if self.line >= 0:
            with suppress(OSError):
                os.write(self.line, READY)

    @classmethod
    def of(cls, words: str) -> Place:
        """What ``words`` gave."""
        number, count, line, *sockets = map(int, words.split(":"))
        return cls(number, count, tuple(sockets), line)


ALONE = Place(0, 1, (), -1)
"""The place of a server that is one process."""
