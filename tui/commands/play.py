"""Play a MIDI file through a MIDI port or the built-in synthesizer."""

import argparse
import queue
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, WorkError
from engine.options import PLAYBACK_OPTIONS
from tui.commands.arguments import add_options
from tui.formatting import minutes_seconds

if TYPE_CHECKING:
    from engine.music.score import Score
    from tui.sources.player import Heard, Opened, Player

_POLL_SECONDS = 0.5  # on some systems a waiting thread is not woken by ctrl-c


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE.mid", help="MIDI file to play.")
    output = parser.add_mutually_exclusive_group()
    output.add_argument(
        "--port", metavar="NAME",
        help="Name of a port, or a part of it (default: automatic); 'rnn-tui ports' lists them.",
    )  # fmt: skip
    output.add_argument(
        "--virtual", action="store_true", help="Open a virtual port to connect a synthesizer to."
    )
    add_options(parser, (PLAYBACK_OPTIONS[name] for name in ("tempo", "transpose")))
    parser.add_argument("--loop", action="store_true", help="Repeat until ctrl-c.")


def run(arguments: argparse.Namespace) -> int:
    """Play the file to its end, or until ctrl-c."""
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
    """Play a MIDI file to its end, with the position on stdout; return the exit status.

    Raises InputError for a file or a port that cannot be used, WorkError if there is no port.
    """
    from engine.music import midi, ports
    from tui.sources.player import Player

    score = midi.read(file)
    answers: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    player = Player(answers.put)
    try:
        player.program(score.program)
        player.tempo(tempo)
        player.transpose(transpose)
        player.loop(loop)
        player.port(ports.VIRTUAL if virtual else port)
        opened = _wait_for_port(answers, named=virtual or port is not None)
        _print_title(str(file), score, opened)
        if virtual and sys.stdin.isatty():
            input("Connect a synthesizer to that port, then press Enter: ")
        player.load(score.notes)
        _follow(player, answers)
    finally:
        player.close()
    return 0


def _next(answers: "queue.SimpleQueue[Heard]") -> "Heard":
    """Wait for the player's next answer."""
    while True:
        try:
            return answers.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue


def _wait_for_port(answers: "queue.SimpleQueue[Heard]", named: bool) -> "Opened":
    """Wait for the port. Raises InputError if one that was named is missing, else WorkError."""
    from tui.sources.player import Failed, Opened

    while True:
        match _next(answers):
            case Opened() as opened:
                return opened
            case Failed(sentence, _, died):
                raise InputError(sentence) if named and not died else WorkError(sentence)


def _print_title(name: str, score: "Score", opened: "Opened") -> None:
    notes = f"{len(score.notes)} note{'s' * (len(score.notes) != 1)}"
    print(f"{name}: {notes}, {minutes_seconds(score.end)}, on {opened.port.name}", flush=True)
    left = score.left_out.drums + score.left_out.outside
    if left:
        print(f"{left} notes of drums or outside the piano's range are left out.", file=sys.stderr)


def _follow(player: "Player", answers: "queue.SimpleQueue[Heard]") -> None:
    """Play to the end; in a terminal, show the position."""
    from tui.sources.player import Ended, Failed, Position

    terminal = sys.stdout.isatty()
    player.play()
    try:
        while True:
            match _next(answers):
                case Position() as position if terminal:
                    now, end = minutes_seconds(position.seconds), minutes_seconds(position.duration)
                    print(f"\r\x1b[K{now} / {end}", end="", flush=True)
                case Ended():
                    return
                case Failed(sentence):
                    raise WorkError(sentence)
    finally:
        if terminal:
            print()
