"""What a client knows of a mailbox from untagged data alone, and how it catches up later."""

from __future__ import annotations

from collections.abc import Iterable

from tests.imap.test_compress import compress
from tests.kit.imap import Response
from tests.kit.known import Flags, Known, joined, spread
from tests.kit.server import TestAccount, TestServer

__all__ = ["Flags", "Replica", "joined", "spread"]


class Replica(Known):
    """One mail program: a connection, and what it remembers while it has none."""

    def __init__(self, server: TestServer, account: TestAccount) -> None:
        super().__init__()
        self._server = server
        self.account = account
        self.selected = False
        self.client = server.imap(account)

    # --- connections --------------------------------------------------------------------------

    def connect(self, *, compressed: bool, qresync: bool) -> None:
        """Drop the connection, if there is one, and sign in again."""
        self.client.close()
        self.client = self._server.imap(self.account)
        self.selected = False
        if compressed:
            compress(self.client)
        self.qresync = qresync
        if qresync:
            self.client.ok("ENABLE QRESYNC")

    def select(self, how: str) -> None:
        """Open INBOX and catch up: ``plain``, ``condstore``, ``qresync`` or ``known``.

        ``known`` is QRESYNC with the list of known UIDs. Where QRESYNC is not on or nothing is
        known yet, the latter two are CONDSTORE.
        """
        self._catch_up(how)
        self.learn()  # else it would not know to ask for these when it comes back

    def _catch_up(self, how: str) -> None:
        known = [uid for uid in self.uids if uid is not None]
        # With a list the server tells of nothing else, so it must be all that was there.
        with_list = how == "known" and bool(known) and not self.unknown()
        since = (self.uidvalidity, self.modseq)
        self.uids = []
        if how in ("qresync", "known") and self.qresync and self.uidvalidity:
            self._resynchronise(known, with_list=with_list)
            return
        response = self.client.ok("SELECT INBOX (CONDSTORE)" if how != "plain" else "SELECT INBOX")
        self.selected = True
        self.opened(response)
        self.take(response, "SELECT")
        assert self.uidvalidity == since[0] or not since[0]
        if how == "plain" or not since[0]:
            self.flags.clear()
            self.run("FETCH 1:* (UID FLAGS)" if self.uids else "NOOP")
            return
        # rfc4549#4.3.1: what changed of the old, then which of the old are left.
        here = self.client.ok("UID SEARCH UID 1:*")
        words = [word for line in here.lines for word in line.split()[2:]]
        self.uids = [*sorted(map(int, words))]
        self.run(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since[1]})")

    def _resynchronise(self, known: list[int], *, with_list: bool) -> None:
        words = f"{self.uidvalidity} {self.modseq}" + (f" {joined(known)}" if with_list else "")
        response = self.client.ok(f"SELECT INBOX (QRESYNC ({words}))")
        self.selected = True
        self.resynchronise(response, known)

    def leave(self, command: str) -> None:
        """CLOSE, UNSELECT or LOGOUT; what it knows stays as it is."""
        self.client.ok(command)
        self.selected = False

    # --- commands -----------------------------------------------------------------------------

    def run(self, command: str) -> Response:
        """Run a command and learn from what comes."""
        response = self.client.cmd(command)
        self.take(response, command)
        return response

    def learn(self) -> None:
        """Ask for what it knows to be there and knows nothing of."""
        if unknown := self.unknown():
            self.run(f"FETCH {joined(unknown)} (UID FLAGS)")

    def idle(self) -> str:
        """Begin IDLE; returns the tag."""
        tag = self.client.start("IDLE")
        lines: list[bytes] = []
        while not (line := self.client.line()).startswith(b"+"):
            lines.append(line)
        self.take(Response(lines), "IDLE")
        return tag

    def apply_silently(self, uids: Iterable[int], sign: str, flags: Flags) -> None:
        """What it takes for granted after its own STORE .SILENT."""
        for uid in uids:
            before = self.flags.get(uid)
            if before is not None:
                self.flags[uid] = {"+": before | flags, "-": before - flags, "": flags}[sign]
