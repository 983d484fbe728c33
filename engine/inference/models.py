"""Find trained models by name, and read and check their files.

A model is a folder with model.safetensors (the weights) and meta.json, for example a checkpoint of
a run.
"""

import contextlib
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors.numpy import load_file

from engine import files, paths
from engine.config import DataConfig, Kind, ModelConfig, from_mapping
from engine.data.codecs import MARKS, CharacterCodec, Codec, codec_from_json
from engine.data.corpus import Corpus, prepare_corpus
from engine.data.music_bounds import MusicBounds
from engine.data.music_keys import ANY_KEYS, TrainedKeys
from engine.errors import InputError
from engine.inference import network
from engine.inference.network import Network, NgramStepper
from engine.model import ngram
from engine.runs import run_dir
from engine.suggestions import did_you_mean

# Of meta.json and the tensors, by kind; raise a number when older models cannot be used any more.
FORMATS: dict[Kind, int] = {"lyrics": 2, "music": 3}
DEFAULT_PRECISION = "fast"
DEFAULT_MODELS = ("lyrics", "chorales")  # the included models that are used if no model is named
WEIGHTS, META = "model.safetensors", "meta.json"


class ModelScore(NamedTuple):
    """A model's score on the training, validation or test songs of its corpus."""

    loss: float  # nats a frame
    bits: float  # bits a frame


