"""Several people share with a group in any order, and find by IMAP, DAV and SMTP what a model says.

Nobody's connection is opened anew: what is given and withdrawn counts in those that are open.
"""

from __future__ import annotations

import itertools
import smtplib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from folkmoot.sharing.policy import MEMBER
from folkmoot.sharing.rights import READ, WRITE
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import PermissionDenied
from folkmoot.storage.mutations.grants import Share, Unshare
from folkmoot.storage.mutations.groups import (
    AddMember,
    RemoveMember,
    SetGroupAdministrator,
    SetMemberRights,
)
from folkmoot.storage.types import ALL_RIGHTS, Actor, Right, Tool
from folkmoot.storage.types_groups import Posting
from folkmoot.storage.types_tree import Folder, TreePath
from folkmoot.storage.views.tree import FindPath
from tests.dav.calendars import calendar, event
from tests.kit import reactor
from tests.kit.dav import Dav
from tests.kit.messages import simple
from tests.kit.server import TestServer
from tests.smtp.conftest import MailServer
from tests.storage.accounts_kit import actor_of

CHOIR: Final = "choir"
PEOPLE: Final = ("alice", "bob", "carol", "eve")
TOOLS: Final = (Tool.MAIL, Tool.CALENDAR, Tool.DOCUMENTS)
SYSTEM: Final = Actor.system("test")
OTHER: Final = MEMBER | Right.INSERT  # something between reading and writing

_who = st.sampled_from(PEOPLE)
_owner = st.sampled_from((*PEOPLE, CHOIR))
_tool = st.sampled_from(TOOLS)
_rights = st.sampled_from([Right.NONE, READ, OTHER, WRITE])
_posting = st.sampled_from(list(Posting))

_runs: Iterator[int] = itertools.count(1)

Thing = tuple[str, Tool]


class Rules:
    """Who may do what: the whole of it."""

    def __init__(self) -> None:
        self.administrator = "alice"
        self.members: dict[str, dict[Tool, Right]] = {"alice": {}, "bob": {}}
        self.grants: dict[tuple[Thing, str], Right] = {}
        self.posting = Posting.ANYONE

    def rights(self, who: str, thing: Thing) -> Right:
        owner, tool = thing
        if who == owner or (owner == CHOIR and who == self.administrator):
            return ALL_RIGHTS
        if who not in self.members or (owner != CHOIR and owner not in self.members):
            return Right.NONE
        mine = self.grants.get((thing, who), Right.NONE)
        given = Right.NONE
        if owner == CHOIR:
            given = MEMBER | self.members[who].get(tool, Right.NONE)
        return mine | self.grants.get((thing, CHOIR), given)

    def may_post(self, who: str) -> bool:
        if self.posting is Posting.ANYONE or who == self.administrator:
            return True
        given = self.members.get(who)
        if given is None or self.posting is Posting.MEMBERS:
            return given is not None
        return Right.POST in given.get(Tool.MAIL, Right.NONE)

    def leaves(self, who: str) -> None:
        del self.members[who]
        self.grants = {
            (thing, grantee): rights
            for (thing, grantee), rights in self.grants.items()
            if who not in (thing[0], grantee)
        }


