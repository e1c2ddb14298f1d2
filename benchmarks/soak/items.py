"""What is in a calendar, an address book or a folder; and whether what a program knows agrees."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field

from benchmarks.soak.journal import Journal
from benchmarks.soak.truth import Register, Write

KEPT_TAGS = 100


@dataclass(eq=False)
class Item:
    """One name: the token of what is there, or None; and what each entity tag stands for."""

    version: Register[str | None] = field(default_factory=lambda: Register(None))
    tags: OrderedDict[str, str] = field(default_factory=OrderedDict)
    replaced: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def tagged(self, etag: str, token: str) -> bool:
        """Learn what an entity tag stands for; False if that was something else before."""
        known = self.tags.setdefault(etag, token)
        while len(self.tags) > KEPT_TAGS:
            self.tags.popitem(last=False)
        return known == token

    def replace(self, before: str, after: str) -> str:
        """One content took the place of another; "" or what had done so already."""
        earlier = self.replaced.setdefault(before, after)
        while len(self.replaced) > KEPT_TAGS:
            self.replaced.popitem(last=False)
        return "" if earlier == after else earlier


class _Part(MutableMapping[str, Item]):
    """The items of which the names begin alike."""

    def __init__(self, whole: MutableMapping[str, Item], prefix: str) -> None:
        self._whole = whole
        self._prefix = prefix

    def __getitem__(self, name: str) -> Item:
        if not name.startswith(self._prefix):
            raise KeyError(name)
        return self._whole[name]

    def __setitem__(self, name: str, item: Item) -> None:
        self._whole[name] = item

    def __delitem__(self, name: str) -> None:
        del self._whole[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._whole if name.startswith(self._prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Collection:
    """All names that ever were in a collection. They are few, and used again."""

    def __init__(self, label: str = "") -> None:
        self.label = label
        self.items: MutableMapping[str, Item] = {}

    def item(self, name: str) -> Item:
        """What is at a name."""
        return self.items.setdefault(name, Item())

    def part(self, prefix: str) -> Collection:
        """What somebody finds here who sees only the names that begin so."""
        part = Collection(self.label)
        part.items = _Part(self.items, prefix)
        return part

    def done(
        self,
        name: str,
        write: Write[str | None],
        expected: tuple[str | None, ...],
        span: tuple[float, float],
        journal: Journal,
    ) -> None:
        """A change was acknowledged that was to replace one of ``expected``; anything if empty."""
        item = self.item(name)
        item.version.done(write, span[1])
        if not expected:
            return
        journal.hold(
            bool(item.version.may_be(*span) & set(expected)),
            "condition ignored",
            f"{self.label}: {name}: {write.value} replaced {expected}, which was not there",
        )
        [before] = expected
        if before is not None:
            other = item.replace(before, str(write.value))
            journal.hold(
                not other,
                "lost change",
                f"{self.label}: {name}: {other} and {write.value} both replaced {before}",
            )

    def refused(
        self,
        name: str,
        write: Write[str | None],
        expected: tuple[str | None, ...],
        span: tuple[float, float],
        journal: Journal,
    ) -> None:
        """A change was refused, because there was not what it was to replace."""
        item = self.item(name)
        item.version.refused(write)
        allowed = item.version.may_be(*span)
        journal.hold(
            bool(allowed - set(expected)),
            "refused without reason",
            f"{self.label}: {name}: there was {allowed}, as expected",
        )

    def read(
        self, name: str, found: str | None, span: tuple[float, float], who: str, journal: Journal
    ) -> bool:
        """Somebody read a content (None: nothing is there); whether that may be."""
        item = self.items.get(name)
        allowed = item.version.may_be(*span) if item else {None}
        return journal.hold(
            found in allowed,
            "stale or foreign content" if found else "lost content",
            f"{who} finds {found} at {name} of {self.label}: may be {allowed}",
        )

    def compare(
        self, view: Mapping[str, str], span: tuple[float, float], who: str, journal: Journal
    ) -> None:
        """Check entity tags by name, of all that somebody was told in a span of time."""
        for name, etag in view.items():
            item = self.items.get(name)
            if item is None:
                journal.wrong_is("foreign item", f"{who} sees {name} in {self.label}")
            elif (token := item.tags.get(etag)) is not None:  # else it was gone before it was read
                self.read(name, token, span, who, journal)
        for name in self.items.keys() - view.keys():
            self.read(name, None, span, who, journal)
