"""Check that training on a device computes the right values, before its speed is measured."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import safetensors.torch
import torch
from torch import Tensor

from engine.config import CELL_SPECS, ModelConfig, load
from engine.frame_spec import FrameSpec
from engine.model import cudnn
from engine.model.cells import SCANS, prepare_resets
from engine.model.network import Layer, Network
from engine.model.window import Window
from engine.runs import run_dir
from engine.runs.event_log import EventReader
from engine.runs.events import Evaluated
from engine.runs.run_dir import RunDir
from engine.train import gradient_checkpointing, launch, worker

FRAMES, BATCH_SIZE, SEGMENT = 96, 5, 16
SPECS = (FrameSpec("characters", 50), FrameSpec("keys", 176))
# Limits of relative differences; that of float32 allows for cuDNN's products in TF32.
ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-2}
BFLOAT16_LOSS = 0.05  # limit of the relative increase of bits per character over float32
SMALL_RUN = (
    "model.hidden_size=48",
    "model.dropout=0.2",
    "train.batch_size=8",
    "train.bptt=48",
    "train.warmup=10",
    "train.evaluate_frames=5000",
    "train.sample_every=0",
)


@dataclass(frozen=True)
class Check:
    """A measured figure that must not exceed its limit."""

    what: str
    figure: float
    limit: float

    @property
    def passed(self) -> bool:
        """Whether the figure is within the limit; NaN is not."""
        return self.figure <= self.limit


def run(device: torch.device) -> Iterator[Check]:
    """Yield each check of a device when it is done; training runs go to the home folder."""
    # This check is first, since cuBLAS is deterministic only if that is set before its first use.
    yield Check("tensors that differ after a resume, deterministic", _resume_differences(device), 0)
    torch.use_deterministic_algorithms(False)
    for cell in SCANS:
        for spec in SPECS:
            for segment in (0, SEGMENT):
                method = "checkpointed" if segment else "plain"
                yield Check(
                    f"gradients against the CPU in float64: {cell}, {spec.kind}, {method}",
                    _gradients(cell, spec, segment, device),
                    ROUNDING[torch.float64],
                )
        for dtype, limit in ROUNDING.items():
            name = str(dtype).removeprefix("torch.")
            yield Check(
                f"cuDNN kernels against our cells: {cell}, {name}",
                _kernels(cell, dtype, device),
                limit,
            )
    yield Check(
        "increase of bits by bfloat16, relative to float32", _bfloat16_loss(device), BFLOAT16_LOSS
    )


def _largest_difference(actual: list[Tensor], expected: list[Tensor]) -> float:
    """Return the largest norm of actual − expected of a pair, relative to that of expected."""
    pairs = [
        (one.detach().cpu(), other.detach().cpu())
        for one, other in zip(actual, expected, strict=True)
    ]
    return max(float((one - other).norm() / (other.norm() + 1e-30)) for one, other in pairs)


def _resets() -> Tensor:
    """Return where songs begin, (FRAMES, BATCH_SIZE): at the first frame, in some streams later."""
    resets = torch.zeros(FRAMES, BATCH_SIZE, dtype=torch.bool)
    resets[0] = resets[FRAMES // 3, 0] = resets[FRAMES // 2, 2:] = True
    return resets


def _gradients(cell: str, spec: FrameSpec, segment: int, device: torch.device) -> float:
    """Return the relative difference of a network's loss and gradients from those on the CPU.

    segment: of gradient checkpointing on the device; 0: no checkpointing.
    """
    torch.manual_seed(0)
    config = ModelConfig(
        cell=cell,
        hidden_size=32,
        embedding_size=16,
        condition_size=4,
        dropout=0.0,
        match_memory=True,
    )
    on_cpu = Network(config, spec, 3).double()
    on_device = copy.deepcopy(on_cpu).to(device)
    if spec.kind == "keys":
        frames = (torch.rand(FRAMES + 1, BATCH_SIZE, spec.size) < 0.05).byte()
    else:
        frames = torch.randint(0, spec.size, (FRAMES + 1, BATCH_SIZE))
    window = Window(
        frames[:-1],
        frames[1:],
        _resets(),
        torch.randint(0, 4, (FRAMES, BATCH_SIZE)),
        frames[:-1].roll(3, 0),
        torch.randint(0, spec.match_kinds(recovery=False), (FRAMES, BATCH_SIZE)),
    )
    moved = {
        name: tensor if name == "reset" or tensor is None else tensor.to(device)
        for name, tensor in window._asdict().items()
    }

    def gradients(network: Network, window: Window, segment: int) -> list[Tensor]:
        nats, _ = gradient_checkpointing.nats(
            network, window, network.zero_state(BATCH_SIZE), segment
        )
        nats.mean().backward()
        return [nats.detach(), *(p.grad for p in network.parameters() if p.grad is not None)]

    return _largest_difference(
        gradients(on_device, Window(**moved), segment), gradients(on_cpu, window, 0)
    )


def _kernels(cell: str, dtype: torch.dtype, device: torch.device) -> float:
    """Return the relative difference of a layer's outputs and gradients: cuDNN and our cells."""
    torch.manual_seed(0)
    layer = Layer(cell, 24, 32).to(device, dtype)
    x = torch.randn(FRAMES, BATCH_SIZE, 24, device=device, dtype=dtype, requires_grad=True)
    state = tuple(
        torch.randn(BATCH_SIZE, 32, device=device, dtype=dtype)
        for _ in range(CELL_SPECS[cell].states)
    )

    def outputs_and_gradients(reset: tuple[Tensor, list[bool]] | cudnn.Packing) -> list[Tensor]:
        outputs, last = layer(x, state, reset)
        parameters = [x, *layer.parameters()]
        total = outputs.square().mean() + sum(tensor.square().mean() for tensor in last)
        return [outputs.detach(), *last, *torch.autograd.grad(total, parameters)]

    ours = outputs_and_gradients(prepare_resets(_resets(), dtype, device))
    return _largest_difference(outputs_and_gradients(cudnn.pack(_resets(), device, dtype)), ours)


def _train(name: str, device: torch.device, *settings: str) -> RunDir:
    pairs = [*SMALL_RUN, f"train.device={device.type}", *settings]
    run = run_dir.create(name, load("lyrics", None, pairs, "originals"), {})
    worker.train_run(run)
    return run


def _resume_differences(device: torch.device) -> float:
    """Return the number of tensors of a resumed run that differ from an uninterrupted run's."""
    settings = ("train.deterministic=true", "train.checkpoint_segment=16", "train.min_lr_ratio=1")
    whole = _train("whole", device, *settings, "train.steps=12")
    resumed = _train("resumed", device, *settings, "train.steps=5")
    launch.resume("resumed", ["train.steps=12"])
    worker.train_run(resumed)
    differ = 0
    for file in ("model.safetensors", "trainer.safetensors"):
        one, other = (
            safetensors.torch.load_file(run.checkpoints / "last" / file) for run in (whole, resumed)
        )
        differ += sum(not torch.equal(one[key], other[key]) for key in one.keys() | other.keys())
    return differ


def _bfloat16_loss(device: torch.device) -> float:
    """Return the relative increase of bits per character from float32 to bfloat16 training."""
    bits = []
    for precision in ("float32", "bfloat16"):
        settings = (f"train.precision={precision}", "train.steps=60", "train.evaluate_every=60")
        run = _train(precision, device, *settings)
        bits += [
            event.bits for event in EventReader(run.events).poll() if isinstance(event, Evaluated)
        ]
    return bits[1] / bits[0] - 1
