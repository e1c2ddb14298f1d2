"""The outbound queue against a next hop: nothing is lost, senders are told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from email import message_from_bytes, policy

import dkim
import pytest

from folkmoot.protocols.smtp.outcomes import RetryPolicy
from folkmoot.protocols.smtp.queue_worker import WorkerLimits
from folkmoot.protocols.smtp.signing import DkimKey
from folkmoot.sharing.delivery import Delivery, DeliveryRules
from folkmoot.sharing.outbound import Outbound
from folkmoot.storage.errors import NotFound, Unavailable
from folkmoot.storage.types import Limit, Tool
from folkmoot.storage.types_accounts import AccountUpdate
from folkmoot.storage.types_mail import Notice, QueueEntry, Settled
from tests.kit.messages import simple
from tests.kit.server import TestAccount
from tests.kit.waiting import until
from tests.smtp.conftest import MailServer, fired, on_loop
from tests.smtp.next_hop import NextHop
from tests.smtp.test_signing import PEM, RECORD
from tests.storage.mail_kit import sql


@pytest.fixture
def hop() -> Iterator[NextHop]:
    """A next hop that takes everything until a test says otherwise."""
    hop = NextHop().start()
    yield hop
    hop.stop()


def send(mail: MailServer, sender: TestAccount, *recipients: str, body: str = "hi\r\n") -> bytes:
    """Submit a message; returns its octets as the client had them."""
    message = simple(sender=sender.address, body=body, to="someone@example.org")
    mail.smtp(sender).sendmail(sender.address, recipients, message)
    return message


def submit(mail: MailServer, sender: TestAccount, rcpt: str, mail_options: str = "") -> None:
    """Submit with parameters of DSN."""
    client = mail.smtp(sender)
    client.ehlo()
    client.mail(sender.address, mail_options.split())
    assert client.docmd("RCPT", f"TO:{rcpt}")[0] == 250
    assert client.data(simple(sender=sender.address))[0] == 250


def machine_part(report: bytes) -> str:
    """The fields of a report."""
    message = message_from_bytes(report, policy=policy.default)
    (part,) = [p for p in message.walk() if p.get_content_type() == "message/delivery-status"]
    return "\n".join(str(block) for block in part.get_payload())


def test_mail_goes_out(mail: MailServer, hop: NextHop) -> None:
    """A submitted message reaches the next hop at once, without our Return-Path. # rfc5321#4.4"""
    alice = mail.base.account("alice")
    mail.worker(hop.port)
    message = send(mail, alice, "bob@example.org", "eve@example.org")
    (taken,) = hop.wait()
    assert taken.data.startswith(b"Received: from")
    assert taken.data.endswith(message)
    assert taken.mail.startswith("MAIL FROM:<alice@example.test> SIZE=")
    assert taken.rcpts == ["RCPT TO:<bob@example.org>", "RCPT TO:<eve@example.org>"]
    assert f"SIZE={len(taken.data)}" in taken.mail
    until(lambda: mail.queue() == [])
    assert mail.inbox(alice) == []


def test_one_transaction_for_each_domain(mail: MailServer, hop: NextHop) -> None:
    """Recipients of different domains go out separately."""
    alice = mail.base.account("alice")
    mail.worker(hop.port)
    send(mail, alice, "a@one.example", "b@two.example", "c@one.example")
    taken = hop.wait(2)
    assert sorted(len(one.rcpts) for one in taken) == [1, 2]


def test_refused_for_good(mail: MailServer, hop: NextHop) -> None:
    """A refused recipient comes back as a report in the sender's INBOX; others go out."""
    # rfc5321#6.1, rfc3461#5.2.6
    alice = mail.base.account("alice")
    hop.answer = lambda line: "550 5.1.1 no bob here" if line.startswith("RCPT TO:<bob") else None
    mail.worker(hop.port)
    send(mail, alice, "bob@example.org", "eve@example.org")
    until(lambda: len(mail.inbox(alice)) == 1)
    (report,) = mail.inbox(alice)
    assert report.startswith(b"Return-Path: <>\r\n")
    fields = machine_part(report)
    assert "Final-Recipient: rfc822; bob@example.org" in fields
    assert "Diagnostic-Code: smtp; 550 5.1.1 no bob here" in fields
    assert "eve" not in fields
    until(lambda: mail.queue() == [])
    assert hop.wait()[0].rcpts == ["RCPT TO:<eve@example.org>"]


