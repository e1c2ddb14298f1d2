"""Long reads take turns."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from folkmoot.storage.turns import Turns


class Works:
    """Work that begins when it is told to, and ends when the test says so."""

    def __init__(self, most: int) -> None:
        self.turns = Turns(most)
        self.begun: dict[str, Deferred[str]] = {}
        self.ended: list[str] = []

    def add(self, account: int, name: str) -> Deferred[str]:
        """Ask for a turn."""

        def work() -> Deferred[str]:
            self.begun[name] = Deferred()
            return self.begun[name]

        def end(name: str) -> str:
            self.ended.append(name)
            return name

        return self.turns.take(account, work).addCallback(end)


def test_one_of_each_account_at_a_time() -> None:
    """However much one account asks for, another one's question begins at once."""
    works = Works(2)
    for name in ("a1", "a2", "a3"):
        works.add(1, name)
    assert [*works.begun] == ["a1"]
    works.add(2, "b1")
    works.add(3, "c1")
    assert [*works.begun] == ["a1", "b1"]
    works.begun["a1"].callback("a1")
    assert [*works.begun] == ["a1", "b1", "a2"]
    works.begun["b1"].callback("b1")
    works.begun["a2"].callback("a2")
    assert [*works.begun] == ["a1", "b1", "a2", "c1", "a3"]
    assert works.ended == ["a1", "b1", "a2"]


def test_what_fails_gives_its_turn_back() -> None:
    """A failure reaches who asked, and the next one begins."""
    works = Works(1)
    failed: list[object] = []
    works.add(1, "a").addErrback(lambda failure: failed.append(failure.value))
    works.add(1, "b")
    error = ValueError("x")
    works.begun["a"].errback(error)
    assert failed == [error]
    works.begun["b"].callback("b")
    assert works.ended == ["b"]
