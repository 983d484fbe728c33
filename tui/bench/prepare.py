"""Measure time and memory of preparing songs from a CSV that is larger than the memory allowed.

`rnn-tui data info` prepares a CSV of generated songs and describes it, in a fresh process with its
own home folder. A second process describes it again, which only opens the prepared corpus. All
files are deleted afterwards.
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

SIZE, QUICK_SIZE = 2_000_000_000, 2_000_000  # bytes of the CSV
_LETTERS = "etaoinshrdlucmfwypvbgk"


@dataclass(frozen=True)
class Cost:
    """The time and memory of one process."""

    seconds: float
    cpu_seconds: float
    megabytes: float  # peak memory


def measure(quick: bool) -> Iterator[Measurement]:
    """Yield the rate of preparation, and its memory, with the file's size as the reference."""
    size = QUICK_SIZE if quick else SIZE
    home = paths.home()  # on the disk that the user chose for large files
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        path = Path(folder) / "generated.csv"
        with explain_write_errors(path):
            write(path, size)
        first, second = (_describe(path, Path(folder) / "home") for _ in range(2))
    megabytes = size / 1e6
    label = f"preparation, {megabytes:,.0f} MB"
    yield Measurement(label, megabytes / first.seconds, "MB/s")
    yield Measurement(f"{label}, by CPU time", megabytes / first.cpu_seconds, "MB / CPU s")
    yield Measurement(f"memory, {label}", first.megabytes, "MB", megabytes, lower=True)
    yield Measurement(
        "opening the prepared corpus, time", second.seconds, "s", first.seconds, lower=True
    )
    yield Measurement(
        "opening the prepared corpus, memory", second.megabytes, "MB", megabytes, lower=True
    )


def write(path: Path, size: int, seed: int = 0) -> None:
    """Write songs of random words to a CSV until it has `size` bytes; no two songs are alike.

    As in common CSVs of lyrics, lines end with two spaces and songs have some 1,100 characters.
    """
    rng = random.Random(seed)
    lengths = (2, 3, 3, 4, 4, 5, 6, 8)
    words = ["".join(rng.choices(_LETTERS, k=rng.choice(lengths))) for _ in range(8000)]
    lines = [" ".join(rng.choices(words, k=rng.randint(4, 9))) + "  " for _ in range(20_000)]
    lines[:40] = [f"é{line}" for line in lines[:40]]  # makes one song in fifteen not ASCII
    with path.open("w", encoding="utf-8", newline="") as file:
        written = file.write("artist,song,link,text\n")
        number = 0
        while written < size:
            text = "\n".join(rng.choices(lines, k=rng.randint(20, 50)))
            # Some artists have many songs and most have few.
            artist = int(rng.paretovariate(0.5)) % 640
            song = f'Artist {artist},Song {number},/a/{number}.html,"{text}\n\n"\n'
            written += len(song.encode())
            file.write(song)
            number += 1


def _describe(path: Path, home: Path) -> Cost:
    """Run `rnn-tui data info` on a file with `home` as the home folder, and return its cost."""
    command = [*processes.command("tui.cli"), "data", "info", str(path), "--json"]
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env={**os.environ, "RNN_TUI_HOME": str(home)}
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise WorkError(
            f"The process that prepared {path.name} ended with status {process.returncode}: "
            "see its message above, or use --quick."
        )
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(
        time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6
    )
