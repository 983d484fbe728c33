"""List the included models and those of runs, or describe one."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.config import from_mapping
from tui.commands import output
from tui.commands.arguments import JSON_LINES, MODEL

if TYPE_CHECKING:
    from engine.inference.models import ModelInfo


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help=JSON_LINES)
    actions = parser.add_subparsers(dest="action", metavar="info M")
    about = "Describe one model."
    info = actions.add_parser("info", help=about, description=about)
    info.add_argument("model", metavar="M", help=f"{MODEL}.")
    info.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="Print one JSON object."
    )


def run(arguments: argparse.Namespace) -> int:
    """List the models or describe one."""
    from engine.inference import models

    if arguments.action == "info":
        name, folder = models.locate(arguments.model)
        meta = models.read_meta(folder)
        if arguments.json:
            print(json.dumps({"name": name, "path": str(folder), **meta}, ensure_ascii=False))
        else:
            _describe(name, folder, meta)
        return 0
    rows = [_row(model) for model in models.list_models()]
    output.table(rows if arguments.json else [_shorten(row) for row in rows], arguments.json)
    return 0


def _describe(name: str, folder: Path, meta: dict[str, Any]) -> None:
    facts = {
        "name": name,
        "model": _summary(meta),
        "trained on": meta.get("corpus", {}).get("name"),
        "step": meta.get("step"),
        "parameters": f"{meta.get('parameters', 0):,}",
        "validation": _score(meta),
        "characters": len(meta["codec"].get("characters", ())) or None,
        "artists": ", ".join(meta["conditions"]) or None,
        "path": folder,
    }
    for label, value in facts.items():
        print(f"{label:14} {'–' if value is None else value}")


def _row(model: "ModelInfo") -> dict[str, object]:
    """Return what `--json` prints of a model."""
    if model.error:
        return {"name": model.name, "source": model.origin, "error": model.error}
    meta = model.meta
    valid = (meta.get("scores") or {}).get("valid", {})
    lyrics = meta["kind"] == "lyrics"
    return {
        "name": model.name,
        "kind": meta["kind"],
        "source": model.origin,
        "words": _summary(meta),
        "bits_per_character": valid.get("bits") if lyrics else None,
        "nats_per_frame": None if lyrics else valid.get("loss"),
        "conditions": len(meta["conditions"]),
        "memory": bool(meta["model"].get("match_memory")),
        "step": meta.get("step"),
        "path": str(model.path),
    }


def _shorten(row: dict[str, object]) -> dict[str, object]:
    """Return the columns of a row that the table shows, with short figures."""
    return {
        key: f"{value:.4f}" if isinstance(value, float) else value
        for key, value in row.items()
        if key not in ("memory", "path")
    }


def _score(meta: dict[str, Any]) -> str | None:
    valid = (meta.get("scores") or {}).get("valid")
    if not valid:
        return None
    if meta["kind"] == "music":
        return f"{valid['loss']:.4f} nats a frame"
    return f"{valid['bits']:.4f} bits per character"


def _summary(meta: dict[str, Any]) -> str:
    return from_mapping({"model": meta["model"]}, "meta.json").model.words
