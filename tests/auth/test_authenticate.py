"""The one way in: names, credentials, equal effort, the cache, throttling, errors."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from folkmoot.auth import app_passwords
from folkmoot.auth.passwords import PasswordHasher
from folkmoot.auth.throttle import ThrottleLimits
from folkmoot.storage.errors import (
    AuthenticationFailed,
    Conflict,
    ShuttingDown,
    Throttled,
    Unavailable,
)
from folkmoot.storage.types import AccountState, Actor, ActorKind
from tests.auth.support import ALICE, HOME, PASSWORD, ScramClient, World, result_of

EVIL = "203.0.113.9"


@pytest.mark.parametrize(
    "name",
    [ALICE, "Alice@Example.TEST", f"  {ALICE} ", "alice%40example.test", "alice", "ALICE"],
)
def test_the_names_that_people_and_clients_use(name: str) -> None:
    """Any case, spaces around, ``%40`` (iOS), and the local part alone."""
    actor = World().login(name)
    assert actor == Actor(ActorKind.ACCOUNT, 1, 101, ALICE, credential_id=0, epoch=7)


@pytest.mark.parametrize(
    "name", ["", "@", "alice@", "@example.test", "al ice@example.test", "a" * 10_000, "x@y@z", "\0"]
)
def test_names_that_cannot_exist_fail_like_wrong_passwords(name: str) -> None:
    """Same error and same hashing as for any other failure."""
    world = World()
    with pytest.raises(AuthenticationFailed):
        world.login(name)
    assert world.hasher.verified == 1


@pytest.mark.parametrize("password", ["wrong", "", "x" * 5000, "\ud800", "\0"])
def test_wrong_passwords_fail(password: str) -> None:
    """Whatever is sent as a password."""
    with pytest.raises(AuthenticationFailed):
        World().login(password=password)


def test_the_effort_does_not_tell_whether_an_account_exists() -> None:
    """Unknown, known, disabled, with and without app passwords: the same hashes are computed."""
    typed = ["wrong", app_passwords.generate()]
    efforts = set()
    for password in typed:
        for case in ("unknown", "plain", "disabled", "app passwords", "no main password"):
            world = World()
            name = ALICE
            if case == "unknown":
                name = "nobody@example.test"
            elif case == "disabled":
                account = world.directory.records[ALICE].account
                world.change(account=replace(account, state=AccountState.DISABLED))
            elif case == "app passwords":
                for id_ in (1, 2, 3):
                    world.add_app_password(id_)
            elif case == "no main password":
                world.change(credentials=[])
            with pytest.raises(AuthenticationFailed):
                world.login(name, password)
            efforts.add((password, world.hasher.verified, world.light.verified))
    assert efforts == {(typed[0], 1, 0), (typed[1], 1, app_passwords.MAX_APP_PASSWORDS)}


def test_a_disabled_account_stays_out() -> None:
    """The right password does not help."""
    world = World()
    account = world.directory.records[ALICE].account
    world.change(account=replace(account, state=AccountState.DISABLED))
    with pytest.raises(AuthenticationFailed):
        world.login()
    assert world.directory.logins == []


def test_app_passwords_work_where_they_are_allowed() -> None:
    """Typed in any way; the Actor and the note of the login name the credential."""
    world = World()
    shown = world.add_app_password(42, "imap", "submission")
    for typed in (shown, shown.upper(), shown.replace("-", " ")):
        assert world.login(password=typed).credential_id == 42
    assert world.login(password=shown, protocol="submission").credential_id == 42
    assert world.directory.logins[0] == (1, 42, "imap", HOME)
    with pytest.raises(AuthenticationFailed):
        world.login(password=shown, protocol="caldav")


def test_a_revoked_app_password_ends_at_once() -> None:
    """Although it was verified a moment ago and is remembered."""
    world = World()
    shown = world.add_app_password(42)
    world.login(password=shown)
    world.change(credentials=world.directory.records[ALICE].credentials[:1])
    with pytest.raises(AuthenticationFailed):
        world.login(password=shown)


def test_a_verified_password_is_remembered_for_minutes() -> None:
    """No hash and no write per request; after the lifetime both happen again."""
    world = World()
    for _ in range(5):
        world.login()
    assert world.hasher.verified == 1
    assert len(world.directory.logins) == 1
    world.clock.now += 601
    world.login()
    assert world.hasher.verified == 2
    assert len(world.directory.logins) == 2


def test_a_use_is_noted_daily_though_the_password_is_remembered() -> None:
    """A client that asks every minute for months is one that uses the account."""
    world = World()
    world.login()
    record = world.directory.records[ALICE]
    for days, noted in ((0, 1), (0.9, 1), (1.1, 2), (0, 2), (300, 3)):
        used = datetime.now(UTC) - timedelta(days=days)
        world.directory.records[ALICE] = replace(
            record, account=replace(record.account, last_used=used)
        )
        world.login()
        assert len(world.directory.logins) == noted, days
    assert world.hasher.verified == 1


@pytest.mark.parametrize("change", ["epoch", "secret"])
def test_a_changed_password_is_not_remembered(change: str) -> None:
    """The memory is tied to the epoch and to the stored secret."""
    world = World()
    world.login()
    record = world.directory.records[ALICE]
    if change == "epoch":
        world.change(epoch=record.epoch + 1)
        world.login()
        assert world.hasher.verified == 2
    else:
        new = replace(record.credentials[0], secret=world.hasher.hash("another password"))
        world.change(credentials=[new])
        with pytest.raises(AuthenticationFailed):
            world.login()


def test_the_memory_knows_no_other_account() -> None:
    """A password remembered for one account opens only that one."""
    world = World()
    world.add(2, "bob@example.test", "bob's password")
    world.login()
    with pytest.raises(AuthenticationFailed):
        world.login("bob@example.test", PASSWORD)


def test_guessing_is_throttled_for_everybody_but_the_owner_at_home() -> None:
    """Even the right guess is refused while blocked; the owner's network is not affected."""
    world = World()
    world.login(peer=HOME)
    for number in range(10):
        with pytest.raises(AuthenticationFailed):
            world.login(password=f"guess {number}", peer=EVIL)
    hashed = world.hasher.verified
    with pytest.raises(Throttled):
        world.login(peer=EVIL)
    with pytest.raises(Throttled):
        ScramClient(ALICE, PASSWORD).run(
            world.authenticator.sasl("SCRAM-SHA-256", "imap", EVIL, {}, tls=False)
        )
    assert world.hasher.verified == hashed
    assert world.login(peer=HOME).account_id == 1
    world.clock.now += 1000
    assert world.login(peer=EVIL).account_id == 1