class Sharing(RuleBasedStateMachine):
    """Everybody has a folder, a calendar and a mailbox ``Things``, and so has the group."""

    def __init__(self, mail: MailServer) -> None:
        super().__init__()
        server = mail.base
        self.model = Rules()
        self.server, self.mail = server, mail
        tag = f"{next(_runs)}"
        self.accounts = {name: server.account(f"{name}{tag}") for name in PEOPLE}
        people = self.accounts
        self.group = server.group(f"choir{tag}", people["alice"], people["bob"])
        self.spaces = {name: one.space_id for name, one in people.items()}
        self.spaces[CHOIR] = self.group.space_id
        self.names = {name: one.address for name, one in people.items()}
        self.davs = {name: Dav(server, one) for name, one in people.items()}
        self.imaps = {name: server.imap(one) for name, one in people.items()}
        self.smtps = {name: mail.smtp(one) for name, one in people.items()}
        self.collections: dict[Thing, int] = {}
        for owner in (*PEOPLE, CHOIR):
            self._fill(owner)

    def _fill(self, owner: str) -> None:
        who = "alice" if owner == CHOIR else owner
        dav, imap = self.davs[who], self.imaps[who]
        drive = self._drive(who, owner)
        dav.mkcol(drive)
        dav.put(f"{drive}file", b"x")
        agenda = f"/dav/calendars/{self.spaces[owner]}/Things/"
        assert dav.call("MKCALENDAR", agenda).status == 201
        dav.put(f"{agenda}a.ics", _event("a"), content_type="text/calendar")
        imap.ok(f'CREATE "{self._box(who, owner)}"')
        imap.append(self._box(who, owner), simple("first"))
        for tool in (Tool.CALENDAR, Tool.DOCUMENTS):
            self.collections[owner, tool] = self._folder(who, TreePath(
                self.spaces[owner], tool, ("Things",)
            ))  # fmt: skip
        [(mailbox_id,)] = self._box_ids(owner)
        self.collections[owner, Tool.MAIL] = mailbox_id

    def _folder(self, who: str, path: TreePath) -> int:
        found = self.server.store.call_read(
            self._actor(who), "test", lambda txn: txn.view(FindPath(path))
        )
        assert found.entry is not None
        assert isinstance(found.entry.node, Folder)
        return found.entry.node.id

    def _box_ids(self, owner: str) -> list[tuple[int]]:
        query = Statement(
            "SELECT id FROM collections WHERE space_id = :space AND tool = :tool AND name = :name"
        )
        values: dict[str, Any] = {"space": self.spaces[owner], "tool": "mail", "name": "Things"}
        return self.server.store.call_read(
            SYSTEM, "test", lambda txn: txn._context.db.all(query, **values)
        )

    # --- names --------------------------------------------------------------------------------

    def _drive(self, who: str, owner: str) -> str:
        if owner == who:
            return "/dav/drive/My%20documents/Things/"
        if owner == CHOIR:
            return f"/dav/drive/Groups/{self.group.name}/Things/"
        return f"/dav/drive/Shared/{self.names[owner]}/Things/"

    def _box(self, who: str, owner: str) -> str:
        if owner == who:
            return "Things"
        if owner == CHOIR:
            return f"Groups/{self.group.name}/Things"
        return f"Shared/{self.names[owner]}/Things"

    def _actor(self, who: str) -> Actor:
        return actor_of(self.server.store, self.names[who])

    def _apply(self, mutation: Any, who: str = "") -> None:
        actor = self._actor(who) if who else SYSTEM
        self.server.store.call(actor, "test", lambda txn: txn.apply(mutation))

    # --- what happens -------------------------------------------------------------------------

    @rule(who=_who)
    def join(self, who: str) -> None:
        """Somebody comes into the group."""
        if who not in self.model.members:
            self._apply(AddMember(self.group.id, self.accounts[who].id, {}))
            self.model.members[who] = {}

    @rule(who=_who)
    def leave(self, who: str) -> None:
        """Somebody is taken out."""
        if who in self.model.members and who != self.model.administrator:
            self._apply(RemoveMember(self.group.id, self.accounts[who].id))
            self.model.leaves(who)

    @rule(who=_who, tool=_tool, rights=_rights)
    def give(self, who: str, tool: Tool, rights: Right) -> None:
        """The administrator gives a member rights in a tool."""
        if who in self.model.members:
            given = SetMemberRights(self.group.id, self.accounts[who].id, {tool: rights})
            self._apply(given, self.model.administrator)
            self.model.members[who][tool] = rights

    @rule(who=_who)
    def hand_over(self, who: str) -> None:
        """Another member leads the group."""
        if who in self.model.members:
            self._apply(SetGroupAdministrator(self.group.id, self.accounts[who].id))
            self.model.administrator = who

    @rule(owner=_owner, tool=_tool, grantee=_owner, rights=_rights)
    def share(self, owner: str, tool: Tool, grantee: str, rights: Right) -> None:
        """An owner shares a collection with the group or with a member of it, if that may be."""
        members = self.model.members
        if owner == grantee != CHOIR:
            return
        who = self.model.administrator if owner == CHOIR else owner
        may = owner in (*members, CHOIR) and grantee in (*members, CHOIR)
        grant = Share(self.collections[owner, tool], self.spaces[grantee], rights)
        try:
            self._apply(grant, who)
        except PermissionDenied:
            assert not may
        else:
            assert may
            self.model.grants[(owner, tool), grantee] = rights

    @precondition(lambda self: self.model.grants)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """An owner takes back what it gave."""
        key = data.draw(st.sampled_from(sorted(self.model.grants)))
        (owner, tool), grantee = key
        who = self.model.administrator if owner == CHOIR else owner
        self._apply(Unshare(self.collections[owner, tool], self.spaces[grantee]), who)
        del self.model.grants[key]

    @rule(posting=_posting)
    def post(self, posting: Posting) -> None:
        """The group says who may write to its address."""
        reactor.call(lambda: self.server.groups.set_settings(self.group.address, posting=posting))
        self.model.posting = posting

    # --- what people find ---------------------------------------------------------------------

    @rule(who=_who, owner=_owner)
    def documents(self, who: str, owner: str) -> None:
        """GET and PUT in the drive."""
        rights = self.model.rights(who, (owner, Tool.DOCUMENTS))
        dav, url = self.davs[who], f"{self._drive(who, owner)}file"
        assert dav.call("GET", url).status == _status(rights, Right.READ, 200)
        put = dav.call("PUT", url, b"y").status
        if Right.LOOKUP in rights:
            assert put == _status(rights, Right.EDIT, 204)
        else:  # there is not even a folder in which it could lie
            assert put in (403, 404, 409)

    @rule(who=_who, owner=_owner)
    def calendars(self, who: str, owner: str) -> None:
        """GET and PUT in a calendar at its own URL, and whether the home leads to it."""
        rights = self.model.rights(who, (owner, Tool.CALENDAR))
        dav, url = self.davs[who], f"/dav/calendars/{self.spaces[owner]}/Things/a.ics"
        assert dav.call("GET", url).status == _status(rights, Right.READ, 200)
        put = dav.call("PUT", url, _event("a"), content_type="text/calendar")
        assert put.status == _status(rights, Right.EDIT, 204)
        if owner != who:
            home = dav.propfind(f"/dav/calendars/{self.spaces[who]}/", "displayname", depth=1)
            number = str(self.collections[owner, Tool.CALENDAR])
            found = [href for href in home.hrefs if href.rstrip("/").endswith(f"-{number}")]
            assert len(found) == (Right.READ in rights), (found, rights)

    @rule(who=_who, owner=_owner)
    def mailboxes(self, who: str, owner: str) -> None:
        """SELECT, LIST and APPEND of a mailbox."""
        rights = self.model.rights(who, (owner, Tool.MAIL))
        imap, name = self.imaps[who], self._box(who, owner)
        assert (imap.cmd(f'SELECT "{name}"').status == "OK") == (Right.READ in rights)
        listed = imap.ok(f'LIST "" "{name}"').lines
        assert bool(listed) == (Right.LOOKUP in rights)
        try:
            imap.append(name, simple("more"))
        except AssertionError:
            assert Right.INSERT not in rights
        else:
            assert Right.INSERT in rights

    @rule(who=_who)
    def letters(self, who: str) -> None:
        """Mail to the group, by submission."""
        sender = self.names[who]
        message = f"From: <{sender}>\r\nSubject: for all\r\n\r\nla\r\n".encode()
        try:
            self.smtps[who].sendmail(sender, [self.group.address], message)
        except smtplib.SMTPRecipientsRefused:
            assert not self.model.may_post(who)
        else:
            assert self.model.may_post(who)

    def teardown(self) -> None:
        """End the connections."""
        for smtp in self.smtps.values():
            smtp.close()
        for imap in self.imaps.values():
            imap.close()
        for dav in self.davs.values():
            dav.http.close()


def _status(rights: Right, needed: Right, done: int) -> int:
    if Right.LOOKUP not in rights:
        return 404
    return done if needed in rights else 403


def _event(uid: str) -> bytes:
    times = ("DTSTAMP:20260101T000000Z", "DTSTART:20260105T100000Z", "DTEND:20260105T110000Z")
    return calendar(event(*times, "SUMMARY:x", uid=uid))


@pytest.mark.parametrize("examples", [4, pytest.param(40, marks=pytest.mark.slow)])
def test_everybody_finds_what_the_rules_say(
    server: TestServer, tmp_path: Path, examples: int
) -> None:
    """Random memberships, grants, reads and writes over three protocols, against the rules."""
    mail = MailServer(server, tmp_path)
    try:
        make: Any = lambda: Sharing(mail)  # noqa: E731
        run_state_machine_as_test(
            make,
            settings=settings(
                max_examples=examples,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        mail.stop()
