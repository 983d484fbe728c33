"""Train a model on songs, or go on with a run."""

import argparse
import json
import signal
import sys
from typing import Any

from engine import config as configs
from engine.errors import InputError
from engine.runs.run_dir import RunDir
from tui.commands import output

INTERRUPTED = 130


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    presets = ", ".join(configs.presets())
    parser.add_argument("kind", choices=["lyrics", "music"], help="what the songs are made of")
    parser.add_argument("--data", metavar="NAME|PATH", default="", help="the songs")
    parser.add_argument("--preset", metavar="NAME", help=f"settings to begin with ({presets})")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], help="as train.steps=500"
    )
    parser.add_argument("--run", metavar="NAME", help="what to call the run")
    parser.add_argument("--resume", metavar="RUN", help="go on with a run from its last checkpoint")
    parser.add_argument(
        "--processes",
        type=int,
        default=1,
        metavar="N",
        help="train in N processes; 0: only make the run ready, for torchrun on several machines",
    )
    parser.add_argument("--detach", action="store_true", help="train in the background")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--quiet", action="store_true", help="print nothing but errors")
    form.add_argument("--json", action="store_true", help="print the run's events as JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Train to the end; ctrl-c stops cleanly, with a checkpoint to resume from."""
    from engine.train import launch

    ranks = arguments.processes
    if ranks < 0:
        raise InputError(
            f"--processes is {ranks}: give 1 or more, or 0 to only make the run ready."
        )
    if arguments.resume:
        if arguments.data or arguments.preset or arguments.run:
            raise InputError(
                "--resume goes on with a run as it is: leave out --data, --preset and --run."
            )
        chosen = launch.resume(arguments.resume, arguments.set, arguments.kind, max(ranks, 1))
    else:
        config = configs.load(arguments.kind, arguments.preset, arguments.set, arguments.data)
        quiet = arguments.quiet or arguments.json
        lyrics = config.kind == "lyrics"
        progress = None if quiet else output.progress("Preparing the songs", in_bytes=lyrics)
        chosen = launch.new_run(config, arguments.run, progress, max(ranks, 1))
        _report(chosen)
    if arguments.detach or not ranks:
        return _leave(chosen, arguments)
    from engine.train import launch, worker

    listener = output.printer(arguments.json, arguments.quiet, failures=False)
    if ranks == 1:
        stopped = worker.train_run(chosen, listener)
    else:
        stopped = launch.train_in_processes(chosen, ranks, listener)
    if stopped is None:
        return 0
    _message(
        f"Stopped by {signal.Signals(stopped).name}; "
        f"go on with 'rnn-tui train {arguments.kind} --resume {chosen.name}'."
    )
    return INTERRUPTED


def _leave(chosen: RunDir, arguments: argparse.Namespace) -> int:
    """Leave the run to processes in the background, or to those that torchrun will start."""
    from engine.train import launch

    number = launch.spawn(chosen, arguments.processes) if arguments.processes else None
    if arguments.json:
        print(json.dumps({"run": chosen.name, "path": str(chosen.path), "pid": number}))
    elif arguments.quiet:
        pass
    elif number is None:
        print(f"{chosen.name} is ready: torchrun … -m engine.train.worker {chosen.path}")
    else:
        print(f"{chosen.name} is being trained: watch it with 'rnn-tui watch {chosen.name}'.")
    return 0


def _report(chosen: RunDir) -> None:
    """Say which of the artists asked for are not there."""
    missing: dict[str, Any] = chosen.metadata()["corpus"].get("missing", {})
    if not missing:
        return
    near = [f"{name} (near: {', '.join(found)})" for name, found in missing.items() if found]
    others = [name for name, found in missing.items() if not found]
    _message(f"Not among the songs, {len(missing)} artists: {', '.join(near + others)}.")


def _message(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
