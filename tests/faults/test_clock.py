"""The clock jumps, forward and back: nothing is lost, stuck, or counted twice."""

from __future__ import annotations

import contextlib
import re
import smtplib
import sqlite3
import time
from collections.abc import Iterator

import pytest

from folkmoot.auth.support_names import key_hash, new_key
from folkmoot.storage.mutations.support_grants import GrantSupport
from folkmoot.storage.mutations.support_sessions import OpenSupport
from folkmoot.storage.mutations.support_staff import CreateAgent
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor
from folkmoot.storage.types_support import NewGrant
from folkmoot.storage.views.accounts import FindAccount
from folkmoot.storage.views.support import SupportGrants
from tests.faults.preload import Machine
from tests.faults.site import DRIVE, Site, address, message, password
from tests.kit.databases import Databases
from tests.kit.dav import LOCK, multistatus
from tests.kit.http import Answer, HttpClient
from tests.kit.imap import ImapClient
from tests.server.cli import Running, eventually
from tests.smtp.next_hop import NextHop

pytestmark = pytest.mark.slow
HOUR, DAY = 3600, 86_400
JUMPS = (2 * DAY, -3 * DAY, 400 * DAY, -2 * HOUR, 0)  # off the true time, one after the other
SYNC = (
    '<D:sync-collection xmlns:D="DAV:"><D:sync-token>{}</D:sync-token>'
    "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
)


@pytest.fixture(scope="module")
def next_hop() -> Iterator[NextHop]:
    """Takes no mail until told to."""
    hop = NextHop(answer=lambda line: "451 4.3.0 later" if line.startswith("RCPT") else None)
    hop.start()
    yield hop
    hop.stop()


@pytest.fixture(scope="module")
def site(databases: Databases, tmp_path_factory: pytest.TempPathFactory, next_hop: NextHop) -> Site:
    """Mail for elsewhere goes to the next hop, again after ten minutes, for thirty days."""
    relay = f'host = "localhost"\nport = {next_hop.port}\ntls = "none"\nretry = ["10 min"]\n'
    relay += 'give_up_after = "30 days"\n'
    folder = tmp_path_factory.mktemp("clock")
    return Site(folder, url=databases.fresh("sqlite"), more=f"[relay]\n{relay}")


@pytest.fixture(scope="module")
def whole_machine(site: Site) -> Machine:
    """The machine of all tests of this module."""
    return Machine(site.folder)


@pytest.fixture
def machine(whole_machine: Machine) -> Iterator[Machine]:
    """Its clock is right before and after each test."""
    yield whole_machine
    whole_machine.clock(0)


@pytest.fixture(scope="module")
def server(site: Site, whole_machine: Machine) -> Iterator[Running]:
    """Running, and well at the end."""
    with site.server(env=whole_machine.env) as server:
        yield server
        site.works()
        site.ended(server)
    site.check()


def test_numbers_rise(site: Site, server: Running, machine: Machine) -> None:
    """UIDs, modseqs, UIDVALIDITY and sync tokens go on, and open sessions hear of changes."""
    client, web, idle = site.imap("alice", "INBOX"), site.http("alice"), site.imap("alice", "INBOX")
    tag = idle.idle()
    token, last, validity = "", (0, 0), 0
    for number, seconds in enumerate(JUMPS):
        machine.clock(seconds)
        uid = int(client.append("INBOX", message(f"n{number}")).code.split()[-1])
        assert idle.wait_line("EXISTS", 5)
        [line] = client.ok(f"UID FETCH {uid} MODSEQ").matching("MODSEQ")
        found = re.search(rb"MODSEQ \((\d+)\)", line)
        assert found is not None
        assert (uid, int(found[1])) > last
        assert int(found[1]) > last[1]
        last = (uid, int(found[1]))
        client.cmd("DELETE Again")
        client.ok("CREATE Again")
        made = re.search(rb"UIDVALIDITY (\d+)", client.ok("STATUS Again (UIDVALIDITY)").lines[0])
        assert made is not None
        assert int(made[1]) > validity
        validity = int(made[1])
        assert web.request("PUT", f"{DRIVE}n{number}", (), b"x").status == 201
        changes = multistatus(web.request("REPORT", DRIVE, (), SYNC.format(token)))
        assert f"{DRIVE}n{number}" in changes.hrefs
        assert not token or len(changes.hrefs) == 1
        token = changes.sync_token
    assert idle.done(tag).status == "OK"


def test_locks_end(site: Site, server: Running, machine: Machine) -> None:
    """A lock holds for its time, whatever it was when it was taken; none holds for days."""
    web = site.http("alice")
    for number, (before, after, holds) in enumerate(
        ((0, 0, True), (0, 10, True), (0, -10, True), (0, 2 * HOUR, False), (0, -2 * DAY, False))
    ):
        machine.clock(before)
        name = f"locked{number}"
        _locked(web, name)
        machine.clock(after)
        assert web.request("PUT", DRIVE + name, (), b"x").status == (423 if holds else 204)
        if not holds:
            _locked(web, name)


