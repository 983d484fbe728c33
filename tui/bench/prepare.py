"""Measure time and memory of preparing songs from a CSV that is larger than the memory allowed.

`rnn-tui data info` prepares a CSV of generated songs and describes it, in a fresh process with its
own home folder. A second process describes it again, which only opens the prepared corpus. All
files are deleted afterwards.
"""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from engine import paths
from engine.files import explain_write_errors
from tui.bench.measurement import Measurement, measure_command

SIZE, QUICK_SIZE = 2_000_000_000, 2_000_000  # bytes of the CSV
_LETTERS = "etaoinshrdlucmfwypvbgk"


def measure(quick: bool) -> Iterator[Measurement]:
    """Yield the rate of preparation, and its memory, with the file's size as the reference."""
    size = QUICK_SIZE if quick else SIZE
    home = paths.home()  # on the disk that the user chose for large files
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        path = Path(folder) / "generated.csv"
        with explain_write_errors(path):
            write(path, size)
        command = ["data", "info", str(path), "--json"]
        first, second = (measure_command(command, Path(folder) / "home") for _ in range(2))
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
