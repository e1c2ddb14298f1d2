"""Several sessions in one mailbox do anything in any order, and agree with a model of it.

Each client knows what untagged data told it, and nothing else. It may lose its connection at any
moment, and catch up by SELECT, by CONDSTORE or by QRESYNC, with COMPRESS or without.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from folkmoot.storage.mutations.upkeep import TrimLog
from folkmoot.storage.types import Actor
from tests.imap.replica import Flags, Replica, joined, spread
from tests.kit.messages import simple
from tests.kit.server import TestServer

SESSIONS = 3
WORDS = ("\\Seen", "\\Deleted", "\\Flagged", "$Work")

_who = st.integers(0, SESSIONS - 1)
_picks = st.lists(st.integers(0, 7), min_size=1, max_size=4, unique=True)
_flags = st.frozensets(st.sampled_from(WORDS), min_size=1)
_how = st.sampled_from(["plain", "condstore", "qresync", "known"])


class Mailboxes(RuleBasedStateMachine):
    """``inbox`` and ``other`` are what is in the two mailboxes: UID to subject and flags."""

    def __init__(self, server: TestServer) -> None:
        super().__init__()
        self._server = server
        account = server.account()
        self.inbox: dict[int, tuple[str, Flags]] = {}
        self.other: dict[int, tuple[str, Flags]] = {}
        self._next = {"INBOX": 1, "Other": 1}
        self._count = 0
        self.sessions = [Replica(server, account) for _ in range(SESSIONS)]
        self.sessions[0].client.ok("CREATE Other")

    @initialize(number=st.integers(0, 6), qresync=st.sampled_from([False, True]))
    def begin(self, number: int, qresync: bool) -> None:
        """Some messages, and everybody in."""
        for session in self.sessions:
            session.connect(compressed=False, qresync=qresync)
            session.select("plain")
        for _ in range(number):
            self.append(0, frozenset())

    # --- the model ----------------------------------------------------------------------------

    def _add(self, mailbox: str, subject: str, flags: Flags) -> int:
        uid = self._next[mailbox]
        self._next[mailbox] = uid + 1
        {"INBOX": self.inbox, "Other": self.other}[mailbox][uid] = (subject, flags)
        return uid

    def _expunge(self, among: list[int] | None = None) -> None:
        for uid in [*self.inbox]:
            if "\\Deleted" in self.inbox[uid][1] and (among is None or uid in among):
                del self.inbox[uid]

    def _agree(self, session: Replica) -> None:
        """After NOOP and questions for what is new, a client knows all there is."""
        if not session.selected:
            session.select("condstore")
        session.run("NOOP")
        session.learn()
        truth = {uid: flags for uid, (_, flags) in self.inbox.items()}
        assert session.uids == sorted(truth)
        assert {uid: session.flags[uid] for uid in truth} == truth

    def _session(self, who: int) -> Replica:
        session = self.sessions[who]
        if not session.selected:
            session.select("plain")
        return session

    def _picked(self, who: int, picks: list[int]) -> tuple[Replica, dict[int, int]]:
        """Some messages as the session counts them: number to UID."""
        session = self._session(who)
        session.learn()
        count = len(session.uids)
        numbers = sorted({pick % count + 1 for pick in picks}) if count else []
        found: dict[int, int] = {}
        for number in numbers:
            uid = session.uids[number - 1]
            if uid is not None:  # gone already, which it may not be told yet
                found[number] = uid
        return session, found

    # --- what people do -----------------------------------------------------------------------

    @rule(who=_who, flags=st.frozensets(st.sampled_from(WORDS)))
    def append(self, who: int, flags: Flags) -> None:
        """A new message."""
        session = self.sessions[who]
        self._count += 1
        subject = f"m{self._count}"
        uid = self._add("INBOX", subject, flags)
        response = session.client.append("INBOX", simple(subject), " ".join(sorted(flags)))
        assert response.code.split()[2] == str(uid)
        if session.selected:
            session.take(response, "APPEND")

    @rule(
        who=_who,
        picks=_picks,
        sign=st.sampled_from(["+", "-", ""]),
        flags=_flags,
        by_uid=st.booleans(),
        silent=st.booleans(),
    )
    def store(
        self, who: int, picks: list[int], sign: str, flags: Flags, by_uid: bool, silent: bool
    ) -> None:
        """Flags change, silently or not, also of messages that are gone."""
        session, picked = self._picked(who, picks)
        if not picked:
            return
        among = f"UID STORE {joined(picked.values())}" if by_uid else f"STORE {joined(picked)}"
        words = f"{sign}FLAGS{'.SILENT' * silent} ({' '.join(sorted(flags))})"
        if silent:
            session.apply_silently(picked.values(), sign, flags)
        response = session.run(f"{among} {words}")
        there = [uid for uid in picked.values() if uid in self.inbox]
        assert response.status == "OK" or (not by_uid and not there)
        for uid in there:
            subject, before = self.inbox[uid]
            after = {"+": before | flags, "-": before - flags, "": flags}[sign]
            self.inbox[uid] = subject, after

    @rule(
        picks=_picks,
        words=st.permutations(WORDS),
        sign=st.sampled_from(["+", "-"]),
        by_uid=st.booleans(),
        silent=st.booleans(),
    )
    def store_both(
        self, picks: list[int], words: list[str], sign: str, by_uid: bool, silent: bool
    ) -> None:
        """Two change the same messages, and neither heard of the other before."""
        self.store(1, picks, sign, frozenset(words[:1]), by_uid, silent=False)
        self.store(0, picks, "+", frozenset(words[1:2]), by_uid, silent)
        self._agree(self.sessions[0])

    @rule(who=_who, picks=_picks, flags=_flags)
    def remove(self, who: int, picks: list[int], flags: Flags) -> None:
        """Messages are marked and go at once, while others come."""
        self.store(who, picks, "+", flags | {"\\Deleted"}, True, True)
        self.append(who, flags)
        self.uid_expunge(who, picks)

    @rule(who=_who, picks=_picks, flags=_flags)
    def store_if_unchanged(self, who: int, picks: list[int], flags: Flags) -> None:
        """UNCHANGEDSINCE refuses exactly what somebody changed meanwhile."""
        session, picked = self._picked(who, picks)
        limit = session.modseq
        if not picked or not limit:
            return
        current = self._current(picked.values())
        response = session.run(
            f"UID STORE {joined(picked.values())} (UNCHANGEDSINCE {limit})"
            f" +FLAGS ({' '.join(sorted(flags))})"
        )
        refused = spread(response.code.split()[1]) if "MODIFIED" in response.code else []
        assert refused == sorted(uid for uid, modseq in current.items() if modseq > limit)
        for uid in current.keys() - set(refused):
            subject, before = self.inbox[uid]
            self.inbox[uid] = subject, before | flags

    def _current(self, uids: Any) -> dict[int, int]:
        """The mod-sequences of messages, as a new client sees them."""
        witness = self._server.imap(self.account, "INBOX")
        lines = witness.ok(f"UID FETCH {joined(uids)} (MODSEQ)").lines
        witness.close()
        found = {}
        for line in lines:
            words = line.decode().replace("(", " ").replace(")", " ").split()
            found[int(words[words.index("UID") + 1])] = int(words[words.index("MODSEQ") + 1])
        return found

    @property
    def account(self) -> Any:
        """Whose mailboxes they are."""
        return self.sessions[0].account

    @rule(who=_who)
    def expunge(self, who: int) -> None:
        """All that is marked goes, whoever marked it."""
        session = self._session(who)
        assert session.run("EXPUNGE").status == "OK"
        self._expunge()

    @rule(who=_who, picks=_picks)
    def uid_expunge(self, who: int, picks: list[int]) -> None:
        """Of these, what is marked goes."""
        session, picked = self._picked(who, picks)
        if picked:
            assert session.run(f"UID EXPUNGE {joined(picked.values())}").status == "OK"
            self._expunge([*picked.values()])

    @rule(
        who=_who,
        picks=_picks,
        verb=st.sampled_from(["COPY", "MOVE", "UID COPY", "UID MOVE"]),
        to=st.sampled_from(["INBOX", "Other"]),
    )
    def transfer(self, who: int, picks: list[int], verb: str, to: str) -> None:
        """Messages go to a mailbox, which may be the one that they are in."""
        session, picked = self._picked(who, picks)
        if not picked:
            return
        by_uid = verb.startswith("UID")
        named = joined(picked.values()) if by_uid else joined(picked)
        response = session.run(f"{verb} {named} {to}")
        there = [uid for uid in picked.values() if uid in self.inbox]
        assert (response.status == "OK") == bool(there) or by_uid
        copies = {uid: self._add(to, *self.inbox[uid]) for uid in there}
        if verb.endswith("MOVE"):
            for uid in there:
                del self.inbox[uid]
        if there:
            told = [response.code, *(line.decode() for line in response.matching("COPYUID"))]
            [code] = [one for one in told if "COPYUID" in one]
            _, source, made = code.partition("COPYUID ")[2].partition("]")[0].split()
            assert dict(zip(spread(source), spread(made), strict=True)) == copies

    # --- what they hear -----------------------------------------------------------------------

    @rule(who=_who)
    def noop(self, who: int) -> None:
        """One client looks, and knows all there is."""
        self._agree(self._session(who))

    @rule(who=_who, picks=_picks)
    def fetch(self, who: int, picks: list[int]) -> None:
        """Reading marks as seen, and tells no removals."""
        session, picked = self._picked(who, picks)
        if not picked:
            return
        session.run(f"FETCH {joined(picked)} (BODY[HEADER.FIELDS (SUBJECT)] UID)")
        for uid in picked.values():
            if uid in self.inbox:
                subject, flags = self.inbox[uid]
                self.inbox[uid] = subject, flags | {"\\Seen"}

    @rule(who=_who, other=_who, flags=_flags)
    def idle(self, who: int, other: int, flags: Flags) -> None:
        """What another session does while one waits is heard, at the latest at its end."""
        if who == other:
            return
        session = self._session(who)
        tag = session.idle()
        self.append(other, flags)
        self.store(other, [0, 1], "+", flags, True, True)
        session.take(session.client.done(tag), "IDLE")

    # --- coming and going ---------------------------------------------------------------------

    @rule(who=_who, how=_how, compressed=st.booleans(), qresync=st.booleans())
    def lose_connection(self, who: int, how: str, compressed: bool, qresync: bool) -> None:
        """The connection breaks off; the next one goes on from what was known."""
        session = self.sessions[who]
        session.connect(compressed=compressed, qresync=qresync)
        session.select(how)
        session.learn()

    @rule(who=_who, verb=st.sampled_from(["CLOSE", "UNSELECT"]), how=_how)
    def reopen(self, who: int, verb: str, how: str) -> None:
        """The mailbox is closed and opened again on the same connection."""
        session = self._session(who)
        session.leave(verb)
        if verb == "CLOSE":
            self._expunge()
        session.select(how)

    @rule(who=_who, how=_how, compressed=st.booleans())
    def log_out(self, who: int, how: str, compressed: bool) -> None:
        """A clean end, and a new beginning with what was known."""
        session = self.sessions[who]
        session.leave("LOGOUT")
        session.connect(compressed=compressed, qresync=True)
        session.select(how)

    @rule()
    def forget_history(self) -> None:
        """The log is cut: whoever comes back from before must be told everything."""
        actor = Actor.system("test")
        self._server.store.call(actor, "trim", lambda txn: txn.apply(TrimLog(1)))

    def teardown(self) -> None:
        """All of them and a new client agree with the model, also about what the messages are."""
        try:
            for session in self.sessions:
                self._agree(session)
            self._agree_with_a_new_client()
        finally:
            for session in self.sessions:
                session.client.close()

    def _agree_with_a_new_client(self) -> None:
        fresh = self._server.imap(self.account)
        for mailbox, truth in (("INBOX", self.inbox), ("Other", self.other)):
            fresh.ok(f"SELECT {mailbox}")
            found = fresh.ok("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])").lines
            assert len(found) == len(truth)
            for line, (uid, (subject, flags)) in zip(found, sorted(truth.items()), strict=True):
                text = line.decode()
                assert f"UID {uid} " in text
                assert f"Subject: {subject}\r\n" in text
                told = text.partition("FLAGS (")[2].partition(")")[0]
                assert frozenset(told.split()) == flags
        fresh.close()


def _run(server: TestServer, examples: int, steps: int) -> None:
    make: Any = lambda: Mailboxes(server)  # noqa: E731
    run_state_machine_as_test(
        make,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=[*HealthCheck],
        ),
    )


def test_sessions_agree(server: TestServer) -> None:
    """Short histories, as many as fit in some seconds."""
    _run(server, 25, 25)


@pytest.mark.slow
def test_sessions_agree_for_long(server: TestServer) -> None:
    """Longer ones, and many more of them."""
    _run(server, 150, 50)
