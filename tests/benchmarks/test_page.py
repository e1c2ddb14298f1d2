"""What a run has found becomes tables, and takes its place in a page."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.markdown import BEGIN, END, NoPlace, replaced
from benchmarks.page import Run, growth_plot, markdown, race_plot
from benchmarks.profiles import Profile, Share, summed, worst
from benchmarks.report import Race, Result

MACHINE = {
    "processor cores": "2",
    "load before": "0.1 to 0.2",
    "fsync of 4 KiB": "0.21 ms",
    "Python": "3.11.7",
    "system": "Linux",
    "files forgotten for cold": "yes",
}
RESULTS = [
    Result("PUT", "/s", False, {"Folkmoot": 300.0, "A": 100.0, "B": 1200.0}, 0.8, "put"),
    Result("GET", "ms", True, {"Folkmoot": 2.0, "A": 8.0, "B": 1.0}, 0.0, "get"),
    Result("COPY", "ms", True, {"Folkmoot": 2.0, "C": 1.5}, 0.0, "copy"),
    Result("SELECT, cold", "ms", True, {"Folkmoot": 9.0, "A": 1.0}, 0.0, "get"),
]
SERVERS = {"Folkmoot": "SQLite", "A": "1.0; no fsync", "B": "2.0; no fsync", "C": "3; none"}
RACE = Race("DAV", MACHINE, SERVERS, RESULTS, ["D: is not installed"], ["C, GET:\nstatus 500"])
GROWN = Race(
    "folder",
    MACHINE,
    {"100": "", "1,000": ""},
    [Result("PROPFIND Depth 1", "ms", True, {"100": 2.0, "1,000": 12.0}, 0.0)],
)
PROFILE = Profile(
    "GET", 5.0, 0.4, [Share(0.5, "read", "a.py")], [Share(1.0, "main", "b.py")],
    [Share(0.2, "_commit", "c.py"), Share(0.1, "all", "c.py"), Share(0.001, "one", "c.py")],
)  # fmt: skip


def _run() -> Run:
    return Run(False, "2026-01-02", [RACE], [GROWN], [PROFILE])


def test_a_race_is_a_table_for_each_field() -> None:
    """Lines with the same others share a table; "÷" is above 1 where Folkmoot is ahead."""
    text = markdown(_run())
    assert "| what | unit | Folkmoot | A | B | ÷ A | ÷ B | processor |" in text
    assert "| PUT | /s | 300 | 100 | 1,200 | 3.00 | **0.25** | 80% |" in text
    assert "| GET | ms | 2.00 | 8.00 | 1.00 | 4.00 | 0.50 |  |" in text
    assert "| what | unit | Folkmoot | C | ÷ C | processor |" in text


def test_who_is_missing_and_what_failed_is_said() -> None:
    """Nobody is left out in silence; versions and fsyncs stand beside the figures."""
    text = markdown(_run())
    assert "Not there: D: is not installed" in text
    assert "- `C, GET: status 500`" in text
    assert "| A (DAV) | 1.0; no fsync |" in text


def test_growth_has_a_column_for_each_size() -> None:
    """The last column is how many times the last size costs what the first one does."""
    text = markdown(_run())
    assert "| files |  | 100 | 1,000 | times |" in text
    assert "| PROPFIND Depth 1 | ms | 2.00 | 12.0 | 6.00 |" in text
    assert "plots/growth-folder.svg" in text


def test_memory_has_a_plot_of_its_own() -> None:
    """Milliseconds and MiB do not share an axis, and what is neither is not drawn."""
    more = [
        Result("memory of the server", "MiB", False, {"100": 90.0, "1,000": 95.0}, 0.0),
        Result("(found)", "events", False, {"100": 1.0, "1,000": 1.0}, 0.0),
    ]
    assert growth_plot(GROWN).count("<polyline") == 1
    both = growth_plot(replace(GROWN, results=[*GROWN.results, *more]))
    assert both.count("<polyline") == 2
    assert "Memory with the size of the folder" in both


def test_what_is_measured_again_keeps_its_place() -> None:
    """The first part tells what the machine did before the run."""
    run, other, again = _run(), replace(RACE, title="another"), replace(RACE, notes=["again"])
    run.put(other)
    run.put(again)
    assert run.races == [again, other]


def test_a_busy_machine_is_told() -> None:
    """Figures from a machine that did something else say so."""
    assert "Other work" not in markdown(_run())
    busy = replace(RACE, machine={**MACHINE, "load before": "0.9 to 3.1"})
    assert "**Other work ran on the machine** (load 0.9 to 3.1" in markdown(
        replace(_run(), races=[busy])
    )


def test_a_run_is_read_as_it_was_written() -> None:
    """From the JSON the same page and plots can be made again."""
    run = _run()
    again = Run.from_data(json.loads(json.dumps(run.as_data())))
    assert markdown(again) == markdown(run)
    assert race_plot(again.races[0]) == race_plot(RACE)
    assert growth_plot(again.growth[0]) == growth_plot(GROWN)
    assert json.dumps(again.as_data()) == json.dumps(run.as_data())


def test_only_the_part_between_the_marks_is_replaced() -> None:
    """A page keeps what people wrote; without its two marks it is not touched."""
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert replaced(page, "new\n") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert replaced(replaced(page, "one"), "two") == replaced(page, "two")
    for wrong in (
        "nothing",
        f"{END}\n{BEGIN}",
        page + page,
        f"{BEGIN}\n{BEGIN}\n{END}",
        page + END,
    ):
        with pytest.raises(NoPlace):
            replaced(wrong, "new")


def test_the_worst_lines_are_looked_at() -> None:
    """Those furthest behind anybody come first; what cannot be repeated is left out."""
    assert [one.name for one in worst(RESULTS, 2)] == ["PUT", "GET"]
    assert [one.name for one in worst(RESULTS, 9)] == ["PUT", "GET", "COPY"]


def test_profiles_are_told() -> None:
    """Each has how busy Python was, and three lists of which one may be shorter."""
    text = markdown(_run())
    assert "**GET** (Python is busy for 40% of the time):" in text
    assert "| 50% `read` a.py | 100% `main` b.py | 20% `_commit` c.py |" in text
    assert "|  |  | 10% `all` c.py |" in text
    assert "`one`" not in text


def test_a_part_that_is_measured_again_replaces_the_earlier_one() -> None:
    """A run that was read has each race once."""
    run = _run()
    run.put(replace(RACE, notes=["again"]))
    run.put_growth(replace(GROWN, title="calendar"))
    assert [race.notes for race in run.races] == [["again"]]
    assert [race.title for race in run.growth] == ["folder", "calendar"]


def test_samples_are_added_up() -> None:
    """A function counts once in a sample that it is in twice; paths are short; waiting is left out.

    Shares within functions are of Folkmoot's own, and of the database only what calls into it.
    """
    library = "/somewhere/site-packages/twisted/web/http.py:1"
    own = "/x/build/typing/folkmoot/protocols/dav/plan.py:3"
    engine = "storage/engine/sqlite.py:9"
    profile = summed(
        "GET",
        f"plan ({own});again ({library});again ({library}) 750\nplan ({own});plan ({own}) 250\n",
        4.0,
        f"Db.all ({engine}) 100\nSqlite._read_loop ({engine}) 900\nplan ({own}) 900\n",
        4.0,
    )
    assert profile.busy == 0.5
    assert profile.itself[0] == Share(0.75, "again", "twisted/web/http.py")
    assert list(profile.within) == [Share(1.0, "plan", "protocols/dav/plan.py")]
    assert list(profile.database) == [Share(0.05, "Db.all", "storage/engine/sqlite.py")]
