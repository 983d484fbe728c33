"""Let readers judge songs blind: write samples in random order, then tabulate the readers' marks.

    python -m tests.benchmarks.reader_trial samples FOLDER "OPTIONS" … [--also FILE] [--songs N]
    python -m tests.benchmarks.reader_trial table FOLDER

Each OPTIONS is a setting to judge, as options of `rnn-tui sample lyrics` ("" for defaults). With
each, N songs are written, each by another artist, with the same seeds. FILE has other texts to
judge beside them, each after a heading "## …".

FOLDER/TASK.md        what a reader is asked to do: give a reader this file and samples.txt only
       samples.txt    the beginnings of all songs, numbered, in random order
       key.json       [[number, OPTIONS or "also", artist], …]
       X.json         the marks of reader X, as TASK.md asks for
"""

import argparse
import json
import random
import shlex
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from engine.inference import models
from engine.processes import command

MARKS = ("sense", "spelling", "voice", "form", "overall")
LINES = 14  # of a song that are shown
TASK = """Read samples.txt: beginnings of song lyrics, numbered. Read no other file.
Judge each by itself, as a reader of songs, with five marks from 1 (worst) to 10 (best); use the
whole scale: sense (do the clauses mean something, do they follow), spelling, voice (does it sound
like one particular singer), form (lines, verses, rhyme, refrain: does it read as a song), and
overall (would you read it to a friend). Write LETTER.json, LETTER being yours: a list of objects
{"n": 1, "sense": …, "spelling": …, "voice": …, "form": …, "overall": …}, one for each sample. Then
name your five best and five worst with a line why, and in three sentences what would make the
middling ones better.
"""


def write_samples(folder: Path, settings: list[str], also: Path | None, songs: int) -> None:
    """Write the samples, their key and the task of the readers."""
    texts = also.read_text(encoding="utf-8").split("\n## ")[1:] if also else []
    rows = [("also", "", text.split("\n", 1)[1].strip()) for text in texts]
    artists = models.load("lyrics").conditions
    for options in settings:
        for number in range(songs):
            artist = artists[number * len(artists) // songs]
            sample = [*command("tui.cli"), "sample", "lyrics", *shlex.split(options)]
            song = subprocess.run(
                [*sample, "--artist", artist, "--seed", str(8100 + number)],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            ).stdout
            rows.append((options, artist, "\n".join(song.strip("\n").split("\n")[:LINES])))
    random.Random(len(rows)).shuffle(rows)
    folder.mkdir(parents=True, exist_ok=True)
    numbered = [f"### Sample {n}\n\n{text}\n" for n, (_, _, text) in enumerate(rows, 1)]
    (folder / "samples.txt").write_text("\n\n".join(numbered), encoding="utf-8")
    key = [(n, options, artist) for n, (options, artist, _) in enumerate(rows, 1)]
    (folder / "key.json").write_text(json.dumps(key, ensure_ascii=False), encoding="utf-8")
    (folder / "TASK.md").write_text(TASK, encoding="utf-8")


def table(folder: Path) -> str:
    """Return a Markdown table: means over readers and samples; of `overall` each reader's too."""
    setting = {n: options for n, options, _ in json.loads((folder / "key.json").read_text())}
    readers = sorted(path for path in folder.glob("*.json") if path.name != "key.json")
    marks: dict[str, dict[str, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
    for path in readers:
        found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for row in json.loads(path.read_text(encoding="utf-8")):
            for mark in MARKS:
                found[setting[row["n"]]][mark].append(row[mark])
        for options, values in found.items():
            for mark in MARKS:
                marks[options][mark].append(values[mark])
    lines = [f"| | {' | '.join(MARKS)} | by reader |", "|---" * (len(MARKS) + 2) + "|"]
    for options in sorted(marks, key=lambda each: -_mean(marks[each]["overall"])):
        means = [f"{_mean(marks[options][mark]):.1f}" for mark in MARKS]
        by_reader = [f"{statistics.mean(values):.1f}" for values in marks[options]["overall"]]
        lines.append(f"| {options or 'defaults'} | {' | '.join(means)} | {', '.join(by_reader)} |")
    return "\n".join(lines)


def _mean(readers: list[list[float]]) -> float:
    return statistics.mean(value for values in readers for value in values)


def main(argv: list[str]) -> int:
    """Write samples, or print the table of the marks; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.reader_trial")
    commands = parser.add_subparsers(dest="command", required=True)
    samples = commands.add_parser("samples", help="write samples for readers")
    samples.add_argument("folder", type=Path)
    samples.add_argument("settings", nargs="+", metavar="OPTIONS")
    samples.add_argument("--also", type=Path, metavar="FILE", help="other texts to judge")
    samples.add_argument("--songs", type=int, default=6, metavar="N", help="of each (default 6)")
    commands.add_parser("table", help="print the means of all marks").add_argument(
        "folder", type=Path
    )
    arguments = parser.parse_args(argv)
    if arguments.command == "samples":
        write_samples(arguments.folder, arguments.settings, arguments.also, arguments.songs)
    else:
        print(table(arguments.folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
