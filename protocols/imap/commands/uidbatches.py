"""UIDBATCHES (RFC 10022): ranges of UIDs that cut a mailbox into batches of equal size.

The newest messages come first. Ranges join without gaps and the last one ends at UID 1, so each
message that is there is in exactly one of them. All sizes from the smallest on are exact, and
there is no limit to what one command may ask for: the UIDs are in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.registry import OK, Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import Session

capability("UIDBATCHES", signed_in)

#: Smaller batches would be message numbers by another name. # rfc10022#3.1
SMALLEST: Final = 500


@dataclass(frozen=True, slots=True)
class BatchArgs:
    """Messages of a batch, and the first and last of the batches that are wanted (None: all)."""

    size: int
    wanted: tuple[int, int] | None


def parse_batches(cursor: Cursor) -> BatchArgs:
    """Read the arguments of UIDBATCHES. Raises ``BadSyntax``."""
    cursor.space()
    size, wanted = cursor.nz_number(), None
    if cursor.skip_space():
        first = cursor.nz_number()
        cursor.expect(b":")
        wanted = (first, cursor.nz_number())
        if wanted[1] < first:
            raise BadSyntax("The first batch comes first", code="CLIENTBUG")
    cursor.end()
    return BatchArgs(size, wanted)


@command(
    "UIDBATCHES",
    State.SELECTED,
    parse_batches,
    example=b"UIDBATCHES 2000 1:3",
    extension="UIDBATCHES",
)
async def uid_batches(session: Session, arguments: BatchArgs) -> Reply:
    """RFC 10022 section 3.1."""
    if arguments.size < SMALLEST:
        return Reply(f"Batches have {SMALLEST} messages or more", "TOOFEW", "NO")
    words = [b"UIDBATCHES (TAG %b)" % encoder.quoted_or_literal(session.tag)]
    found = batches(session.selected.uids, arguments.size, arguments.wanted)
    if found:
        words.append(b",".join([b"%d:%d" % each for each in found]))
    session.wire.send(encoder.data(*words))
    return OK


def batches(
    uids: Sequence[int], size: int, wanted: tuple[int, int] | None = None
) -> list[tuple[int, int]]:
    """The highest and lowest UID of each batch; ``uids`` ascend. Batches count from 1."""
    first, last = wanted or (1, -(-len(uids) // size))
    found: list[tuple[int, int]] = []
    for batch in range(first, last + 1):
        end = len(uids) - (batch - 1) * size  # behind its highest
        if end <= 0:
            break
        below = end - size  # where the next one ends
        # Down to where the next begins: what is gone in between belongs to somebody too.
        low = uids[below - 1] + 1 if below > 0 else 1
        found.append((uids[end - 1], low))
    return found