def test_throttling_does_not_tell_which_accounts_exist() -> None:
    """Unknown names are throttled like known ones."""
    world = World()
    for number in range(10):
        with pytest.raises(AuthenticationFailed):
            world.login("nobody@example.test", f"guess {number}", peer=EVIL)
    with pytest.raises(Throttled):
        world.login("nobody@example.test", "guess", peer=EVIL)
    with pytest.raises(Throttled):
        world.login("nobody", "guess", peer=EVIL)


def test_devices_with_app_passwords_are_not_locked_out() -> None:
    """Guesses at the main password leave app passwords usable, and only them."""
    world = World()
    shown = world.add_app_password(42)
    for number in range(10):
        with pytest.raises(AuthenticationFailed):
            world.login(password=f"guess {number}", peer=EVIL)
    with pytest.raises(Throttled):
        world.login(password=app_passwords.generate(), peer="198.51.100.7")
    with pytest.raises(Throttled):
        world.login(peer="198.51.100.7")
    assert world.login(password=shown, peer="198.51.100.7").credential_id == 42


def test_parallel_guesses_gain_nothing() -> None:
    """Guesses under way when the block begins are answered as if they came after it."""
    world = World()
    world.hold = True
    guesses = [f"guess {number}" for number in range(19)] + [PASSWORD]
    waiting = [world.authenticator.authenticate(ALICE, guess, "imap", EVIL) for guess in guesses]
    for finish in list(world.pending):
        finish()
    outcomes = []
    for deferred in waiting:
        with pytest.raises((AuthenticationFailed, Throttled)) as caught:
            result_of(deferred)
        outcomes.append(caught.type)
    assert outcomes == [AuthenticationFailed] * 10 + [Throttled] * 10


