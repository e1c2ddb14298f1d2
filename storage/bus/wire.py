"""Hints as text, for what carries them between processes."""

from __future__ import annotations

from collections.abc import Iterable

from folkmoot.storage.types import Hint, Topic

PAYLOAD_LIMIT = 7000  # octets; PostgreSQL takes 8000


def encode_hints(hints: Iterable[Hint]) -> list[str]:
    """Payloads such as ``c:12:345,s:3:0``, each within ``PAYLOAD_LIMIT``."""
    payloads: list[str] = []
    current = ""
    for hint in dict.fromkeys(hints):
        word = f"{hint.topic}:{hint.id}:{hint.number}"
        if current and len(current) + len(word) >= PAYLOAD_LIMIT:
            payloads.append(current)
            current = word
        else:
            current = f"{current},{word}" if current else word
    return [*payloads, current] if current else payloads


def decode_hints(payload: str) -> list[Hint]:
    """The hints of one payload; what cannot be read means: look at everything."""
    try:
        words = [word.split(":") for word in payload.split(",")]
        return [Hint(Topic(topic), int(id_), int(number)) for topic, id_, number in words]
    except ValueError:
        return [Hint(Topic.ALL, 0)]
