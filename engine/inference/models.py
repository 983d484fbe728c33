"""Trained models on disk: finding one by name, reading it, and refusing one that is damaged.

A model is a folder with model.safetensors and meta.json, for example a checkpoint of a run.
"""

import contextlib
import dataclasses
import json
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors.numpy import load_file

from engine import paths
from engine.config import DataConfig, Kind, ModelConfig, from_mapping
from engine.data.codecs import MARKS, CharacterCodec, Codec, codec_from_json
from engine.data.corpus import Corpus, prepare_corpus
from engine.errors import InputError
from engine.inference import network
from engine.inference.network import Network, NgramStepper
from engine.model import ngram
from engine.runs import run_dir
from engine.suggestions import did_you_mean

FORMAT = 2  # of meta.json
DEFAULT_PRECISION = "fast"
WEIGHTS, META = "model.safetensors", "meta.json"


class ModelScore(NamedTuple):
    """The score of a model on a split of its songs."""

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
    step: int | None = None
    scores: Mapping[str, ModelScore] = field(default_factory=dict)  # by split
    parameters: int = 0

    @classmethod
    def from_json(cls, values: object, where: str) -> "ModelMeta":
        """Check the content of a meta.json; raises InputError, naming `where`."""
        if not isinstance(values, dict) or not isinstance(values.get("format"), int):
            raise InputError(
                f"{where} does not describe a model: name a model made by rnn-tui train."
            )
        if values["format"] != FORMAT:
            raise InputError(
                f"{where} has format {values['format']}, this version reads format {FORMAT}: "
                "use the version of rnn-tui that wrote it."
            )
        kind = _entry(values, "kind", str, where)
        if kind not in typing.get_args(Kind):
            raise InputError(f"{where} is of a model for {kind}: name one for lyrics or music.")
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
        try:
            scores = {
                split: ModelScore(score["loss"], score["bits"]) for split, score in scores.items()
            }
        except (TypeError, KeyError) as error:
            raise _damaged(where, "scores") from error
        return cls(
            kind=kind,
            model=config.model,
            codec=codec,
            conditions=tuple(conditions),
            data=config.data,
            corpus_name=corpus.get("name"),
            corpus_hash=corpus.get("hash"),
            step=_entry(values, "step", int | None, where, None),
            scores=scores,
            parameters=_entry(values, "parameters", int, where, 0),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the content of meta.json; `from_json` is the inverse."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "model": dataclasses.asdict(self.model),
            "codec": self.codec.to_json(),
            "conditions": list(self.conditions),
            "data": dataclasses.asdict(self.data),
            "corpus": {"name": self.corpus_name, "hash": self.corpus_hash},
            "step": self.step,
            "scores": {split: score._asdict() for split, score in self.scores.items()},
            "parameters": self.parameters,
        }


def _entry(values: dict[str, Any], key: str, type_: Any, where: str, default: Any = ...) -> Any:
    """Return an entry of meta.json; null is taken for the default, if there is one."""
    value = values.get(key)
    if value is None and default is not ...:
        return default
    if not isinstance(value, type_):
        raise _damaged(where, key)
    return value


def _damaged(where: str, key: str) -> InputError:
    return InputError(f"{where} has no valid {key!r}: the model is damaged, use another one.")


@dataclass(frozen=True)
class Model:
    """A model in memory, ready to write songs."""

    name: str  # the name or path by which it was loaded
    path: Path | None  # its folder; None: its weights were in memory
    meta: ModelMeta
    stepper: Network | NgramStepper

    @property
    def kind(self) -> Kind:
        """The kind of songs it writes."""
        return self.meta.kind

    @property
    def config(self) -> ModelConfig:
        """Its cell, sizes and so on."""
        return self.meta.model

    @property
    def codec(self) -> Codec:
        """The codec of its frames."""
        return self.meta.codec

    @property
    def conditions(self) -> tuple[str, ...]:
        """The artists in whose style it can write."""
        return _artists(self.meta)


def _artists(meta: ModelMeta) -> tuple[str, ...]:
    has_styles = meta.model.kind == "network" and meta.model.condition_size > 0
    return meta.conditions if has_styles else ()


@dataclass(frozen=True)
class ModelInfo:
    """A model that can be loaded by name."""

    name: str
    origin: str  # "bundled" or "run"
    path: Path  # its folder
    meta: ModelMeta | None  # None: it cannot be read
    error: str | None  # why it cannot be read


def list_models() -> list[ModelInfo]:
    """Return the bundled models, then the runs that have a checkpoint."""
    found = [(name, "bundled", folder) for name, folder in _bundled().items()]
    runs = [(run.name, "run", _checkpoint(run)) for run in run_dir.list_runs()]
    found += [(name, origin, folder) for name, origin, folder in runs if folder]
    result = []
    for name, origin, folder in found:
        try:
            result.append(ModelInfo(name, origin, folder, read_meta(folder), None))
        except InputError as error:
            result.append(ModelInfo(name, origin, folder, None, str(error)))
    return result


def _bundled() -> dict[str, Path]:
    found = sorted(paths.models().glob(f"*/{WEIGHTS}"))
    return {weights.parent.name: weights.parent for weights in found}


