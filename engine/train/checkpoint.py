"""Checkpoints on disk: a model that can be loaded alone, and beside it what a resume needs.

checkpoints/step-000200/model.safetensors     the averaged weights, with meta.json: a model
                        meta.json
                        trainer.safetensors   the rest of the TrainState
            best, last                        links to two such folders

trainer.safetensors    weights/NAME            the network's weights before averaging
                       optimizer/NAME/KEY      AdamW's state of each weight
                       state/LAYER/NUMBER      the carried hidden state (L, H) of all streams
                       metadata "training"     JSON: step, best, elapsed, cursor, scores

torch is imported where it is needed: n-gram models, which are saved here too, do without it.
"""

import json
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from engine import files
from engine.config import RunConfig
from engine.data.corpus import Corpus
from engine.errors import InputError
from engine.inference.models import META, WEIGHTS, ModelMeta, ModelScore
from engine.runs.run_dir import RunDir

if TYPE_CHECKING:
    from torch import Tensor

    from engine.model.cells import State
    from engine.train.state import TrainState

TRAINER = "trainer.safetensors"


def build_meta(
    config: RunConfig, corpus: Corpus, step: int, scores: dict[str, Any], parameters: int
) -> ModelMeta:
    """Describe a model of a run for its meta.json."""
    conditions = config.model.kind == "network" and config.model.condition_size > 0
    return ModelMeta(
        kind=config.kind,
        model=config.model,
        codec=corpus.codec,
        conditions=tuple(corpus.conditions) if conditions else (),
        data=config.data,
        corpus_name=corpus.name,
        corpus_hash=corpus.hash,
        step=step,
        scores={split: ModelScore(**score) for split, score in scores.items()},
        parameters=parameters,
    )


def write_checkpoint(
    run: RunDir,
    step: int,
    tensors: Mapping[str, NDArray[Any]],
    meta: ModelMeta,
    best: bool,
    trainer: bytes | None = None,
) -> str:
    """Write a checkpoint, link `last` (and `best`) to it and delete those no longer linked.

    trainer: the content of trainer.safetensors. Returns the folder's name. Raises InputError on a
    full disk; the older checkpoints then stay unchanged.
    """
    name = f"step-{step:06d}"
    with files.atomic_folder(run.checkpoints / name) as draft:
        (draft / WEIGHTS).write_bytes(safetensors.numpy.save(dict(tensors)))
        text = json.dumps(meta.to_json(), indent=1, ensure_ascii=False)
        (draft / META).write_text(text, encoding="utf-8")
        if trainer is not None:
            (draft / TRAINER).write_bytes(trainer)
    # `best` before `last`: a run killed between the two resumes from the old `last`, and then finds
    # this step to be the best again.
    if best:
        files.replace_link(run.checkpoints / "best", name)
    files.replace_link(run.checkpoints / "last", name)
    _delete_unlinked(run)
    return name


def _delete_unlinked(run: RunDir) -> None:
    linked = {link.resolve().name for link in (run.checkpoints / "best", run.checkpoints / "last")}
    for folder in run.checkpoints.iterdir():
        if folder.is_symlink() or folder.name in linked:
            continue
        if folder.name.startswith(("step-", ".step-")):  # with a dot: a killed trainer's draft
            shutil.rmtree(folder, ignore_errors=True)


def ema_weights(training: "TrainState") -> dict[str, NDArray[Any]]:
    """Return the averaged weights as arrays, by name: the weights of the saved model."""
    return {name: tensor.cpu().numpy() for name, tensor in training.ema.state_dict().items()}


def gather_carried_state(training: "TrainState") -> "list[State]":
    """Return the carried state of all ranks' streams, on the CPU.

    Every rank must call this at the same step.
    """
    return [
        tuple(training.ranks.gather(tensor) for tensor in layer) for layer in training.carried_state
    ]


def save(
    run: RunDir,
    training: "TrainState",
    carried_state: "list[State]",
    meta: ModelMeta,
    best: bool,
) -> str:
    """Write the checkpoint of a network in training; returns its folder's name.

    carried_state: of the streams of all ranks, so that any number of ranks can resume.
    """
    import safetensors.torch

    tensors: dict[str, Tensor] = {}
    for name, parameter in training.network.named_parameters():
        tensors[f"weights/{name}"] = parameter.detach()
        for key, value in training.optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer/{name}/{key}"] = value
    for index, layer in enumerate(carried_state):
        for number, tensor in enumerate(layer):
            tensors[f"state/{index}/{number}"] = tensor
    values = {
        "step": training.step,
        "best": training.best_loss,
        "elapsed": training.elapsed,
        "cursor": training.batches.cursor(),
        "scores": training.scores,
    }
    trainer = safetensors.torch.save(
        {name: tensor.cpu().contiguous() for name, tensor in tensors.items()},
        metadata={"training": json.dumps(values)},
    )
    return write_checkpoint(run, training.step, ema_weights(training), meta, best, trainer)


def restore(run: RunDir, training: "TrainState") -> bool:
    """Restore `training` from the run's last checkpoint; returns whether there is one.

    Raises InputError for a checkpoint that is damaged or of another model.
    """
    import safetensors.torch

    folder = run.checkpoints / "last"
    if not folder.exists():
        return False
    try:
        with safe_open(folder / TRAINER, "pt") as file:
            values = json.loads((file.metadata() or {})["training"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        ema = safetensors.torch.load_file(folder / WEIGHTS)
        _load_tensors(training, tensors, ema)
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"Cannot resume from the checkpoint {folder.resolve()} ({reason}): "
            "restore its files from a copy, or start a new run."
        ) from error
    training.step, training.best_loss = values["step"], values["best"]
    training.elapsed, training.scores = values["elapsed"], values["scores"]
    training.batches.seek(values["cursor"])
    return True


def _load_tensors(
    training: "TrainState", tensors: "dict[str, Tensor]", ema: "dict[str, Tensor]"
) -> None:
    training.network.load_state_dict(_with_prefix(tensors, "weights/"))
    training.ema.load_state_dict(ema)
    for name, parameter in training.network.named_parameters():
        training.optimizer.state[parameter] = {
            key: tensor.to(training.device)
            for key, tensor in _with_prefix(tensors, f"optimizer/{name}/").items()
        }
    streams = training.ranks.stream_slice(tensors["state/0/0"].shape[0])
    training.carried_state = [
        tuple(
            tensors[f"state/{index}/{number}"][streams].clone().to(training.device)
            for number in range(len(layer))
        )
        for index, layer in enumerate(training.carried_state)
    ]


def _with_prefix(tensors: "dict[str, Tensor]", prefix: str) -> "dict[str, Tensor]":
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
