"""Checkpoints on disk: a model that can be loaded alone, and the rest of the training's state.

checkpoints/step-000200/model.safetensors     the averaged weights
                        meta.json             the model's settings, codec and scores
                        words.txt             the words of the training songs (of lyrics only)
                        trainer.safetensors   the rest of the TrainState (of networks only)
                        SHA256SUMS            checksums of the files above
            best, last                        links to such folders

trainer.safetensors    weights/NAME            the network's weights before averaging
                       optimizer/NAME/KEY      AdamW's state of each weight
                       state/LAYER/NUMBER      the carried state: each tensor (L, H) of a layer, of
                                               L streams (those of all ranks) and H hidden units
                       metadata "training"     JSON: step, best (validation loss), elapsed,
                                               cursor (`BatchStream.cursor`), scores

torch is imported within functions: n-gram models, which are saved here too, do not need it.
"""

import json
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from engine import files
from engine.config import RunConfig
from engine.data.corpus import Corpus
from engine.data.music_bounds import find_bounds
from engine.data.music_forms import find_forms
from engine.data.music_keys import ANY_KEYS, find_trained_keys
from engine.data.words import FILE as WORDS
from engine.errors import InputError
from engine.inference.models import META, WEIGHTS, ModelMeta, ModelScore
from engine.runs.run_dir import RunDir

if TYPE_CHECKING:
    from torch import Tensor

    from engine.model.cells import State
    from engine.train.state import TrainState

TRAINER = "trainer.safetensors"
LENGTH_QUANTILES = 21  # from the shortest training song to the longest


def build_meta(
    config: RunConfig, corpus: Corpus, step: int, scores: dict[str, Any], parameters: int
) -> ModelMeta:
    """Return what meta.json records of a model of the run; scores: as in `TrainState`."""
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
        lengths=_length_quantiles(corpus),
        bounds=find_bounds(corpus) if config.kind == "music" else None,
        forms=find_forms(corpus) if config.kind == "music" else (),
        keys=find_trained_keys(corpus) if config.kind == "music" else ANY_KEYS,
    )


def _length_quantiles(corpus: Corpus) -> tuple[int, ...]:
    lengths = corpus.songs["length"][corpus.select("train")]
    shares = np.linspace(0, 1, LENGTH_QUANTILES)
    return tuple(int(value) for value in np.quantile(lengths, shares))


def write_checkpoint(
    run: RunDir,
    step: int,
    tensors: Mapping[str, NDArray[Any]],
    meta: ModelMeta,
    words: Sequence[str],
    best: bool,
    trainer: bytes | None = None,
) -> str:
    """Write a checkpoint, link `last` to it, and delete others but `best` and the one before.

    tensors: the model's weights by name. words: those of the training songs. best: link `best` to
    the folder too. trainer: the content of trainer.safetensors, which a checkpoint of an n-gram
    model does not have (None). Returns the folder's name. Raises InputError when the disk is full;
    older checkpoints are then unchanged.
    """
    run.require_exists()
    name, before = f"step-{step:06d}", run.last_checkpoint()
    with files.atomic_folder(run.checkpoints / name) as draft:
        (draft / WEIGHTS).write_bytes(safetensors.numpy.save(dict(tensors)))
        text = json.dumps(meta.to_json(), indent=1)
        (draft / META).write_text(text, encoding="utf-8")
        if words:
            (draft / WORDS).write_text("\n".join(words), encoding="utf-8")
        if trainer is not None:
            (draft / TRAINER).write_bytes(trainer)
        files.write_checksums(draft, (WEIGHTS, META, WORDS, TRAINER))
    # `best` is linked before `last`: a run that is killed in between resumes from the old `last`
    # and repeats this step, which is the best again.
    if best:
        files.replace_link(run.checkpoints / "best", name)
    files.replace_link(run.checkpoints / "last", name)
    _delete_unlinked(run, before)
    return name


def _delete_unlinked(run: RunDir, before: Path | None) -> None:
    """Delete checkpoints without a link; keep `before`, in case that the last one gets damaged."""
    kept = {link.resolve().name for link in (run.checkpoints / "best", run.checkpoints / "last")}
    if before is not None:
        kept.add(before.name)
    for folder in run.checkpoints.iterdir():
        if folder.is_symlink() or folder.name in kept:
            continue
        if folder.name.startswith(("step-", ".step-")):  # with a dot: left by a killed trainer
            shutil.rmtree(folder, ignore_errors=True)


def ema_weights(training: "TrainState") -> dict[str, NDArray[Any]]:
    """Return the averaged weights, which are those of the saved model, as arrays by name."""
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
    words: Sequence[str],
    best: bool,
) -> str:
    """Write the checkpoint of a network in training; returns its folder's name.

    carried_state: of the streams of all ranks (`gather_carried_state`), so that a different number
    of ranks can resume.
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
    weights = ema_weights(training)
    return write_checkpoint(run, training.step, weights, meta, words, best, trainer)


def restore(run: RunDir, training: "TrainState") -> bool:
    """Restore `training` from the run's last checkpoint; returns False if the run has none.

    Raises InputError for a checkpoint that is damaged or of another model.
    """
    import safetensors.torch

    folder = run.last_checkpoint()
    if folder is None:
        return False
    remedy = _remedy(run, folder)
    try:
        for name in (TRAINER, WEIGHTS):
            files.verify_checksum(folder / name, remedy)
        with safe_open(folder / TRAINER, "pt") as file:
            values = json.loads((file.metadata() or {})["training"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        ema = safetensors.torch.load_file(folder / WEIGHTS)
        _load_tensors(training, tensors, ema)
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"Cannot resume from the checkpoint {folder} ({reason}): {remedy}"
        ) from error
    training.step, training.best_loss = values["step"], values["best"]
    training.elapsed, training.scores = values["elapsed"], values["scores"]
    training.batches.seek(values["cursor"])
    return True


def _remedy(run: RunDir, damaged: Path) -> str:
    """Return what to do if a checkpoint is damaged, as the end of a sentence."""
    others = [folder for folder in run.list_checkpoints() if folder != damaged]
    whole = next(filter(files.is_undamaged, others), None)
    if whole is None:
        return "restore its files from a copy, or start a new run."
    delete = f"rm -r {shlex.quote(str(damaged))}"
    return f"restore its files from a copy, or delete it ('{delete}') to resume from {whole.name}."


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
