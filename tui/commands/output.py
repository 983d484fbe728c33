"""Write to the terminal: text, JSON, a run's events as lines, progress and tables of objects.

Text is written by `echo` and `overwrite` only, whatever it is: it may quote songs, models and file
names, in which control characters would change the terminal.
"""

import codecs
import io
import json
import sys
import time
import unicodedata
from collections.abc import Callable
from typing import Any

from engine.runs import events
from engine.runs.events import Event
from tui.event_text import event_text
from tui.formatting import clean

MAX_SHOWN = 5  # names of songs or artists in one line
_CLEAR_LINE = "\r\x1b[K"
# What is printed instead of characters of this program that few character sets have.
_SUBSTITUTES = str.maketrans(
    {"×": "x", "–": "-", "—": "-", "−": "-", "…": "...", "·": "-", "→": "->"}
    | dict.fromkeys("“”", '"')
    | dict.fromkeys("‘’", "'")
)


def substitute(error: UnicodeError) -> tuple[str, int]:
    """Return what to encode instead of the characters that an encoding lacks, and their end.

    It is an error handler of codecs. A character is replaced by one of `_SUBSTITUTES`, by its
    letter without accents, or by "?".
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_substitute(character) for character in lacking), error.end


def _substitute(character: str) -> str:
    text = unicodedata.normalize("NFKD", character.translate(_SUBSTITUTES))
    return "".join(c for c in text if not unicodedata.combining(c) and c.isascii()) or "?"


def json_escape(error: UnicodeError) -> tuple[str, int]:
    """Return JSON's escapes of the characters that an encoding lacks, and their end.

    It is an error handler of codecs.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return json.dumps(lacking)[1:-1], error.end


codecs.register_error("rnn_tui.substitute", substitute)
codecs.register_error("rnn_tui.json", json_escape)


def prepare_streams() -> None:
    """Let stdout and stderr replace characters that their encodings lack."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="rnn_tui.substitute")


def echo(text: object = "", end: str = "\n", err: bool = False) -> None:
    """Write text with its control characters as symbols to stdout, or to stderr."""
    print(clean(str(text)), end=end, file=sys.stderr if err else sys.stdout, flush=True)


def overwrite(text: str = "", end: str = "", err: bool = False) -> None:
    """Write text, as `echo` does, over the terminal's current line."""
    stream = sys.stderr if err else sys.stdout
    stream.write(_CLEAR_LINE)
    echo(text, end, err)


def echo_json(line: str) -> None:
    """Write a line of JSON to stdout, with escapes for characters that its encoding lacks."""
    encoding = sys.stdout.encoding
    print(line.encode(encoding, "rnn_tui.json").decode(encoding), flush=True)


def printer(as_json: bool, quiet: bool = False, failures: bool = True) -> Callable[[Event], None]:
    """Return a function that prints an event as JSON or as text, or with `quiet` nothing.

    In a terminal, the line of each training step overwrites the one before. failures: whether to
    print why a run failed, when events are printed as text.
    """
    steps = 0
    terminal = sys.stdout.isatty() and not as_json
    pending = False  # whether the cursor is at the end of a step's line

    def show(event: Event) -> None:
        nonlocal steps, pending
        if isinstance(event, events.Started):
            steps = event.steps
        if quiet:
            return
        if as_json:
            echo_json(events.encode(event))
            return
        text = event_text(event, steps)
        if text is None or (isinstance(event, events.Failed) and not failures):
            return
        if terminal and isinstance(event, events.Step):
            overwrite(text)
            pending = True
            return
        echo(f"\n{text}" if pending else text)
        pending = False

    return show


def progress(
    what: str, in_bytes: bool = False, lines: bool = False
) -> Callable[[int, int], None] | None:
    """Return a function (done, total) that shows progress on stderr; None if it is no terminal.

    in_bytes: done and total are bytes, and the speed in MB/s is shown too. lines: write a line for
    each percent, to any stream.
    """
    if not (lines or sys.stderr.isatty()):
        return None
    began = time.monotonic()
    percent = -1

    def show(done: int, total: int) -> None:
        nonlocal percent
        if lines and percent == 100 * done // total:
            return
        percent = 100 * done // total
        end = "\n" if done >= total else ""
        rate = done / 1e6 / max(time.monotonic() - began, 1e-3)
        speed = f", {rate:,.1f} MB/s" if in_bytes else ""
        text = f"{what}: {done / total:.0%}{speed}"
        if lines:
            echo(text, err=True)
        else:
            overwrite(text, end, err=True)

    return show


def first_names(names: list[str], count: int) -> str:
    """Return the first of `count` names, and how many more there are."""
    shown = names[:MAX_SHOWN]
    more = [f"and {count - len(shown)} more"] if count > len(shown) and shown else []
    return ", ".join([*shown, *more])


def left_out_text(songs: dict[str, Any]) -> str:
    """Return how many songs are left out, and the first of them, given by `LeftOutSongs`."""
    names = first_names(songs["names"], songs["count"])
    return f"{songs['count']:,}" + (f": {names}" if names else "")


def table(rows: list[dict[str, object]], as_json: bool) -> None:
    """Print objects as JSON, one per line, or as a table with a column for each key."""
    if as_json:
        for row in rows:
            echo_json(json.dumps(row, ensure_ascii=False))
        return
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    keys = list(dict.fromkeys(key for row in rows for key in row))
    cells = [
        [clean(str("–" if row.get(key) is None else row[key])) for row in rows] for key in keys
    ]
    headers = [key.replace("_", " ") for key in keys]
    columns = [[header, *column] for header, column in zip(headers, cells, strict=True)]
    widths = [max(map(cell_len, texts)) for texts in columns]
    words = [" ".join(texts).split() for texts in columns]
    spare = [width - max(map(cell_len, w)) for width, w in zip(widths, words, strict=True)]
    console = Console(width=None if sys.stdout.isatty() else 240)  # a pipe has no width
    missing = sum(widths) + 2 * (len(widths) - 1) - console.width
    # Not by Rich, which breaks words too; where they do not fit, the terminal breaks lines.
    for index in sorted(range(len(widths)), key=lambda index: -spare[index]):
        cut = max(0, min(missing, spare[index]))
        widths[index] -= cut
        missing -= cut
    console.width += max(0, missing)
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for header, width in zip(headers, widths, strict=True):
        grid.add_column(header, width=width)
    for row_cells in zip(*cells, strict=True):
        grid.add_row(*map(Text, row_cells))
    with console.capture() as capture:
        console.print(grid)
    # Not by Rich, which exits with status 1 at a closed pipe; its styles are control characters.
    sys.stdout.write(capture.get())
