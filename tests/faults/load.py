"""People who work for as long as the server lives, and remember what it told them.

Each worker has things of its own and knows, for each of them, what may be there: what the last
answer said, and beside that what was asked for and not answered. ``compare`` looks at all of it.
"""

from __future__ import annotations

import http.client
import random
import re
import smtplib
import threading
from collections import Counter
from collections.abc import Callable

from tests.faults.site import DRIVE, Site, address, message
from tests.kit.http import HttpClient
from tests.kit.imap import ImapClient
from tests.server.cli import eventually

LARGE = 400_000  # octets: more than what lives in the database
FLAGS = ("\\Flagged", "\\Answered", "$Later")
RIGHTS = ("lrs", "lrsw", "lrswi")
_ENDED = (OSError, EOFError, http.client.HTTPException, smtplib.SMTPException)
_SUBJECT = re.compile(rb"Subject: (\S+)")


class Worker:
    """One thread. ``count`` is how many changes were acknowledged."""

    def __init__(self, site: Site, number: int, dice: random.Random) -> None:
        self.site = site
        self.number = number
        self.dice = dice
        self.count = 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Work until the server is gone."""
        try:
            self.begin()
            while True:
                self.step()
        except _ENDED:
            return
        except BaseException as error:
            self.failure = error

    def begin(self) -> None:
        """Connect."""

    def step(self) -> None:
        """Change something."""

    def compare(self) -> None:
        """What was acknowledged is there; of what was not, all or nothing."""


class Appender(Worker):
    """APPEND of small and large messages."""

    mailbox = "INBOX"

    def __init__(self, site: Site, number: int, dice: random.Random) -> None:
        super().__init__(site, number, dice)
        self.known: dict[int, bytes] = {}
        self._client: ImapClient

    def begin(self) -> None:
        self._client = self.site.imap("alice")

    def step(self) -> None:
        size = LARGE if self.dice.random() < 0.05 else self.dice.randrange(5000)
        octets = message(f"a{self.number}-{self.dice.random()}", size)
        uid = int(self._client.append(self.mailbox, octets).code.split()[-1])
        assert uid not in self.known, "a UID was given twice"
        self.known[uid] = octets
        self.count += 1

    def compare(self) -> None:
        client = self.site.imap("alice", self.mailbox)
        for uid, octets in self.known.items():
            [line] = client.ok(f"UID FETCH {uid} BODY.PEEK[]").matching("FETCH")
            assert line.partition(b"}\r\n")[2].removesuffix(b")") == octets, uid
        client.close()


class Mover(Worker):
    """STORE and MOVE of some messages between two mailboxes."""

    messages = 20

    def __init__(self, site: Site, number: int, dice: random.Random) -> None:
        super().__init__(site, number, dice)
        self.boxes = (f"Here{number}", f"There{number}")
        # By subject: where it may be, and which flags it may have.
        self.known: dict[str, tuple[set[str], set[frozenset[str]]]] = {}
        self._client: ImapClient

    def begin(self) -> None:
        self._client = self.site.imap("carol")
        if not self.known:
            for box in self.boxes:
                self._client.ok(f"CREATE {box}")
            for number in range(self.messages):
                self._client.append(self.boxes[0], message(f"m{number}"))
                self.known[f"m{number}"] = ({self.boxes[0]}, {frozenset()})
        self._settle()

    def _settle(self) -> None:
        """Learn what became of the things that had no answer."""
        found = self._found()
        self.known = {name: ({box}, {flags}) for name, (box, flags, _) in found.items()}

    def _found(self) -> dict[str, tuple[str, frozenset[str], int]]:
        found: dict[str, tuple[str, frozenset[str], int]] = {}
        for box in self.boxes:
            self._client.ok(f"SELECT {box}")
            answer = self._client.ok("FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            for line in answer.matching("FETCH"):
                subject = re.search(_SUBJECT, line)
                flags = re.search(rb"FLAGS \(([^)]*)\)", line)
                uid = re.search(rb"UID (\d+)", line)
                assert subject is not None
                assert flags is not None
                assert uid is not None
                name = subject[1].decode()
                assert name not in found, f"{name} is there twice"
                found[name] = (box, frozenset(flags[1].decode().split()), int(uid[1]))
        return found

    def step(self) -> None:
        for name, (box, flags, uid) in self._found().items():
            there = self.boxes[1] if box == self.boxes[0] else self.boxes[0]
            self._client.ok(f"SELECT {box}")
            if self.dice.random() < 0.5:
                wanted = frozenset(self.dice.sample(FLAGS, self.dice.randrange(4)))
                self.known[name] = ({box}, {flags, wanted})
                self._client.ok(f"UID STORE {uid} FLAGS.SILENT ({' '.join(wanted)})")
                self.known[name] = ({box}, {wanted})
            else:
                self.known[name] = ({box, there}, {flags})
                self._client.ok(f"UID MOVE {uid} {there}")
                self.known[name] = ({there}, {flags})
            self.count += 1

    def compare(self) -> None:
        self._client = self.site.imap("carol")
        found = self._found()
        self._client.close()
        assert found.keys() == self.known.keys()
        for name, (box, flags, _) in found.items():
            boxes, allowed = self.known[name]
            assert box in boxes, (name, box, boxes)
            assert flags in allowed, (name, flags, allowed)


class Sender(Worker):
    """LMTP, and submission to people here and elsewhere."""

    def __init__(self, site: Site, number: int, dice: random.Random) -> None:
        super().__init__(site, number, dice)
        self.delivered: list[str] = []
        self.queued: list[str] = []
        self._lmtp: smtplib.LMTP
        self._smtp: smtplib.SMTP

    def begin(self) -> None:
        self._lmtp = self.site.lmtp()
        self._smtp = self.site.smtp("alice")

    def step(self) -> None:
        name = f"s{self.number}-{self.dice.random()}"
        size = LARGE if self.dice.random() < 0.05 else 500
        text = message(name, size).replace(b"someone@example.net", b"alice@example.org", 1)
        if self.dice.random() < 0.6:
            self._lmtp.sendmail("a@example.net", [address("bob")], text)
        else:
            elsewhere = f"{name}@example.com"
            self._smtp.sendmail(address("alice"), [address("bob"), elsewhere], text)
            self.queued.append(elsewhere)
        self.delivered.append(name)
        self.count += 1

    def compare(self) -> None:
        client = self.site.imap("bob", "INBOX")
        lines = client.ok("FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]").lines
        client.close()
        there = Counter(found.decode() for found in re.findall(_SUBJECT, b"".join(lines)))
        assert set(there.values()) <= {1}, "a message was delivered twice"
        assert there.keys() >= set(self.delivered)


class Writer(Worker):
    """PUT and DELETE of small and large files, changes and removals of whole folders."""

    inside = ("one", "two", "three")

    def __init__(self, site: Site, number: int, dice: random.Random) -> None:
        super().__init__(site, number, dice)
        self.known: dict[str, set[bytes | None]] = {}
        self.folders: dict[str, set[bool]] = {}
        self._client: HttpClient

    def begin(self) -> None:
        self._client = self.site.http("dave")

    def _call(self, method: str, name: str, body: bytes | None = None, to: str = "") -> None:
        fields = [("Destination", f"http://{self._client.host}{DRIVE}{to}")] if to else []
        answer = self._client.request(method, DRIVE + name, fields, body)
        assert answer.status in (201, 204), (method, name, answer.status, answer.body)
        self.count += 1

    def step(self) -> None:
        if self.dice.random() < 0.8:
            self._change_file()
        else:
            self._change_folders()

    def _change_file(self) -> None:
        name = f"f{self.number}-{self.dice.randrange(30)}"
        before = self.known.get(name, {None})
        size = LARGE if self.dice.random() < 0.1 else self.dice.randrange(10, 5000)
        body = (
            None
            if before == {body for body in before if body} and self.dice.random() < 0.2
            else self.dice.randbytes(size)
        )
        self.known[name] = before | {body}
        self._call("DELETE" if body is None else "PUT", name, body)
        self.known[name] = {body}

    def _change_folders(self) -> None:
        """Make a folder with files in it, rename it, and remove every other one."""
        name = f"d{self.number}-{self.dice.random()}"
        self._call("MKCOL", f"{name}-new")
        for inside in self.inside:
            self._call("PUT", f"{name}-new/{inside}", inside.encode() * 200)
        self.folders[name] = {True, False}
        self._call("MOVE", f"{name}-new", to=name)
        self.folders[name] = {True}
        if self.dice.random() < 0.5:
            self.folders[name] = {True, False}
            self._call("DELETE", name)
            self.folders[name] = {False}

    def compare(self) -> None:
        client = self.site.http("dave")
        for name, allowed in self.known.items():
            answer = client.request("GET", DRIVE + name)
            assert answer.status in (200, 404), (name, answer.status)
            assert (answer.body if answer.status == 200 else None) in allowed, name
        for name, there in self.folders.items():
            statuses = {
                client.request("GET", f"{DRIVE}{name}/{inside}").status for inside in self.inside
            }
            assert statuses in ([{200}] if there == {True} else [{200}, {404}]), (name, statuses)
            if there == {False}:
                assert statuses == {404}, name
        client.close()


class Sharer(Worker):
    """Gives rights on a mailbox to a fellow member, changes them and takes them away."""

    def __init__(self, site: Site, number: int, dice: random.Random) -> None:
        super().__init__(site, number, dice)
        self.box = f"Shared by {number}"
        self.made = False
        self.allowed: set[str] = {""}
        self._client: ImapClient

    def begin(self) -> None:
        self._client = self.site.imap("alice")
        if not self.made:
            self._client.ok(f'CREATE "{self.box}"')
            self.made = True

    def step(self) -> None:
        wanted = self.dice.choice(["", *RIGHTS])
        self.allowed.add(wanted)
        if wanted:
            self._client.ok(f'SETACL "{self.box}" {address("bob")} {wanted}')
        else:
            self._client.ok(f'DELETEACL "{self.box}" {address("bob")}')
        self.allowed = {wanted}
        self.count += 1

    def compare(self) -> None:
        client = self.site.imap("alice")
        [line] = client.ok(f'GETACL "{self.box}"').matching("ACL")
        client.close()
        found = re.search(rb"bob@example\.org (\w+)", line)
        assert (found[1].decode() if found else "") in self.allowed, (line, self.allowed)
        client = self.site.imap("bob")
        seen = bool(client.ok('LIST "" "Shared/*"').matching(self.box))
        client.close()
        assert seen in {bool(rights) for rights in self.allowed}


WORKERS: tuple[Callable[[Site, int, random.Random], Worker], ...] = (
    Appender,
    Appender,
    Mover,
    Sender,
    Sender,
    Writer,
    Writer,
    Sharer,
)


class Load:
    """All workers; the same ones go on after each fault."""

    def __init__(self, site: Site, seed: int) -> None:
        self.workers = [
            kind(site, number, random.Random(f"{seed}-{number}"))
            for number, kind in enumerate(WORKERS)
        ]
        self._threads: list[threading.Thread] = []
        self._before: list[int] = []

    def start(self) -> None:
        """Begin, or go on after the server has come back."""
        self._before = [one.count for one in self.workers]
        self._threads = [threading.Thread(target=one.run, daemon=True) for one in self.workers]
        for thread in self._threads:
            thread.start()

    def under_way(self) -> None:
        """Wait until every worker has changed something since ``start``."""
        both = list(zip(self.workers, self._before, strict=True))

        def all_work() -> bool:
            self._fail()
            return all(one.count > was for one, was in both)

        eventually(all_work)

    def join(self) -> None:
        """Wait until every worker has noticed the end of the server."""
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()
        self._fail()

    def _fail(self) -> None:
        for one in self.workers:
            if one.failure is not None:
                raise one.failure

    @property
    def count(self) -> int:
        """Changes that were acknowledged so far."""
        return sum(one.count for one in self.workers)

    def compare(self) -> None:
        """Look at everything that the workers know."""
        for one in self.workers:
            one.compare()

    @property
    def queued(self) -> set[str]:
        """Addresses elsewhere to which mail was taken."""
        return {to for one in self.workers if isinstance(one, Sender) for to in one.queued}
