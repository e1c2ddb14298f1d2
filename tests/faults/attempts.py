"""Changes by all protocols, each answered by yes or by a clear no that says to try again."""

from __future__ import annotations

import itertools
import random
import smtplib
import threading

from tests.faults.site import DRIVE, Site, address, message
from tests.kit.http import HttpClient
from tests.kit.imap import ImapClient

LARGE = 600_000  # octets: more than what lives in the database

_numbers = itertools.count(1)


class Attempts:
    """Connections of alice; ``done`` holds the names of what was acknowledged, with the octets.

    Each attempt returns whether the server took it. Anything else than yes or a clear no fails.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.done: dict[str, bytes] = {}
        self.refused: set[str] = set()
        self._imap: ImapClient = site.imap("alice", "INBOX")
        self._http: HttpClient = site.http("alice")
        self._lmtp = site.lmtp()
        self._smtp = site.smtp("alice")
        assert self.append()
        assert self.put()

    def close(self) -> None:
        """Drop the connections."""
        for one in (self._imap, self._http, self._lmtp, self._smtp):
            one.close()

    def _told(self, name: str, octets: bytes, done: bool) -> bool:
        if done:
            self.done[name] = octets
        else:
            self.refused.add(name)
        return done

    def append(self, size: int = 0) -> bool:
        """APPEND."""
        name = f"appended{next(_numbers)}"
        octets = message(name, size)
        answer = self._imap.cmd(b"APPEND INBOX {%d+}\r\n%b" % (len(octets), octets))
        return self._told(name, octets, _imap(answer.status, answer.code))

    def command(self, command: str) -> bool:
        """Any IMAP command that changes something."""
        answer = self._imap.cmd(command)
        return _imap(answer.status, answer.code)

    def put(self, size: int = 10) -> bool:
        """PUT of a new document."""
        name = f"document{next(_numbers)}"
        octets = message(name, size)
        return self._told(name, octets, self.request("PUT", name, octets))

    def request(self, method: str, name: str, body: bytes | None = None) -> bool:
        """Any request that changes something."""
        answer = self._http.request(method, DRIVE + name, (), body)
        if answer.header("connection") == "close":  # the rest of a body was not wanted
            self._http.close()
            self._http = self._site.http("alice")
        if answer.status == 503:
            assert answer.header("retry-after")
            assert b"try again" in answer.body
            return False
        assert answer.status in (201, 204, 207), (answer.status, answer.body)
        return True

    def deliver(self, size: int = 0) -> bool:
        """A message by LMTP."""
        name = f"delivered{next(_numbers)}"
        text = message(name, size)
        return self._told(name, b"", _smtp(self._lmtp, "a@example.net", address("alice"), text))

    def submit(self, size: int = 0) -> bool:
        """A message by submission, to somebody here."""
        name = f"submitted{next(_numbers)}"
        text = message(name, size).replace(b"someone@example.net", address("alice").encode(), 1)
        taken = _smtp(self._smtp, address("alice"), address("alice"), text)
        return self._told(name, b"", taken)

    def everything(self) -> list[bool]:
        """All kinds of changes, the last four of them large: whether each was taken."""
        taken = [
            self.command(f"STORE 1 FLAGS (word{next(_numbers)})"),
            self.command("COPY 1 Archive"),
            self.command(f"CREATE Box{next(_numbers)}"),
            self.request("MKCOL", f"folder{next(_numbers)}"),
        ]
        for size in (1000, LARGE):
            kinds = (self.append, self.put, self.deliver, self.submit)
            taken += [kind(size) for kind in kinds]
        return taken

    # --- afterwards ---------------------------------------------------------------------------

    def read(self) -> None:
        """What can be read while nothing can be written: with a new login, too."""
        new = self._site.imap("alice", "INBOX")
        for client in (self._imap, new):
            assert client.ok("FETCH 1 (FLAGS BODY.PEEK[])").matching("BODY[]")
            assert client.ok('LIST "" *').matching("INBOX")
        new.close()
        with self._site.http("bob") as other:
            assert other.request("PROPFIND", DRIVE, [("Depth", "1")]).status == 207
        first = next(name for name in self.done if name.startswith("document"))
        assert self._http.request("GET", DRIVE + first).body == self.done[first]

    def compare(self, *, sure: bool = True) -> None:
        """What was acknowledged is there octet for octet, and nothing of what was refused.

        Not ``sure`` is who was refused because nobody knew what became of a commit: that may be
        there.
        """
        self._imap.ok("NOOP")
        lines = self._imap.ok("FETCH 1:* BODY.PEEK[]").matching("FETCH")
        found = {_subject(line): line for line in lines}
        assert len(found) == len(lines), "something is there twice"
        assert not sure or not found.keys() & self.refused
        for name, octets in self.done.items():
            if name.startswith("document"):
                answer = self._http.request("GET", DRIVE + name)
                assert (answer.status, answer.body) == (200, octets), name
            else:
                assert octets in found[name], name
        for name in self.refused if sure else ():
            assert self._http.request("GET", DRIVE + name).status == 404, name


def _subject(line: bytes) -> str:
    return line.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()


def _imap(status: str, code: str) -> bool:
    assert (status == "OK") or (status, code) == ("NO", "UNAVAILABLE"), (status, code)
    return status == "OK"


def _smtp(client: smtplib.SMTP, sender: str, to: str, text: bytes) -> bool:
    try:
        client.sendmail(sender, [to], text)
    except smtplib.SMTPRecipientsRefused as error:
        [(code, reply)] = error.recipients.values()
    except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        code, reply = error.smtp_code, error.smtp_error  # type: ignore[assignment]
    else:
        return True
    assert (code, reply[:5]) == (452, b"4.3.1"), (code, reply)
    return False


class Writer:
    """Changes things of all kinds until told to end."""

    def __init__(self, site: Site, number: int) -> None:
        self.attempts = Attempts(site)
        self._dice = random.Random(number)
        self._outcomes: list[bool] = []
        self._ending = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def since(self, outcome: bool) -> int:
        """How many changes had an outcome since ``forget``."""
        if self._failure is not None:
            raise self._failure
        return self._outcomes.count(outcome)

    def forget(self) -> None:
        """Count anew."""
        self._outcomes.clear()

    def end(self) -> None:
        """Finish the last change."""
        self._ending.set()
        self._thread.join(20)
        assert self.since(True)

    def _run(self) -> None:
        one = self.attempts
        kinds = (one.append, one.put, one.deliver, one.submit)
        try:
            while not self._ending.wait(0.02):
                size = LARGE if self._dice.random() < 0.2 else self._dice.randrange(10, 5000)
                self._outcomes.append(self._dice.choice(kinds)(size))
        except BaseException as error:
            self._failure = error
