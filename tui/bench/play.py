"""How late notes are: from the player's process, and from a thread of an app that redraws."""

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

EVERY = 0.0625  # seconds between two notes
NOTES = {False: 500, True: 16}  # by whether it is to be quick
_FIGURES = {"half of the notes": 50, "99 of 100 notes": 99, "all notes": 100}


def measure(quick: bool) -> Iterator[Measurement]:
    """Milliseconds within which notes are struck, while a screen is redrawn 30 times a second.

    The same player in the same minute, once in a process beside the one that redraws, once in a
    thread of it, which is the reference.
    """
    with tempfile.TemporaryDirectory() as folder:
        moments = Path(folder) / "moments.json"
        screen = _start("screen")
        try:
            _drawn(screen)
            own = lateness(_play(_start("player", str(moments)), NOTES[quick], moments))
        finally:
            screen.kill()
            screen.communicate()
        both = _start("both", str(moments))
        _drawn(both)
        thread = lateness(_play(both, NOTES[quick], moments))
    for what, share in _FIGURES.items():
        value, reference = (float(np.percentile(late, share)) for late in (own, thread))
        yield Measurement(f"lateness of {what}", value, "ms", reference, lower=True)


def lateness(moments: list[float]) -> npt.NDArray[np.float64]:
    """How many ms each of n notes is late, (n,); the most punctual is taken for punctual."""
    late = np.array(moments) - EVERY * np.arange(len(moments))
    return np.asarray(1000 * (late - late.min()))


def _start(*words: str) -> subprocess.Popen[bytes]:
    command = [*processes.command("tui.bench.play"), *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _drawn(screen: subprocess.Popen[bytes]) -> None:
    assert screen.stdout
    if b"drawn" not in screen.stdout.readline():
        screen.communicate()
        raise WorkError("The screen that is to redraw has ended: see what it says above.")


def _play(player: subprocess.Popen[bytes], count: int, moments: Path) -> list[float]:
    """The moments at which a player strikes so many notes, in seconds of its clock."""
    assert player.stdin
    assert player.stdout
    notes = [NoteRow(EVERY * i, EVERY * (i + 0.5), 60 + i % 12, 80) for i in range(count)]
    for request in (OpenPort(ports.SILENT.name), LoadNotes(tuple(notes)), Play()):
        player.stdin.write(protocol.encode(request).encode() + b"\n")
    player.stdin.flush()
    for line in player.stdout:
        if b'"ended"' in line:
            break
    player.communicate()  # the end of its stdin ends it
    struck: list[float] = json.loads(moments.read_text()) if moments.exists() else []
    moments.unlink(missing_ok=True)
    if len(struck) != count:
        raise WorkError(f"The player has struck {len(struck)} of {count} notes: try again.")
    return struck


SIZE = 120, 36
REDRAWS = 30  # a second


class Tape(mido.ports.BaseOutput):  # type: ignore[misc]
    """A port that keeps the moments at which keys are struck."""

    def __init__(self, file: Path) -> None:
        self.file, self.moments = file, list[float]()
        super().__init__("tape")

    def _send(self, message: Any) -> None:
        if message.type == "note_on":
            self.moments.append(time.perf_counter())

    def _close(self) -> None:
        self.file.write_text(json.dumps(self.moments))


class Cells(Widget):
    """Cells of half-blocks, all of them other ones each time."""

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 (all rows are alike)
        """One row of them."""
        return Strip([Segment("▀", _style(random.randrange(64))) for _ in range(self.size.width)])


@functools.cache
def _style(number: int) -> Style:
    return Style(color=f"rgb({4 * number},90,160)", bgcolor=f"rgb(30,{4 * number},60)")


class Screen(App[None]):
    """Redraws all of itself."""

    def compose(self) -> ComposeResult:
        """Nothing but the cells."""
        yield Cells()

    def on_mount(self) -> None:
        """Begin to redraw."""
        self.set_interval(1 / REDRAWS, self.query_one(Cells).refresh)
        self.call_after_refresh(os.write, 1, b"drawn\n")


def main() -> None:
    """Be what the first word says."""
    what, *rest = sys.argv[1:]
    if what == "screen":
        Screen().run(headless=True, size=SIZE)
        return
    file = Path(rest[0])
    with mock.patch.object(ports, "open_port", return_value=Tape(file)):
        if what == "player":
            player.main()
            return
        screen = Screen()
        threading.Thread(target=_play_beside, args=(screen,), daemon=True).start()
        screen.run(headless=True, size=SIZE)


def _play_beside(screen: Screen) -> None:
    """Play as the player's process does, in this thread; end the screen at the end."""
    player.serve(queue.SimpleQueue())
    screen.call_from_thread(screen.exit)


if __name__ == "__main__":
    main()
