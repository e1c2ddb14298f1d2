"""Support access as customers, agents and the operator use it, over a real store."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from folkmoot.auth import periods, totp
from folkmoot.auth.accounts import Accounts, AccountWanted
from folkmoot.auth.authenticate import Authenticator
from folkmoot.auth.cache import VerifiedCache
from folkmoot.auth.directory import StoreDirectory
from folkmoot.auth.help_desk import HelpDesk
from folkmoot.auth.passwords import PasswordHasher
from folkmoot.auth.support import SupportDesk, SupportRules
from folkmoot.auth.support_door import SupportDoor
from folkmoot.auth.support_names import (
    is_signed,
    key_hash,
    make_token,
    new_key,
    split_name,
    token_number,
)
from folkmoot.auth.support_staff import AgentWanted, SupportStaff
from folkmoot.auth.throttle import Throttle
from folkmoot.storage.errors import (
    AlreadyExists,
    AuthenticationFailed,
    Conflict,
    InvalidContent,
    NotFound,
    NotInPlan,
    PermissionDenied,
    Throttled,
)
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, ActorKind, Tool
from folkmoot.storage.types_support import AgentState, HelpKind, SupportScope, SupportWish
from tests.kit.databases import Databases
from tests.kit.stores import decisions

T = TypeVar("T")
ALICE, BOB = "alice@example.test", "bob@example.test"
SAM, DORA = "sam@support.test", "dora@support.test"
PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
WISH = SupportWish("your mail does not come", "2h", SupportScope(read_only=True))


@dataclass
class Office:
    """Everything that has to do with support, and the letters that it wrote."""

    store: Store
    calls: queue.SimpleQueue[Callable[[], None]]
    letters: list[tuple[str, str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        hasher = PasswordHasher(memory_kib=8, time_cost=1, parallelism=1)
        self.accounts = Accounts(self.store, hasher)
        self.staff = SupportStaff(self.store, hasher)
        rules = SupportRules(base_url="https://mail.example.test")
        self.desk = SupportDesk(self.store, self.staff, rules, self._post)
        self.help = HelpDesk(self.store, self._post, hostname="mail.example.test", desk="h@x.test")
        self.authenticator = Authenticator(
            StoreDirectory(self.store),
            hasher,
            Throttle(time.monotonic),
            VerifiedCache(time.monotonic, 60),
            self.store.compute,
            secret=b"secret",
            support=SupportDoor(self.store),
        )

    def _post(
        self, _txn: Txn, address: str, subject: str, text: str, *, invitation: str = ""
    ) -> None:
        self.letters.append((address, subject, text, invitation))

    def wait(self, work: Deferred[T] | Coroutine[Any, Any, T]) -> T:
        """The result; raises what it fails with."""
        deferred = work if isinstance(work, Deferred) else Deferred.fromCoroutine(work)
        results: list[T | Failure] = []
        deferred.addBoth(results.append)
        while not results:
            self.calls.get(timeout=60)()
        result = results[0]
        if isinstance(result, Failure):
            result.raiseException()
        return result

    def sign_in(self, name: str, password: str, protocol: str = "imap", authzid: str = "") -> Actor:
        """A login."""
        return self.wait(
            self.authenticator.authenticate(name, password, protocol, "192.0.2.1", authzid=authzid)
        )

    def open(self, address: str = ALICE, agent: str = SAM, **options: Any) -> str:
        """Open a session of an agent; its key."""
        given: dict[str, Any] = {"reason": "to help", "code": "", **options}
        _, key = self.wait(self.desk.open(address, agent, PASSWORD, **given))
        return key


@pytest.fixture(params=["sqlite", "postgres"])
def office(
    request: pytest.FixtureRequest, databases: Databases, tmp_path: Path
) -> Iterator[Office]:
    """Alice and Bob are customers; Sam is in the department Support, Dora in none."""
    calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    store = Store(databases.fresh(request.param), tmp_path / "blobs", decisions(), calls.put)
    made = Office(store, calls)
    made.wait(made.accounts.create_domain("example.test"))
    for address in (ALICE, BOB):
        made.wait(made.accounts.create(AccountWanted(address=address, password=PASSWORD)))
    made.wait(made.staff.create_department("Support"))
    sam = AgentWanted(address=SAM, password=PASSWORD, department="Support")
    made.wait(made.staff.create_agent(sam))
    made.wait(made.staff.create_agent(AgentWanted(address=DORA, password=PASSWORD)))
    yield made
    store.close()


# --- names, keys, codes, periods -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"{ALICE}*{SAM}", (ALICE, SAM)),
        ("Alice%40example.test*SAM%40support.test", (ALICE, SAM)),
        ("al*ce@example.test*sam@support.test", ("al*ce@example.test", SAM)),
        ("alice@example.test*s*m@support.test", (ALICE, "s*m@support.test")),
        (ALICE, None),
        ("a*b@example.test", None),
        (f"*{SAM}", None),
        (f"{ALICE}*", None),
        (f"{ALICE}*{SAM}*{DORA}", None),
        ("x" * 2000 + "@a.test*b@c.test", None),
    ],
)
def test_names(text: str, names: tuple[str, str] | None) -> None:
    """The account and the agent are told apart, whatever asterisks there are."""
    assert split_name(text) == names


def test_keys() -> None:
    """What is no key has no hash; each key is another one."""
    assert len({new_key() for _ in range(100)}) == 100
    key = new_key()
    assert len(key_hash(key)) == 64
    assert key_hash(f" {key} ") == key_hash(key)
    assert key_hash("") == key_hash(PASSWORD) == key_hash(key + "x") == ""


def test_tokens() -> None:
    """Signed for one request, one account and one end; any other letter breaks it."""
    token = make_token(b"secret", 7, 3, 1000)
    assert token_number(token) == 7
    assert is_signed(b"secret", token, 3, 1000)
    assert not is_signed(b"other", token, 3, 1000)
    assert not is_signed(b"secret", token, 4, 1000)
    assert not is_signed(b"secret", token, 3, 1001)
    assert not is_signed(b"secret", token.replace("7.", "8.", 1), 3, 1000)
    for wrong in ("", "7", "7..", token[:-1], "x" + token, f"0{token}", token + "0"):
        assert not is_signed(b"secret", wrong, 3, 1000)


def test_codes() -> None:
    """RFC 6238 appendix B (the last six of its eight digits), and one step to each side."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for moment, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert totp.code_at(secret, moment // 30) == code
        assert totp.matching_step(secret, code, moment) == moment // 30
        assert totp.matching_step(secret, code, moment + 30) == moment // 30
        assert totp.matching_step(secret, code, moment + 90) is None
    for wrong in ("", "28708", "2870822", "28708²", "abcdef"):
        assert totp.matching_step(secret, wrong, 59) is None
    assert totp.is_secret(totp.new_secret())
    assert not totp.is_secret("short")
    assert "secret=" in totp.secret_uri(SECRET, SAM, "mail.example.test")


