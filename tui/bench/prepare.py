"""What it takes to prepare a file of songs that is larger than the memory one would give it.

A CSV of made-up songs, in the form of the song CSV that people have, is prepared and described by
`rnn-tui data info`, in a fresh process with a home of its own; then described once more, when it
only has to be opened. All of it is gone afterwards.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine import paths, processes
from engine.errors import WorkError
from engine.files import explain_write_errors
from tui.bench.measurement import Measurement

SIZES = {False: 2_000_000_000, True: 2_000_000}  # bytes, by whether it is to be quick
_LETTERS = "etaoinshrdlucmfwypvbgk"


@dataclass(frozen=True)
class Cost:
    """Of one process."""

    seconds: float
    processor: float  # seconds of one
    megabytes: float  # the most it held


def measure(quick: bool) -> Iterator[Measurement]:
    """The rate of preparation, and the memory beside the size of the file."""
    size = SIZES[quick]
    home = paths.home()  # whoever has moved it has the room there
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        path = Path(folder) / "made-up.csv"
        with explain_write_errors(path):
            write(path, size)
        made, opened = (_described(path, Path(folder) / "home") for _ in range(2))
    megabytes = size / 1e6
    said = f"preparation, {megabytes:,.0f} MB"
    yield Measurement(said, megabytes / made.seconds, "MB/s")
    yield Measurement(f"{said}, one processor", megabytes / made.processor, "MB / CPU s")
    yield Measurement(f"memory, {said}", made.megabytes, "MB", megabytes, lower=True)
    yield Measurement("prepared before, time", opened.seconds, "s", made.seconds, lower=True)
    yield Measurement("prepared before, memory", opened.megabytes, "MB", megabytes, lower=True)


def write(path: Path, size: int, seed: int = 0) -> None:
    """Write songs of made-up words to a CSV until it has `size` bytes; no two songs are alike.

    As in the song CSV, lines end in two blanks and songs have some 1,100 characters.
    """
    chance = random.Random(seed)
    lengths = (2, 3, 3, 4, 4, 5, 6, 8)
    words = ["".join(chance.choices(_LETTERS, k=chance.choice(lengths))) for _ in range(8000)]
    lines = [" ".join(chance.choices(words, k=chance.randint(4, 9))) + "  " for _ in range(20_000)]
    lines[:40] = [f"é{line}" for line in lines[:40]]  # one song of fifteen is not in ASCII
    with path.open("w", encoding="utf-8", newline="") as file:
        written = file.write("artist,song,link,text\n")
        number = 0
        while written < size:
            text = "\n".join(chance.choices(lines, k=chance.randint(20, 50)))
            # Some artists have many songs and most have few.
            artist = int(chance.paretovariate(0.5)) % 640
            song = f'Artist {artist},Song {number},/a/{number}.html,"{text}\n\n"\n'
            written += len(song.encode())
            file.write(song)
            number += 1


def _described(path: Path, home: Path) -> Cost:
    words = [*processes.command("tui.cli"), "data", "info", str(path), "--json"]
    began = time.perf_counter()
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, env={**os.environ, "RNN_TUI_HOME": str(home)}
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise WorkError(
            f"The process that prepared {path.name} ended with status {process.returncode}: "
            "see what it said above, or take --quick."
        )
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(
        time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 1e6
    )
