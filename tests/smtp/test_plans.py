"""What the plan of an account allows in submission; changes of it act at once."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.storage.types import Feature, Limit, Tool
from folkmoot.storage.types_accounts import Terms
from tests.kit.databases import Databases
from tests.kit.messages import simple
from tests.kit.server import TestAccount, TestServer
from tests.smtp.conftest import MailServer


@pytest.fixture(params=["sqlite", "postgres"])
def any_mail(
    request: pytest.FixtureRequest, databases: Databases, tmp_path: Path
) -> Iterator[MailServer]:
    """The mail services on each kind of database."""
    server = TestServer(databases.fresh(request.param), tmp_path)
    mail = MailServer(server, tmp_path)
    yield mail
    mail.stop()
    server.stop()


NONE = Terms(withheld=frozenset({Feature.SUBMISSION}))


def message(sender: TestAccount, **words: str) -> bytes:
    """A message in the name of an account."""
    return simple(sender=f"Me <{sender.address}>", **words)


def test_not_in_the_plan(mail: MailServer) -> None:
    """The right password hears what lacks, in as many connections as it likes."""
    alice = mail.base.account("alice")
    mail.base.update(alice, terms=NONE)
    for _ in range(10):
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            mail.smtp(alice)
        assert refused.value.smtp_code == 535
        text: str | bytes = refused.value.smtp_error
        assert text[:15] == b"5.7.13 The plan"
    mail.base.update(alice, terms=Terms())
    bob = mail.base.account("bob")
    mail.smtp(alice).sendmail(alice.address, [bob.address], message(alice))
    assert len(mail.inbox(bob)) == 1


@pytest.mark.parametrize("begun", [False, True])
def test_an_open_session(mail: MailServer, begun: bool) -> None:
    """A plan that loses submission ends it, also behind MAIL and RCPT: nothing is sent."""
    alice = mail.base.account("alice")
    client = mail.smtp(alice)
    client.ehlo()
    if begun:
        client.mail(alice.address)
        client.rcpt("x@example.org")
    mail.base.update(alice, terms=NONE)
    if begun:
        assert client.data(message(alice))[0] == 421
    else:
        assert client.mail(alice.address)[0] == 421
    assert mail.queue() == []


def test_the_largest_message(mail: MailServer) -> None:
    """What is larger than the plan allows is refused for good; mail that comes in is not."""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    mail.base.update(alice, limits={Tool.MAIL: Limit(None, None, 2000)})
    client = mail.smtp(alice)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail(alice.address, [bob.address], message(alice, body="x\r\n" * 700))
    assert (refused.value.smtp_code, refused.value.smtp_error[:5]) == (552, b"5.3.4")
    client.sendmail(alice.address, [bob.address], message(alice))
    mail.smtp(bob).sendmail(bob.address, [alice.address], message(bob, body="x\r\n" * 2000))
    assert len(mail.inbox(bob)) == len(mail.inbox(alice)) == 1


def test_recipients_of_a_day_in_a_race(any_mail: MailServer) -> None:
    """Whatever is sent at the same time, no more recipients than the plan allows are queued."""
    mail = any_mail
    alice = mail.base.account("alice")
    mail.base.update(alice, terms=Terms(mail_per_day=7))
    outcomes: list[int] = []

    def send() -> None:
        try:
            mail.smtp(alice).sendmail(
                alice.address, ["a@example.org", "b@example.org"], message(alice)
            )
            outcomes.append(250)
        except smtplib.SMTPDataError as error:
            outcomes.append(error.smtp_code)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [250] * 3 + [452] * 5
    assert len(mail.queue()) == 3
