"""What is in a mailbox, by all that was done to it; and whether what a program knows agrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from benchmarks.soak.journal import Journal
from benchmarks.soak.truth import KEEP, Register, Write
from tests.kit.known import Flags

SEEN: Final = "\\Seen"
DELETED: Final = "\\Deleted"
MARKS: Final = ("\\Flagged", "\\Answered", "$Work")
WORDS: Final = (SEEN, DELETED, *MARKS)
TIDY_SECONDS: Final = 60.0


@dataclass(eq=False)
class Message:
    """One message in one mailbox; ``uid`` is 0 until somebody has seen it.

    The flags of a copy may be anything until the copy is acknowledged. ``moved`` is whether
    somebody has moved it away.
    """

    token: str
    present: Register[bool]
    sent_at: float
    copied_at: float | None = None
    uid: int = 0
    moved: bool = False
    flags: dict[str, Register[bool]] = field(default_factory=dict)

    def flag(self, key: str) -> Register[bool]:
        """Whether it has a flag."""
        register = self.flags.get(key)
        if register is None:
            if self.copied_at is None:
                register = Register(False)
            else:
                register = Register.one_of((True, False), self.copied_at, self.copied_at)
            self.flags[key] = register
        return register

    def flag_may_be(self, key: str, since: float, until: float) -> set[bool]:
        """What somebody may read of a flag."""
        if key not in self.flags and self.copied_at is None:
            return {False}
        return self.flag(key).may_be(since, until)


class Mailbox:
    """The messages of a mailbox by their tokens, of which each comes at most once.

    ``shared`` is whether \\Seen is each person's own.
    """

    def __init__(self, label: str, shared: bool = False) -> None:
        self.label = label
        self.shared = shared
        self.messages: dict[str, Message] = {}
        self.by_uid: dict[int, Message] = {}
        self.uidvalidity = 0
        self._tidied = 0.0

    def key(self, word: str, person: str) -> str:
        """Under which a flag of somebody is kept."""
        return f"{word} {person}" if self.shared and word == SEEN else word

    def expect(self, token: str, now: float, *, copy: bool = False) -> tuple[Message, Write[bool]]:
        """A message is on its way here."""
        message = Message(token, Register(False), now, now if copy else None)
        self.messages[token] = message
        return message, message.present.begin(True, now)

    def refused(self, message: Message, write: Write[bool]) -> None:
        """It has not come."""
        message.present.refused(write)
        self.messages.pop(message.token, None)

    def told(self, message: Message, uid: int, journal: Journal) -> None:
        """A message was seen under a UID."""
        known = self.by_uid.setdefault(uid, message)
        journal.hold(
            known is message and message.uid in (0, uid),
            "duplicated message",
            f"{self.label}: {message.token} has the UIDs {message.uid} and {uid}"
            f" (which is {known.token})",
        )
        message.uid = message.uid or uid

    def found(self, uid: int, token: str, journal: Journal) -> None:
        """Somebody read whose message it is that has a UID."""
        message = self.messages.get(token)
        if message is None:
            gone = self.by_uid.get(uid)
            if gone is None or gone.token != token:
                journal.wrong_is("foreign message", f"{self.label}: UID {uid} is {token!r}")
        elif message.uid != uid:
            self.told(message, uid, journal)

    def compare(
        self, view: Mapping[int, Flags], span: tuple[float, float], person: str, journal: Journal
    ) -> None:
        """Check what a program knows, by what it was told in a span of time."""
        since, until = span
        linked = True
        for uid, flags in view.items():
            message = self.by_uid.get(uid)
            if message is None:
                linked = False  # gone before its header could be read
                continue
            present = message.present.may_be(since, until)
            journal.hold(
                True in present,
                "message is gone",
                f"{person} sees {message.token} (UID {uid}) in {self.label}",
            )
            if False not in present:  # of what is gone already nothing is told any more
                self._compare_flags(message, flags, span, person, journal)
        for message in self.messages.values():
            if message.uid in view or not (linked or message.uid):
                continue
            journal.hold(
                False in message.present.may_be(since, until),
                "lost message",
                f"{person} does not see {message.token} (UID {message.uid}) in {self.label}",
            )
        self._tidy(until)

    def _compare_flags(
        self,
        message: Message,
        flags: Flags,
        span: tuple[float, float],
        person: str,
        journal: Journal,
    ) -> None:
        for word in WORDS:
            allowed = message.flag_may_be(self.key(word, person), *span)
            journal.hold(
                (word in flags) in allowed,
                "flag",
                f"{person} sees ({' '.join(flags)}) of {message.token} (UID {message.uid}) in"
                f" {self.label}: {word} may be {allowed}",
            )

    def _tidy(self, now: float) -> None:
        """Forget what was gone long ago; if it comes back it is foreign."""
        if now < self._tidied + TIDY_SECONDS:
            return
        self._tidied = now
        for message in [*self.messages.values()]:
            if message.present.may_be(now - KEEP, now) == {False}:
                del self.messages[message.token]
                self.by_uid.pop(message.uid, None)
