"""What `rnn-tui bench play` starts: a player, a redrawing screen, or both in one process.

    python -m tui.bench.taped player FILE      the player's process; writes down its moments
    python -m tui.bench.taped screen           a screen that is redrawn until it is killed
    python -m tui.bench.taped both FILE        that screen, and the player in a thread beside it

The player takes its requests on stdin, as ever; told to open the silent port, it opens one that
writes the moments of its notes to FILE when it is closed. A screen says "drawn" when it stands.
"""

import functools
import json
import os
import queue
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any
from unittest import mock

import mido.ports
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.strip import Strip
from textual.widget import Widget

from engine.music import pipes, player, ports
from engine.music.pipes import Values

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
    requests: queue.SimpleQueue[Values] = queue.SimpleQueue()
    answers = pipes.Answers(closed=lambda: requests.put(pipes.QUIT))
    threading.Thread(target=pipes.read, args=(requests, answers.say), daemon=True).start()
    player.Player(requests, answers.say).run()
    answers.close()
    screen.call_from_thread(screen.exit)


if __name__ == "__main__":
    main()
