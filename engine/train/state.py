"""A network in training: everything that changes, saved to go on as if nothing had happened."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from engine.config import RunConfig
from engine.data.batches import Augmentation, BatchStream
from engine.data.corpus import Corpus
from engine.errors import InputError
from engine.inference.models import WEIGHTS
from engine.model.cells import State
from engine.model.network import Network
from engine.model.window import Window
from engine.runs.run_dir import RunDir
from engine.train import checkpoint, gradient_checkpointing
from engine.train.distributed import SINGLE_PROCESS, Ranks
from engine.train.gradient_checkpointing import Segment
from engine.train.optimizer import build_optimizer, scale_output_weights

CPU = torch.device("cpu")
Nats = Callable[[Window, list[State]], tuple[Tensor, list[State]]]


@dataclass
class TrainState:
    """Everything that changes while a network is trained, and all that a resume brings back."""

    network: Network
    nats: Nats  # the network's, with the gradients averaged over all ranks
    ema: Network
    optimizer: torch.optim.Optimizer
    batches: BatchStream
    carried_state: list[State]  # of this rank's lanes
    device: torch.device
    ranks: Ranks
    step: int = 0
    best_loss: float | None = None  # the lowest validation loss so far
    elapsed: float = 0.0  # seconds of training
    scores: dict[str, Any] = field(default_factory=dict)  # of the last evaluation


class _Nats(nn.Module):
    """`segments.nats` as a module's forward pass, which is what DistributedDataParallel wraps."""

    def __init__(self, network: Network, segment: Segment) -> None:
        super().__init__()
        self.network, self.segment = network, segment

    def forward(self, window: Window, state: list[State]) -> tuple[Tensor, list[State]]:
        return gradient_checkpointing.nats(self.network, window, state, self.segment)


def _nats(network: Network, segment: Segment, ranks: Ranks) -> Nats:
    """The network's `nats` in segments; going back, each gradient becomes its mean over the ranks.

    DistributedDataParallel (Li et al. 2020). It would sort its buckets anew after the first step,
    and with them the order of the sums, so that a run gone on with differs in the last bits; it
    leaves them alone when it is to find unused parameters.
    """
    nats = _Nats(network, segment)
    return nats if ranks.size == 1 else DistributedDataParallel(nats, find_unused_parameters=True)


def build(
    config: RunConfig, corpus: Corpus, device: torch.device = CPU, ranks: Ranks = SINGLE_PROCESS
) -> TrainState:
    """A network with fresh weights, the same on all ranks, and everything that trains it."""
    torch.manual_seed(config.train.seed)
    conditions = len(corpus.conditions) if config.model.condition_size else 0
    network = Network(config.model, corpus.codec.spec, conditions).to(device)
    scale_output_weights(network, config.train)
    mine = ranks.stream_slice(config.train.batch_size)
    lanes = BatchStream(
        corpus,
        "train",
        config.train.batch_size,
        config.train.bptt,
        seed=config.train.seed,
        model=config.model,
        augment=Augmentation(config.train.condition_dropout, config.train.transpose),
        streams=mine,
    )
    return TrainState(
        network=network,
        nats=_nats(network, config.train.checkpoint_segment, ranks),
        ema=copy.deepcopy(network).requires_grad_(False),
        optimizer=build_optimizer(network, config.train),
        batches=lanes,
        carried_state=network.zero_state(mine.stop - mine.start),
        device=device,
        ranks=ranks,
    )


def weights(training: TrainState) -> dict[str, NDArray[Any]]:
    """The averaged weights, as the sampler takes them."""
    return {name: tensor.cpu().numpy() for name, tensor in training.ema.state_dict().items()}


def whole_state(training: TrainState) -> list[State]:
    """The state of all lanes, on the CPU; every rank must ask for it at the same step."""
    return [
        tuple(training.ranks.gather(tensor) for tensor in layer) for layer in training.carried_state
    ]


def save(
    run: RunDir, training: TrainState, state: list[State], meta: dict[str, Any], best: bool
) -> str:
    """Write the checkpoint of a network in training; returns its folder's name.

    state: of all lanes, so that any number of ranks can go on.
    """
    tensors: dict[str, Tensor] = {}
    for name, parameter in training.network.named_parameters():
        tensors[f"weights/{name}"] = parameter.detach()
        for key, value in training.optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer/{name}/{key}"] = value
    for place, layer in enumerate(state):
        for number, tensor in enumerate(layer):
            tensors[f"state/{place}/{number}"] = tensor
    rest = {
        "step": training.step,
        "best": training.best_loss,
        "elapsed": training.elapsed,
        "cursor": training.batches.cursor(),
        "scores": training.scores,
    }
    trainer = safetensors.torch.save(
        {name: tensor.cpu().contiguous() for name, tensor in tensors.items()},
        metadata={"training": json.dumps(rest)},
    )
    return checkpoint.write_checkpoint(run, training.step, weights(training), meta, best, trainer)


def restore(run: RunDir, training: TrainState) -> bool:
    """Bring `training` to where the run's last checkpoint was; False where there is none.

    Raises InputError for a checkpoint that is cut short or of another model.
    """
    folder = run.checkpoints / "last"
    if not folder.exists():
        return False
    try:
        with safe_open(folder / checkpoint.TRAINER, "pt") as file:
            rest = json.loads((file.metadata() or {})["training"])
            saved = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        average = safetensors.torch.load_file(folder / WEIGHTS)
        _fill(training, saved, average)
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise InputError(
            f"The checkpoint {folder.resolve()} cannot be gone on from ({_short(error)}): "
            "delete that folder's trainer file and start a new run, or restore it from a copy."
        ) from error
    training.step, training.best_loss = rest["step"], rest["best"]
    training.elapsed, training.scores = rest["elapsed"], rest["scores"]
    training.batches.seek(rest["cursor"])
    return True


def _fill(training: TrainState, saved: dict[str, Tensor], average: dict[str, Tensor]) -> None:
    training.network.load_state_dict(
        {
            name.removeprefix("weights/"): tensor
            for name, tensor in saved.items()
            if name.startswith("weights/")
        }
    )
    training.ema.load_state_dict(average)
    for name, parameter in training.network.named_parameters():
        prefix = f"optimizer/{name}/"
        training.optimizer.state[parameter] = {
            key.removeprefix(prefix): tensor.to(training.device)
            for key, tensor in saved.items()
            if key.startswith(prefix)
        }
    lanes = saved["state/0/0"].shape[0]
    mine = training.ranks.stream_slice(lanes)
    training.carried_state = [
        tuple(
            saved[f"state/{place}/{number}"][mine].clone().to(training.device)
            for number in range(len(layer))
        )
        for place, layer in enumerate(training.carried_state)
    ]


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
