"""The database goes away and comes back: a clear no, and the same connections go on."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.attempts import Attempts, Writer
from tests.faults.postgres import Postgres
from tests.faults.site import DRIVE, Site
from tests.kit.pace import within
from tests.server.cli import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """One for the tests of this module; started again by those that stop it."""
    postgres = Postgres()
    yield postgres
    postgres.close()


def test_away_and_back(postgres: Postgres, tmp_path: Path) -> None:
    """While it is away everything is refused at once; then nobody has to connect again."""
    site = Site(tmp_path, url=postgres.fresh(), more="[relay]\nhold = true\n")
    with site.server() as server:
        attempts = Attempts(site)
        assert all(attempts.everything())
        idle, notify = site.imap("bob", "INBOX"), site.imap("bob")
        tag = idle.idle()
        notify.ok("NOTIFY SET (personal (MessageNew MessageExpunge))")
        for end in (postgres.stop, postgres.crash):
            end()
            with within(20):
                assert not any(attempts.everything())
            _nobody_signs_in(site)
            postgres.start()
            eventually(attempts.append)
            assert all(attempts.everything())
            site.deliver("Subject: pushed\r\n\r\n.\r\n", "bob")
            idle.wait_line("EXISTS", 10)
            notify.wait_line("STATUS", 10)
        assert idle.done(tag).status == "OK"
        notify.ok("NOOP")
        attempts.compare(sure=False)
        attempts.close()
        postgres.stop()
        try:
            site.ended(server)
        finally:
            postgres.start()
    site.check()


def _nobody_signs_in(site: Site) -> None:
    with pytest.raises(AssertionError, match="UNAVAILABLE"):
        site.imap("carol")
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        site.smtp("carol")
    assert refused.value.smtp_code == 454
    with site.http("carol") as client:
        answer = client.request("GET", DRIVE)
        assert (answer.status, answer.header("retry-after") is not None) == (503, True)


def test_a_crash_while_people_work(postgres: Postgres, tmp_path: Path) -> None:
    """What was acknowledged survives a crash of the database, each once."""
    site = Site(tmp_path, url=postgres.fresh(), more="[relay]\nhold = true\n")
    with site.server() as server:
        writers = [Writer(site, number) for number in range(4)]
        for _ in range(2):
            for one in writers:
                one.forget()
            eventually(lambda: all(one.since(True) >= 4 for one in writers))
            postgres.crash()
            eventually(lambda: all(one.since(False) >= 2 for one in writers))
            postgres.start()
        for one in writers:
            one.forget()
        eventually(lambda: all(one.since(True) >= 4 for one in writers))
        for one in writers:
            one.end()
        for one in writers:
            one.attempts.compare(sure=False)
            one.attempts.close()
        site.ended(server)
    site.check()
