"""SCRAM-SHA-256 and -PLUS: the RFC's example, tampering, channel binding, unknown names."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.auth.sasl.scram import ScramSha256
from folkmoot.auth.sasl.steps import BadExchange, Challenge, Finished, Identify, Proof
from folkmoot.auth.scram import ScramRecord, fake_record
from folkmoot.auth.session import SaslSession
from folkmoot.storage.errors import AuthenticationFailed
from folkmoot.storage.types import AccountState
from tests.auth.support import ALICE, HOME, ITERATIONS, PASSWORD, ScramClient, World, result_of

BINDINGS = {"tls-exporter": b"e" * 32, "tls-server-end-point": b"s" * 32}


def _session(
    world: World, plus: bool = False, bindings: dict[str, bytes] | None = None
) -> SaslSession:
    name = "SCRAM-SHA-256-PLUS" if plus else "SCRAM-SHA-256"
    return world.authenticator.sasl(name, "imap", HOME, bindings or {}, tls=False)


def test_the_example_of_rfc_7677() -> None:
    """The exchange printed in RFC 7677 section 3, octet for octet."""
    salt = b"[m\x99h\x9d\x125\x8e\xec\xa0K\x14\x126\xfa\x81"  # W22ZaJ0SNY7soEsUEjb6gQ==
    record = ScramRecord.from_password("pencil", 4096, salt)
    mechanism = ScramSha256({}, lambda: b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
    assert mechanism.start(None) == Challenge(b"")
    assert mechanism.step(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO") == Identify("user", "")
    first = mechanism.provide(record)
    assert first.data == (
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    proof = mechanism.step(
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert proof == Proof(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    assert mechanism.step(b"") == Finished()


def test_records_survive_their_text_form() -> None:
    """What is stored is what was made, and has the documented form."""
    record = ScramRecord.from_password("pencil", 4096, b"salt")
    assert str(record).startswith("SCRAM-SHA-256$4096:c2FsdA==$")
    assert ScramRecord.parse(str(record)) == record


@pytest.mark.parametrize(
    "text", ["", "SCRAM-SHA-1$4096:c2FsdA==$YQ==:YQ==", "SCRAM-SHA-256$x:YQ==$YQ==:YQ==", "a$b"]
)
def test_damaged_records_are_refused(text: str) -> None:
    """A damaged record is an error, not a record with empty keys."""
    with pytest.raises(ValueError, match=r"record|invalid|base64|literal"):
        ScramRecord.parse(text)


def test_too_few_iterations_are_refused() -> None:
    """RFC 7677 section 4: at least 4096."""
    with pytest.raises(ValueError, match="4096"):
        ScramRecord.from_password("pencil", 4095)


def test_a_client_signs_in() -> None:
    """The whole way, with the password and without it ever being sent. # rfc5802#3"""
    world = World()
    actor = ScramClient(ALICE, PASSWORD).run(_session(world))
    assert (actor.account_id, actor.space_id, actor.name, actor.epoch) == (1, 101, ALICE, 7)
    assert world.directory.logins == [(1, 0, "imap", HOME)]
    assert world.hasher.verified == 0


def test_without_initial_response() -> None:
    """A client that waits for the empty challenge (SASL without SASL-IR)."""
    session = _session(World())
    assert result_of(session.start(None)) == Challenge(b"")
    client = ScramClient(ALICE, PASSWORD)
    first = result_of(session.step(client.first()))
    assert isinstance(first, Challenge)
    assert isinstance(result_of(session.step(client.final(first.data))), Challenge)
    assert result_of(session.step(b"")).account_id == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("binding", sorted(BINDINGS))
def test_a_client_binds_to_its_channel(binding: str) -> None:
    """-PLUS with each binding that the connection has. # rfc5802#6"""
    client = ScramClient(ALICE, PASSWORD, header=f"p={binding},,", channel=BINDINGS[binding])
    assert client.run(_session(World(), plus=True, bindings=BINDINGS)).account_id == 1


def test_a_man_in_the_middle_is_noticed() -> None:
    """The client is bound to another TLS connection than the server: nobody gets in. # rfc5802#6"""
    client = ScramClient(ALICE, PASSWORD, header="p=tls-exporter,,", channel=b"x" * 32)
    with pytest.raises(AuthenticationFailed):
        client.run(_session(World(), plus=True, bindings=BINDINGS))


def test_a_downgrade_is_noticed() -> None:
    """A client that could bind but saw no -PLUS, although it was offered (RFC 5802 section 6)."""
    with pytest.raises(AuthenticationFailed):
        ScramClient(ALICE, PASSWORD, header="y,,").run(_session(World(), bindings=BINDINGS))
    client = ScramClient(ALICE, PASSWORD, header="y,,")
    assert client.run(_session(World())).account_id == 1


@pytest.mark.parametrize(
    ("plus", "header"),
    [(True, "n,,"), (True, "y,,"), (True, "p=tls-unique,,"), (False, "p=tls-exporter,,")],
)
def test_the_flag_must_fit_the_mechanism(plus: bool, header: str) -> None:
    """-PLUS binds to a channel that exists; the plain mechanism never claims to. # rfc5802#6"""
    client = ScramClient(ALICE, PASSWORD, header=header, channel=b"")
    with pytest.raises(AuthenticationFailed):
        result_of(_session(World(), plus, BINDINGS).start(client.first()))


