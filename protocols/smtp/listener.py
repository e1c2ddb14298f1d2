"""The factory of one listening socket of submission or LMTP, and the connections it made."""

from __future__ import annotations

import asyncio
import weakref

from folkmoot.protocols.smtp import commands
from folkmoot.protocols.smtp.lmtp import Lmtp
from folkmoot.protocols.smtp.service import Service
from folkmoot.protocols.smtp.session import Role, Session
from folkmoot.protocols.smtp.submission import Submission


class MailFactory:
    """Makes a session for each connection; to be given to ``loop.create_server``.

    ``protocol`` is "submission" or "lmtp"; ``secure`` says that connections begin with TLS.
    """

    def __init__(self, service: Service, protocol: str, *, secure: bool) -> None:
        self._service = service
        self._role: type[Role] = Lmtp if protocol == "lmtp" else Submission
        self._commands = commands.LMTP if protocol == "lmtp" else commands.SUBMISSION
        self._secure = secure
        self._sessions: weakref.WeakSet[Session] = weakref.WeakSet()

    def __call__(self) -> Session:
        """Return the protocol of a new connection."""
        session = Session(self._service, self._role(), self._commands, secure=self._secure)
        self._sessions.add(session)
        return session

    async def close(self, grace: float = 5.0) -> None:
        """End the connections: idle ones now, others after what they do, within ``grace`` seconds.

        The socket is to be closed before, by whoever opened it.
        """
        for session in list(self._sessions):
            session.stop()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        while any(session.open for session in self._sessions) and loop.time() < deadline:
            await asyncio.sleep(0.02)
        for session in list(self._sessions):
            session.abort()
