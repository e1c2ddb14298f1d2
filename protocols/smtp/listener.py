"""The factory of one listening socket of submission or LMTP, and the connections it made."""

from __future__ import annotations

import asyncio
from typing import Any

from twisted.internet.protocol import Factory

from folkmoot.protocols.smtp import commands
from folkmoot.protocols.smtp.lmtp import Lmtp
from folkmoot.protocols.smtp.service import Service
from folkmoot.protocols.smtp.session import Role, Session
from folkmoot.protocols.smtp.submission import Submission
from folkmoot.protocols.smtp.transport import Connection


class MailFactory(Factory):
    """Makes a session for each connection.

    ``protocol`` is "submission" or "lmtp"; ``secure`` says that connections begin with TLS.
    ``sessions`` are those that are there.
    """

    noisy = False

    def __init__(self, service: Service, protocol: str, *, secure: bool) -> None:
        self.sessions: set[Session] = set()
        self._service = service
        self._role: type[Role] = Lmtp if protocol == "lmtp" else Submission
        self._commands = commands.LMTP if protocol == "lmtp" else commands.SUBMISSION
        self._secure = secure

    def buildProtocol(self, addr: Any) -> Connection:  # noqa: N802 - Twisted's name
        """Return the protocol of a new connection."""
        session = Session(self._service, self._role(), self._commands, secure=self._secure)
        self.sessions.add(session)
        return Connection(session, lambda: self.sessions.discard(session))

    async def close(self, grace: float = 5.0) -> None:
        """End the connections: idle ones now, others after what they do, within ``grace`` seconds.

        The socket is to be closed before, by whoever opened it.
        """
        for session in list(self.sessions):
            session.stop()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        while self.sessions and loop.time() < deadline:
            await asyncio.sleep(0.02)
        for session in list(self.sessions):
            session.abort()