@pytest.mark.parametrize(("name", "password"), [(ALICE, "wrong"), ("nobody@example.test", "x")])
def test_a_wrong_proof_or_name_fails_at_the_end(name: str, password: str) -> None:
    """A wrong password and an unknown name take the same steps and fail alike."""
    client = ScramClient(name, password)
    session = _session(World())
    first = result_of(session.start(client.first()))
    assert isinstance(first, Challenge)
    with pytest.raises(AuthenticationFailed):
        result_of(session.step(client.final(first.data)))
    with pytest.raises(AuthenticationFailed):
        result_of(session.step(client.final(first.data)))


def test_made_up_salts_look_like_real_ones() -> None:
    """Stable per name, different between names, alike in form, and the same for both spellings."""
    world = World()
    salts = {}
    for name in (
        ALICE,
        "alice",
        "nobody@example.test",
        "nobody",
        "NOBODY@example.test",
        "x@y.test",
    ):
        client = ScramClient(name, "guess")
        first = result_of(_session(world).start(client.first()))
        assert isinstance(first, Challenge)
        assert first.data.endswith(b",i=%d" % ITERATIONS)
        client.final(first.data)
        salts[name] = client.salt
    assert salts["nobody@example.test"] == salts["nobody"] == salts["NOBODY@example.test"]
    assert salts[ALICE] == salts["alice"]
    assert len(set(salts.values())) == 3
    assert {len(salt) for salt in salts.values()} == {16}


def test_made_up_salts_outlive_a_restart() -> None:
    """They depend on the installation's secret only; another secret gives others."""
    salt = fake_record(b"secret", "a@b.test", 4096).salt
    assert fake_record(b"secret", "a@b.test", 4096).salt == salt
    assert fake_record(b"other", "a@b.test", 4096).salt != salt


@pytest.mark.parametrize(
    "final",
    [
        b"c=biws,r=NONCE,p=",
        b"c=biws,r=NONCE",
        b"c=biws,r=other,p=" + b64encode(b"x" * 32),
        b"c=eSws,r=NONCE,p=" + b64encode(b"x" * 32),
        b"r=NONCE,c=biws,p=" + b64encode(b"x" * 32),
        b"c=biws,r=NONCE,p=" + b64encode(b"x" * 31),
        b"c=biws,r=NONCE,p=?",
        b"",
        b"\x00\xff",
    ],
)
def test_damaged_final_messages_fail(final: bytes) -> None:
    """Missing, reordered, foreign or undecodable parts of the last message. # rfc5802#7"""
    session = _session(World())
    first = result_of(session.start(ScramClient(ALICE, PASSWORD).first()))
    assert isinstance(first, Challenge)
    nonce = first.data.split(b",")[0].removeprefix(b"r=")
    with pytest.raises(AuthenticationFailed):
        result_of(session.step(final.replace(b"NONCE", nonce)))


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"n,,",
        b"n,,n=user",
        b"n,,n=user,r=",
        b"x,,n=user,r=abc",
        b"n,b=x,n=user,r=abc",
        b"n,,m=ext,n=user,r=abc",
        b"n,,n=us=er,r=abc",
        b"n,,n=\xff,r=abc",
        b"n,,n=a\x07,r=abc",
        b"n,,n=user,r=a b",
        b"n,,n=user,r=" + b"a" * 513,
        b"n,a=other@example.test,n=alice@example.test,r=abc",
        b"n,,n=user,r=abc" + b",x=y" * 5000,
    ],
)
def test_damaged_first_messages_fail(first: bytes) -> None:
    """Nothing malformed, foreign or oversized begins an exchange. # rfc5802#7"""
    with pytest.raises(AuthenticationFailed):
        result_of(_session(World()).start(first))


@given(st.lists(st.binary(max_size=80) | st.sampled_from([b"n,,n=a,r=b", b"c=biws,r=b,p=YQ=="])))
def test_garbage_never_breaks_the_mechanism(messages: list[bytes]) -> None:
    """Any sequence of messages ends in a step or in ``BadExchange``, never in another error."""
    mechanism = ScramSha256({})
    record = fake_record(b"secret", "a", 4096)
    for message in messages:
        try:
            step = mechanism.step(message)
        except BadExchange:
            return
        if isinstance(step, Identify):
            mechanism.provide(record)


def test_names_with_commas_and_equals_signs() -> None:
    """RFC 5802 section 5.1 escapes; the account is found under its real name."""
    world = World()
    world.add(2, "a=b@example.test", PASSWORD)
    assert ScramClient("a=b@example.test", PASSWORD).run(_session(world)).account_id == 2


def test_an_authorization_identity_of_ones_own_is_accepted() -> None:
    """``a=`` may repeat the name, in any spelling. # rfc5802#5.1"""
    client = ScramClient(ALICE, PASSWORD, header="n,a=ALICE@Example.test,")
    assert client.run(_session(World())).account_id == 1


def test_a_disabled_account_fails_after_the_proof() -> None:
    """The same steps as for others, and no way in."""
    world = World()
    account = world.directory.records[ALICE].account
    world.change(account=replace(account, state=AccountState.DISABLED))
    with pytest.raises(AuthenticationFailed):
        ScramClient(ALICE, PASSWORD).run(_session(world))


def test_an_account_without_a_record_cannot_be_told_from_an_unknown_one() -> None:
    """A password hash that was imported has no SCRAM record; the exchange still looks normal."""
    world = World()
    world.change(scram=None)
    with pytest.raises(AuthenticationFailed):
        ScramClient(ALICE, PASSWORD).run(_session(world))
