"""List the training runs, rename or delete one, or write a note on it."""

import argparse
import time

from engine.errors import InputError
from engine.runs import event_log, run_dir, run_state
from engine.runs.run_dir import RunDir
from tui.commands import output
from tui.commands.arguments import add_json

_SCORES = ("best_bits_per_character", "best_nats_per_frame")


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_json(parser)
    actions = parser.add_subparsers(dest="action", metavar="rename|note|delete")
    for name, about in (
        ("rename", "Give a run another name."),
        ("note", "Write a note on a run, which the Runs page shows."),
        ("delete", "Delete a run with its checkpoints and samples, without asking."),
    ):
        action = actions.add_parser(name, help=about, description=about)
        action.add_argument("run", metavar="RUN", help="Name of the run.")
        if name == "rename":
            action.add_argument("name", metavar="NAME", help="The new name.")
        elif name == "note":
            action.add_argument("text", metavar="TEXT", help="The note; empty: remove it.")


def run(arguments: argparse.Namespace) -> int:
    """Print the runs, the newest first, or change one."""
    match arguments.action:
        case "rename":
            run_dir.rename(run_dir.find(arguments.run), arguments.name)
            return 0
        case "note":
            run_dir.find(arguments.run).set_note(arguments.text)
            return 0
        case "delete":
            run_dir.remove(run_dir.find(arguments.run))
            return 0
    rows = [_row(found) for found in run_dir.list_runs()]
    output.table(rows if arguments.json else [_shorten(row) for row in rows], arguments.json)
    if not arguments.json:
        for error in filter(None, (row["error"] for row in rows)):
            output.echo(str(error), err=True)
    return 0


def _shorten(row: dict[str, object]) -> dict[str, object]:
    """Return the columns of a row that the printed table shows, which fit into 80 cells."""
    bits, nats = (row[name] for name in _SCORES)
    best = f"{bits:.4f} bits" if bits is not None else f"{nats:.4f} nats" if nats else None
    return {
        **{name: row[name] for name in ("name", "state", "model", "corpus")},
        "steps": f"{row['step']}/{row['steps'] or '?'}",
        "best": best,
        "last event": row["last_event"],
    }


def _row(found: RunDir) -> dict[str, object]:
    history = event_log.read_history(found.events)
    started, best = history.started, history.best_evaluation
    music = started is not None and started.kind == "music"
    model, reason = started.model if started else None, None
    try:
        model = found.config().model.words
    except InputError as error:  # for example, written by another version
        reason = None if started else str(error)
    return {
        "name": found.name,
        "state": run_state.state_of(found, history.last_event),
        "model": model,
        "corpus": started.corpus if started else None,
        "step": history.step,
        "steps": started.steps if started else None,
        _SCORES[0]: best.bits if best and not music else None,
        _SCORES[1]: best.loss if best and music else None,
        "last_event": _when(history.last_event.time) if history.last_event else None,
        "path": str(found.path),
        "note": found.note,
        "error": reason,  # why nothing is known of the run
    }


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