def test_domain_that_does_not_exist(mail: MailServer, hop: NextHop) -> None:
    """No such domain is told without asking any host."""
    alice = mail.base.account("alice")
    mail.worker(hop.port)
    send(mail, alice, "x@nowhere.example")
    until(lambda: len(mail.inbox(alice)) == 1)
    assert "Status: 5.1.2" in machine_part(mail.inbox(alice)[0])
    assert hop.connections == 0


def test_tried_again(mail: MailServer, hop: NextHop) -> None:
    """What is deferred goes out later, and the sender hears nothing of it. # rfc5321#4.5.4.1"""
    alice = mail.base.account("alice")
    answers = iter(["451 4.3.0 later", "421 4.3.0 later"])
    hop.answer = lambda line: next(answers, None) if line.startswith("MAIL") else None
    mail.worker(hop.port)
    send(mail, alice, "bob@example.org")
    until(lambda: any("later" in one.last_reply for e in mail.queue() for one in e.recipients))
    hop.wait()
    until(lambda: mail.queue() == [])
    assert mail.inbox(alice) == []


def test_next_hop_that_is_not_there(mail: MailServer, hop: NextHop) -> None:
    """Mail waits while nobody listens, and goes out when somebody does."""
    alice = mail.base.account("alice")
    spare = NextHop().start()
    spare.stop()
    mail.worker(spare.port)
    send(mail, alice, "bob@example.org")
    until(lambda: any(one.attempts for entry in mail.queue() for one in entry.recipients))
    again = NextHop().start(spare.port)
    again.wait()
    again.stop()


def test_given_up(mail: MailServer, hop: NextHop) -> None:
    """After its time a message comes back with 4.4.7 (RFC 5321 section 4.5.4.1)."""
    alice = mail.base.account("alice")
    hop.answer = lambda line: "451 4.3.0 later" if line.startswith("MAIL") else None
    mail.delivery._rules = DeliveryRules(keep=1)
    mail.worker(hop.port)
    send(mail, alice, "bob@example.org")
    until(lambda: len(mail.inbox(alice)) == 1)
    assert "Status: 4.4.7" in machine_part(mail.inbox(alice)[0])
    until(lambda: mail.queue() == [])


def test_delay_is_told_once(mail: MailServer, hop: NextHop) -> None:
    """One warning for a late message, however often it is tried. # rfc3461#5.2.5"""
    alice = mail.base.account("alice")
    hop.answer = lambda line: "451 4.3.0 later" if line.startswith("MAIL") else None
    mail.worker(hop.port, RetryPolicy(schedule=(0.2,), warn_after=1.0, jitter=0))
    send(mail, alice, "bob@example.org")
    until(lambda: len(mail.inbox(alice)) == 1)
    attempts = mail.queue()[0].recipients[0].attempts
    until(lambda: mail.queue()[0].recipients[0].attempts > attempts + 1)
    (warning,) = mail.inbox(alice)
    assert "Action: delayed" in machine_part(warning)


@pytest.mark.parametrize("knows_dsn", [True, False])
def test_success_reports(mail: MailServer, hop: NextHop, knows_dsn: bool) -> None:
    """NOTIFY=SUCCESS is passed on; a next hop without DSN gets "relayed" told (RFC 3461)."""
    # rfc3461#5.2.2
    alice = mail.base.account("alice")
    hop.extensions = ("DSN",) if knows_dsn else ()
    mail.worker(hop.port)
    submit(mail, alice, "<bob@example.org> NOTIFY=SUCCESS", "ENVID=abc")
    (taken,) = hop.wait()
    until(lambda: mail.queue() == [])
    if knows_dsn:
        assert taken.rcpts[0].endswith(" NOTIFY=SUCCESS")
        assert taken.mail.endswith(" ENVID=abc")
        assert mail.inbox(alice) == []
    else:
        assert "Action: relayed" in machine_part(mail.inbox(alice)[0])


def test_notify_never(mail: MailServer, hop: NextHop) -> None:
    """Who does not want to hear of failures does not. # rfc3461#4.1"""
    alice = mail.base.account("alice")
    mail.worker(hop.port)
    submit(mail, alice, "<x@nowhere.example> NOTIFY=NEVER")
    until(lambda: mail.queue() == [])
    assert mail.inbox(alice) == []


