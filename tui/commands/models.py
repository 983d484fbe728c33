"""List the included models and those of runs, describe one, or import one."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands import output
from tui.commands.arguments import JSON_LINES, MODEL
from tui.formatting import LOSS_UNITS

if TYPE_CHECKING:
    from engine.inference.models import ModelInfo, ModelMeta


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help=JSON_LINES)
    actions = parser.add_subparsers(dest="action", metavar="info M|import FILE")
    about = "Describe one model."
    info = actions.add_parser("info", help=about, description=about)
    info.add_argument("model", metavar="M", help=f"{MODEL}.")
    info.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="Print one JSON object."
    )
    about = "Import a network of characters that another program has trained with PyTorch."
    importing = actions.add_parser("import", help=about, description=about)
    importing.add_argument(
        "checkpoint", metavar="FILE", type=Path,
        help="A state_dict as safetensors or saved by torch.save: an embedding, an LSTM, GRU or "
        "RNN (tanh) and a linear layer, as in char-rnn.pytorch and word_language_model.",
    )  # fmt: skip
    importing.add_argument(
        "--vocabulary", metavar="FILE", type=Path,
        help="Its characters by index: a JSON list or object, or a text (default: Python's "
        "string.printable, as in char-rnn.pytorch).",
    )  # fmt: skip
    importing.add_argument(
        "-o", "--output", metavar="DIR", type=Path, required=True,
        help="Folder of the new model, whose path is then a name of it.",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """List the models, describe one or import one."""
    if arguments.action == "import":
        from engine.interchange.checkpoints import import_checkpoint

        meta = import_checkpoint(arguments.checkpoint, arguments.vocabulary, arguments.output)
        output.echo(f"{arguments.output}: {meta.model.words}, {meta.parameters:,} parameters")
        return 0
    from engine.inference import models

    if arguments.action == "info":
        name, folder = models.locate(arguments.model)
        meta = models.read_meta(folder)
        if arguments.json:
            facts = {"name": name, "path": str(folder), **meta.to_json()}
            output.echo_json(json.dumps(facts, ensure_ascii=False))
        else:
            _describe(name, folder, meta)
        return 0
    rows = [_row(model) for model in models.list_models()]
    output.table(rows if arguments.json else [_shorten(row) for row in rows], arguments.json)
    return 0


def _describe(name: str, folder: Path, meta: "ModelMeta") -> None:
    facts = {
        "name": name,
        "model": meta.model.words,
        "trained on": meta.corpus_name,
        "step": meta.step,
        "parameters": f"{meta.parameters:,}",
        "validation": _score(meta),
        "characters": len(getattr(meta.codec, "characters", "")) or None,
        "artists": ", ".join(meta.conditions) or None,
        "path": folder,
    }
    for label, value in facts.items():
        output.echo(f"{label:14} {'–' if value is None else value}")


def _row(model: "ModelInfo") -> dict[str, object]:
    """Return the object that `--json` prints for a model."""
    meta = model.meta
    if meta is None:
        return {"name": model.name, "source": model.origin, "error": model.error}
    valid, lyrics = meta.scores.get("valid"), meta.kind == "lyrics"
    return {
        "name": model.name,
        "kind": meta.kind,
        "source": model.origin,
        "words": meta.model.words,
        "bits_per_character": valid.bits if valid and lyrics else None,
        "nats_per_frame": valid.loss if valid and not lyrics else None,
        "conditions": len(meta.conditions),
        "memory": meta.model.match_memory,
        "step": meta.step,
        "path": str(model.path),
    }


def _shorten(row: dict[str, object]) -> dict[str, object]:
    """Return the columns of a row that the printed table shows, with rounded numbers."""
    return {
        key: f"{value:.4f}" if isinstance(value, float) else value
        for key, value in row.items()
        if key not in ("memory", "path")
    }


def _score(meta: "ModelMeta") -> str | None:
    valid = meta.scores.get("valid")
    if not valid:
        return None
    unit = LOSS_UNITS[meta.kind]
    return f"{valid.loss * unit.per_nat:.4f} {unit.words}"
