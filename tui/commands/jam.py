"""Play together with a model of music, on a MIDI keyboard."""

import argparse
import queue
import time
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import InputError, WorkError
from engine.options import FRAME_OPTIONS, MUSIC_OPTIONS
from tui.commands import output
from tui.commands.arguments import add_model, add_option, add_options

if TYPE_CHECKING:
    from engine.music.jam import Accompanier, Answerer
    from engine.protocol import FrameLength, PlayerAnswer, SamplerAnswer
    from tui.sources.restarting_process import ProcessEnded

    Item = PlayerAnswer | SamplerAnswer | ProcessEnded

T = TypeVar("T")

TEMPOS = 20.0, 300.0  # beats per minute
RESTS = 0.25, 16.0  # beats
_POLL_SECONDS = 0.5  # on some systems, ctrl-c does not interrupt a thread that waits for a queue


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "mode", choices=("answer", "accompany"),
        help="answer: play a phrase and pause, and the model continues it; accompany: the model "
        "adds keys beneath what you play, in a steady beat.",
    )  # fmt: skip
    add_model(parser)
    parser.add_argument(
        "--input", metavar="NAME",
        help="Name of an input port, or a part of it (default: automatic); 'rnn-tui ports "
        "--inputs' lists them.",
    )  # fmt: skip
    parser.add_argument(
        "--port", metavar="NAME",
        help="Name of the port to play on, or a part of it (default: automatic).",
    )  # fmt: skip
    parser.add_argument(
        "--beat", metavar="BPM", type=float,
        help="Beats per minute (default: as the model's training music).",
    )  # fmt: skip
    parser.add_argument(
        "--rest", metavar="BEATS", type=float, default=1.0,
        help="Beats of silence that end a phrase (default 1).",
    )  # fmt: skip
    parser.add_argument(
        "--no-echo", action="store_true",
        help="Do not play what you play, for a keyboard that sounds by itself.",
    )  # fmt: skip
    add_options(parser, FRAME_OPTIONS.values())
    add_option(parser, MUSIC_OPTIONS["seed"])


def run(arguments: argparse.Namespace) -> int:
    """Play together until ctrl-c."""
    for name, (low, high) in (("beat", TEMPOS), ("rest", RESTS)):
        value = getattr(arguments, name)
        if value is not None and not low <= value <= high:
            raise InputError(f"--{name} must be a number from {low:g} to {high:g}, not {value:g}.")
    from engine.protocol import Listen, Listening, Loaded, LoadModel, OpenPort, PortOpened
    from tui.sources.player import Player
    from tui.sources.restarting_process import deliver_to
    from tui.sources.sampler import Sampler

    items: queue.SimpleQueue[Item] = queue.SimpleQueue()

    deliver = deliver_to(items)
    player = Player(arguments.programs.player, deliver)
    sampler = Sampler(arguments.programs.sampler, deliver)
    try:
        sampler.request(LoadModel(arguments.model or _first_model()))
        player.request(OpenPort(arguments.port))
        opened = _wait_for(items, PortOpened, named=arguments.port is not None).port
        loaded = _wait_for(items, Loaded)
        if loaded.frame is None:
            raise InputError(f"{loaded.model} writes lyrics: use a model of music.")
        player.request(Listen(arguments.input, not arguments.no_echo))
        played = _wait_for(items, Listening, named=True).port
        partner = _partner(arguments, loaded.model, loaded.frame, player, sampler)
        output.echo(f"{loaded.model} follows {played.name} and plays on {opened.name}.")
        _play_along(items, partner)
    finally:
        player.close()
        sampler.close()
    return 0


def _first_model() -> str:
    from engine.inference import models

    return models.locate(None, "music")[0]


def _partner(
    arguments: argparse.Namespace, model: str, frame: "FrameLength", player: Any, sampler: Any
) -> "Answerer | Accompanier":
    from engine.music.jam import Accompanier, Answerer, PartnerSettings

    settings = PartnerSettings(
        model=model,
        frame=frame,
        tempo=arguments.beat or frame.tempo,
        rest=arguments.rest,
        options={name: getattr(arguments, name) for name in FRAME_OPTIONS},
        seed=arguments.seed,
    )
    if arguments.mode == "accompany":
        return Accompanier(settings, player.request, sampler.request)
    return Answerer(settings, player.request, sampler.request, sampler.stop)


def _next(items: "queue.SimpleQueue[Item]", seconds: float = _POLL_SECONDS) -> "Item | None":
    """Wait for the next answer of either process; raises WorkError if one has ended."""
    from tui.sources.restarting_process import ProcessEnded

    try:
        item = items.get(timeout=max(0.0, min(seconds, _POLL_SECONDS)))
    except queue.Empty:
        return None
    if isinstance(item, ProcessEnded):
        raise WorkError(item.error)
    return item


def _wait_for(items: "queue.SimpleQueue[Item]", kind: type[T], named: bool = False) -> T:
    """Wait for an answer of this class; named: whether the user has named a port that may fail."""
    from engine.protocol import Failed, PlayerFailed

    kept: list[Item] = []
    while not isinstance(item := _next(items), kind):
        if isinstance(item, Failed):
            raise InputError(item.error)
        if isinstance(item, PlayerFailed):
            raise InputError(item.error) if named else WorkError(item.error)
        if item is not None:
            kept.append(item)
    for other in kept:
        items.put(other)
    return item


def _play_along(items: "queue.SimpleQueue[Item]", partner: "Answerer | Accompanier") -> None:
    """Pass on what the processes answer until ctrl-c; raises WorkError if one fails."""
    from engine.protocol import Answer, Failed, KeyPlayed, PlaybackStatus, PlayerFailed

    while True:
        due = partner.due()
        item = _next(items, _POLL_SECONDS if due is None else due - time.perf_counter())
        match item:
            case Failed(error=error) | PlayerFailed(error=error):
                raise WorkError(error)
            case KeyPlayed():
                partner.take_key(item)
            case PlaybackStatus() | None:
                pass
            case Answer():
                partner.receive(item, time.perf_counter())  # type: ignore[arg-type]
        partner.tick(time.perf_counter())
