"""The state of a network in training: all that changes from step to step, and how it is built."""

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
NatsFunction = Callable[[Window, list[State]], tuple[Tensor, list[State]]]


@dataclass
class TrainState:
    """All that changes during training. A checkpoint holds enough to restore it to the last bit."""

    network: Network
    nats: NatsFunction  # the network's; its gradients are averaged over all ranks
    ema: Network  # the exponential moving average of the weights
    optimizer: torch.optim.Optimizer
    batches: BatchStream
    carried_state: list[State]  # the hidden state after the last window, of this rank's streams
    device: torch.device
    ranks: Ranks
    step: int = 0
    best_loss: float | None = None  # the lowest validation loss so far, in nats a frame
    elapsed: float = 0.0  # seconds of training
    scores: dict[str, Any] = field(default_factory=dict)  # of the last evaluation


def build_train_state(
    config: RunConfig, corpus: Corpus, device: torch.device = CPU, ranks: Ranks = SINGLE_PROCESS
) -> TrainState:
    """Build a network with random weights, the same on all ranks, and all that trains it."""
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
    """`gradient_checkpointing.nats` as the forward pass of a module, as DDP needs it."""

    def __init__(self, network: Network, segment: Segment) -> None:
        super().__init__()
        self.network, self.segment = network, segment

    def forward(self, window: Window, state: list[State]) -> tuple[Tensor, list[State]]:
        return gradient_checkpointing.nats(self.network, window, state, self.segment)


def _nats_function(network: Network, segment: Segment, ranks: Ranks) -> NatsFunction:
    """Return the network's `nats`; in the backward pass each gradient is its mean over the ranks.

    By DistributedDataParallel (Li et al. 2020). After the first step it would rebuild its buckets,
    and with them change the order in which gradients are summed, so that a resumed run would differ
    in the last bits. With find_unused_parameters it keeps them.
    """
    nats = _Nats(network, segment)
    return nats if ranks.size == 1 else DistributedDataParallel(nats, find_unused_parameters=True)
