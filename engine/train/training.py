"""A network in training: everything that changes, saved to go on as if nothing had happened."""

import json
from dataclasses import dataclass, field
from typing import Any

import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from engine.config import RunConfig
from engine.data.corpus import Corpus
from engine.data.lanes import Lanes
from engine.errors import InputError
from engine.model.cells import State
from engine.model.network import Network
from engine.rundir import RunDir
from engine.sample.models import WEIGHTS
from engine.train import checkpoints
from engine.train.optimiser import averaged, optimizer


@dataclass
class Training:
    """Everything that changes while a network is trained, and all that a resume brings back."""

    network: Network
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    lanes: Lanes
    state: list[State]
    step: int = 0
    best: float | None = None  # the lowest validation loss so far
    elapsed: float = 0.0  # seconds of training
    scores: dict[str, Any] = field(default_factory=dict)  # of the last evaluation


def build(config: RunConfig, corpus: Corpus) -> Training:
    """A network with fresh weights and everything that trains it."""
    torch.manual_seed(config.train.seed)
    conditions = len(corpus.conditions) if config.model.condition else 0
    network = Network(config.model, corpus.codec.spec, conditions)
    lanes = Lanes(
        corpus,
        "train",
        config.train.lanes,
        config.train.bptt,
        seed=config.train.seed,
        drop=config.train.condition_drop,
        memory=config.model.memory,
    )
    return Training(
        network=network,
        average=averaged(network, config.train),
        optimizer=optimizer(network, config.train),
        lanes=lanes,
        state=network.zero_state(config.train.lanes),
    )


def weights(training: Training) -> dict[str, NDArray[Any]]:
    """The averaged weights, as the sampler takes them."""
    module = training.average.module
    return {name: tensor.numpy() for name, tensor in module.state_dict().items()}


def save(run: RunDir, training: Training, meta: dict[str, Any], best: bool) -> str:
    """Write the checkpoint of a network in training; returns its folder's name."""
    tensors: dict[str, Tensor] = {}
    for name, parameter in training.network.named_parameters():
        tensors[f"weights/{name}"] = parameter.detach()
        for key, value in training.optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer/{name}/{key}"] = value
    for place, layer in enumerate(training.state):
        for number, tensor in enumerate(layer):
            tensors[f"state/{place}/{number}"] = tensor
    rest = {
        "step": training.step,
        "best": training.best,
        "elapsed": training.elapsed,
        "averaged": int(training.average.n_averaged),
        "cursor": training.lanes.cursor(),
        "scores": training.scores,
    }
    trainer = safetensors.torch.save(
        {name: tensor.contiguous() for name, tensor in tensors.items()},
        metadata={"training": json.dumps(rest)},
    )
    return checkpoints.write(run, training.step, weights(training), meta, best, trainer)


def restore(run: RunDir, training: Training) -> bool:
    """Bring `training` to where the run's last checkpoint was; False where there is none.

    Raises InputError for a checkpoint that is cut short or of another model.
    """
    folder = run.checkpoints / "last"
    if not folder.exists():
        return False
    try:
        with safe_open(folder / checkpoints.TRAINER, "pt") as file:
            rest = json.loads((file.metadata() or {})["training"])
            saved = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        average = safetensors.torch.load_file(folder / WEIGHTS)
        _fill(training, saved, average)
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise InputError(
            f"The checkpoint {folder.resolve()} cannot be gone on from ({_short(error)}): "
            "delete that folder's trainer file and start a new run, or restore it from a copy."
        ) from error
    training.step, training.best = rest["step"], rest["best"]
    training.elapsed, training.scores = rest["elapsed"], rest["scores"]
    training.average.n_averaged.fill_(rest["averaged"])
    training.lanes.seek(rest["cursor"])
    return True


def _fill(training: Training, saved: dict[str, Tensor], average: dict[str, Tensor]) -> None:
    training.network.load_state_dict(
        {
            name.removeprefix("weights/"): tensor
            for name, tensor in saved.items()
            if name.startswith("weights/")
        }
    )
    training.average.module.load_state_dict(average)
    for name, parameter in training.network.named_parameters():
        prefix = f"optimizer/{name}/"
        training.optimizer.state[parameter] = {
            key.removeprefix(prefix): tensor
            for key, tensor in saved.items()
            if key.startswith(prefix)
        }
    training.state = [
        tuple(saved[f"state/{place}/{number}"] for number in range(len(layer)))
        for place, layer in enumerate(training.state)
    ]


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
