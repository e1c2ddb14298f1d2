"""How commands work with the store: without a reactor, waiting for each Deferred in turn."""

from __future__ import annotations

import queue
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from folkmoot.auth.passwords import PasswordRefused
from folkmoot.config.directory import Directory, PlanSection, load_directory
from folkmoot.config.schema import Config
from folkmoot.server.commands.context import load_or_exit, refuse
from folkmoot.server.core import CannotOpen, Core
from folkmoot.storage.errors import StorageError

_T = TypeVar("_T")


class Work:
    """An open store; ``accounts``, ``groups``, ``sharing`` and ``outbound`` are its ``core``'s."""

    def __init__(self, config: Config) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.core = Core(config, self._calls.put, reason="command line")
        self.accounts = self.core.accounts
        self.groups = self.core.groups
        self.sharing = self.core.sharing
        self.outbound = self.core.outbound

    def wait(self, work: Deferred[_T] | Coroutine[Any, Any, _T]) -> _T:
        """The result of a Deferred or coroutine; raises what it fails with."""
        deferred = work if isinstance(work, Deferred) else Deferred.fromCoroutine(work)
        results: list[_T | Failure] = []
        deferred.addBoth(results.append)
        while not results:
            self._calls.get()()
        result = results[0]
        if isinstance(result, Failure):
            result.raiseException()
        return result


@contextmanager
def working(config: Config) -> Iterator[Work]:
    """Open the store for one command; its errors end the program with exit code 1."""
    try:
        work = Work(config)
    except CannotOpen as error:
        raise click.ClickException(str(error)) from None
    try:
        yield work
    except (StorageError, PasswordRefused) as error:
        raise click.ClickException(str(error)) from None
    finally:
        work.core.close()


def directory_of(config: Config) -> Directory:
    """The directory file, or an empty one; exit code 2 when it cannot be used."""
    if config.server.directory is None:
        return Directory()
    return load_or_exit(load_directory, config.server.directory)


def plan_named(config: Config, name: str) -> PlanSection:
    """A plan of the directory file; exit code 2 when there is none of this name."""
    plans = directory_of(config).plans()
    if name not in plans:
        refuse(f'There is no plan "{name}"; there are: {", ".join(plans)}.')
    return plans[name]