@dataclass(frozen=True)
class ModelMeta:
    """The content of a model's meta.json."""

    kind: Kind
    model: ModelConfig
    codec: Codec
    conditions: tuple[str, ...] = ()  # the artists of the songs it was trained on
    data: DataConfig = field(default_factory=DataConfig)
    corpus_name: str | None = None
    corpus_hash: str | None = None  # of the corpus it was trained on
    step: int | None = None  # training steps taken; None: unknown
    scores: Mapping[str, ModelScore] = field(default_factory=dict)  # by split: valid, test
    parameters: int = 0  # number of weights; 0: unknown
    lengths: tuple[int, ...] = ()  # quantiles of the training songs' lengths in frames, ascending
    bounds: MusicBounds | None = None  # of the training songs of music; None: unknown, or lyrics
    forms: tuple[str, ...] = ()  # of the training songs of music, see `engine.data.music_forms`
    keys: TrainedKeys = ANY_KEYS  # of the training songs of music

    @classmethod
    def from_json(cls, values: object, where: str) -> "ModelMeta":
        """Parse the content of a meta.json; raises InputError, naming its path `where`."""
        if not isinstance(values, dict) or not isinstance(values.get("format"), int):
            raise InputError(
                f"{where} does not describe a model: name a model made by rnn-tui train."
            )
        kind = _entry(values, "kind", str, where)
        if kind not in FORMATS:
            raise InputError(
                f"{where} describes a model for {kind}: use a model for lyrics or music."
            )
        if values["format"] != FORMATS[kind]:
            raise InputError(
                f"{where} has format {values['format']}, this version reads format "
                f"{FORMATS[kind]} of {kind}: use the version of rnn-tui that wrote it, or train "
                "the model again."
            )
        conditions = _entry(values, "conditions", list, where)
        if not all(isinstance(artist, str) for artist in conditions):
            raise _damaged(where, "conditions")
        tables = {
            "model": _entry(values, "model", dict, where),
            "data": _entry(values, "data", dict, where, {}),
        }
        codec_values = _entry(values, "codec", dict, where)
        try:
            config = from_mapping(tables, "it")
            codec = codec_from_json(codec_values)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        corpus = _entry(values, "corpus", dict, where, {})
        scores = _entry(values, "scores", dict, where, {})
        for score in scores.values():
            if not isinstance(score, dict):
                raise _damaged(where, "scores")
        scores = {
            split: ModelScore(*(_entry(score, key, float | int, where) for key in ("loss", "bits")))
            for split, score in scores.items()
        }
        return cls(
            kind=kind,
            model=config.model,
            codec=codec,
            conditions=tuple(conditions),
            data=config.data,
            corpus_name=_entry(corpus, "name", str, where, None),
            corpus_hash=_entry(corpus, "hash", str, where, None),
            step=_entry(values, "step", int | None, where, None),
            scores=scores,
            parameters=_entry(values, "parameters", int, where, 0),
            lengths=_lengths(_entry(values, "lengths", list, where, []), where),
            bounds=_bounds(_entry(values, "bounds", dict, where, None), where),
            forms=_forms(_entry(values, "forms", list, where, []), where),
            keys=_keys(_entry(values, "keys", dict, where, {}), where),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the content of meta.json; `from_json` is the inverse."""
        return {
            "format": FORMATS[self.kind],
            "kind": self.kind,
            "model": dataclasses.asdict(self.model),
            "codec": self.codec.to_json(),
            "conditions": list(self.conditions),
            "data": dataclasses.asdict(self.data),
            "corpus": {"name": self.corpus_name, "hash": self.corpus_hash},
            "step": self.step,
            "scores": {split: score._asdict() for split, score in self.scores.items()},
            "parameters": self.parameters,
            "lengths": list(self.lengths),
            "bounds": self.bounds and dataclasses.asdict(self.bounds),
            "forms": list(self.forms),
            "keys": self.keys._asdict(),
        }


def _entry(values: dict[str, Any], key: str, type_: Any, where: str, default: Any = ...) -> Any:
    """Return an entry of meta.json, or the default (if one is passed) for a missing or null one.

    Raises InputError for an entry of another type, and for a missing one without a default.
    """
    value = values.get(key)
    if value is None and default is not ...:
        return default
    if not isinstance(value, type_):
        raise _damaged(where, key)
    return value


def _lengths(values: list[object], where: str) -> tuple[int, ...]:
    numbers = tuple(value for value in values if isinstance(value, int))
    if len(numbers) != len(values) or list(numbers) != sorted(numbers):
        raise _damaged(where, "lengths")
    return numbers


def _bounds(values: object, where: str) -> MusicBounds | None:
    try:
        return None if values is None else MusicBounds.from_json(values)
    except ValueError as error:
        raise _damaged(where, "bounds") from error


def _forms(values: list[object], where: str) -> tuple[str, ...]:
    forms = tuple(value for value in values if isinstance(value, str) and value.isalpha())
    if len(forms) != len(values):
        raise _damaged(where, "forms")
    return forms


def _keys(values: dict[str, object], where: str) -> TrainedKeys:
    tonics = [values.get(mode) for mode in TrainedKeys._fields]
    if not all(tonic is None or tonic in range(12) for tonic in tonics):
        raise _damaged(where, "keys")
    return TrainedKeys(*(tonic if isinstance(tonic, int) else None for tonic in tonics))


def _damaged(where: str, key: str) -> InputError:
    return InputError(f"{where} has no valid {key!r}: the model is damaged, use another one.")


@dataclass(frozen=True)
class Model:
    """A model in memory, ready to write songs."""

    name: str  # the name or path by which it was loaded
    path: Path | None  # its folder; None: it was built from tensors in memory
    meta: ModelMeta
    stepper: Network | NgramStepper

    @property
    def kind(self) -> Kind:
        """The kind of songs it writes."""
        return self.meta.kind

    @property
    def config(self) -> ModelConfig:
        """The settings of the network or n-gram model, for example its cell and sizes."""
        return self.meta.model

    @property
    def codec(self) -> Codec:
        """The codec of its frames."""
        return self.meta.codec

    @property
    def conditions(self) -> tuple[str, ...]:
        """The artists in whose styles it can write; empty if it has no artist styles."""
        return _artists(self.meta)


def _artists(meta: ModelMeta) -> tuple[str, ...]:
    has_styles = meta.model.kind == "network" and meta.model.condition_size > 0
    return meta.conditions if has_styles else ()


@dataclass(frozen=True)
class ModelInfo:
    """A bundled model, or the best checkpoint of a run, which can be loaded by name."""

    name: str
    origin: str  # "bundled" or "run"
    path: Path  # its folder
    meta: ModelMeta | None  # None: its meta.json cannot be read
    error: str | None  # why meta.json cannot be read


def list_models() -> list[ModelInfo]:
    """Return the bundled models, the default ones first, then the runs that have a checkpoint."""
    found = [(name, "bundled", folder) for name, folder in bundled().items()]
    found.sort(key=lambda row: row[0] not in DEFAULT_MODELS)
    runs = [(run.name, "run", _checkpoint(run)) for run in run_dir.list_runs()]
    found += [(name, origin, folder) for name, origin, folder in runs if folder]
    result = []
    for name, origin, folder in found:
        try:
            _require_weights(folder)
            result.append(ModelInfo(name, origin, folder, read_meta(folder), None))
        except InputError as error:
            result.append(ModelInfo(name, origin, folder, None, str(error)))
    return result


def bundled() -> dict[str, Path]:
    """Return the folders of the bundled models by name."""
    found = sorted(paths.models().glob(f"*/{WEIGHTS}"))
    return {weights.parent.name: weights.parent for weights in found}


def _checkpoint(run: run_dir.RunDir) -> Path | None:
    """Return the folder of the run's best checkpoint, or else its last; None if it has neither."""
    with contextlib.suppress(OSError):
        folder = (run.checkpoints / "best").resolve(strict=True)
        if (folder / WEIGHTS).exists():
            return folder
    last = run.last_checkpoint()
    return last if last and (last / WEIGHTS).exists() else None


def locate(name: str | None, kind: str | None = None) -> tuple[str, Path]:
    """Return the name of a model and its folder, symbolic links resolved.

    name: a bundled model, a run, or a path (a model's folder, its model.safetensors, or a run's
    folder). None: that of `DEFAULT_MODELS`, or the first bundled model, of `kind` ("lyrics" or
    "music"; None: of either kind), or else the newest run of that kind with a checkpoint.
    Raises InputError if there is no such model.
    """
    if name is None:
        return _first_model(kind)
    included = bundled()
    if name in included:
        return name, included[name].resolve()
    with contextlib.suppress(OSError):  # for example, the name is too long for a path
        if run := run_dir.lookup(name):
            if folder := _checkpoint(run):
                return name, folder
            raise InputError(
                f"The run {run.name!r} has no checkpoint yet: wait until it has saved one "
                f"('rnn-tui watch {run.name}'), or name another model."
            )
        if folder := _model_folder(name):
            return name, folder
    known = [*included, *(run.name for run in run_dir.list_runs())]
    if known:
        otherwise = f"use one of {', '.join(known[:8])}, or the path of a model's folder."
    else:
        otherwise = "train one with 'rnn-tui train lyrics', or use the path of a model's folder."
    raise InputError(f"There is no model {name!r}: {did_you_mean(name, known, otherwise)}")


def _first_model(kind: str | None) -> tuple[str, Path]:
    for info in list_models():
        if kind is None or (info.meta and info.meta.kind == kind):
            return info.name, info.path
    raise InputError(
        f"There is no model yet: train one with 'rnn-tui train {kind or 'lyrics'}', or use the "
        "path of a model's folder."
    )


def _model_folder(name: str) -> Path | None:
    """Return the model's folder from its path or its weights' path; None: no such folder exists.

    Raises InputError for another file.
    """
    path = Path(name)
    folder = path.parent if path.name == WEIGHTS else path
    if not folder.is_dir() and path.exists():
        raise InputError(f"{path} is not a model: name a folder with {WEIGHTS} and {META}.")
    return folder.resolve() if folder.is_dir() else None


def load(name: str | None, precision: str = DEFAULT_PRECISION, kind: str | None = None) -> Model:
    """Find a model by name (see `locate`) and read it (see `from_tensors`). Raises InputError."""
    found, folder = locate(name, kind)
    try:
        return read(found, folder, precision)
    except InputError:
        if folder.exists():
            raise
        return read(*locate(name, kind), precision)  # a better checkpoint has just replaced it


def read(name: str, folder: Path, precision: str = DEFAULT_PRECISION) -> Model:
    """Read the model in a folder; raises InputError if it is damaged."""
    meta = read_meta(folder)
    return from_tensors(meta, read_tensors(folder), name, folder, precision)


def read_meta(folder: Path) -> ModelMeta:
    """Read a model's meta.json; raises InputError if it is missing or damaged."""
    path = folder / META
    try:
        verify(path)
        values = files.read_json(path)
    except OSError as error:
        raise InputError(
            f"Cannot read {path} ({error.strerror}): a model is a folder with {WEIGHTS} and {META}."
        ) from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}): use another model.") from error
    return ModelMeta.from_json(values, str(path))


