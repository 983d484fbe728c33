"""Play a MIDI or MusicXML file through a MIDI port or the built-in synthesizer."""

import argparse
import queue
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, WorkError
from engine.options import PLAYBACK_OPTIONS
from tui.commands import output
from tui.commands.arguments import add_options
from tui.formatting import minutes_seconds

if TYPE_CHECKING:
    from engine.music.score import Score
    from engine.protocol import PlayerAnswer, Port
    from tui.sources.player import Player
    from tui.sources.restarting_process import ProcessEnded

    AnswerQueue = queue.SimpleQueue[PlayerAnswer | ProcessEnded]

_POLL_SECONDS = 0.5  # on some systems, ctrl-c does not interrupt a thread that waits for a queue


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="MIDI or MusicXML file to play.")
    output = parser.add_mutually_exclusive_group()
    output.add_argument(
        "--port", metavar="NAME",
        help="Name of a port, or a part of it (default: automatic); 'rnn-tui ports' lists them.",
    )  # fmt: skip
    output.add_argument(
        "--virtual", action="store_true", help="Open a virtual port to connect a synthesizer to."
    )
    add_options(parser, (PLAYBACK_OPTIONS[name] for name in ("tempo", "transpose")))
    metronome = PLAYBACK_OPTIONS["metronome"]
    parser.add_argument(metronome.flag, action="store_true", help=metronome.help)
    parser.add_argument("--loop", action="store_true", help="Repeat until ctrl-c.")


def run(arguments: argparse.Namespace) -> int:
    """Play the file to its end, or until ctrl-c."""
    from engine.music import score_file

    return play(
        arguments.programs.player,
        score_file.read(Path(arguments.file)),
        arguments.file,
        arguments.port,
        virtual=arguments.virtual,
        tempo=arguments.tempo,
        transpose=arguments.transpose,
        loop=arguments.loop,
        metronome=arguments.metronome,
    )


def play(
    player_command: Sequence[str],
    score: "Score",
    title: str,
    port: str | None = None,
    *,
    virtual: bool = False,
    tempo: float = 1.0,
    transpose: int = 0,
    loop: bool = False,
    metronome: bool = False,
) -> int:
    """Play a score to its end and print the position; return the exit status.

    player_command: starts the player's process; title: the score's name, which is printed; port:
    the name of a port or a part of it, None: automatic. Raises InputError for a named port that
    cannot be used, and WorkError if the player or an automatic port fails, also at the end.
    """
    from engine.music import ports
    from engine.protocol import Loop, OpenPort, SetProgram, SetTempo, Transpose
    from tui.sources.player import Player, metronome_request
    from tui.sources.restarting_process import deliver_to

    answers: AnswerQueue = queue.SimpleQueue()
    player = Player(player_command, deliver_to(answers))
    try:
        player.request(SetProgram(score.program))
        player.request(SetTempo(tempo))
        player.request(Transpose(transpose))
        player.request(Loop(loop))
        player.request(metronome_request(metronome, score.tempo_map))
        player.request(OpenPort(ports.VIRTUAL if virtual else port))
        opened = _wait_for_port(answers, named=virtual or port is not None)
        _print_title(title, score, opened)
        if virtual and sys.stdin.isatty():
            input("Connect a synthesizer to that port, then press Enter: ")
        player.load(score.notes)
        _follow(player, answers)
        _require_port(player, answers, opened)
    finally:
        status = player.close()
    if status:
        raise WorkError(f"The player failed at the end (exit status {status}): play it again.")
    return 0


def _next(answers: "AnswerQueue") -> "PlayerAnswer | ProcessEnded":
    """Wait for the player's next answer."""
    while True:
        try:
            return answers.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue


def _wait_for_port(answers: "AnswerQueue", named: bool) -> "Port":
    """Wait until the player has opened a port, and return it.

    named: whether the user chose the port. Raises InputError if a chosen port cannot be opened, and
    WorkError if an automatic one cannot, or if the player ends.
    """
    from engine.protocol import PlayerFailed, PortOpened
    from tui.sources.restarting_process import ProcessEnded

    while True:
        match _next(answers):
            case PortOpened(port):
                return port
            case PlayerFailed(error, _):
                raise InputError(error) if named else WorkError(error)
            case ProcessEnded(error):
                raise WorkError(error)


def _require_port(player: "Player", answers: "AnswerQueue", opened: "Port") -> None:
    """Raise WorkError if a MIDI port was lost: it accepts notes without an error even then."""
    from engine.music import ports
    from engine.protocol import ListPorts, PlayerFailed, PortList
    from tui.sources.restarting_process import ProcessEnded

    if opened.kind != "port":  # the other kinds belong to the player's process
        return
    for _ in range(ports.MAX_MISSES):
        player.request(ListPorts())
        while not isinstance(answer := _next(answers), PortList):
            if isinstance(answer, PlayerFailed | ProcessEnded):
                raise WorkError(answer.error)
        if opened in answer.ports:
            return
    raise WorkError(ports.gone_sentence(ports.GONE))


def _print_title(name: str, score: "Score", port: "Port") -> None:
    notes = f"{len(score.notes)} note{'s' * (len(score.notes) != 1)}"
    output.echo(f"{name}: {notes}, {minutes_seconds(score.end)}, on {port.name}")
    left = score.left_out.drums + score.left_out.outside
    if left:
        output.echo(f"{left} notes of drums or outside the piano's range are left out.", err=True)


def _follow(player: "Player", answers: "AnswerQueue") -> None:
    """Play to the end; in a terminal, show the position. Raises WorkError if the player fails."""
    from engine.protocol import Play, PlaybackEnded, PlaybackStatus, PlayerFailed
    from tui.sources.restarting_process import ProcessEnded

    terminal = sys.stdout.isatty()
    player.request(Play())
    try:
        while True:
            match _next(answers):
                case PlaybackStatus() as status if terminal and status.id is not None:
                    now, end = minutes_seconds(status.position), minutes_seconds(status.duration)
                    output.overwrite(f"{now} / {end}")
                case PlaybackEnded():
                    return
                case PlayerFailed(error=error) | ProcessEnded(error=error):
                    raise WorkError(error)
    finally:
        if terminal:
            output.echo()