def test_failed_proofs_count() -> None:
    """Guessing by SCRAM is throttled together with guessing by passwords."""
    world = World(ThrottleLimits(per_account=3))
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            ScramClient(ALICE, "wrong").run(
                world.authenticator.sasl("SCRAM-SHA-256", "imap", EVIL, {}, tls=False)
            )
    with pytest.raises(Throttled):
        world.login(peer=EVIL)


def test_too_many_waiting_passwords_are_turned_away() -> None:
    """A flood of logins does not pile up without bound, and ends."""
    world = World()
    world.hold = True
    others = [f"person{number}@example.test" for number in range(19)]
    waiting = [
        world.authenticator.authenticate(name, PASSWORD, "imap", HOME) for name in [ALICE, *others]
    ]
    with pytest.raises(Unavailable):
        world.login("bob@example.test")
    for finish in list(world.pending):
        finish()
    assert result_of(waiting[0]).account_id == 1
    world.hold = False
    assert world.login().account_id == 1


def test_programs_that_ask_together_share_one_hash(caplog: pytest.LogCaptureFixture) -> None:
    """A password that all programs of a person need is hashed once, whoever stops waiting."""
    world = World()
    world.hold = True
    waiting = [world.authenticator.authenticate(ALICE, PASSWORD, "dav", HOME) for _ in range(30)]
    wrong = [world.authenticator.authenticate(ALICE, "wrong", "dav", HOME) for _ in range(2)]
    assert len(world.pending) == 2
    waiting[0].cancel()
    with pytest.raises(Unavailable):
        result_of(waiting[0])
    for finish in list(world.pending):
        finish()
    assert [result_of(each).account_id for each in waiting[1:]] == [1] * 29
    for each in wrong:
        with pytest.raises(AuthenticationFailed):
            result_of(each)
    assert world.hasher.verified == 2
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("a bug"), Unavailable),
        (Conflict(), Unavailable),
        (ShuttingDown(), ShuttingDown),
    ],
)
def test_when_no_decision_can_be_made_nobody_gets_in(
    error: Exception, expected: type[Exception]
) -> None:
    """Unknown errors become ``Unavailable``, and their text stays in the log."""
    world = World()
    world.directory.error = error
    with pytest.raises(expected) as caught:
        world.login()
    assert "a bug" not in str(caught.value)


def test_a_full_disk_does_not_keep_people_out() -> None:
    """The note of a login and the renewal of a hash may fail; reading mail goes on."""
    world = World()
    world.change(scram=None)
    world.directory.write_error = Unavailable()
    assert world.login().account_id == 1


def test_an_old_hash_is_renewed_at_a_login() -> None:
    """New costs and a missing SCRAM record reach accounts when their password is known."""
    world = World()
    old = PasswordHasher(memory_kib=16, time_cost=1).hash(PASSWORD)
    world.change(credentials=[replace(world.directory.records[ALICE].credentials[0], secret=old)])
    world.login()
    ((account_id, replaced, secret, scram),) = world.directory.renewed
    assert (account_id, replaced) == (1, old)
    assert world.hasher.verify(PASSWORD, secret)
    world.change(scram=scram)
    session = world.authenticator.sasl("SCRAM-SHA-256", "imap", HOME, {}, tls=False)
    assert ScramClient(ALICE, PASSWORD).run(session).account_id == 1


def test_what_is_current_is_not_renewed() -> None:
    """No write per login."""
    world = World()
    world.login()
    assert world.directory.renewed == []


def test_logs_name_accounts_but_never_what_was_typed(caplog: pytest.LogCaptureFixture) -> None:
    """A password typed into the name field must not end in a log."""
    world = World()
    with caplog.at_level(logging.INFO, logger="folkmoot.auth"):
        with pytest.raises(AuthenticationFailed):
            world.login("my secret password", "x")
        with pytest.raises(AuthenticationFailed):
            world.login(password="my secret password")
    assert ALICE in caplog.text
    assert HOME in caplog.text
    assert "secret" not in caplog.text
