"""The works that are kept on disk: found by words, starred, deleted, by several apps at once."""

import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import WorkError
from tui.sources.history import History


def test_works_are_found_by_words_newest_first(tmp_path: Path) -> None:
    history = History(tmp_path / "home" / "history.sqlite")
    assert history.find("lyrics") == []
    assert not history._path.exists()
    request = {"prime": "Why", "seed": None}
    for number, text in enumerate(["Snow on the Édge", "A kettle", "snow, again"]):
        history.add("lyrics", f"Song {number} · Ada", text, request, {"seed": number})
    history.add("music", "Song 9 · snow", "", {}, {})
    assert [work.text for work in history.find("lyrics")] == [
        "snow, again", "A kettle", "Snow on the Édge",
    ]  # fmt: skip
    assert [work.text for work in history.find("lyrics", " SNOW ada ")] == [
        "snow, again", "Snow on the Édge",
    ]  # fmt: skip
    (found,) = history.find("lyrics", "édge")
    assert (found.settings, found.result, found.starred) == (request, {"seed": 0}, False)
    assert history.find("lyrics", "%") == []

    history.star(found.id, True)
    assert [work.id for work in history.find("lyrics", starred=True)] == [found.id]
    history.star(found.id, False)
    assert history.find("lyrics", starred=True) == []
    history.delete(found.id)
    assert len(history.find("lyrics")) == 2


def test_works_added_together_are_one_transaction(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    with history.together():
        history.add("lyrics", "first", "", {}, {})
        assert history.find("lyrics")[0].title == "first"
        history.add("lyrics", "second", "", {}, {})
        assert History(history._path).find("lyrics") == []  # as another app sees it
    with contextlib.suppress(TypeError), history.together():
        history.add("lyrics", "third", "", {}, {})
        history.add("lyrics", "a result that is no JSON", "", {}, {"one": object()})
    history.add("lyrics", "fourth", "", {}, {})
    assert [work.title for work in history.find("lyrics")] == ["fourth", "second", "first"]


def test_several_apps_add_at_once(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"

    def add(number: int) -> int:
        return History(path).add("lyrics", str(number), "", {}, {})

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(add, range(40)))) == 40


def test_a_damaged_history_is_reported_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(WorkError, match=r"cannot be used .*: make it writable, or move it away"):
        History(path).find("lyrics")
    assert path.read_bytes().startswith(b"not a database")
    path.unlink()
    sqlite3.connect(path).execute("CREATE TABLE works (id)").connection.close()
    with pytest.raises(WorkError):
        History(path).find("lyrics")
