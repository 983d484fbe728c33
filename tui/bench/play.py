"""Measure how late notes are played: by the player's process, and by a thread of a busy app.

What a person plays along with is measured by `tui.bench.jam`.

The fresh processes in which this is measured are

    python -m tui.bench.play player FILE   the player
    python -m tui.bench.play screen        a screen that redraws until it is killed
    python -m tui.bench.play both FILE     that screen, with the player in a thread

The player reads its requests from stdin as usual, but opens a port that records when notes are
played, and writes these times to FILE when it is closed. A screen prints "drawn" once it is shown.
"""

import functools
import json
import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import mido.ports
import numpy as np
import numpy.typing as npt
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.strip import Strip
from textual.widget import Widget

from engine import processes, protocol
from engine.errors import WorkError
from engine.music import player, ports
from engine.protocol import LoadNotes, NoteRow, OpenPort, Play
from tui.bench.measurement import Measurement

NOTE_SECONDS = 0.0625  # from one note to the next
NOTES, QUICK_NOTES = 500, 16
SCREEN_SIZE = 120, 36
REDRAWS = 30  # a second
_PERCENTILES = {"half of the notes": 50, "99 of 100 notes": 99, "all notes": 100}


def measure(quick: bool) -> Iterator[Measurement]:
    """Yield the lateness of notes in ms, while a screen is redrawn 30 times a second.

    The player first runs in its own process, while another redraws. Then, for the reference, it
    runs in a thread of a process that redraws.
    """
    with tempfile.TemporaryDirectory() as folder:
        count = QUICK_NOTES if quick else NOTES
        file = Path(folder) / "moments.json"
        screen = start("tui.bench.play", "screen")
        try:
            wait_until_drawn(screen)
            process = start("tui.bench.play", "player", str(file))
            alone = lateness(_play(process, count, file))
        finally:
            screen.kill()
            screen.communicate()
        both = start("tui.bench.play", "both", str(file))
        wait_until_drawn(both)
        threaded = lateness(_play(both, count, file))
    for what, percentile in _PERCENTILES.items():
        value, reference = (float(np.percentile(late, percentile)) for late in (alone, threaded))
        yield Measurement(f"lateness of {what}", value, "ms", reference, lower=True)
    from tui.bench import jam  # which uses this module

    yield from jam.measure(quick)


def lateness(moments: list[float]) -> npt.NDArray[np.float64]:
    """Return how late each of n notes is in ms, (n,), relative to the most punctual one.

    moments: when each was played, in seconds.
    """
    late = np.array(moments) - NOTE_SECONDS * np.arange(len(moments))
    return np.asarray(1000 * (late - late.min()))


def start(module: str, *words: str) -> subprocess.Popen[bytes]:
    """Start a module as a process with pipes."""
    command = [*processes.command(module), *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def wait_until_drawn(screen: subprocess.Popen[bytes]) -> None:
    """Wait until a process has drawn its screen; raises WorkError if it ends before."""
    assert screen.stdout
    if b"drawn" not in screen.stdout.readline():
        screen.communicate()
        raise WorkError("The redrawing screen ended: see its message above.")


def _play(player: subprocess.Popen[bytes], count: int, file: Path) -> list[float]:
    """Play `count` notes and return when each was played, in seconds."""
    assert player.stdin
    assert player.stdout
    notes = [
        NoteRow(NOTE_SECONDS * i, NOTE_SECONDS * (i + 0.5), 60 + i % 12, 80) for i in range(count)
    ]
    for request in (OpenPort(ports.SILENT.name), LoadNotes(tuple(notes)), Play()):
        player.stdin.write(protocol.encode(request).encode() + b"\n")
    player.stdin.flush()
    for line in player.stdout:
        if b'"ended"' in line:
            break
    player.communicate()  # closes its stdin, which ends the player
    struck: list[float] = json.loads(file.read_text()) if file.exists() else []
    file.unlink(missing_ok=True)
    if len(struck) != count:
        raise WorkError(f"The player played {len(struck)} of {count} notes: run the bench again.")
    return struck


class RecordingPort(mido.ports.BaseOutput):  # type: ignore[misc]
    """A port that records when notes are played, and writes the times to a file when closed."""

    def __init__(self, file: Path) -> None:
        self.file, self.moments = file, list[float]()
        super().__init__("recording")

    def _send(self, message: Any) -> None:
        if message.type == "note_on":
            self.moments.append(time.perf_counter())

    def _close(self) -> None:
        self.file.write_text(json.dumps(self.moments))


class Cells(Widget):
    """A widget full of half-blocks in random colors, which change at each redraw."""

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 (all rows are alike)
        """Return one row."""
        return Strip([Segment("▀", _style(random.randrange(64))) for _ in range(self.size.width)])


@functools.cache
def _style(shade: int) -> Style:
    return Style(color=f"rgb({4 * shade},90,160)", bgcolor=f"rgb(30,{4 * shade},60)")


class Screen(App[None]):
    """An app that redraws its whole screen `REDRAWS` times a second."""

    def compose(self) -> ComposeResult:
        """Yield the cells, its only widget."""
        yield Cells()

    def on_mount(self) -> None:
        """Start redrawing."""
        self.set_interval(1 / REDRAWS, self.query_one(Cells).refresh)
        self.call_after_refresh(os.write, 1, b"drawn\n")


def main() -> None:
    """Run the process that the first argument names: player, screen or both."""
    role, *rest = sys.argv[1:]
    if role == "screen":
        Screen().run(headless=True, size=SCREEN_SIZE)
        return
    file = Path(rest[0])
    with mock.patch.object(ports, "open_port", return_value=RecordingPort(file)):
        if role == "player":
            player.main()
            return
        run_beside_screen()


def run_beside_screen() -> None:
    """Run a redrawing screen, with the player in a thread."""
    screen = Screen()
    threading.Thread(target=_play_beside, args=(screen,), daemon=True).start()
    screen.run(headless=True, size=SCREEN_SIZE)


def _play_beside(screen: Screen) -> None:
    """Serve the requests on stdin as the player's process does, then close the screen."""
    player.serve(queue.SimpleQueue())
    screen.call_from_thread(screen.exit)


if __name__ == "__main__":
    main()
