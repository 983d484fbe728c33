"""Train a model on songs, or resume a run."""

import argparse
import json
import signal

from engine import config
from engine.errors import InputError
from engine.runs.run_dir import RunDir
from tui.commands import INTERRUPTED, output


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    presets = ", ".join(config.presets())
    parser.add_argument("kind", choices=["lyrics", "music"], help="What to train on.")
    parser.add_argument(
        "--data", metavar="NAME|PATH", default="",
        help="Songs: the name of a data set ('rnn-tui data list' lists them) or a path.",
    )  # fmt: skip
    parser.add_argument(
        "--preset", metavar="NAME",
        help=f"Settings to start from (default: none): {presets}, or the path of a TOML file.",
    )  # fmt: skip
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[],
        help="Change a setting, for example train.steps=500; may be repeated. 'rnn-tui settings' "
        "lists the settings.",
    )  # fmt: skip
    parser.add_argument(
        "--run", metavar="NAME", help="Name of the run (default: made from the model)."
    )
    parser.add_argument(
        "--resume", metavar="RUN",
        help="Resume a run from its last checkpoint; only settings of train can be changed.",
    )  # fmt: skip
    parser.add_argument(
        "--processes", type=int, default=1, metavar="N",
        help="Train in N processes on this machine (default 1); 0 only prepares the run, which "
        "torchrun then starts.",
    )  # fmt: skip
    parser.add_argument("--detach", action="store_true", help="Train in the background.")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--quiet", action="store_true", help="Print nothing but errors.")
    form.add_argument(
        "--json", action="store_true", help="Print the run's events as JSON, one a line."
    )


def run(arguments: argparse.Namespace) -> int:
    """Train to the last step; ctrl-c saves a checkpoint and stops."""
    from engine.train import launch

    ranks = arguments.processes
    if ranks < 0:
        raise InputError(f"--processes must be a whole number of 0 or more, not {ranks}.")
    if arguments.resume:
        if arguments.data or arguments.preset or arguments.run:
            raise InputError(
                "--resume keeps the run's data, preset and name: leave out --data, --preset and "
                "--run."
            )
        chosen = launch.resume(arguments.resume, arguments.set, arguments.kind, max(ranks, 1))
    else:
        settings = config.load(arguments.kind, arguments.preset, arguments.set, arguments.data)
        quiet = arguments.quiet or arguments.json
        lyrics = settings.kind == "lyrics"
        progress = None if quiet else output.progress("Preparing the songs", in_bytes=lyrics)
        chosen = launch.new_run(settings, arguments.run, progress, max(ranks, 1))
        _print_warnings(chosen, quiet)
    if arguments.detach or not ranks:
        return _start_in_background(chosen, arguments)
    from engine.train import worker

    listener = output.printer(arguments.json, arguments.quiet, failures=False)
    if ranks == 1:
        stopped = worker.train_run(chosen, listener)
    else:
        stopped = launch.train_in_processes(chosen, ranks, listener)
    if stopped is None:
        return 0
    output.echo(
        f"Stopped by {signal.Signals(stopped).name}; "
        f"resume with 'rnn-tui train {arguments.kind} --resume {chosen.name}'.",
        err=True,
    )
    return INTERRUPTED


def _start_in_background(chosen: RunDir, arguments: argparse.Namespace) -> int:
    """Start the run's processes (with --processes 0 only print how); return the exit status."""
    from engine.train import launch

    pid = launch.spawn(chosen, arguments.processes) if arguments.processes else None
    if arguments.json:
        facts = {"run": chosen.name, "path": str(chosen.path), "pid": pid}
        output.echo_json(json.dumps(facts, ensure_ascii=False))
    elif arguments.quiet:
        pass
    elif pid is None:
        output.echo(
            f"{chosen.name} is ready. Start it on each machine with: "
            f"torchrun … -m engine.train.worker {chosen.path} (see docs/many-machines.md)"
        )
    else:
        output.echo(f"{chosen.name} is training. Watch it with: rnn-tui watch {chosen.name}")
    return 0


def _print_warnings(chosen: RunDir, quiet: bool) -> None:
    """Print which artists the songs lack and, unless `quiet`, which songs are left out."""
    corpus = chosen.metadata()["corpus"]
    _print_missing_artists(corpus["missing"])
    untrained: list[str] = corpus["untrained"]
    if untrained:
        count = f"{len(untrained)} artist{'s have' if len(untrained) > 1 else ' has'}"
        output.echo(
            f"{count} no training song, and the model cannot learn their style: "
            f"{output.first_names(untrained, len(untrained))}.",
            err=True,
        )
    for reason, songs in corpus["left_out"].items():
        if songs["count"] and not quiet:
            output.echo(f"Left out ({reason}): {output.left_out_text(songs)}", err=True)


def _print_missing_artists(missing: dict[str, list[str]]) -> None:
    if not missing:
        return
    close = [f"{name} (close: {', '.join(found)})" for name, found in missing.items() if found]
    others = [name for name, found in missing.items() if not found]
    count = f"{len(missing)} artist{'s' * (len(missing) != 1)}"
    output.echo(f"The songs lack {count} of data.artists: {', '.join(close + others)}.", err=True)