@pytest.mark.parametrize(
    ("period", "now", "zone", "end"),
    [
        ("1h", "2026-11-22T10:00", "UTC", "2026-11-22T11:00"),
        ("4h", "2026-11-22T22:00", "UTC", "2026-11-23T02:00"),
        ("today", "2026-11-22T10:00", "UTC", "2026-11-23T00:00"),
        ("today", "2026-11-22T23:30", "Europe/Berlin", "2026-11-23T23:00"),
        ("today", "2026-03-29T00:30", "Europe/Berlin", "2026-03-29T22:00"),
        ("1w", "2026-11-22T10:00", "UTC", "2026-11-29T10:00"),
        ("1m", "2026-01-31T10:00", "UTC", "2026-02-28T10:00"),
        ("1m", "2026-12-15T10:00", "UTC", "2027-01-15T10:00"),
    ],
)
def test_periods(period: str, now: str, zone: str, end: str) -> None:
    """From the moment of granting, in the time zone of whoever grants. # M7.4"""

    def seconds(text: str) -> int:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())

    assert periods.end_of(period, seconds(now), ZoneInfo(zone)) == seconds(end)


def test_other_periods() -> None:
    """Permanent has no end; there are no others."""
    assert periods.end_of("permanent", 0, ZoneInfo("UTC")) is None
    with pytest.raises(InvalidContent):
        periods.end_of("3h", 0, ZoneInfo("UTC"))
    with pytest.raises(InvalidContent):
        periods.zone_named("Nowhere/../etc")


