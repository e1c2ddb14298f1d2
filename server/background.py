"""What runs beside the protocols until the server stops."""

from __future__ import annotations

import abc
import asyncio


class Background(abc.ABC):
    """Runs until ``stop``, on the asyncio loop; long work belongs in a thread."""

    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End; a step that has begun in a thread ends by itself or with the store."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @abc.abstractmethod
    async def _run(self) -> None:
        """The work; cancelled by ``stop``."""
