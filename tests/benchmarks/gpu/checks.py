"""What must hold on the device before its speed means anything."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import safetensors.torch
import torch
from torch import Tensor

from engine import config as configs
from engine.config import CELL_SPECS, ModelConfig
from engine.frames import FrameSpec
from engine.model import cudnn
from engine.model.cells import SCANS, prepare_resets
from engine.model.network import Layer, Network
from engine.model.window import Window
from engine.runs import run_dir
from engine.runs.event_log import EventReader
from engine.runs.events import Evaluated
from engine.runs.run_dir import RunDir
from engine.train import gradient_checkpointing, launch, worker

FRAMES, LANES, SEGMENT = 96, 5, 16
SPECS = (FrameSpec("characters", 50), FrameSpec("keys", 176))
ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-2}  # cuDNN's float32 has products in TF32
BFLOAT16 = 0.05  # of the bits a character that float32 reaches
SMALL = (
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
    """One thing that must hold: that a figure is no larger than its limit."""

    what: str
    figure: float
    limit: float

    @property
    def passed(self) -> bool:
        """Whether it holds; not for NaN."""
        return self.figure <= self.limit


def run(device: torch.device) -> Iterator[Check]:
    """Check the device, thing by thing. Runs go to the home that the environment names."""
    # cuBLAS is deterministic only if it is asked before it begins: so this comes first.
    yield Check("tensors that differ after a resume, deterministic", _resumed(device), 0)
    torch.use_deterministic_algorithms(False)
    for cell in SCANS:
        for spec in SPECS:
            for segment in (0, SEGMENT):
                said = "checkpointed" if segment else "plain"
                yield Check(
                    f"gradients against the CPU in float64: {cell}, {spec.kind}, {said}",
                    _gradients(cell, spec, segment, device),
                    ROUNDING[torch.float64],
                )
        for dtype, limit in ROUNDING.items():
            name = str(dtype).removeprefix("torch.")
            yield Check(
                f"the vendor's kernels against our cells: {cell}, {name}",
                _kernels(cell, dtype, device),
                limit,
            )
    yield Check("bfloat16 learns less than float32 by", _rougher(device), BFLOAT16)


def _worst(found: list[Tensor], expected: list[Tensor]) -> float:
    """The largest difference of two tensors, as a share of the norm of the expected one."""
    pairs = [
        (one.detach().cpu(), other.detach().cpu())
        for one, other in zip(found, expected, strict=True)
    ]
    return max(float((one - other).norm() / (other.norm() + 1e-30)) for one, other in pairs)


def _fresh() -> Tensor:
    """Where songs begin (T, L): at the first frame, and here and there in some lanes."""
    fresh = torch.zeros(FRAMES, LANES, dtype=torch.bool)
    fresh[0] = fresh[FRAMES // 3, 0] = fresh[FRAMES // 2, 2:] = True
    return fresh


def _gradients(cell: str, spec: FrameSpec, segment: int, device: torch.device) -> float:
    torch.manual_seed(0)
    config = ModelConfig(
        cell=cell,
        hidden_size=32,
        embedding_size=16,
        condition_size=4,
        dropout=0.0,
        match_memory=True,
    )
    here = Network(config, spec, 3).double()
    there = copy.deepcopy(here).to(device)
    if spec.kind == "keys":
        frames = (torch.rand(FRAMES + 1, LANES, spec.size) < 0.05).byte()
    else:
        frames = torch.randint(0, spec.size, (FRAMES + 1, LANES))
    window = Window(
        frames[:-1],
        frames[1:],
        _fresh(),
        torch.randint(0, 4, (FRAMES, LANES)),
        frames[:-1].roll(3, 0),
        torch.randint(0, spec.match_kinds(recovery=False), (FRAMES, LANES)),
    )
    moved = {
        name: tensor if name == "fresh" or tensor is None else tensor.to(device)
        for name, tensor in window._asdict().items()
    }

    def learned(network: Network, window: Window, segment: int) -> list[Tensor]:
        nats, _ = gradient_checkpointing.nats(network, window, network.zero_state(LANES), segment)
        nats.mean().backward()
        return [nats.detach(), *(p.grad for p in network.parameters() if p.grad is not None)]

    return _worst(learned(there, Window(**moved), segment), learned(here, window, 0))


def _kernels(cell: str, dtype: torch.dtype, device: torch.device) -> float:
    torch.manual_seed(0)
    layer = Layer(cell, 24, 32).to(device, dtype)
    x = torch.randn(FRAMES, LANES, 24, device=device, dtype=dtype, requires_grad=True)
    state = tuple(
        torch.randn(LANES, 32, device=device, dtype=dtype) for _ in range(CELL_SPECS[cell].states)
    )
    keep, any_reset = prepare_resets(_fresh(), dtype)

    def learned(reset: tuple[Tensor, list[bool]] | cudnn.Packing) -> list[Tensor]:
        outputs, last = layer(x, state, reset)
        wanted = [x, *layer.parameters()]
        total = outputs.square().mean() + sum(tensor.square().mean() for tensor in last)
        return [outputs.detach(), *last, *torch.autograd.grad(total, wanted)]

    ours = learned((keep.to(device), any_reset))
    return _worst(learned(cudnn.pack(_fresh(), device, dtype)), ours)


def _trained(name: str, device: torch.device, *settings: str) -> RunDir:
    words = [*SMALL, f"train.device={device.type}", *settings]
    made = run_dir.create(name, configs.load("lyrics", None, words, "originals"), {})
    worker.train_run(made)
    return made


def _resumed(device: torch.device) -> float:
    """How many tensors of a run that was stopped and gone on with are not those of a whole one."""
    settings = ("train.deterministic=true", "train.checkpoint_segment=16", "train.min_lr_ratio=1")
    whole = _trained("whole", device, *settings, "train.steps=12")
    parts = _trained("parts", device, *settings, "train.steps=5")
    launch.resume("parts", ["train.steps=12"])
    worker.train_run(parts)
    differ = 0
    for file in ("model.safetensors", "trainer.safetensors"):
        one, other = (
            safetensors.torch.load_file(made.checkpoints / "last" / file) for made in (whole, parts)
        )
        differ += sum(not torch.equal(one[key], other[key]) for key in one.keys() | other.keys())
    return differ


def _rougher(device: torch.device) -> float:
    """By what share more bits a character are left with bfloat16."""
    bits = []
    for precision in ("float32", "bfloat16"):
        settings = (f"train.precision={precision}", "train.steps=60", "train.evaluate_every=60")
        run = _trained(precision, device, *settings)
        bits += [
            event.bits for event in EventReader(run.events).poll() if isinstance(event, Evaluated)
        ]
    return bits[1] / bits[0] - 1
