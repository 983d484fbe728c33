"""What a run is asked to do: frozen dataclasses, filled from presets and `--set key=value`.

A value comes from the default below, then the preset, then `--set`; every unknown key and every
value out of range is refused by name.
"""

import contextlib
import dataclasses
import json
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine import paths
from engine.errors import InputError
from engine.suggestions import did_you_mean

Kind = Literal["lyrics", "music"]


def _field(
    default: Any, low: float | None = None, high: float | None = None, choices: tuple[str, ...] = ()
) -> Any:
    """Make a field with the range or the words it may hold."""
    metadata = {"low": low, "high": high, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class DataConfig:
    """Which songs, and how they are split."""

    # A named dataset, or a path: lyrics in a CSV, a JSONL or a folder artist/song.txt; music in a
    # MIDI file, a folder or a zip of them, or a .mat of piano rolls.
    source: str = ""
    artists: tuple[str, ...] = ()  # lyrics: only these (all when empty)
    min_songs: int = _field(1, low=1)  # lyrics: leave out artists with fewer songs
    min_length: int = _field(16, low=1)  # lyrics: leave out songs with fewer characters
    min_count: int = _field(3, low=1)  # lyrics: rarer characters become the unknown mark
    frame_seconds: float = _field(0.3, low=0.01, high=10.0)  # music: seconds a frame
    frame_beats: float = _field(0.0, low=0.0, high=16.0)  # music: beats a frame; 0: frame_seconds
    valid_fraction: float = _field(0.05, low=0.0, high=0.5)  # share of the songs
    test_fraction: float = _field(0.05, low=0.0, high=0.5)
    split_seed: int = _field(0, low=0, high=2**32)


@dataclass(frozen=True)
class CellSpec:
    """The layout of a recurrent cell's weights and state, in training and in sampling."""

    gates: int  # G: a weight has G blocks of H columns
    states: int  # tensors (N, H) in the state; the first is the output
    hidden_bias: bool = False  # whether it has a bias (H) inside its reset gate


CELL_SPECS = {
    "rnn": CellSpec(gates=1, states=1),
    "gru": CellSpec(gates=3, states=1, hidden_bias=True),
    "lstm": CellSpec(gates=4, states=2),
}


@dataclass(frozen=True)
class ModelConfig:
    """Which model: a counting one (uniform, frequencies, markov) or a recurrent network."""

    kind: str = _field("network", choices=("network", "uniform", "frequencies", "markov"))
    order: int = _field(5, low=1, high=8)  # markov: how many characters it looks back
    cell: str = _field("lstm", choices=tuple(CELL_SPECS))
    layers: int = _field(2, low=1, high=16)
    hidden_size: int = _field(256, low=1, high=16384)
    embedding_size: int = _field(64, low=1, high=16384)  # size of a character's vector
    condition_size: int = _field(32, low=0, high=4096)  # size of an artist's vector; 0: no artists
    dropout: float = _field(0.1, low=0.0, high=0.95)
    tied: bool = False  # the output layer uses the characters' vectors
    match_memory: bool = False  # recall what followed the longest match in the song
    match_recovery: bool = False  # its memory goes on where a match lapsed: for tunes that vary
    beat_position: bool = False  # sine and cosine signals of the beat
    input_dropout: float = _field(0.0, low=0.0, high=0.95)  # of what enters the first layer
    head: str = _field("joint", choices=("joint", "independent"))  # piano keys: knowing each other?

    @property
    def words(self) -> str:
        """The model in a few words, as "lstm 2 × 256"."""
        if self.kind == "network":
            return f"{self.cell} {self.layers} × {self.hidden_size}"
        return f"markov {self.order}" if self.kind == "markov" else self.kind


@dataclass(frozen=True)
class TrainConfig:
    """How the network is trained."""

    steps: int = _field(2000, low=1)
    init_from: str = ""  # with the weights of this model: a model's or a run's name, or a path
    batch_size: int = _field(32, low=1)  # songs read side by side
    # Frames between two updates: the window of truncated BPTT; 0: a whole song in each lane.
    bptt: int = _field(128, low=0)
    # Gradient checkpointing: the frames kept at a time; 0: all of the window; auto: about its root.
    checkpoint_segment: int | Literal["auto"] = _field(0, low=0)
    lr: float = _field(4e-3, low=0.0)
    warmup: int = _field(100, low=0)  # steps of rising learning rate
    # What reads the layers' outputs, which are small, begins and learns so many times as large.
    output_scale: float = _field(4.0, low=0.01, high=1000.0)
    min_lr_ratio: float = _field(0.05, low=0.0, high=1.0)  # where the cosine ends, as a share of lr
    weight_decay: float = _field(0.01, low=0.0)
    grad_clip: float = _field(1.0, low=0.0)  # largest norm of the gradient; 0: never clipped
    ema_decay: float = _field(0.998, low=0.0, high=0.99999)  # moving average of weights; 0: none
    condition_dropout: float = _field(0.15, low=0.0, high=1.0)  # share of songs without artist
    transpose: int = _field(0, low=0, high=24)  # music: by up to so many semitones up or down
    seed: int = _field(0, low=0, high=2**32)
    threads: int = _field(0, low=0)  # of a process; 0: all share one less than the machine has
    device: str = _field("auto", choices=("auto", "cpu", "cuda"))  # auto: cuda where it is there
    # Of products; auto: bfloat16 where the device or the processor multiplies in it.
    precision: str = _field("auto", choices=("auto", "float32", "bfloat16"))
    deterministic: bool = False  # on cuda too, the same run is the same to the last bit
    log_every: int = _field(5, low=1)
    evaluate_every: int = _field(200, low=1)
    evaluate_frames: int = _field(100_000, low=0)  # at most so many each time; 0: all
    save_every: int = _field(200, low=1)
    sample_every: int = _field(200, low=0)  # 0: never
    sample_primes: tuple[str, ...] = ("Why", "Well")
    sample_length: int = _field(300, low=1)
    sample_temperature: float = _field(0.7, low=0.0)


@dataclass(frozen=True)
class RunConfig:
    """Everything a training run needs to know."""

    kind: Kind = "lyrics"
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()


def _suggest(name: str, names: Iterable[str]) -> str:
    names = list(names)
    return did_you_mean(name, names, f"there are {', '.join(sorted(names))}.", count=1)


def _number(value: object, to: type[int] | type[float], key: str, wanted: str) -> int | float:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        with contextlib.suppress(ValueError, OverflowError):
            number = to(value)
            if isinstance(value, str) or number == value or value != value:
                return number
    raise InputError(f"{key} is {value!r}: give {wanted}.")


def _either(options: Iterable[str]) -> str:
    return f"a whole number or {' or '.join(options)}"


def _items(text: str) -> object:
    """The items of a,b,c, or of a TOML list for items that have commas themselves."""
    if text.startswith("["):
        with contextlib.suppress(tomllib.TOMLDecodeError):
            return tomllib.loads(f"items = {text}")["items"]
    return text.split(",")


def _convert(value: object, wanted: Any, key: str) -> Any:
    """Convert a TOML value, or the text of `--set`, to the type of its field."""
    if wanted is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if isinstance(value, bool):
            return value
        if str(value).lower() in words:
            return words[str(value).lower()]
        raise InputError(f"{key} is {value!r}: give true or false.")
    if wanted is int:
        return _number(value, int, key, "a whole number")
    if wanted is float:
        return _number(value, float, key, "a number")
    if typing.get_origin(wanted) is typing.Union:  # a whole number, or one of some words
        options = typing.get_args(typing.get_args(wanted)[1])
        return value if value in options else _number(value, int, key, _either(options))
    if typing.get_origin(wanted) is tuple:
        parts = _items(value) if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            raise InputError(f"{key} is {value!r}: give a list, as a,b,c.")
        return tuple(str(part).strip() for part in parts if str(part).strip())
    if isinstance(value, str):
        return value
    raise InputError(f"{key} is {value!r}: give a text.")


def _check(value: Any, field: "dataclasses.Field[Any]", key: str) -> None:
    low, high = field.metadata.get("low"), field.metadata.get("high")
    choices = field.metadata.get("choices")
    if choices and value not in choices:
        raise InputError(f"{key} is {value!r}: choose one of {', '.join(choices)}.")
    if isinstance(value, str):
        return
    if low is not None and not value >= low:  # not >=: NaN is refused too
        raise InputError(f"{key} is {value!r}: give {low} or more.")
    if high is not None and not value <= high:
        raise InputError(f"{key} is {value!r}: give {high} or less.")
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise InputError(f"{key} is {value!r}: give a finite number.")


def _build(cls: Any, values: Mapping[str, object], where: str, prefix: str = "") -> Any:
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    result: dict[str, Any] = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        if name not in fields:
            raise InputError(f"{where} has no key {key!r}: {_suggest(name, fields)}")
        if dataclasses.is_dataclass(hints[name]):
            if not isinstance(value, Mapping):
                raise InputError(f"{key} in {where} is {value!r}: make it a table, [{key}].")
            result[name] = _build(hints[name], value, where, f"{key}.")
            continue
        if typing.get_origin(hints[name]) is Literal:
            options = typing.get_args(hints[name])
            if value not in options:
                raise InputError(f"{key} is {value!r}: choose one of {', '.join(options)}.")
            result[name] = value
            continue
        result[name] = _convert(value, hints[name], key)
        _check(result[name], fields[name], key)
    return cls(**result)


def from_mapping(values: Mapping[str, object], where: str) -> RunConfig:
    """Build a config from nested tables, as TOML or JSON give them.

    Raises InputError for an unknown key, a wrong type or a value out of range, naming `where`.
    """
    return typing.cast(RunConfig, _build(RunConfig, values, where))


def to_mapping(config: RunConfig) -> dict[str, Any]:
    """Nested tables of plain values, for JSON; `from_mapping` is the inverse."""
    return dataclasses.asdict(config)


def presets() -> dict[str, Path]:
    """The names and files of the presets that come with the program."""
    return {file.stem: file for file in sorted((paths.assets() / "presets").glob("*.toml"))}


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}): give a TOML file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML ({error}): mend it or give another.") from error


