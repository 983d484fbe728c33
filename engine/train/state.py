"""The state of a network in training: everything that changes from step to step."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from engine.config import RunConfig
from engine.data.batches import Augmentation, BatchStream
from engine.data.corpus import Corpus
from engine.model.cells import State
from engine.model.network import Network
from engine.model.window import Window
from engine.train import gradient_checkpointing
from engine.train.distributed import SINGLE_PROCESS, Ranks
from engine.train.gradient_checkpointing import Segment
from engine.train.optimizer import build_optimizer, scale_output_weights

CPU = torch.device("cpu")
# (window, state before it) → (nats (T, L) of T frames in L streams, state after the window)
NatsFunction = Callable[[Window, list[State]], tuple[Tensor, list[State]]]


@dataclass
class TrainState:
    """Everything that changes during training; a checkpoint restores it exactly."""

    network: Network
    nats: NatsFunction  # `Network.nats`, with gradients that are averaged over all ranks
    ema: Network  # with the exponential moving average of the weights
    optimizer: torch.optim.Optimizer
    batches: BatchStream
    carried_state: list[State]  # of this rank's streams after the last window, by layer
    device: torch.device
    ranks: Ranks
    step: int = 0
    best_loss: float | None = None  # the lowest validation loss so far, in nats per frame
    elapsed: float = 0.0  # seconds of training
    # Of the last evaluation: {"valid": {"loss": nats per frame, "bits": bits per frame}}.
    scores: dict[str, Any] = field(default_factory=dict)


def build_train_state(
    config: RunConfig, corpus: Corpus, device: torch.device = CPU, ranks: Ranks = SINGLE_PROCESS
) -> TrainState:
    """Build a network with random weights, the same on all ranks, and what is needed to train it.

    Raises InputError if the ranks cannot share the batch equally, or without training songs.
    """
    settings = config.train
    torch.manual_seed(settings.seed)
    conditions = len(corpus.conditions) if config.model.condition_size else 0
    network = Network(config.model, corpus.codec.spec, conditions).to(device)
    scale_output_weights(network, settings)
    streams = ranks.stream_slice(settings.batch_size)
    batches = BatchStream(
        corpus,
        "train",
        settings.batch_size,
        settings.bptt,
        seed=settings.seed,
        model=config.model,
        augment=Augmentation(settings.condition_dropout, settings.transpose),
        streams=streams,
    )
    return TrainState(
        network=network,
        nats=_nats_function(network, settings.checkpoint_segment, ranks),
        ema=copy.deepcopy(network).requires_grad_(False),
        optimizer=build_optimizer(network, settings),
        batches=batches,
        carried_state=network.zero_state(streams.stop - streams.start),
        device=device,
        ranks=ranks,
    )


class _Nats(nn.Module):
    """A module whose forward pass is `gradient_checkpointing.nats`: DDP takes only modules."""

    def __init__(self, network: Network, segment: Segment) -> None:
        super().__init__()
        self.network, self.segment = network, segment

    def forward(self, window: Window, state: list[State]) -> tuple[Tensor, list[State]]:
        return gradient_checkpointing.nats(self.network, window, state, self.segment)


def _nats_function(network: Network, segment: Segment, ranks: Ranks) -> NatsFunction:
    """Return `Network.nats` with a backward pass that averages each gradient over the ranks.

    The averages are those of DistributedDataParallel (DDP; Li et al. 2020). By default it rebuilds
    its buckets of gradients after the first step, which changes the order of the sums, so that a
    resumed run would differ in the last bits; with find_unused_parameters it keeps its buckets.
    """
    nats = _Nats(network, segment)
    return nats if ranks.size == 1 else DistributedDataParallel(nats, find_unused_parameters=True)
