"""Hashing, SASLprep, the policy, and app passwords."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.auth import app_passwords
from folkmoot.auth.passwords import (
    MAX_PASSWORD_CHARACTERS,
    PasswordHasher,
    PasswordPolicy,
    PasswordRefused,
)
from folkmoot.auth.saslprep import saslprep

CHEAP = PasswordHasher(memory_kib=8, time_cost=1)


def test_a_hash_is_argon2id_with_the_costs_given() -> None:
    """The scheme and its costs are what the administrator configured."""
    secret = PasswordHasher(memory_kib=64, time_cost=3, parallelism=2).hash("a password")
    assert secret.startswith("$argon2id$v=19$m=64,t=3,p=2$")


def test_only_the_right_password_fits() -> None:
    """A hash fits its password and nothing else, not even a prefix."""
    secret = CHEAP.hash("a password")
    assert CHEAP.verify("a password", secret)
    assert not CHEAP.verify("a passwor", secret)
    assert not CHEAP.verify("", secret)
    assert not CHEAP.verify("x" * (MAX_PASSWORD_CHARACTERS + 1), secret)


@pytest.mark.parametrize("secret", [None, "", "plain", "$argon2id$v=19$m=8,t=1,p=1$x", "!"])
def test_a_missing_or_damaged_hash_fits_nothing(secret: str | None) -> None:
    """No stored value opens an account by accident or raises."""
    assert not CHEAP.verify("", secret)
    assert not CHEAP.verify("a password", secret)


def test_other_costs_ask_for_an_update() -> None:
    """Raised costs reach old accounts at their next login."""
    secret = CHEAP.hash("a password")
    assert not CHEAP.needs_update(secret)
    assert PasswordHasher(memory_kib=16, time_cost=1).needs_update(secret)
    assert CHEAP.needs_update("something else")


def test_passwords_that_look_the_same_are_the_same() -> None:
    """A composed and a decomposed letter, typed on two devices, both open the account."""
    # rfc4013#2.2
    assert CHEAP.verify("cafe\u0301 au lait", CHEAP.hash("caf\u00e9 au lait"))


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("\U0001f40e staple", "\U0001f40e staple"),
    ],
)
def test_saslprep_maps_as_the_rfc_shows(text: str, prepared: str) -> None:
    """The examples of RFC 4013 section 3; newer characters stay as they are."""
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\u0007", "\u06271", "a\u0627", "\ue000", "\ufffd", chr(0xD800)])
def test_saslprep_refuses_what_the_rfc_prohibits(text: str) -> None:
    """Control characters, private use, surrogates and mixed directions (RFC 4013 section 3)."""
    with pytest.raises(ValueError, match=r"character|directions"):
        saslprep(text)


@given(st.text())
def test_saslprep_settles(text: str) -> None:
    """Preparing twice gives the same as preparing once, or both refuse."""
    try:
        once = saslprep(text)
    except ValueError:
        return
    try:
        assert saslprep(once) == once
    except ValueError:
        # NFKC can bring right-to-left text to an end where it was not; it is refused then.
        assert not once.isascii()


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "password1",
        "PASSWORD1",
        "aaaaaaaaaa",
        "abababababab",
        "alice.smith@example.test",
        "Alice.Smith",
        "alice smith",
        "alicesmith",
        "htims.ecila",
        "bell\u0007bell",
        "",
        "x" * (MAX_PASSWORD_CHARACTERS + 1),
    ],
)
def test_the_policy_refuses_what_everybody_would_guess(password: str) -> None:
    """Short, personal, famous, monotonous, unusable or endless passwords are refused."""
    with pytest.raises(PasswordRefused):
        PasswordPolicy().check(password, address="alice.smith@example.test", name="Alice Smith")


@pytest.mark.parametrize("password", ["correct horse", "alice-demo", "пароль-длинный"])
def test_the_policy_lets_others_pass(password: str) -> None:
    """No rule beyond those: no forced digits, any script."""
    PasswordPolicy().check(password, address="alice@example.test", name="Alice")


def test_the_policy_counts_characters() -> None:
    """The configured length is a number of characters, not of octets."""
    with pytest.raises(PasswordRefused, match="at least 12"):
        PasswordPolicy(min_length=12).check("ééééàààà", address="a@b.test")


def test_app_passwords_are_random_and_easy_to_type() -> None:
    """Four groups of five characters that cannot be mistaken for each other."""
    shown = {app_passwords.generate() for _ in range(200)}
    assert len(shown) == 200
    for text in shown:
        groups = text.split("-")
        assert [len(group) for group in groups] == [5, 5, 5, 5]
        assert not set("".join(groups)) & set("il1o0")


def test_app_passwords_may_be_typed_in_many_ways() -> None:
    """With dashes, spaces or neither, in any case; anything else is no app password."""
    shown = app_passwords.generate()
    bare = shown.replace("-", "")
    for typed in (shown, bare, shown.upper(), shown.replace("-", " "), f" {shown} "):
        assert app_passwords.canonical(typed) == bare
    for other in ("", bare[:-1], bare + "a", bare[:-1] + "0", "correct horse", "a" * 10_000):
        assert app_passwords.canonical(other) is None
