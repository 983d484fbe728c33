"""An estimate of the time and the memory that a run will take, before it is started."""

from dataclasses import dataclass

from engine.config import CELL_SPECS, RunConfig
from engine.errors import InputError
from engine.runs import run_dir
from engine.runs.event_log import HistoryReader
from tui.formatting import duration, megabytes

_MAX_RUNS = 20  # newest runs whose speed is read
_SYMBOLS = 64  # characters of a typical corpus
_MATCH_KINDS = 10  # inputs for the kind of a match
_KEYS = 88
_FEATURES = 8  # of each key, for a joint head
_MEAN_SONG = 1500  # frames that a step reads of each song where it reads whole songs
# One core of an AMD EPYC (Zen 4), docs/experiments.md: billions of operations a second of the
# smallest networks, how many more for each million weights, and of the largest.
_RATE, _RATE_PER_MILLION, _MAX_RATE = 90.0, 30.0, 300.0
_JOINT_SECONDS = 2e-4  # of a frame, for a joint head
_EVALUATIONS = 1.1  # how many times the work with evaluations and samples
_BASE_MB = 380.0  # a process with PyTorch, before it has a network


@dataclass(frozen=True)
class Speed:
    """The speed of a run on this machine."""

    run: str  # its name
    frames_per_second: float


def architecture(config: RunConfig) -> tuple[object, ...]:
    """Return what the speed depends on most."""
    model, train = config.model, config.train
    memory = model.match_memory
    return config.kind, model.words, model.head, memory, train.batch_size, train.bptt


def measured_speeds() -> dict[tuple[object, ...], Speed]:
    """Return the speeds of the newest runs by their architecture; it reads files."""
    speeds: dict[tuple[object, ...], Speed] = {}
    for run in run_dir.list_runs()[:_MAX_RUNS]:
        try:
            key = architecture(run.config())
        except InputError:
            continue
        reader = HistoryReader(run.events)
        reader.read()
        step = reader.history.step_curve.last
        if step is not None:
            speeds.setdefault(key, Speed(run.name, step.frames_per_second))
    return speeds


def weights(config: RunConfig) -> int:
    """Return about how many weights the matrix products of a network have."""
    model, outputs = config.model, _SYMBOLS
    if config.kind == "music":
        outputs = _KEYS * (_FEATURES if model.head == "joint" else 1)
    gates, hidden = CELL_SPECS[model.cell].gates, model.hidden_size
    first = model.embedding_size + (model.condition_size if config.kind == "lyrics" else 0)
    if model.match_memory:
        first += model.embedding_size + _MATCH_KINDS
    recurrent = first + hidden + (model.layers - 1) * 2 * hidden
    return gates * hidden * recurrent + hidden * outputs


def estimate(config: RunConfig, speeds: dict[tuple[object, ...], Speed], gpu: bool) -> str:
    """Return the estimate in a sentence. gpu: whether this machine has one."""
    model, train = config.model, config.train
    if model.kind != "network":
        return "Estimate: a few seconds."
    joint = config.kind == "music" and model.head == "joint"
    frames = train.batch_size * (train.bptt or _MEAN_SONG)  # of a step
    speed = speeds.get(architecture(config))
    memory = f"{megabytes(round(_memory(config, frames, joint), -1))} of memory"
    if speed is not None:
        source, rate = f"as fast as the run {speed.run}", speed.frames_per_second
    elif gpu and train.device != "cpu":
        return f"Estimate: {memory}; the time on this GPU is known after a first run."
    else:
        count = weights(config)
        gflops = min(_RATE + _RATE_PER_MILLION * count / 1e6, _MAX_RATE)
        seconds = 6 * count / (gflops * 1e9) + (_JOINT_SECONDS if joint else 0)  # both directions
        source, rate = "on one idle core", 1 / seconds
    seconds = _EVALUATIONS * train.steps * frames / rate
    time = duration(_rounded(seconds)).removesuffix(" 00 s")
    return f"Estimate: about {time} {source}, {memory}."


def _memory(config: RunConfig, frames: int, joint: bool) -> float:
    """Return the megabytes of a trainer that reads `frames` frames at each step."""
    model, spec = config.model, CELL_SPECS[config.model.cell]
    # The weights, their gradients, the optimizer's two moments, their average, and a copy.
    network = 4 * 6 * weights(config)
    activations = 4 * frames * model.layers * model.hidden_size * (spec.gates + spec.states + 4)
    keys = 4 * 4 * frames * _KEYS * 64 if joint else 0  # of the small network of all keys
    return _BASE_MB + (network + activations + keys) / 1e6


def _rounded(seconds: float) -> float:
    """Return a time without false precision."""
    for unit in (3600, 600, 60, 10):
        if seconds >= 3 * unit:
            return round(seconds / unit) * unit
    return max(10.0, seconds)
