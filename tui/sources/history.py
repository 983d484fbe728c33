"""The songs and pieces that the app has written, kept on disk over restarts.

They are rows of an SQLite database, so that several apps can write at once, and so that a crash
loses none. Every call opens the database: it may be made in any thread.
"""

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import WorkError

MAX_FOUND = 1000
_TABLE = """CREATE TABLE IF NOT EXISTS works (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    written REAL NOT NULL,
    starred INTEGER NOT NULL DEFAULT 0,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    settings TEXT NOT NULL,
    result TEXT NOT NULL
)"""


@dataclass(frozen=True)
class Work:
    """A song or a piece: kind is "lyrics" or "music", as in a request to the sampler."""

    id: int
    kind: str
    written: float  # when, in seconds since 1970
    starred: bool
    title: str  # such as "Why · Mabel Rowe"; it is searched too
    text: str  # of a song; of a piece what is known about it in words
    settings: Mapping[str, Any]  # the request, as a JSON object
    result: Mapping[str, Any]  # what else is needed to show it again, as a JSON object


class History:
    """The works in a database file, which is created by the first `add`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shared: sqlite3.Connection | None = None  # of the transaction of `together`

    def add(
        self,
        kind: str,
        title: str,
        text: str,
        settings: Mapping[str, Any],
        result: Mapping[str, Any],
    ) -> int:
        """Add a work and return its id; arguments: see `Work`. Raises WorkError."""
        row = (kind, time.time(), title, text, json.dumps(settings), json.dumps(result))
        with self._open() as database:
            added = database.execute(
                "INSERT INTO works (kind, written, title, text, settings, result) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                row,
            ).lastrowid
        assert added is not None
        return added

    def star(self, id: int, starred: bool) -> None:  # noqa: A002
        """Star a work, or take its star away. Raises WorkError."""
        with self._open() as database:
            database.execute("UPDATE works SET starred = ? WHERE id = ?", (starred, id))

    def update(self, id: int, result: Mapping[str, Any]) -> None:  # noqa: A002
        """Replace what is needed to show a work again. Raises WorkError."""
        with self._open() as database:
            database.execute("UPDATE works SET result = ? WHERE id = ?", (json.dumps(result), id))

    def delete(self, id: int) -> None:  # noqa: A002
        """Delete a work. Raises WorkError."""
        with self._open() as database:
            database.execute("DELETE FROM works WHERE id = ?", (id,))

    def find(self, kind: str, query: str = "", starred: bool = False) -> list[Work]:
        """Return the newest works that contain all words of a query, in any case.

        kind: "lyrics" or "music". starred: only those with a star. Raises WorkError.
        """
        if not self._path.exists():
            return []
        words = query.casefold().split()

        def has_words(title: str, text: str) -> bool:
            whole = f"{title}\n{text}".casefold()
            return all(word in whole for word in words)

        with self._open() as database:
            database.create_function("has_words", 2, has_words)
            rows = database.execute(
                "SELECT id, kind, written, starred, title, text, settings, result FROM works "
                "WHERE kind = ? AND starred >= ? AND has_words(title, text) "
                "ORDER BY id DESC LIMIT ?",
                (kind, starred, MAX_FOUND),
            ).fetchall()
        return [
            Work(id_, kind, written, bool(star), title, text, json.loads(asked), json.loads(result))
            for id_, kind, written, star, title, text, asked, result in rows
        ]

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Do all that is done in this context as one transaction: a disk takes 40 ms for each.

        Raises WorkError.
        """
        with self._open() as self._shared:
            try:
                yield
            finally:
                self._shared = None

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the database for one transaction; raises WorkError."""
        if self._shared is not None:
            yield self._shared
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(self._path, timeout=10)) as database, database:
                database.execute(_TABLE)
                yield database
        except (OSError, sqlite3.Error) as error:
            raise WorkError(
                f"The history in {self._path} cannot be used ({error}): make it writable, or move "
                "it away to begin a new one."
            ) from error