def test_no_report_about_a_report(mail: MailServer, hop: NextHop) -> None:
    """A report that cannot be delivered is dropped: reports never breed. # rfc3461#6.1"""
    hop.answer = lambda line: "550 5.1.1 no" if line.startswith("RCPT") else None
    mail.worker(hop.port)
    on_loop(mail.delivery.notify([Notice("bob@example.org", b"Subject: r\r\n\r\n", False)]))
    until(lambda: mail.queue() == [])
    assert [line for line in hop.lines if line.startswith("MAIL")] == ["MAIL FROM:<> SIZE=14"]


def test_full_neighbour_gets_it_later(mail: MailServer, hop: NextHop) -> None:
    """A copy for a full mailbox is delivered from the queue when there is room."""
    alice = mail.base.account("alice")
    small = mail.base.account("small", {Tool.MAIL: Limit(bytes=2000, items=None)})
    mail.lmtp().sendmail("x@example.org", [small.address], b"A: b\r\n\r\n" + b"x" * 1500)
    send(mail, alice, small.address)
    mail.worker(hop.port)
    until(lambda: any(one.attempts for entry in mail.queue() for one in entry.recipients))
    assert "4.2.2" in mail.queue()[0].recipients[0].last_reply
    room = AccountUpdate(limits={Tool.MAIL: Limit(bytes=None, items=None)})
    fired(lambda: mail.base.accounts.update(small.address, room))
    until(lambda: len(mail.inbox(small)) == 2)
    assert mail.inbox(small)[1].startswith(b"Return-Path: <alice@example.test>\r\n")
    assert mail.inbox(small)[1].count(b"Return-Path:") == 1
    assert hop.connections == 0


def test_large_messages_go_out(mail: MailServer, hop: NextHop) -> None:
    """A message above the inline limit is streamed from its file, octet for octet."""
    alice = mail.base.account("alice")
    mail.worker(hop.port)
    message = send(mail, alice, "bob@example.org", body=".dots and text\r\n" * 60_000)
    assert hop.wait()[0].data.endswith(message)


def test_signed_mail(mail: MailServer, hop: NextHop) -> None:
    """Mail of a domain with a key goes out with a signature that verifies."""
    alice = mail.base.account("alice")
    mail.worker(hop.port, keys={"example.test": DkimKey("s1", PEM)})
    send(mail, alice, "bob@example.org")
    (taken,) = hop.wait()
    assert taken.data.startswith(b"DKIM-Signature: ")
    assert dkim.verify(taken.data, dnsfunc=lambda name, timeout=5: RECORD)


def test_many_recipients_of_one_domain(mail: MailServer, hop: NextHop) -> None:
    """No transaction has more than 100 recipients, and not more connections than allowed."""
    # rfc5321#4.5.3.1.8
    alice = mail.base.account("alice")
    send(mail, alice, *(f"u{n}@example.org" for n in range(250)))
    mail.worker(hop.port, limits=WorkerLimits(connections=2, per_domain=1, lease=30, poll=0.5))
    taken = hop.wait(3)
    assert sorted(len(one.rcpts) for one in taken) == [50, 100, 100]
    assert len({rcpt for one in taken for rcpt in one.rcpts}) == 250


# --- crashes ------------------------------------------------------------------------------------


class DyingQueue(Outbound):
    """A queue whose process dies at one step: the call never comes back."""

    def __init__(self, mail: MailServer, step: str) -> None:
        super().__init__(mail.base.store)
        self.step = step
        self.reached = asyncio.Event()

    async def _die(self) -> None:
        self.reached.set()
        await asyncio.Event().wait()

    async def settle(
        self,
        message_id: int,
        settled: Sequence[Settled],
        notices: Sequence[Notice],
        *,
        warned: bool = False,
    ) -> None:
        if self.step == "before settling":
            await self._die()
        await super().settle(message_id, settled, notices, warned=warned)
        if self.step == "after settling":
            await self._die()


