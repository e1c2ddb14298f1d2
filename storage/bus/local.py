"""The bus inside one process: subscribers are called in the reactor's thread."""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import Callable

from folkmoot.storage.types import Hint, Topic

log = logging.getLogger("folkmoot.storage")

Subscriber = Callable[[Hint], None]

_RECENT = 1000  # hints that ``missed`` can look back at


class Bus:
    """Carries hints from database threads to subscribers.

    ``deliver`` hands a function to the reactor's thread (``reactor.callFromThread``); subscribing
    and unsubscribing happen in that thread only, so no locks are needed.
    """

    def __init__(self, deliver: Callable[[Callable[[], None]], None]) -> None:
        self._deliver = deliver
        self._subscribers: dict[tuple[Topic, int], dict[int, Subscriber]] = {}
        self._next = 0
        self._recent: deque[tuple[Topic, int]] = deque(maxlen=_RECENT)
        self._spread_so_far = 0

    def mark(self) -> int:
        """This moment, for ``missed``: take it before reading what will be watched."""
        return self._spread_so_far

    def missed(self, mark: int, topic: Topic, id_: int) -> bool:
        """Whether a subject may have changed since a mark, for who subscribes only now."""
        count = self._spread_so_far - mark
        if count > len(self._recent):
            return True
        since = itertools.islice(self._recent, len(self._recent) - count, None)
        return any(subject == (topic, id_) or subject[0] is Topic.ALL for subject in since)

    def subscribe(self, topic: Topic, id_: int, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber`` for each hint on this subject; returns what ends it (idempotent)."""
        key = (topic, id_)
        self._next += 1
        number = self._next
        self._subscribers.setdefault(key, {})[number] = subscriber

        def unsubscribe() -> None:
            listeners = self._subscribers.get(key)
            if listeners is not None:
                listeners.pop(number, None)
                if not listeners:
                    del self._subscribers[key]

        return unsubscribe

    def watched(self, topic: Topic) -> list[int]:
        """The subjects of a topic that somebody has subscribed to (reactor's thread)."""
        return [id_ for kind, id_ in self._subscribers if kind is topic]

    def publish(self, hints: list[Hint]) -> None:
        """Called in any thread after a commit (and only there). Never raises."""
        if not hints:
            return
        try:
            self._deliver(lambda: self._spread(hints))
        except Exception:  # the reactor is gone: the thread that has committed must go on
            log.exception("nobody hears of %d changes", len(hints))

    def _spread(self, hints: list[Hint]) -> None:
        for hint in dict.fromkeys(hints):
            self._recent.append((hint.topic, hint.id))
            self._spread_so_far += 1
            if hint.topic is Topic.ALL:
                listeners = [s for group in self._subscribers.values() for s in group.values()]
            else:
                listeners = list(self._subscribers.get((hint.topic, hint.id), {}).values())
            for listener in listeners:
                try:
                    listener(hint)
                except Exception:  # one broken session must not silence the others
                    log.exception("a subscriber failed on %s", hint)
