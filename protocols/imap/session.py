"""What one connection knows: who is signed in, what is selected, what the client enabled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from folkmoot.auth.authenticate import Authenticator
from folkmoot.protocols.imap import registry
from folkmoot.protocols.imap.frames import Line
from folkmoot.protocols.imap.registry import State
from folkmoot.protocols.imap.view import View
from folkmoot.sharing.workspace import Workspace
from folkmoot.storage.errors import Expired, NotFound, PermissionDenied
from folkmoot.storage.types import Actor, Hint, Topic

GONE = "The selected mailbox is gone"


class ConnectionLost(Exception):
    """The client went away while a command waited for it."""


#: Seconds that a client of support has to take what was sent before its access ended.
SUPPORT_PATIENCE = 0.3


@dataclass(frozen=True, slots=True)
class ImapLimits:
    """Bounds of a connection; octets and seconds. ``append`` is the largest message."""

    append: int = 64 * 1024 * 1024
    login_seconds: float = 60
    idle_seconds: float = 30 * 60  # rfc9051#5.4: at least 30 minutes once signed in
    close_seconds: float = 20  # for a client to take the last octets, or to end a TLS handshake
    refused_seconds: float = 2  # the same for who has too many connections
    connections_per_address: int = 100
    connections_per_account: int = 50
    messages: int = 0  # that one command may work on, 0 for any number # rfc9738#3
    saved: int = 100_000  # that one COPY or APPEND may add, where ``messages`` says nothing
    progress_seconds: float = 10  # between two words of a command that takes long, 0 for none


class Wire(Protocol):
    """What a session needs of its connection."""

    peer: str
    secure: bool  # TLS is on
    plaintext_logins: bool  # passwords may cross this connection as it is
    limits: ImapLimits
    hidden: frozenset[str]  # capabilities that nobody is to see, in upper case

    @property
    def can_start_tls(self) -> bool:
        """Whether STARTTLS is offered now."""
        ...

    @property
    def compressed(self) -> bool:
        """Whether DEFLATE is on."""
        ...

    def compress_after_reply(self, on: bool) -> None:
        """Turn DEFLATE on or off, behind the reply to the command that runs."""

    def send(self, data: bytes) -> None:
        """Queue octets for the client."""

    def flush(self) -> None:
        """Hand queued octets to the transport."""

    def drain(self) -> Deferred[None]:
        """Fire when the client has taken enough: call it between pieces of an answer."""

    def next_line(self, max_length: int) -> Deferred[Line | None]:
        """The next raw line; None when it was too long. Fails when the connection is lost."""

    def signed_in(self, actor: Actor) -> bool:
        """Count the account's connections; False when it has too many."""

    def signed_out(self) -> None:
        """Count the account's connection no longer; it has to sign in in time again."""

    def channel_bindings(self) -> dict[str, bytes]:
        """Data that SCRAM-PLUS binds to, empty without TLS."""

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call back in some time; the connection may be gone then."""

    def take_turn(self) -> bool:
        """Keep commands waiting, to push between two of them; False while one runs."""

    def give_turn(self) -> None:
        """Go on with commands."""

    def close(self, reason: str, code: str | None = None, patience: float | None = None) -> None:
        """Say BYE and end the connection; ``patience`` is how long a client may take to read."""


class Reporter(Protocol):
    """Tells the client of changes beside those in the selected mailbox."""

    dirty: bool  # something was committed since the last report

    async def report(self) -> None:
        """Look, and send what the client is to know."""


@dataclass(frozen=True, slots=True)
class SelectedEvents:
    """What NOTIFY asks for of the selected mailbox (RFC 5465 section 6.1).

    ``messages``: arrivals and removals; ``flags``: changes of flags. ``delayed`` keeps removals
    back until a command may show them. ``announce`` tells what was asked for of new messages.
    """

    messages: bool = False
    flags: bool = False
    delayed: bool = False
    announce: Callable[[list[int]], Awaitable[None]] | None = None


class Session:
    """The state of one IMAP connection. Used on the reactor's thread only."""

    def __init__(
        self,
        wire: Wire,
        authenticator: Authenticator,
        workspace_for: Callable[[Actor], Workspace],
    ) -> None:
        self.wire = wire
        self.authenticator = authenticator
        self._workspace_for = workspace_for
        self._workspace: Workspace | None = None
        self.actor: Actor | None = None
        self.view: View | None = None
        self.enabled: set[str] = set()
        self.client_id: dict[bytes, bytes | None] | None = None
        self.tag = b""  # of the command that runs
        self.hidden = wire.hidden
        self.cut: str | None = None  # the code that says what the command left out
        self.logged_out = False
        self.starting_tls = False
        # Extensions keep what they remember for the session here, under their own name.
        self.notes: dict[str, Any] = {}
        self._on_change: Callable[[], None] | None = None
        # Pushes between commands, where the client asked for that. # rfc5465#3.1
        self.on_rest: Callable[[], None] | None = None
        self.events: SelectedEvents | None = None  # None: as if NOTIFY was never given
        self.reporters: list[Reporter] = []
        self._unwatch: list[Callable[[], None]] = []
        self._unwatch_view: list[Callable[[], None]] = []
        self._ended = False

    # --- facts --------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The state of RFC 9051 section 3."""
        if self.actor is None:
            return State.NOT_AUTHENTICATED
        return State.AUTHENTICATED if self.view is None else State.SELECTED

    @property
    def ended(self) -> bool:
        """Whether the connection is gone; nothing is selected then."""
        return self._ended

    @property
    def workspace(self) -> Workspace:
        """Mail as the signed-in account sees it."""
        assert self._workspace is not None
        return self._workspace

    @property
    def selected(self) -> View:
        """The selected mailbox; only for commands that need one.

        Raises ``ConnectionLost`` when the client left while its command ran.
        """
        if self._ended:
            raise ConnectionLost
        assert self.view is not None
        return self.view

    @property
    def utf8(self) -> bool:
        """Whether names and strings may be UTF-8 (RFC 9051 section 5.1 and 6.3.1)."""
        return "IMAP4REV2" in self.enabled or "UTF8=ACCEPT" in self.enabled

    @property
    def rev2(self) -> bool:
        """Whether the client enabled IMAP4rev2."""
        return "IMAP4REV2" in self.enabled

    @property
    def condstore(self) -> bool:
        """Whether FETCH responses carry MODSEQ (RFC 7162 section 3.1)."""
        return bool(self.enabled & {"CONDSTORE", "QRESYNC"})

    @property
    def qresync(self) -> bool:
        """Whether removals are told as VANISHED (RFC 7162 section 3.2)."""
        return "QRESYNC" in self.enabled

    @property
    def uid_only(self) -> bool:
        """Whether messages have no numbers for this client (RFC 9586)."""
        return "UIDONLY" in self.enabled

    def sasl_mechanisms(self) -> tuple[str, ...]:
        """SASL mechanisms to offer now; none once signed in."""
        if self.actor is not None:
            return ()
        allowed = self.wire.secure or self.wire.plaintext_logins
        offered = self.authenticator.mechanisms(self.wire.channel_bindings(), allowed)
        return tuple([name for name in offered if not self.hides(f"AUTH={name}")])

    def hides(self, capability: str) -> bool:
        """Whether a capability is hidden from this client: it is neither offered nor obeyed.

        ``COMPRESS`` hides ``COMPRESS=DEFLATE`` too.
        """
        name = capability.upper()
        return name in self.hidden or name.partition("=")[0] in self.hidden

    def capabilities(self) -> str:
        """The capabilities offered now, separated by spaces."""
        return " ".join(registry.capabilities(self))

    # --- changes of state ---------------------------------------------------------------------

    def sign_in(self, actor: Actor) -> bool:
        """Enter the authenticated state; False when the account has too many connections."""
        # A client that left while its password was checked must not be counted for ever.
        if self._ended or not self.wire.signed_in(actor):
            return False
        self.actor = actor
        self.hidden = self.wire.hidden | actor.hidden_capabilities
        self._workspace = self._workspace_for(actor)
        watch = self._workspace.watch(Topic.ACCOUNT, actor.account_id, self._account_changed)
        self._unwatch.append(watch)
        if actor.support is not None:
            session = actor.support.session_id
            watch = self._workspace.watch(Topic.SUPPORT, session, self._account_changed)
            self._unwatch.append(watch)
        return True

    def sign_out(self) -> None:
        """Go back to the state before login: all that was enabled, selected or watched ends."""
        # rfc8437#4.1
        self.select(None)
        for unwatch in self._unwatch:
            unwatch()
        self._unwatch.clear()
        self.enabled.clear()
        self.notes.clear()
        self.reporters.clear()
        self.events = self.on_rest = None
        self.actor = self._workspace = None
        self.hidden = self.wire.hidden
        self.wire.signed_out()

    def select(self, view: View | None) -> None:
        """Make a mailbox the selected one, or none."""
        for end in self._unwatch_view:
            end()
        self._unwatch_view = []
        self.view = view
        if view is not None and not self._ended:
            view.uid_only = self.uid_only
            watch = self.workspace.watch
            ends = [watch(Topic.COLLECTION, view.mailbox_id, self._mailbox_changed)]
            if view.space_id:  # it can be taken away: there, or because one leaves a group
                for space in (view.space_id, self.workspace.actor.space_id):
                    ends.append(watch(Topic.SPACE, space, lambda hint: self._look_at(view)))
            self._unwatch_view = ends

    def end(self) -> None:
        """The connection is gone: forget everything that calls back."""
        self._ended = True
        self.select(None)
        for unwatch in self._unwatch:
            unwatch()
        self._unwatch.clear()
        self.reporters.clear()
        self._on_change = self.on_rest = None

    def on_change(self, call: Callable[[], None] | None) -> None:
        """Call back (once per hint) while IDLE waits; None ends it."""
        self._on_change = call

    def watch(self, topic: Topic, id_: int, call: Callable[[], None]) -> Callable[[], None]:
        """Call back at hints and push what it makes of them; returns what ends it."""

        def hinted(hint: Hint) -> None:
            call()
            self.changed()

        if self._ended:
            return lambda: None
        end = self.workspace.watch(topic, id_, hinted)
        self._unwatch.append(end)

        def unwatch() -> None:
            end()
            if end in self._unwatch:
                self._unwatch.remove(end)

        return unwatch

    def changed(self) -> None:
        """Something may be to tell: push it if the client waits for that."""
        call = self._on_change or self.on_rest
        if call is not None:
            call()

    def rested(self) -> None:
        """A command ended: push what could not be told at its end."""
        if self.on_rest is not None and self._due():
            self.on_rest()

    def _due(self) -> bool:
        view, events = self.view, self.events
        if view is not None and (events is None or events.messages):
            removals = bool(view.pending) and not (events is not None and events.delayed)
            if view.dirty or removals:
                return True
        return any(reporter.dirty for reporter in self.reporters)

    def _mailbox_changed(self, hint: Hint) -> None:
        if self.view is not None:
            self.view.hear(hint.number)
        self.changed()

    def _look_at(self, view: View) -> None:
        """Rights may have changed: what may not be seen any more is closed, also at rest."""

        def refused(failure: Failure) -> None:
            if isinstance(failure.value, NotFound | PermissionDenied) and self.view is view:
                self.wire.close(GONE)

        self.workspace.rights(view.mailbox_id).addErrback(refused)

    def _account_changed(self, hint: Hint) -> None:
        # The gate knows whether this session may go on; asking it is what NOOP does.
        check = self.workspace.mailboxes()
        check.addCallbacks(lambda _: None, self._refused)

    def _refused(self, failure: Failure) -> None:
        # Any other error says nothing about the account; its next command will meet it.
        if isinstance(failure.value, Expired):
            of_support = self.actor is not None and self.actor.support is not None
            patience = SUPPORT_PATIENCE if of_support else None
            self.wire.close("The account was closed to this session", "EXPIRED", patience)

    # --- the client's view --------------------------------------------------------------------

    async def refresh(self, *, show_expunges: bool, force: bool = False, own: bool = False) -> None:
        """Send what changed since the client last heard: in the selected mailbox, and what
        reporters know.

        Without ``force`` only when a hint said so (or removals wait that may be shown now). What
        NOTIFY did not ask for is kept, but not when the command that runs caused it (``own``).
        """
        if self.events is None or self.events.messages or own:
            await self._refresh_view(show_expunges=show_expunges, force=force)
        for reporter in tuple(self.reporters):
            if reporter.dirty:
                await reporter.report()

    async def _refresh_view(self, *, show_expunges: bool, force: bool) -> None:
        view = self.view
        if view is None or not (view.dirty or force or (view.pending and show_expunges)):
            return
        before = view.look()
        try:
            changes, rows = await self.workspace.changes_since(
                view.mailbox_id, view.modseq, frozenset(view.reported)
            )
            if not changes.complete:
                state = await self.workspace.state(view.mailbox_id)
                changes = view.replaced(state)
                rows = await self.workspace.flags(view.mailbox_id, changes.changed)
                rows = [row for row in rows if row[3] > view.modseq]
        except (NotFound, PermissionDenied):
            # Deleted by another session, or no longer shared with this account.
            self.wire.close(GONE)
            return
        except BaseException:
            view.dirty = True
            raise
        last, events = view.last_uid, self.events
        if events is not None and not events.flags:
            rows = [row for row in rows if row[0] > last]
        if show_expunges and view.watchers:
            gone = view.pending.union(changes.vanished)
            for watcher in view.watchers:
                watcher.leaving(gone)
        for line in view.update(
            changes,
            rows,
            show_expunges=show_expunges,
            vanished=self.qresync or self.uid_only,
            modseqs=self.condstore,
        ):
            self.wire.send(line)
        view.looked(before)
        if events is not None and events.announce is not None:
            fresh = [uid for uid in view.uids_after(last) if uid not in view.own]
            if fresh:
                await events.announce(fresh)
        view.own.clear()
        try:
            for watcher in tuple(view.watchers):
                await watcher.changed(changes.changed)
        except BaseException:
            view.dirty = True
            raise
