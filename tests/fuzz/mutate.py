"""Turns valid inputs into almost valid ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

# fmt: off
TOKENS = (
    b"(", b")", b"((((((((", b'"', b"\\", b"{", b"}", b"[", b"]", b" ", b"  ", b"\t",
    b"\0", b"\r", b"\n", b"\r\n", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80",
    b"{3}\r\nabc", b"{3+}\r\nabc", b"~{2+}\r\n\0a", b"{0+}\r\n",
    b"{99999999999}", b"{4294967296+}",
    b"0", b"4294967295", b"4294967296", b"18446744073709551616", b"-1",
    b"*", b"%", b"$", b"1:*", b"*:4294967295", b"NIL", b"DONE",
    b"&", b"&-", b"&AAA-", b"&2D3c7A-", b"INBOX", b"inbox/", b"//",
    b"BODY[", b"BODY[1.MIME]<0.1>", b"<9.9>", b"RETURN (", b"UID ", b"OR NOT", b"CHARSET X",
    b"\\Seen", b"\\*", b"(CHANGEDSINCE 1 VANISHED)", b"01-Jan-2024",
)
# fmt: on

Seqs = Sequence[bytes]
Mutator = Callable[[random.Random, bytes, Sequence[bytes], Sequence[bytes]], bytes]


def _cut(rng: random.Random, data: bytes, seeds: Seqs, words: Seqs) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _drop(rng: random.Random, data: bytes, seeds: Seqs, words: Seqs) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.randint(1, 4) :]


def _insert(rng: random.Random, data: bytes, seeds: Seqs, words: Seqs) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(words) + data[at:]


def _replace_word(rng: random.Random, data: bytes, seeds: Seqs, words: Seqs) -> bytes:
    words = data.split(b" ")
    words[rng.randrange(len(words))] = rng.choice(words)
    return b" ".join(words)


def _swap_words(rng: random.Random, data: bytes, seeds: Seqs, words: Seqs) -> bytes:
    words = data.split(b" ")
    first, second = rng.randrange(len(words)), rng.randrange(len(words))
    words[first], words[second] = words[second], words[first]
    return b" ".join(words)


def _octet(rng: random.Random, data: bytes, seeds: Seqs, words: Seqs) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def _splice(rng: random.Random, data: bytes, seeds: Seqs, words: Seqs) -> bytes:
    other = rng.choice(seeds)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _repeat(rng: random.Random, data: bytes, seeds: Seqs, words: Seqs) -> bytes:
    start = rng.randrange(len(data) + 1)
    piece = data[start : start + rng.randint(1, 12)]
    return data[:start] + piece * rng.choice((2, 3, 60, 2000)) + data[start:]


def _case(rng: random.Random, data: bytes, seeds: Seqs, words: Seqs) -> bytes:
    return data.swapcase()


MUTATORS: tuple[Mutator, ...] = (
    _cut, _drop, _insert, _insert, _replace_word, _replace_word, _swap_words, _octet, _splice,
    _repeat, _case,
)  # fmt: skip


def mutate(rng: random.Random, seeds: Seqs, words: Seqs = TOKENS) -> bytes:
    """One of the seeds, changed up to four times (sometimes not at all).

    ``words`` are what is put into it: by default what matters in IMAP.
    """
    data = rng.choice(seeds)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3, 4))):
        data = rng.choice(MUTATORS)(rng, data, seeds, words)
    return data


def grown(rng: random.Random, seeds: Seqs, words: Seqs, size: int) -> bytes:
    """A seed of which one piece is there again and again: some ``size`` octets."""
    data = rng.choice(seeds)
    start = rng.randrange(len(data) + 1)
    piece = data[start : start + rng.choice((1, 2, 5, 20, 80, 400))] + rng.choice(
        (b"", rng.choice(words))
    )
    return data[:start] + piece * (size // max(len(piece), 1)) + data[start:]
