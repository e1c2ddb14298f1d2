"""Sends FETCH responses: read in batches, made in the store's threads, at the client's pace."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import count

from folkmoot.protocols.imap.fetch_bodies import Message, Outcome, gather, is_whole, response
from folkmoot.protocols.imap.fetch_items import FetchItem
from folkmoot.protocols.imap.fetch_plan import LONG_HEADER, make_plan, render, render_flags
from folkmoot.protocols.imap.session import Session
from folkmoot.protocols.imap.view import print_flags
from folkmoot.storage.content.source import BytesSource
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import FlagTexts, MessageBody, MessageRow, UidSet

ROWS = 1000  # messages of one batch without bodies
FLAGS = 20_000  # messages of one batch of flags alone
ROWS_BUDGET = 8 * 1024 * 1024  # octets of stored forms in one batch
BODIES = 500  # messages of one batch with bodies
BODIES_BUDGET = 1024 * 1024  # octets of bodies in one batch
ITEMS_AT_ONCE = 4  # items of a body up to which its response is made in memory

_PRINTED = {str(bits): print_flags(bits, "").decode() for bits in range(32)}

_Ready = bytes | tuple[MessageRow, MessageBody]
"""Responses, or a message whose response is made while it is sent."""


class Answer:
    """Sends items of messages, in batches, as fast as the client takes them.

    ``sent`` tells whether any message was there; ``outcome`` what could not be told.
    """

    def __init__(self, session: Session, items: Iterable[FetchItem]) -> None:
        self._session = session
        self._view = session.selected
        self.items = tuple(dict.fromkeys(items))
        self._plan = make_plan(self.items, uid_only=session.uid_only)
        # Messages that need the octets although the plan did not say so.
        self._late: list[int] = []
        self.outcome = Outcome()
        self.sent = False

    async def send(self, uids: Sequence[int]) -> None:
        """Send the responses for these messages, which ascend. Those that are gone are left out."""
        await self._send_all(uids)
        if self._late:
            # Their stored header may be cut, or their preview is not there: make it of the octets.
            self._plan = make_plan(self.items, with_bodies=True, uid_only=self._session.uid_only)
            await self._send_all(sorted(self._late))

    def send_rows(self, rows: Sequence[MessageRow]) -> None:
        """Send the responses for rows (uid, flags, keywords, modseq) that are there already."""
        known = [(self._number(row[0]), row) for row in rows]
        numbers = {row[0]: number for number, row in known if number}
        octets = render(self._plan, numbers, [row for number, row in known if number])
        self._session.wire.send(octets)
        self.sent = bool(octets)

    async def _send_all(self, uids: Sequence[int]) -> None:
        if self._plan.flags_form is not None:
            for position in range(0, len(uids), FLAGS):
                await self._send_flags(uids[position : position + FLAGS])
                await self._session.wire.drain()
            return
        send_batch = self._send_bodies if self._plan.bodies else self._send_rows
        size = BODIES if self._plan.bodies else ROWS
        position = 0
        while position < len(uids):
            batch = uids[position : position + size]
            last = await send_batch(batch, self._numbers(batch))
            position = bisect_right(uids, last, position) if last else position + len(batch)
            await self._session.wire.drain()

    def _numbers(self, uids: Sequence[int]) -> dict[int, int]:
        if self._session.uid_only:
            return {uid: uid for uid in uids}
        first, last = self._view.number(uids[0]), self._view.number(uids[-1])
        if last - first == len(uids) - 1:
            return dict(zip(uids, count(first), strict=False))
        return {uid: self._view.number(uid) for uid in uids}

    # --- flags --------------------------------------------------------------------------------

    async def _send_flags(self, uids: Sequence[int]) -> None:
        plan = self._plan
        first = self._number(uids[0])
        run = (self._number(uids[-1]) - first) == len(uids) - 1
        numbers: Sequence[int] = range(first, first + len(uids))
        if not run:
            numbers = [self._number(uid) for uid in uids]

        def work(found: FlagTexts) -> bytes:
            flags = [_PRINTED[bits] for bits in found.flags]
            if found.keywords:
                for place, uid in enumerate(found.uids):
                    if uid in found.keywords:
                        bits = int(found.flags[place])
                        flags[place] = print_flags(bits, found.keywords[uid]).decode()
            theirs = numbers
            if len(found.uids) < len(uids):
                by_uid = dict(zip(map(str, uids), numbers, strict=True))
                theirs = [by_uid[uid] for uid in found.uids]
            return render_flags(plan, found.uids, theirs, flags)

        octets = await self._session.workspace.flag_texts(
            self._view.mailbox_id, UidSet.from_ascending(uids), work
        )
        self._session.wire.send(octets)
        self.sent = self.sent or bool(octets)

    def _number(self, uid: int) -> int:
        return uid if self._session.uid_only else self._view.number(uid)

    # --- from rows ----------------------------------------------------------------------------

    async def _send_rows(self, uids: Sequence[int], numbers: dict[int, int]) -> int:
        """Send one batch; returns the last UID that was read, 0 for none."""
        plan = self._plan

        def work(rows: list[MessageRow]) -> tuple[bytes, int, list[int]]:
            last = rows[-1][0] if rows else 0
            late: list[int] = []
            if plan.header:
                late = [row[0] for row in rows if len(row[plan.header]) >= LONG_HEADER]
                if late:
                    rows = [row for row in rows if len(row[plan.header]) < LONG_HEADER]
            if plan.preview:
                made = [row for row in rows if row[plan.preview] is not None]
                if len(made) < len(rows):
                    late += [row[0] for row in rows if row[plan.preview] is None]
                    rows = made
            return render(plan, numbers, rows), last, late

        octets, last, late = await self._session.workspace.fetch(
            self._view.mailbox_id, UidSet.from_ascending(uids), plan.columns, work, ROWS_BUDGET
        )
        self._session.wire.send(octets)
        self.sent = self.sent or bool(octets)
        self._late += late
        return last

    # --- from octets --------------------------------------------------------------------------

    async def _send_bodies(self, uids: Sequence[int], numbers: dict[int, int]) -> int:
        plan, outcome = self._plan, self.outcome
        at_once = len(plan.bodies) <= ITEMS_AT_ONCE

        def work(found: list[tuple[MessageRow, MessageBody]]) -> tuple[list[_Ready], int]:
            ready: list[_Ready] = []
            small: list[bytes] = []
            for row, body in found:
                if at_once and body.data is not None:
                    message = Message(body, BytesSource(body.data))
                    small += response(plan, numbers[row[0]], row, message, outcome)
                    continue
                ready += [b"".join(small), (row, body)]
                small.clear()
            return [*ready, b"".join(small)], found[-1][0][0] if found else 0

        batch, last = await self._session.workspace.bodies(
            self._view.mailbox_id,
            uids,
            plan.columns,
            work,
            BODIES_BUDGET,
            parts=not all(map(is_whole, plan.bodies)),
        )
        for one in batch:
            if isinstance(one, tuple):
                row, body = one
                await self._send_large(numbers[row[0]], row, body)
            elif one:
                self._session.wire.send(one)
                self.sent = True
            await self._session.wire.drain()
        return last

    async def _send_large(self, number: int, row: MessageRow, body: MessageBody) -> None:
        """Send a response in pieces, each read or decoded off the reactor."""
        workspace = self._session.workspace
        if body.data is not None:
            source = BytesSource(body.data)
            await self._stream(
                response(self._plan, number, row, Message(body, source), self.outcome)
            )
            return
        try:
            file = await workspace.open_body(body)
        except NotFound:  # expunged since it was located
            return
        try:
            await self._stream(response(self._plan, number, row, Message(body, file), self.outcome))
        finally:
            file.close()

    async def _stream(self, pieces: Iterator[bytes]) -> None:
        wire = self._session.wire
        begun = False
        try:
            while octets := await self._session.workspace.compute(partial(gather, pieces)):
                begun = self.sent = True
                wire.send(octets)
                await wire.drain()
        except Exception:
            if begun:
                # The client was promised octets that do not come: no reply can follow.
                wire.close("A message could not be read to its end")
            raise
