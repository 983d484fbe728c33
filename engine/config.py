"""The settings of a training run: their table, and how presets and `--set key=value` change them.

`--set` takes precedence over the preset, and the preset over the defaults below. An unknown key or
a wrong value raises an InputError that names it. `rnn-tui settings` and docs/settings.md list the
table.
"""

import contextlib
import dataclasses
import functools
import json
import math
import re
import tomllib
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine import paths
from engine.errors import InputError
from engine.options import LYRICS_OPTIONS, range_words
from engine.suggestions import did_you_mean

Kind = Literal["lyrics", "music"]

_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_SHOWN = 60  # characters of a wrong value that an error repeats


def _to_bool(value: object) -> bool:
    if str(value).lower() not in _BOOLEANS:
        raise ValueError
    return _BOOLEANS[str(value).lower()]


def _to_int(value: object) -> int:
    return int(_to_number(value, int))


def _to_float(value: object) -> float:
    return float(_to_number(value, float))


def _to_number(value: object, to: type[int] | type[float]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    number = to(value)
    if not isinstance(value, str) and number != value:  # 1.5 is not a whole number
        raise ValueError
    return number


def _to_str(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _to_texts(value: object) -> tuple[str, ...]:
    """Convert a list, or a text, to a tuple of texts.

    The text is either items split at commas (`a,b,c`) or a TOML list (`["a,b", "c"]`), whose items
    may contain commas.
    """
    if isinstance(value, str) and value.startswith("["):
        with contextlib.suppress(tomllib.TOMLDecodeError):
            value = tomllib.loads(f"items = {value}")["items"]
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise TypeError
    return tuple(str(part).strip() for part in parts if str(part).strip())


_CONVERTERS: dict[type, Callable[[object], Any]] = {
    bool: _to_bool,
    int: _to_int,
    float: _to_float,
    str: _to_str,
    tuple: _to_texts,
}


@dataclass(frozen=True)
class Setting:
    """A setting: its type, default, range or choices, and meaning."""

    table: str  # data, model or train
    name: str
    type: type  # bool, int, float, str, or tuple (of texts)
    default: Any
    low: float | None  # None: any number
    high: float | None  # None: no upper limit
    choices: tuple[str, ...]  # of a text: the values allowed, (): any; of a number: words like auto
    help: str  # one sentence
    kind: Kind | None  # the kind of run that it has an effect on; None: lyrics and music
    form: str  # of a text: a further value that is allowed, in which N is a number; "": none

    @property
    def key(self) -> str:
        """The key, for example train.steps."""
        return f"{self.table}.{self.name}"

    @property
    def default_text(self) -> str:
        """The default in the form that `--set` accepts; empty for an empty text or list."""
        if isinstance(self.default, bool):
            return str(self.default).lower()
        return ",".join(self.default) if isinstance(self.default, tuple) else str(self.default)

    @property
    def values(self) -> str:
        """A description of the allowed values, for example "a whole number of 1 or more"."""
        if self.type is bool:
            return "true or false"
        if self.type is tuple:
            return "a list, for example a,b,c"
        if self.type is str:
            return _join(filter(None, (*self.choices, self.form))) if self.choices else "a text"
        number = range_words(self.type, self.low, self.high)
        return f"{number}, or {_join(self.choices)}" if self.choices else number

    def convert(self, value: object) -> Any:
        """Convert a value from TOML or JSON, or the text of `--set`.

        Raises InputError for a wrong type and for a value that is not allowed.
        """
        if self.choices and value in self.choices:
            return value
        try:
            result = _CONVERTERS[self.type](value)
        except (TypeError, ValueError, OverflowError) as error:
            raise self._error(value) from error
        if self.type is str and self.choices and not self._has_form(result):
            raise self._error(value)
        if self.low is not None and not self.low <= result <= (self.high or math.inf):
            raise self._error(value)
        if self.type is float and not math.isfinite(result):
            raise self._error(value)
        return result

    def _has_form(self, value: str) -> bool:
        pattern = re.escape(self.form).replace("N", r"\d{1,3}")
        return bool(self.form) and re.fullmatch(pattern, value, re.ASCII) is not None

    def _error(self, value: object) -> InputError:
        return InputError(f"{self.key} must be {self.values}, not {value!r:.{_SHOWN}}.")


def _join(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _setting(
    default: Any,
    help_: str,
    low: float | None = None,
    high: float | None = None,
    *,
    choices: tuple[str, ...] = (),
    kind: Kind | None = None,
    form: str = "",
) -> Any:
    """Return the dataclass field of a setting, with the default and metadata of its `Setting`."""
    limits = {"low": low, "high": high, "choices": choices, "form": form}
    return dataclasses.field(default=default, metadata={"help": help_, "kind": kind, **limits})


@dataclass(frozen=True)
class DataConfig:
    """Settings of the data: which songs are included, how they are split, the length of a frame."""

    source: str = _setting(
        "",
        "Name of a data set, or a path: lyrics as CSV, JSONL or a folder artist/song.txt; music as "
        "a MIDI or MusicXML file, a folder or zip of them, or a .mat or .json of piano rolls.",
    )
    artists: tuple[str, ...] = _setting(
        (), "Artists to include, separated by commas; empty: all.", kind="lyrics"
    )
    min_songs: int = _setting(1, "Leave out artists with fewer songs than this.", 1, kind="lyrics")
    min_length: int = _setting(
        16, "Leave out songs with fewer characters than this.", 1, kind="lyrics"
    )
    min_count: int = _setting(
        3,
        "Replace characters that occur fewer times than this by the unknown mark.",
        1,
        kind="lyrics",
    )
    frame_seconds: float = _setting(
        0.0,
        "Length of a frame in seconds, for music that follows no beat; 0: use data.frame_beats.",
        0,
        10,
        kind="music",
    )
    frame_beats: float = _setting(
        0.0,
        "Length of a frame in beats (quarter notes), which goes before data.frame_seconds; 0: "
        "that of the data set, or of other music a sixteenth note (0.25).",
        0,
        16,
        kind="music",
    )
    max_off_grid: float = _setting(
        1.0,
        "Leave out songs with a greater share of notes that begin between two frames, such as "
        "triplets in frames of 0.25 beats; needs data.frame_beats.",
        0,
        1,
        kind="music",
    )
    valid_fraction: float = _setting(0.05, "Share of the songs held out for validation.", 0, 0.5)
    test_fraction: float = _setting(0.05, "Share of the songs held out for testing.", 0, 0.5)
    split_seed: int = _setting(
        0, "Random seed of the split into training, validation and test songs.", 0, 2**32
    )


@dataclass(frozen=True)
class CellSpec:
    """The layout of a recurrent cell's weights and state, in training and in sampling.

    H: number of hidden units; N: number of songs in a batch.
    """

    gates: int  # G: a weight has G blocks of H columns, one for each gate
    states: int  # number of tensors (N, H) in the state; the first is the output
    hidden_bias: bool = False  # whether there is a bias (H,) inside the product with the reset gate
    open_gate: int | None = None  # the gate whose bias is 1 at first, so that it is open


CELL_SPECS = {
    "rnn": CellSpec(gates=1, states=1),
    "gru": CellSpec(gates=3, states=1, hidden_bias=True),
    "lstm": CellSpec(gates=4, states=2, open_gate=1),  # f (Jozefowicz et al. 2015)
}


@dataclass(frozen=True)
class ModelConfig:
    """Settings of the model: a network, or an n-gram model (uniform, frequencies, markov)."""

    kind: str = _setting(
        "network",
        "A recurrent network; or, for lyrics, uniform probabilities, character frequencies or a "
        "Markov chain.",
        choices=("network", "uniform", "frequencies", "markov"),
    )
    order: int = _setting(
        5, "Order of a Markov chain: the number of previous characters it depends on.", 1, 8
    )
    cell: str = _setting("lstm", "Recurrent cell.", choices=tuple(CELL_SPECS))
    layers: int = _setting(2, "Number of recurrent layers.", 1, 16)
    hidden_size: int = _setting(256, "Number of units in each recurrent layer.", 1, 16384)
    embedding_size: int = _setting(
        64, "Size of the vector that represents a character or a frame.", 1, 16384
    )
    condition_size: int = _setting(
        32, "Size of the vector that represents an artist; 0: train without artists.", 0, 4096
    )
    dropout: float = _setting(
        0.1, "Share of the outputs of each recurrent layer that are dropped in training.", 0, 0.95
    )
    tied: bool = _setting(
        False, "Use the embedding of the characters as the output weights too.", kind="lyrics"
    )
    match_memory: bool = _setting(
        False, "Also feed in what followed the longest earlier match in the song."
    )
    match_recovery: bool = _setting(
        False, "Continue a match after it breaks off, for tunes that vary.", kind="music"
    )
    beat_position: bool = _setting(
        False,
        "Also feed in the position in the bar and phrase, as sines and cosines.",
        kind="music",
    )
    input_dropout: float = _setting(
        0.0, "Share of the inputs of the first layer that are dropped in training.", 0, 0.95
    )
    head: str = _setting(
        "joint",
        "How the keys of a frame are predicted: jointly, each given those decided before it, or "
        "independently.",
        choices=("joint", "independent"),
        kind="music",
    )

    @property
    def words(self) -> str:
        """A short description, for example "lstm 2 × 256"."""
        if self.kind == "network":
            return f"{self.cell} {self.layers} × {self.hidden_size}"
        return f"markov {self.order}" if self.kind == "markov" else self.kind


@dataclass(frozen=True)
class TrainConfig:
    """Settings of training: optimization, evaluation, checkpoints, and samples in between."""

    steps: int = _setting(2000, "Number of optimizer steps.", 1)
    init_from: str = _setting(
        "auto",
        "Model to start from: the name of a model or a run, or a path; none: random weights; auto: "
        "for few songs the included model english, if model has its settings or none.",
    )
    batch_size: int = _setting(32, "Number of songs read in parallel.", 1)
    bptt: int = _setting(
        128,
        "Frames or characters between two updates (truncated back-propagation through time); "
        "0: a whole song.",
        0,
    )
    checkpoint_segment: int | Literal["auto"] = _setting(
        0,
        "Frames between two stored states (gradient checkpointing, which saves memory and costs "
        "time); 0: off; auto: about the square root of train.bptt.",
        0,
        choices=("auto",),
    )
    lr: float = _setting(4e-3, "Peak learning rate (AdamW).", 0)
    warmup: int = _setting(100, "Steps in which the learning rate rises to train.lr.", 0)
    output_scale: float = _setting(
        4.0,
        "Scale of the initial weights and the learning rate of layers that read hidden states.",
        0.01,
        1000,
    )
    min_lr_ratio: float = _setting(
        0.05, "Learning rate at the end of the cosine decay, as a share of train.lr.", 0, 1
    )
    weight_decay: float = _setting(0.01, "Weight decay (AdamW).", 0)
    grad_clip: float = _setting(1.0, "Maximum gradient norm; 0: no clipping.", 0)
    ema_decay: float = _setting(
        0.998,
        "Decay of the moving average of the weights, which is evaluated and saved; 0: no average.",
        0,
        0.99999,
    )
    condition_dropout: float = _setting(
        0.15, "Share of the songs read without their artist.", 0, 1, kind="lyrics"
    )
    transpose: int = _setting(
        0,
        "Maximum number of semitones by which songs are transposed at random, up or down.",
        0,
        24,
        kind="music",
    )
    seed: int = _setting(0, "Random seed of the weights, the order of songs and dropout.", 0, 2**32)
    threads: int = _setting(
        0,
        "Number of CPU threads of each process; 0: one fewer than the machine has, shared by all "
        "processes.",
        0,
    )
    device: str = _setting(
        "auto",
        "Device; auto: CUDA if it is available; cuda:N: CUDA device number N, from 0; mps: a Mac's "
        "GPU.",
        choices=("auto", "cpu", "cuda", "mps"),
        form="cuda:N",
    )
    precision: str = _setting(
        "auto",
        "Type of matrix products; auto: bfloat16 if the hardware supports it.",
        choices=("auto", "float32", "bfloat16"),
    )
    deterministic: bool = _setting(
        False,
        "Make CUDA runs reproducible to the last bit, at some cost in speed; CPU runs already are.",
    )
    log_every: int = _setting(
        5, "Steps between two reports of the training loss; on a GPU a second instead.", 1
    )
    evaluate_every: int = _setting(
        200,
        "Steps between two evaluations on the validation songs; on a GPU at least 30 seconds too.",
        1,
    )
    evaluate_frames: int = _setting(
        100_000, "Maximum number of frames or characters in an evaluation; 0: all.", 0
    )
    save_every: int = _setting(
        200, "Steps between two checkpoints; on a GPU at least 30 seconds too.", 1
    )
    sample_every: int = _setting(
        200, "Steps between two samples, on a GPU at least 30 seconds too; 0: no samples.", 0
    )
    sample_primes: tuple[str, ...] = _setting(
        ("Why", "Well"), "Prompts of the samples, separated by commas.", kind="lyrics"
    )
    sample_length: int = _setting(300, "Length of a sample in characters or frames.", 1)
    sample_temperature: float = _setting(
        LYRICS_OPTIONS["temperature"].default, "Temperature of the samples.", 0, kind="lyrics"
    )


@dataclass(frozen=True)
class RunConfig:
    """All settings of a training run."""

    kind: Kind = "lyrics"
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()


_TABLES: dict[str, type[DataConfig | ModelConfig | TrainConfig]] = {
    "data": DataConfig,
    "model": ModelConfig,
    "train": TrainConfig,
}


@functools.cache
def settings() -> dict[str, Setting]:
    """Return every setting by its key, in the order of the tables."""
    result = {}
    for table, cls in _TABLES.items():
        for field in dataclasses.fields(cls):
            default = field.default
            setting = Setting(table, field.name, type(default), default, **field.metadata)
            result[setting.key] = setting
    return result


def from_mapping(values: Mapping[str, object], where: str) -> RunConfig:
    """Build a config from nested tables, such as the content of a TOML or JSON file.

    Settings that are missing have their defaults. Raises InputError for an unknown key and for a
    wrong type or value. where: what the error message calls the source of the values.
    """
    config: dict[str, Any] = {}
    for name, value in values.items():
        if name == "kind":
            if value not in typing.get_args(Kind):
                raise InputError(f"kind must be {_join(typing.get_args(Kind))}, not {value!r}.")
            config[name] = value
        elif name not in _TABLES:
            raise _unknown(name, ["kind", *_TABLES], where)
        elif isinstance(value, Mapping):
            config[name] = _table(name, value, where)
        else:
            raise InputError(f"{name} in {where} must be a table, not {value!r:.{_SHOWN}}.")
    return RunConfig(**config)


def _table(table: str, values: Mapping[str, object], where: str) -> Any:
    known = settings()
    result = {}
    for name, value in values.items():
        if f"{table}.{name}" not in known:
            raise _unknown(f"{table}.{name}", known, where)
        result[name] = known[f"{table}.{name}"].convert(value)
    return _TABLES[table](**result)


def _unknown(key: str, known: Iterable[str], where: str) -> InputError:
    hint = did_you_mean(key, known, "'rnn-tui settings' lists the keys.", count=1)
    return InputError(f"{where} has an unknown key {key!r}: {hint}")


def to_mapping(config: RunConfig) -> dict[str, Any]:
    """Return the config as nested tables of plain values; `from_mapping` is the inverse."""
    return dataclasses.asdict(config)


def to_toml(config: RunConfig) -> str:
    """Return the config as TOML that `load` reads as a preset."""
    lines = []
    for table, values in to_mapping(config).items():
        if isinstance(values, dict):
            # Texts, numbers, booleans and lists are written alike in JSON and TOML.
            pairs = (f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in values.items())
            lines += ["", f"[{table}]", *pairs]
        else:
            lines.append(f"{table} = {json.dumps(values)}")
    return "\n".join(lines) + "\n"


def presets() -> dict[str, Path]:
    """Return the file of each included preset by the preset's name."""
    return {file.stem: file for file in sorted((paths.assets() / "presets").glob("*.toml"))}


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError as error:
        raise InputError(
            f"Cannot read the preset {path} ({error.strerror}): name a TOML file."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not TOML ({error}): correct it.") from error


def load(
    kind: str, preset: str | None = None, pairs: Iterable[str] = (), source: str = ""
) -> RunConfig:
    """Build a config from the defaults, a preset, a data source and `key=value` pairs.

    Later ones take precedence. preset: a name or the path of a TOML file; None: no preset.
    source: replaces data.source; "": leaves it. Raises InputError for a preset that is unknown,
    unreadable or of the other kind, for an unknown key or a wrong value, and for a setting that has
    no effect on a run of that kind.
    """
    values: dict[str, Any] = {}
    if preset:
        known = presets()
        path = known.get(preset, Path(preset))
        if preset not in known and path.suffix != ".toml":
            hint = did_you_mean(preset, known, f"the presets are {', '.join(known)}.", count=1)
            raise InputError(f"There is no preset {preset!r}: {hint}")
        values = _read_toml(path)
        for entry in ("about", "inner"):  # its description; whether lists of presets omit it
            values.pop(entry, None)
        if values.get("kind", kind) != kind:
            raise InputError(
                f"The preset {preset!r} is for {values['kind']}, not for {kind}: choose another "
                f"preset, or use 'rnn-tui train {values['kind']}'."
            )
        from_mapping(values, str(path))
    values["kind"] = kind
    if source:
        values.setdefault("data", {})["source"] = source
    config = _with_pairs(values, pairs)
    _refuse_other_kind(config, settings())
    return config


def with_settings(config: RunConfig, pairs: Iterable[str]) -> RunConfig:
    """Return a copy of the config, changed by `key=value` pairs.

    Raises InputError for an unknown key, a wrong value, and a setting that has no effect on a run
    of that kind.
    """
    pairs = list(pairs)
    changed = _with_pairs(to_mapping(config), pairs)
    _refuse_other_kind(changed, [pair.partition("=")[0].strip() for pair in pairs])
    return changed


def _with_pairs(values: dict[str, Any], pairs: Iterable[str]) -> RunConfig:
    known = settings()
    for pair in pairs:
        key, mark, value = pair.partition("=")
        key, value = key.strip(), value.strip()
        if not mark and key in known:
            example = known[key].default_text or "…"
            raise InputError(f"{key} needs a value, for example {key}={example}.")
        if not mark:
            raise InputError(f'"{key}" needs a key, for example train.steps=300.')
        if key not in known:
            hint = did_you_mean(key, known, "'rnn-tui settings' lists them.", count=1)
            raise InputError(f"There is no setting {key!r}: {hint}")
        values.setdefault(known[key].table, {})[known[key].name] = value
    return from_mapping(values, "--set")


def _refuse_other_kind(config: RunConfig, keys: Iterable[str]) -> None:
    """Raise InputError if a setting among `keys` has no effect on this kind of run.

    A setting at its default value is accepted.
    """
    for key in keys:
        setting = settings()[key]
        value = getattr(getattr(config, setting.table), setting.name)
        if setting.kind not in (None, config.kind) and value != setting.default:
            raise InputError(
                f"{key} is for {setting.kind}, and this is a {config.kind} run: leave it out."
            )