# --- signing in ----------------------------------------------------------------------------------


def test_an_agent_comes_in(office: Office) -> None:
    """By name with an asterisk and by SASL's authorization identity, on every way to data."""
    office.wait(office.desk.grant(ALICE, SAM))
    key = office.open()
    for actor in (
        office.sign_in(f"{ALICE}*{SAM}", key),
        office.sign_in(f"{ALICE}*{SAM}", key, "dav"),
        office.sign_in(SAM, key, authzid=ALICE),
    ):
        assert actor.kind is ActorKind.SUPPORT
        assert actor.name == ALICE
        assert actor.support is not None
        assert actor.support.agent == SAM
        assert actor.reason == "to help"
    logins = office.wait(office.desk.logins(ALICE))
    assert [(one.agent, one.protocol, one.peer, one.reason) for one in logins] == [
        (SAM, protocol, "192.0.2.1", "to help") for protocol in ("imap", "dav", "imap")
    ]


def test_nothing_without_a_grant(office: Office) -> None:
    """No account, no grant, the grant of somebody else: the same answer in the same words."""
    office.wait(office.desk.grant(BOB, DORA))
    texts = set()
    for address in (ALICE, BOB, "nobody@example.test", "not an address"):
        with pytest.raises(AuthenticationFailed) as caught:
            office.open(address)
        texts.add(caught.value.text)
    assert len(texts) == 1


def test_a_refused_session_is_seen_by_the_customer(office: Office) -> None:
    """Who wanted to come in, and why; and nobody goes through all accounts like that."""
    with pytest.raises(AuthenticationFailed):
        office.open(ALICE, reason="just curious")
    [row] = office.wait(office.desk.trail(ALICE, limit=1))
    assert row.operation == "NoteRefusedSession"
    assert "just curious" in row.detail
    assert SAM in row.detail
    for number in range(20):
        with pytest.raises((AuthenticationFailed, Throttled)) as caught:
            office.open(f"nobody{number}@example.test")
    assert caught.type is Throttled


def test_never_as_the_customer_by_submission(office: Office) -> None:
    """Whatever was granted."""
    office.wait(office.desk.grant(ALICE, SAM, scope=SupportScope(export=True, with_groups=True)))
    key = office.open()
    with pytest.raises(AuthenticationFailed):
        office.sign_in(f"{ALICE}*{SAM}", key, "submission")


def test_wrong_keys(office: Office) -> None:
    """Forged, of another account, of another agent: refused like any wrong password."""
    for address in (ALICE, BOB):
        for agent in (SAM, DORA):
            office.wait(office.desk.grant(address, agent))
    key = office.open()
    attempts = [
        (f"{ALICE}*{SAM}", new_key()),
        (f"{ALICE}*{SAM}", PASSWORD),
        (f"{BOB}*{SAM}", key),
        (f"{ALICE}*{DORA}", key),
        (f"nobody@example.test*{SAM}", key),
        (ALICE, key),
        (SAM, key),
    ]
    texts = set()
    for name, password in attempts:
        with pytest.raises(AuthenticationFailed) as caught:
            office.sign_in(name, password)
        texts.add(caught.value.text)
    assert texts == {AuthenticationFailed.default_text}


def test_guessing_keys_is_slowed_down(office: Office) -> None:
    """As guessing passwords is."""
    for _ in range(10):
        with pytest.raises(AuthenticationFailed):
            office.sign_in(f"{ALICE}*{SAM}", new_key())
    with pytest.raises(Throttled):
        office.sign_in(f"{ALICE}*{SAM}", new_key())