def load(
    kind: str, preset: str | None = None, settings: Iterable[str] = (), source: str = ""
) -> RunConfig:
    """Layer the defaults, a preset (a name or the path of a TOML file) and `key=value` settings."""
    values: dict[str, Any] = {}
    if preset:
        known = presets()
        path = known.get(preset, Path(preset))
        if preset not in known and path.suffix != ".toml":
            raise InputError(f"There is no preset {preset!r}: {_suggest(preset, known)}")
        values = _read_toml(path)
        values.pop("about", None)  # a preset's one line for people
        if values.get("kind", kind) != kind:
            raise InputError(
                f"The preset {preset!r} is for {values['kind']}, not for {kind}: choose another, "
                f"or 'rnn-tui train {values['kind']}'."
            )
        from_mapping(values, str(path))
    values["kind"] = kind
    if source:
        values.setdefault("data", {})["source"] = source
    return _with(values, settings)


def with_settings(config: RunConfig, settings: Iterable[str]) -> RunConfig:
    """The config with `key=value` settings on top."""
    return _with(to_mapping(config), settings)


def _with(values: dict[str, Any], settings: Iterable[str]) -> RunConfig:
    known_keys = keys()
    for setting in settings:
        key, mark, value = setting.partition("=")
        key, value = key.strip(), value.strip()
        if not mark:
            raise InputError(f"--set {setting!r} has no value: write it as key=value.")
        if key not in known_keys:
            raise InputError(f"--set has no key {key!r}: {_suggest(key, known_keys)}")
        table, _, name = key.rpartition(".")
        values.setdefault(table, {})[name] = value
    return from_mapping(values, "--set")


def to_toml(config: RunConfig) -> str:
    """The config as a TOML text that `load` takes as a preset."""
    lines = []
    for table, values in to_mapping(config).items():
        if isinstance(values, dict):
            # JSON's words for texts, numbers, booleans and lists are TOML's too.
            pairs = (f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in values.items())
            lines += ["", f"[{table}]", *pairs]
        else:
            lines.append(f"{table} = {json.dumps(values)}")
    return "\n".join(lines) + "\n"


def keys() -> dict[str, str]:
    """Every key of `--set` with its default, as text."""
    result = {}
    for table, cls in typing.get_type_hints(RunConfig).items():
        if isinstance(cls, type | types.GenericAlias) and dataclasses.is_dataclass(cls):
            for field in dataclasses.fields(cls):
                default = field.default
                shown = ",".join(default) if isinstance(default, tuple) else str(default)
                result[f"{table}.{field.name}"] = shown
    return result