def read_tensors(folder: Path) -> dict[str, NDArray[Any]]:
    """Read a model's tensors by name; raises InputError if their file is missing or damaged."""
    path = folder / WEIGHTS
    _require_weights(folder)
    try:
        verify(path)
        return load_file(path)
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error}): make it readable.") from error
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is damaged or not a safetensors file ({error}): copy or train the model again."
        ) from error


def _require_weights(folder: Path) -> None:
    """Raise InputError if a model's weights are not a readable, regular file."""
    path = folder / WEIGHTS
    try:
        files.open_regular(path).close()
    except FileNotFoundError as error:
        raise InputError(
            f"There is no {path}: a model is a folder with {WEIGHTS} and {META}."
        ) from error
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}): use another model.") from error


def verify(path: Path) -> None:
    """Raise InputError if a file of a model does not match its checksum, if it has one."""
    files.verify_checksum(path, _remedy(path.parent))


def _remedy(folder: Path) -> str:
    """Return what to do about a damaged file of a model, as the end of a sentence."""
    if folder.parent.name == "checkpoints":
        checkpoints = run_dir.RunDir(folder.parent.parent).list_checkpoints()
        others = (other for other in checkpoints if other.name != folder.name)
        if whole := next(filter(files.is_undamaged, others), None):
            return f"use the checkpoint {whole}, or copy the file again."
    return "copy the file again, or use another model."


