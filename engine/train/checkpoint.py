"""Checkpoints on the disk: a model anyone can load, and beside it what training goes on from.

checkpoints/step-000200/model.safetensors     the weights, with meta.json: a model
                        trainer.safetensors   what only the trainer needs
            best, last                        links to two such folders
"""

import dataclasses
import json
import shutil
from collections.abc import Mapping
from typing import Any

import safetensors.numpy
from numpy.typing import NDArray

from engine import files
from engine.config import RunConfig
from engine.data.corpus import Corpus
from engine.inference.models import FORMAT, META, WEIGHTS
from engine.runs.run_dir import RunDir

TRAINER = "trainer.safetensors"


def build_meta(
    config: RunConfig, corpus: Corpus, step: int, scores: dict[str, Any], parameters: int
) -> dict[str, Any]:
    """The content of a model's meta.json."""
    conditions = config.model.kind == "network" and config.model.condition_size > 0
    return {
        "format": FORMAT,
        "kind": config.kind,
        "model": dataclasses.asdict(config.model),
        "codec": corpus.codec.to_json(),
        "conditions": corpus.conditions if conditions else [],
        "data": dataclasses.asdict(config.data),
        "corpus": {"name": corpus.name, "hash": corpus.hash},
        "step": step,
        "scores": scores,
        "parameters": parameters,
    }


def write_checkpoint(
    run: RunDir,
    step: int,
    tensors: Mapping[str, NDArray[Any]],
    meta: dict[str, Any],
    best: bool,
    trainer: bytes | None = None,
) -> str:
    """Write a checkpoint whole, point `last` (and `best`) at it and drop those pointed at no more.

    Returns the folder's name. A full disk raises InputError and leaves the older ones as they are.
    """
    name = f"step-{step:06d}"
    with files.atomic_folder(run.checkpoints / name) as draft:
        (draft / WEIGHTS).write_bytes(safetensors.numpy.save(dict(tensors)))
        text = json.dumps(meta, indent=1, ensure_ascii=False)
        (draft / META).write_text(text, encoding="utf-8")
        if trainer is not None:
            (draft / TRAINER).write_bytes(trainer)
    if best:  # first: a run killed in between goes on from the old one and finds it best again
        files.replace_link(run.checkpoints / "best", name)
    files.replace_link(run.checkpoints / "last", name)
    _prune(run)
    return name


def _prune(run: RunDir) -> None:
    kept = {link.resolve().name for link in (run.checkpoints / "best", run.checkpoints / "last")}
    for folder in run.checkpoints.iterdir():
        if folder.is_symlink() or folder.name in kept:
            continue
        if folder.name.startswith(("step-", ".step-")):  # a dot: what a killed trainer half wrote
            shutil.rmtree(folder, ignore_errors=True)