def _checkpoint(run: run_dir.RunDir) -> Path | None:
    """Return the folder of the run's best checkpoint, else of its last, else None."""
    for name in ("best", "last"):
        with contextlib.suppress(OSError):
            folder = (run.checkpoints / name).resolve(strict=True)
            if (folder / WEIGHTS).is_file():
                return folder
    return None


def locate(name: str | None, kind: str | None = None) -> tuple[str, Path]:
    """Return the name and the folder of a model, links followed.

    name: a bundled model's, a run's, or a path (the model's folder, its model.safetensors, or a
    run's folder); None: the first bundled model of the kind ("lyrics" or "music"; None: of any),
    else the newest run of it that has a checkpoint.
    Raises InputError when there is no such model.
    """
    if name is None:
        return _first_model(kind)
    bundled = _bundled()
    if name in bundled:
        return name, bundled[name].resolve()
    with contextlib.suppress(OSError):  # for example a name that is too long for a file's
        if run := run_dir.lookup(name):
            if folder := _checkpoint(run):
                return name, folder
            raise InputError(
                f"The run {run.name!r} has no checkpoint yet: wait until it has saved one "
                f"('rnn-tui watch {run.name}'), or name another model."
            )
        if folder := _model_folder(name):
            return name, folder
    known = [*bundled, *(run.name for run in run_dir.list_runs())]
    if known:
        otherwise = f"the models are {', '.join(known[:8])}; or name a folder."
    else:
        otherwise = "train one with 'rnn-tui train lyrics', or name a folder."
    raise InputError(f"There is no model {name!r}: {did_you_mean(name, known, otherwise)}")


def _first_model(kind: str | None) -> tuple[str, Path]:
    for info in list_models():
        if kind is None or (info.meta and info.meta.kind == kind):
            return info.name, info.path
    raise InputError(
        f"There is no model yet: train one with 'rnn-tui train {kind or 'lyrics'}', or name a "
        "folder."
    )


def _model_folder(name: str) -> Path | None:
    """Return the folder that a path names, itself or by its weights; None: it does not exist."""
    path = Path(name)
    folder = path.parent if path.name == WEIGHTS else path
    if not folder.is_dir() and path.exists():
        raise InputError(f"{path} is not a model: name a folder with {WEIGHTS} and {META}.")
    return folder.resolve() if folder.is_dir() else None


def load(name: str | None, precision: str = DEFAULT_PRECISION, kind: str | None = None) -> Model:
    """Find a model by its name (see `locate`) and read it. Raises InputError."""
    found, folder = locate(name, kind)
    try:
        return read(found, folder, precision)
    except InputError:
        if folder.exists():
            raise
        return read(*locate(name, kind), precision)  # a better checkpoint has just replaced it


def read(name: str, folder: Path, precision: str = DEFAULT_PRECISION) -> Model:
    """Read the model in a folder; raises InputError where it is damaged."""
    meta = read_meta(folder)
    return from_tensors(meta, read_tensors(folder), name, folder, precision)


def read_meta(folder: Path) -> ModelMeta:
    """Read a model's meta.json; raises InputError where it is missing or damaged."""
    path = folder / META
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"Cannot read {path} ({error.strerror}): a model is a folder with {WEIGHTS} and {META}."
        ) from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}): use another model.") from error
    return ModelMeta.from_json(values, str(path))


def read_tensors(folder: Path) -> dict[str, NDArray[Any]]:
    """Read the tensors in a model's folder, by name; raises InputError."""
    path = folder / WEIGHTS
    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise InputError(
            f"There is no {path}: a model is a folder with {WEIGHTS} and {META}."
        ) from error
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error}): make it readable.") from error
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is damaged or not a safetensors file ({error}): copy or train the model again."
        ) from error


def from_tensors(
    meta: ModelMeta,
    tensors: Mapping[str, NDArray[Any]],
    name: str = "the model in memory",
    path: Path | None = None,
    precision: str = DEFAULT_PRECISION,
) -> Model:
    """Build a model from its meta.json and its tensors, named as on disk.

    precision: how a network for lyrics multiplies, one of `PRECISIONS`; for music always "full".
    Raises InputError when the two do not fit each other.
    """
    where = str(path / WEIGHTS) if path else name
    codec, config = meta.codec, meta.model
    if isinstance(codec, CharacterCodec) != (meta.kind == "lyrics"):
        raise InputError(
            f"{path / META if path else name} is of a model for {meta.kind} with frames of "
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
    """Raise InputError for other tensors than those of `shapes`, and for values not finite."""
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
    """Return a value that changes with a model's file: its folder, and when it was written."""
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
            if json.loads(path.read_text(encoding="utf-8"))["hash"] == meta.corpus_hash:
                return Corpus.open(path.parent)
        except (OSError, ValueError, KeyError, TypeError, InputError):
            continue
    if not meta.data.source:
        raise InputError(f"{model.name} does not name its training songs: use another model.")
    corpus = prepare_corpus(meta.data, kind=meta.kind)
    corpus.require_hash(
        meta.corpus_hash,
        f"{model.name} was trained on them: restore {meta.data.source}, or train again.",
    )
    return corpus
