"""Every error of the store has an SMTP reply."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from folkmoot.protocols.smtp.errors import TABLE, reply_to
from folkmoot.storage import errors


def _classes(kind: type[errors.StorageError]) -> Iterator[type[errors.StorageError]]:
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from _classes(child)


@pytest.mark.parametrize("kind", list(_classes(errors.StorageError)))
def test_the_table_is_total(kind: type[errors.StorageError]) -> None:
    """No error of the store is an unknown one to SMTP, and its class and code agree."""
    assert any(issubclass(kind, known) for known, _, _ in TABLE)
    reply = reply_to(kind())
    assert reply.text == kind.default_text
    assert reply.status.startswith(f"{reply.code // 100}.")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.OverQuota(), "452 4.2.2"),
        (errors.Unavailable(), "452 4.3.1"),
        (errors.NotFound(), "550 5.1.1"),
        (errors.TooLarge(), "552 5.3.4"),
        (errors.ShuttingDown(), "421 4.3.2"),
    ],
)
def test_what_mail_servers_look_at(error: errors.StorageError, expected: str) -> None:
    """The codes by which an MTA decides whether to try again."""
    assert reply_to(error).line().startswith(expected)


def test_unknown_errors_say_nothing() -> None:
    """The text of a bug does not reach the wire, but can be found in the log."""
    reply = reply_to(RuntimeError("secret path /etc/x"))
    assert reply.code == 451
    assert "secret" not in reply.text
