"""List the models that can be sampled, or show what is known of one."""

import argparse
import json
from typing import Any

from engine import config as configs
from tui.commands import output


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--json", action="store_true", help="print JSON objects")
    words = parser.add_subparsers(dest="action", metavar="info M")
    info = words.add_parser("info", help="what is known of one")
    info.add_argument("model", metavar="M", help="a model's or a run's name, or a path")
    info.add_argument("--json", action="store_true", default=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Print them."""
    from engine.inference import models

    if arguments.action == "info":
        name, folder = models.locate(arguments.model)
        meta = models.read_meta(folder)
        if arguments.json:
            print(json.dumps({"name": name, "path": str(folder), **meta}, ensure_ascii=False))
            return 0
        rows = {
            "name": name,
            "model": _words(meta),
            "learned from": meta.get("corpus", {}).get("name"),
            "step": meta.get("step"),
            "parameters": f"{meta.get('parameters', 0):,}",
            "validation": _score(meta),
            "characters": len(meta["codec"].get("characters", ())) or None,
            "artists": ", ".join(meta["conditions"]) or None,
            "path": folder,
        }
        for key, value in rows.items():
            print(f"{key:14} {'–' if value is None else value}")
        return 0
    listed: list[dict[str, object]] = []
    for model in models.list_models():
        if model.error:
            listed.append({"name": model.name, "source": model.origin, "error": model.error})
            continue
        valid = (model.meta.get("scores") or {}).get("valid", {})
        lyrics = model.meta["kind"] == "lyrics"
        listed.append(
            {
                "name": model.name,
                "kind": model.meta["kind"],
                "source": model.origin,
                "words": _words(model.meta),
                "bits_per_character": valid.get("bits") if lyrics else None,
                "nats_per_frame": None if lyrics else valid.get("loss"),
                "conditions": len(model.meta["conditions"]),
                "memory": bool(model.meta["model"].get("memory")),
                "step": model.meta.get("step"),
                "path": str(model.path),
            }
        )
    if not arguments.json:
        for row in listed:
            row.pop("memory", None)
            row.pop("path", None)
            for key, value in row.items():
                row[key] = f"{value:.4f}" if isinstance(value, float) else value
    output.table(listed, arguments.json)
    return 0


def _score(meta: dict[str, Any]) -> str | None:
    valid = (meta.get("scores") or {}).get("valid")
    if not valid:
        return None
    if meta["kind"] == "music":
        return f"{valid['loss']:.4f} nats a frame"
    return f"{valid['bits']:.4f} bits per character"


def _words(meta: dict[str, Any]) -> str:
    return configs.from_mapping({"model": meta["model"]}, "meta.json").model.words