def test_staff_have_no_account(office: Office) -> None:
    """With the agent's own name and password nobody gets anywhere."""
    for protocol in ("imap", "dav", "submission", "portal"):
        with pytest.raises(AuthenticationFailed):
            office.sign_in(SAM, PASSWORD, protocol)


def test_tools_that_were_not_granted(office: Office) -> None:
    """A grant for calendars lets nobody in by IMAP."""
    office.wait(office.desk.grant(ALICE, SAM, scope=SupportScope(frozenset({Tool.CALENDAR}))))
    key = office.open()
    assert office.sign_in(f"{ALICE}*{SAM}", key, "dav")
    for _ in range(3):
        with pytest.raises(NotInPlan):
            office.sign_in(f"{ALICE}*{SAM}", key, "imap")
    [row, login] = office.wait(office.desk.trail(ALICE, support=True))
    assert row.label == "login by imap from 192.0.2.1"
    assert row.detail.startswith("refused (NotInPlan)")
    assert login.operation == "RecordSupportLogin"


def test_the_end_of_a_session(office: Office) -> None:
    """Withdrawn, moved, and for good disabled: the key opens nothing any more."""
    office.wait(office.desk.grant(ALICE, "Support"))
    name = f"{ALICE}*{SAM}"
    key = office.open()
    office.wait(office.staff.update_agent(SAM, department=""))
    with pytest.raises(AuthenticationFailed):
        office.sign_in(name, key)
    office.wait(office.staff.update_agent(SAM, department="Support"))
    assert office.sign_in(name, key)
    office.wait(office.staff.update_agent(SAM, state=AgentState.DISABLED))
    office.wait(office.staff.update_agent(SAM, state=AgentState.ACTIVE))
    with pytest.raises(AuthenticationFailed):
        office.sign_in(name, key)
    key = office.open()
    assert office.sign_in(name, key)
    assert office.wait(office.desk.withdraw(ALICE)) == [1]
    with pytest.raises(AuthenticationFailed):
        office.sign_in(name, key)


def test_an_address_with_an_asterisk_is_an_account(office: Office) -> None:
    """Who has one signs in as always."""
    address = "a*b@example.test"
    office.wait(office.accounts.create(AccountWanted(address=address, password=PASSWORD)))
    assert office.sign_in(address, PASSWORD).kind is ActorKind.ACCOUNT


