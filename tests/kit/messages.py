"""Messages for tests."""

from __future__ import annotations


def simple(
    subject: str = "Hello",
    body: str = "Hello, world.\r\n",
    sender: str = "Alice <alice@example.test>",
    to: str = "bob@example.test",
    extra: str = "",
) -> bytes:
    """A plain message with CRLF line ends; ``extra`` are whole header lines."""
    return (
        f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n"
        "Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n"
        f"{extra}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}"
    ).encode()
