"""How late notes are: from the player's process, and from a thread of an app that redraws."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine import processes
from engine.errors import WorkError
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
    command = [*processes.command("tui.bench.taped"), *words]
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
    notes = [[EVERY * i, EVERY * (i + 0.5), 60 + i % 12, 80] for i in range(count)]
    for request in (
        {"do": "port", "name": "silent"},
        {"do": "load", "notes": notes},
        {"do": "play"},
    ):
        player.stdin.write(json.dumps(request).encode() + b"\n")
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