def _locked(web: HttpClient, name: str) -> Answer:
    fields = [("Timeout", "Second-3600"), ("Depth", "0")]
    answer = web.request("LOCK", DRIVE + name, fields, LOCK.format(scope="exclusive", owner="me"))
    assert answer.status in (200, 201), answer.status
    return answer


def test_the_queue_goes_on(
    site: Site, server: Running, machine: Machine, next_hop: NextHop
) -> None:
    """What was put off is tried at the latest after the longest wait, and once when it is taken."""
    client = site.smtp("alice")
    for number, seconds in enumerate((0, -2 * DAY, 0)):
        machine.clock(seconds)
        _submit(client, f"put off {number}", f"later{number}@example.com")
        tried = f"later{number}"
        eventually(lambda tried=tried: any(tried in line for line in next_hop.lines))  # type: ignore[misc]
        eventually(lambda number=number: _put_off(site) == number + 1)  # type: ignore[misc]
    next_hop.answer = lambda line: None
    machine.clock(-DAY)  # the first and the last would wait for more than a day now
    _submit(client, "now", "now@example.com")
    next_hop.wait(4, 20)
    taken = sorted(one.rcpts[0] for one in next_hop.taken)
    assert [address.partition("<")[2].partition("@")[0] for address in taken] == [
        "later0",
        "later1",
        "later2",
        "now",
    ]


def _put_off(site: Site) -> int:
    """How many addresses wait for their next attempt, and are not being tried."""
    with contextlib.closing(sqlite3.connect(site.url.removeprefix("sqlite:///"))) as database:
        query = "SELECT COUNT(*) FROM queue_recipients WHERE attempts > 0 AND lease_until = 0"
        return int(database.execute(query).fetchone()[0])


def _submit(client: smtplib.SMTP, subject: str, to: str) -> None:
    text = message(subject).replace(b"someone@example.net", address("alice").encode(), 1)
    client.sendmail(address("alice"), [to], text)


def test_support_is_out_when_its_time_is_up(site: Site, server: Running, machine: Machine) -> None:
    """A jump over the end of a grant closes what is open; the way back opens nothing."""
    sam, carol, key = "sam@support.test", address("carol"), new_key()
    system = Actor.system("test")

    def prepare(txn: Txn) -> int:
        until = int(time.time()) + 2 * HOUR
        agent = txn.apply(CreateAgent(sam, "Sam", "hash"))
        space = txn.view(FindAccount(carol)).space_id
        grant = txn.apply(GrantSupport(space, NewGrant(sam, until=until), own=False))
        txn.apply(OpenSupport(agent, carol, key_hash(key), "help", 8 * HOUR, grant))
        return space

    def over() -> bool:
        found = store.call_read(
            system, "t", lambda txn: txn.view(SupportGrants(space, 0, own=False))
        )
        return found[0].over is not None

    def come_in() -> ImapClient:
        client = ImapClient("127.0.0.1", site.ports["imap"])
        client.login(f"{carol}*{sam}", key)
        return client

    with site.store() as store:
        space = store.call(system, "test", prepare)
        machine.clock(-HOUR)  # before it was granted
        with pytest.raises(AssertionError):
            come_in()
        machine.clock(HOUR)
        inside = come_in()
        inside.ok("SELECT INBOX")
        inside.idle()
        assert not over()
        machine.clock(3 * HOUR)
        began = time.monotonic()
        assert inside.wait_line("BYE", 5)
        assert time.monotonic() - began < 2
        eventually(over)
        machine.clock(HOUR)
        with pytest.raises(AssertionError):
            come_in()


def test_the_throttle_keeps_its_time(site: Site, server: Running, machine: Machine) -> None:
    """Whoever guesses passwords gains nothing by a jump, and others sign in all the same."""
    guesser = site.imap(None)
    for number in range(30):
        answer = guesser.cmd(f"LOGIN {address('carol')} guess{number}")
        if answer.code == "UNAVAILABLE" or number % 4 == 3:
            guesser.close()
            guesser = site.imap(None)
        if answer.code == "UNAVAILABLE":
            break
    else:
        raise AssertionError("nobody was throttled")
    for seconds in JUMPS:
        machine.clock(seconds)
        again = ImapClient("127.0.0.1", site.ports["imap"])
        assert again.cmd(f'LOGIN {address("carol")} "{password("carol")}"').code == "UNAVAILABLE"
        again.close()
        site.imap("bob", "INBOX").close()