@pytest.mark.parametrize("step", ["before settling", "after settling"])
def test_a_worker_that_dies(mail: MailServer, hop: NextHop, step: str) -> None:
    """Whatever the moment, the next worker sends what was not recorded as sent: at least once."""
    alice = mail.base.account("alice")
    send(mail, alice, "bob@example.org")
    queue = DyingQueue(mail, step)
    limits = WorkerLimits(lease=2, poll=0.2)
    worker = mail.worker(hop.port, limits=limits, outbound=queue)
    until(queue.reached.is_set)
    mail.stop_worker(worker, grace=0)
    mail.worker(hop.port, limits=limits)
    until(lambda: mail.queue() == [])
    assert len(hop.taken) == (2 if step == "before settling" else 1)


def test_a_worker_that_is_stopped_in_the_middle(mail: MailServer, hop: NextHop) -> None:
    """Stopping while a peer is slow keeps the mail, and the next worker sends it whole."""
    alice = mail.base.account("alice")
    hop.answer = lambda line: "250-wait" if line.startswith("MAIL") else None
    send(mail, alice, "bob@example.org")
    worker = mail.worker(hop.port, limits=WorkerLimits(lease=2, poll=0.2))
    until(lambda: any(line.startswith("MAIL") for line in hop.lines))
    mail.stop_worker(worker, grace=0.1)
    assert len(mail.queue()) == 1
    hop.answer = lambda line: None
    mail.worker(hop.port, limits=WorkerLimits(lease=2, poll=0.2))
    assert len(hop.wait()) == 1
    until(lambda: mail.queue() == [])


@pytest.mark.slow
def test_leases_are_renewed(mail: MailServer, hop: NextHop) -> None:
    """What takes longer than a lease is not sent twice by a second worker."""
    alice = mail.base.account("alice")
    hop.answer = lambda line: "250-wait" if line.startswith("MAIL") else None
    send(mail, alice, "bob@example.org")
    limits = WorkerLimits(lease=9, poll=0.2)
    for _ in range(2):
        mail.worker(hop.port, limits=limits)
    until(lambda: hop.connections > 0)
    first = _leased(mail)
    until(lambda: _leased(mail) > first)
    assert hop.connections == 1


def _leased(mail: MailServer) -> int:
    """Until when the only recipient in the queue belongs to a worker."""
    [row] = sql(mail.base.store, "SELECT lease_until FROM queue_recipients")
    return int(row[0])


class FailingQueue(Outbound):
    """A queue whose first calls fail: its database is away, or something nobody thought of."""

    def __init__(self, mail: MailServer, failures: int, error: type[Exception]) -> None:
        super().__init__(mail.base.store)
        self.failures = failures
        self.error = error

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise self.error

    async def claim(
        self, lease: int, limit: int, busy: frozenset[str], longest: int
    ) -> list[QueueEntry]:
        self._fail()
        return await super().claim(lease, limit, busy, longest)


@pytest.mark.parametrize("error", [Unavailable, ValueError])
def test_database_away(mail: MailServer, hop: NextHop, error: type[Exception]) -> None:
    """The worker survives a database that is away for a while, and a fault in its own work."""
    alice = mail.base.account("alice")
    send(mail, alice, "bob@example.org")
    queue = FailingQueue(mail, 3, error)
    mail.worker(hop.port, limits=WorkerLimits(poll=0.1), outbound=queue)
    assert len(hop.wait()) == 1


# --- administrators -----------------------------------------------------------------------------


def test_commands(mail: MailServer) -> None:
    """List, show, retry and drop."""
    alice = mail.base.account("alice")
    send(mail, alice, "bob@example.org", "eve@example.org")
    (entry,) = fired(mail.outbound.entries)
    number = entry.message.id
    assert fired(lambda: mail.outbound.show(number)).message.size > 0
    assert fired(lambda: mail.outbound.retry(number)) == 0
    fired(lambda: mail.outbound.drop(number))
    assert fired(mail.outbound.entries) == []
    with pytest.raises(NotFound):
        fired(lambda: mail.outbound.drop(number))
    with pytest.raises(NotFound):
        fired(lambda: mail.outbound.show(number))


def test_intake_without_the_network(mail: MailServer) -> None:
    """The intake names what is local and what is not."""
    bob = mail.base.account("bob")
    intake: Delivery = mail.delivery
    found = on_loop(intake.resolve("bob+x@example.test"))
    assert (found.account_id, found.detail) == (bob.id, "x")
    assert on_loop(intake.resolve("x@example.org")).standing == "remote"