def from_tensors(
    meta: ModelMeta,
    tensors: Mapping[str, NDArray[Any]],
    name: str = "the model in memory",
    path: Path | None = None,
    precision: str = DEFAULT_PRECISION,
) -> Model:
    """Build a model from its meta.json and the tensors of its model.safetensors.

    precision: a key of `PRECISIONS`, for networks for lyrics; those for music always use "full".
    Raises InputError if the tensors do not match the meta.json.
    """
    where = str(path / WEIGHTS) if path else name
    codec, config = meta.codec, meta.model
    if isinstance(codec, CharacterCodec) != (meta.kind == "lyrics"):
        raise InputError(
            f"{path / META if path else name} describes a model for {meta.kind} with frames of "
            f"{codec.spec.kind}: the model is damaged, use another one."
        )
    if isinstance(codec, CharacterCodec) and codec.spec.size == MARKS:
        raise InputError(f"{where} has no characters: the model is damaged, use another one.")
    if config.kind != "network":
        try:
            counts = ngram.from_tensors(config, codec.spec.size, tensors)
        except ValueError as error:
            raise InputError(
                f"{where} is damaged ({error}): copy or train the model again."
            ) from error
        return Model(name, path, meta, NgramStepper(counts))
    shapes = network.tensor_shapes(config, codec.spec, len(_artists(meta)))
    _check_tensors(tensors, shapes, where)
    weights = {key: np.asarray(tensor, np.float32) for key, tensor in tensors.items()}
    if meta.kind == "music":
        precision = "full"
    return Model(name, path, meta, Network.build(config, codec.spec, weights, precision))


def _check_tensors(
    tensors: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]], where: str
) -> None:
    """Raise InputError unless the tensors have the names and shapes in `shapes`, all finite."""
    for name, shape in shapes.items():
        if name not in tensors:
            raise InputError(
                f"{where} lacks the tensor {name} that its meta.json requires: the model is "
                "damaged, use another one."
            )
        if tensors[name].shape != shape:
            raise InputError(
                f"The tensor {name} in {where} has shape {tensors[name].shape}, but its meta.json "
                f"requires {shape}: the two files are of different models, copy both again."
            )
        if tensors[name].dtype.kind != "f" or not np.isfinite(tensors[name]).all():
            raise InputError(
                f"The tensor {name} in {where} has values that are not finite numbers: the "
                "training failed, use an earlier checkpoint."
            )
    for name in sorted(set(tensors) - set(shapes)):
        raise InputError(
            f"{where} has a tensor {name} that its meta.json does not require: the two files are "
            "of different models, copy both again."
        )


def file_version(folder: Path) -> tuple[Path, int]:
    """Return a value that changes when a model's weights do: its folder, and their time in ns.

    The time is that of the last modification; 0 if there is no file.
    """
    try:
        return folder, (folder / WEIGHTS).stat().st_mtime_ns
    except OSError:
        return folder, 0


def training_corpus(model: Model) -> Corpus:
    """Return the corpus that a model was trained on, prepared again from its source if needed.

    Raises InputError if the source no longer exists, or has changed.
    """
    meta = model.meta
    for path in sorted(paths.corpora().glob("*/meta.json")):
        try:
            if files.read_json(path)["hash"] == meta.corpus_hash:
                return Corpus.open(path.parent)
        except (OSError, ValueError, KeyError, TypeError, InputError):
            continue
    if not meta.data.source:
        raise InputError(f"{model.name} does not record its training songs: use another model.")
    corpus = prepare_corpus(meta.data, kind=meta.kind)
    corpus.require_hash(
        meta.corpus_hash,
        f"{model.name} was trained on them: restore {meta.data.source}, or train again.",
    )
    return corpus