def test_second_factor(office: Office) -> None:
    """Needed where there is one; each code works once."""
    office.wait(office.staff.update_agent(SAM, second_factor=SECRET))
    office.wait(office.desk.grant(ALICE, SAM))
    code = totp.code_at(SECRET, int(time.time()) // totp.STEP)
    for wrong in ("", "000000" if code != "000000" else "111111"):
        with pytest.raises(AuthenticationFailed):
            office.open(code=wrong)
    office.open(code=code)
    with pytest.raises(AuthenticationFailed):
        office.open(code=code)
    with pytest.raises(InvalidContent):
        office.wait(office.staff.update_agent(SAM, second_factor="!"))


def test_a_reason_is_needed(office: Office) -> None:
    """Without one, or with one that is no line of text, nothing opens."""
    office.wait(office.desk.grant(ALICE, SAM))
    for reason in ("", "  ", "a\nb", "x" * 501):
        with pytest.raises(InvalidContent):
            office.open(reason=reason)


# --- who may grant -------------------------------------------------------------------------------


def test_the_right_to_grant(office: Office) -> None:
    """On for everybody, until it is taken away. # M7.2"""
    alice = office.sign_in(ALICE, PASSWORD, "portal")
    assert office.wait(office.desk.grant("", SAM, actor=alice)).granted_by == ALICE
    office.wait(office.desk.set_may_grant(ALICE, False))
    for actor in (alice, None):
        with pytest.raises(PermissionDenied):
            office.wait(office.desk.grant(ALICE, SAM, actor=actor))
    office.wait(office.desk.set_may_grant(ALICE, True))
    office.wait(office.desk.grant("", SAM, actor=alice))


def test_devices_do_not_grant(office: Office) -> None:
    """The password of a telephone is not enough to let support in."""
    _, shown = office.wait(office.accounts.add_app_password(ALICE, "phone"))
    device = office.sign_in(ALICE, shown)
    with pytest.raises(PermissionDenied):
        office.wait(office.desk.grant("", SAM, actor=device))


def test_bad_grants(office: Office) -> None:
    """Nobody of that name, no tools, an agent who is the customer."""
    office.wait(office.accounts.add_alias(ALICE, "helper@example.test"))
    helper = AgentWanted(address="helper@example.test", password=PASSWORD, department="Support")
    office.wait(office.staff.create_agent(helper))
    for grantee, scope, error in (
        ("nobody@support.test", SupportScope(), NotFound),
        ("Sales", SupportScope(), NotFound),
        (SAM, SupportScope(frozenset()), InvalidContent),
        ("helper@example.test", SupportScope(), Conflict),
    ):
        with pytest.raises(error):
            office.wait(office.desk.grant(ALICE, grantee, scope=scope))
    # Through the department, the same person is not let in either.
    office.wait(office.desk.grant(ALICE, "Support"))
    with pytest.raises(AuthenticationFailed):
        office.open(agent="helper@example.test")


def test_others_do_not_withdraw(office: Office) -> None:
    """A grant is its owner's."""
    grant = office.wait(office.desk.grant(ALICE, SAM))
    bob = office.sign_in(BOB, PASSWORD, "portal")
    with pytest.raises(NotFound):
        office.wait(office.desk.withdraw("", grant.id, actor=bob))
    assert office.wait(office.desk.grants("", actor=bob)) == []
    alice = office.sign_in(ALICE, PASSWORD, "portal")
    office.wait(office.desk.withdraw("", grant.id, actor=alice))
    with pytest.raises(NotFound):
        office.wait(office.desk.withdraw("", grant.id, actor=alice))
    [shown] = office.wait(office.desk.grants("", actor=alice))
    assert shown.withdrawn is not None


# --- links ---------------------------------------------------------------------------------------


def _link(office: Office, **options: Any) -> str:
    given: dict[str, Any] = {"address": ALICE, "agent": SAM, "wish": WISH, **options}
    office.wait(office.desk.request(given["address"], given["agent"], PASSWORD, "", given["wish"]))
    text = office.letters[-1][2]
    return next(line for line in text.splitlines() if line.startswith("https://"))


def test_a_link_lets_in(office: Office) -> None:
    """What was asked for, from the moment of activation, once. # M7.6"""
    link = _link(office)
    assert office.letters[-1][0] == ALICE
    assert WISH.reason in office.letters[-1][2]
    alice = office.sign_in(ALICE, PASSWORD, "portal")
    for _ in range(3):  # looking changes nothing
        assert office.wait(office.desk.find_link(link)).account == ALICE
    assert office.wait(office.desk.grants(ALICE)) == []
    before = int(time.time())
    grant = office.wait(office.desk.activate(link, alice))
    assert grant.grantee == SAM
    assert grant.scope == WISH.scope
    assert grant.ends is not None
    assert before + 7200 <= grant.ends <= time.time() + 7200
    with pytest.raises(AuthenticationFailed):
        office.wait(office.desk.activate(link, alice))
    assert office.open()


def test_bad_links(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forged, foreign and expired ones, and those of people who may not grant."""
    link = _link(office)
    alice = office.sign_in(ALICE, PASSWORD, "portal")
    bob = office.sign_in(BOB, PASSWORD, "portal")
    forged = link[:-1] + ("0" if link[-1] != "0" else "1")
    for wrong, who in ((forged, alice), ("", alice), ("1.2.3", alice), (link, bob)):
        with pytest.raises(AuthenticationFailed):
            office.wait(office.desk.activate(wrong, who))
    office.wait(office.desk.set_may_grant(ALICE, False))
    with pytest.raises(PermissionDenied):
        office.wait(office.desk.activate(link, alice))
    office.wait(office.desk.set_may_grant(ALICE, True))
    now = time.time()
    for shift in (3 * 86_400, -86_400):
        monkeypatch.setattr("time.time", lambda shift=shift: now + shift)
        with pytest.raises(AuthenticationFailed):
            office.wait(office.desk.activate(link, alice))
    monkeypatch.undo()
    assert office.wait(office.desk.grants(ALICE)) == []
    assert office.wait(office.desk.activate(link, alice))


def test_requests_say_nothing(office: Office) -> None:
    """To ask for an account that is not there looks the same; a few requests wait at most."""
    wait = office.wait
    wait(office.desk.request("nobody@example.test", SAM, PASSWORD, "", WISH))
    assert office.letters == []
    for _ in range(20):
        wait(office.desk.request(ALICE, SAM, PASSWORD, "", WISH))
    assert len(office.letters) == 5
    with pytest.raises(AuthenticationFailed):
        wait(office.desk.request(BOB, SAM, "wrong", "", WISH))


# --- the help desk -------------------------------------------------------------------------------


def _window(hours: int = 0) -> tuple[int, int]:
    """A morning in the week after next."""
    monday = int(time.time()) // 86_400 * 86_400
    monday += ((7 - datetime.fromtimestamp(monday, UTC).weekday()) % 7 + 7) * 86_400
    return monday + (9 + hours) * 3600, monday + (10 + hours) * 3600


def test_one_booking_at_a_time(office: Office) -> None:
    """The customer and the desk get an invitation; a second booking waits for the first. # M6.2"""
    made = office.wait(office.help.book(ALICE, "Setup", "+1 23", *_window()))
    assert made.help.kind is HelpKind.CALLBACK
    assert [letter[0] for letter in office.letters] == [ALICE, "h@x.test"]
    assert "METHOD:REQUEST" in office.letters[0][3]
    assert f"UID:{made.help.uid}" in office.letters[0][3]
    with pytest.raises(AlreadyExists):
        office.wait(office.help.book(ALICE, "Setup", "+1 23", *_window(1)))
    office.wait(office.help.book(BOB, "Setup", "+1 23", *_window()))
    shown = office.help.calendar(office.wait(office.help.open_requests()))
    assert shown.count("BEGIN:VEVENT") == 2
    office.wait(office.help.cancel(ALICE, made.id))
    assert "METHOD:CANCEL" in office.letters[-1][3]
    again = office.wait(office.help.book(ALICE, "Setup", "+1 23", *_window(1)))
    office.wait(office.help.close(again.id, SAM))
    office.wait(office.help.book(ALICE, "Setup", "+1 23", *_window(2)))


def test_bad_bookings(office: Office) -> None:
    """In the past, at night, over several days, without a number."""
    start, end = _window()
    for window, phone in (
        ((start - 60 * 86_400, end - 60 * 86_400), "1"),
        ((start - 4 * 3600, end), "1"),
        ((start, end + 86_400), "1"),
        ((end, start), "1"),
        ((start, 1 << 60), "1"),
        ((start - 2 * 86_400, end - 2 * 86_400), "1"),
        ((start, end), ""),
    ):
        with pytest.raises(InvalidContent):
            office.wait(office.help.book(ALICE, "Setup", phone, *window))
    assert office.letters == []


def test_contact(office: Office) -> None:
    """A message goes to the desk; others cannot take it back."""
    made = office.wait(office.help.contact(ALICE, "Help", "It does not work"))
    assert office.letters[-1][:2] == ("h@x.test", f"[Help {made.id}] Help")
    with pytest.raises(NotFound):
        office.wait(office.help.cancel(BOB, made.id))
    for subject, body in (("", "x"), ("a\r\nBcc: b", "x"), ("x" * 300, ""), ("a", "x" * 30_000)):
        with pytest.raises(InvalidContent):
            office.wait(office.help.contact(ALICE, subject, body))
