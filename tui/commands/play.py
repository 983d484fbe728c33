"""Play a MIDI file on a synthesizer."""

import argparse
import queue
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, WorkError
from tui.formatting import minutes_seconds

if TYPE_CHECKING:
    from engine.music.score import Score
    from tui.sources.player import Heard, Opened, Player

FASTEST, FURTHEST = 10.0, 60  # times as fast, semitones
_LOOK_EVERY = 0.5  # seconds: not every system wakes a waiting thread for a Ctrl-C


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("file", metavar="FILE.mid", help="what to play")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--port", metavar="NAME", help="a port, as 'rnn-tui ports' lists them")
    where.add_argument(
        "--virtual", action="store_true", help="open a port of our own, to connect others to"
    )
    parser.add_argument(
        "--tempo", metavar="X", type=float, default=1.0, help="so many times as fast as written"
    )
    parser.add_argument(
        "--transpose", metavar="N", type=int, default=0, help="so many semitones higher"
    )
    parser.add_argument("--loop", action="store_true", help="again and again, until Ctrl-C")


def run(arguments: argparse.Namespace) -> int:
    """Play it to the end; Ctrl-C lets every key go and ends it."""
    return play(
        Path(arguments.file),
        arguments.port,
        virtual=arguments.virtual,
        tempo=arguments.tempo,
        transpose=arguments.transpose,
        loop=arguments.loop,
    )


def play(
    file: Path,
    port: str | None = None,
    *,
    virtual: bool = False,
    tempo: float = 1.0,
    transpose: int = 0,
    loop: bool = False,
) -> int:
    """Play a MIDI file to its end, and say on stdout where that is; gives the exit status.

    Raises InputError for what cannot be played so, WorkError where there is nothing to play on.
    """
    if not 1 / FASTEST <= tempo <= FASTEST:
        raise InputError(
            f"--tempo is {tempo:g}: give a number from {1 / FASTEST:g} to {FASTEST:g}."
        )
    if abs(transpose) > FURTHEST:
        raise InputError(
            f"--transpose is {transpose}: give {FURTHEST} semitones at most, up or down."
        )
    from engine.music import midi, ports
    from tui.sources.player import Player

    score = midi.read(file)
    heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    player = Player(heard.put)
    try:
        player.program(score.program)
        player.tempo(tempo)
        player.transpose(transpose)
        player.loop(loop)
        player.port(ports.VIRTUAL if virtual else port)
        opened = _opened(heard, named=virtual or port is not None)
        _introduce(str(file), score, opened)
        if virtual and sys.stdin.isatty():
            input("Connect a synthesizer to that port, then press Enter: ")
        player.load(score.notes)
        _follow(player, heard)
    finally:
        player.close()
    return 0


def _next(heard: "queue.SimpleQueue[Heard]") -> "Heard":
    """The next that the player says."""
    while True:
        try:
            return heard.get(timeout=_LOOK_EVERY)
        except queue.Empty:
            continue


def _opened(heard: "queue.SimpleQueue[Heard]", named: bool) -> "Opened":
    """Wait for the port; one that was asked for by name and is not there was a wrong word."""
    from tui.sources.player import Failed, Opened

    while True:
        match _next(heard):
            case Opened() as opened:
                return opened
            case Failed(sentence, _, died):
                raise InputError(sentence) if named and not died else WorkError(sentence)


def _introduce(name: str, score: "Score", opened: "Opened") -> None:
    notes = f"{len(score.notes)} note{'s' * (len(score.notes) != 1)}"
    print(f"{name}: {notes}, {minutes_seconds(score.end)}, on {opened.port.name}", flush=True)
    left = score.left_out.drums + score.left_out.outside
    if left:
        print(f"Left out: {left} of drums, or that no piano has the keys for.", file=sys.stderr)


def _follow(player: "Player", heard: "queue.SimpleQueue[Heard]") -> None:
    """Play, and show where that is, until it ends."""
    from tui.sources.player import Ended, Failed, Position

    terminal = sys.stdout.isatty()
    player.play()
    try:
        while True:
            match _next(heard):
                case Position() as place if terminal:
                    at, end = minutes_seconds(place.seconds), minutes_seconds(place.duration)
                    print(f"\r\x1b[K{at} / {end}", end="", flush=True)
                case Ended():
                    return
                case Failed(sentence):
                    raise WorkError(sentence)
    finally:
        if terminal:
            print()
