"""Trained models: finding one by its name, reading it, and refusing what is none."""

import contextlib
import json
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors.numpy import load_file

from engine import config as configs
from engine import paths
from engine.config import ModelConfig
from engine.data.codecs import MARKS, CharacterCodec, Codec, codec_from_json
from engine.data.corpus import Corpus, prepare_corpus
from engine.errors import InputError
from engine.inference import network
from engine.inference.network import Network, NgramStepper
from engine.model import ngram
from engine.runs import run_dir
from engine.suggestions import closest, join_or

FORMAT = 2  # of meta.json
DEFAULT_PRECISION = "fast"
WEIGHTS, META = "model.safetensors", "meta.json"
_KEYS: dict[str, type] = {
    "kind": str,
    "model": dict,
    "codec": dict,
    "conditions": list,
}


@dataclass(frozen=True)
class Model:
    """A model in memory, ready to write."""

    name: str  # as it was asked for
    path: Path | None  # its folder; None for weights that were in memory
    meta: dict[str, Any]  # meta.json
    config: ModelConfig
    codec: Codec
    stepper: Network | NgramStepper
    conditions: tuple[str, ...]  # the artists it can write as; none in one that knows no artists


@dataclass(frozen=True)
class ModelInfo:
    """A model that can be asked for by name."""

    name: str
    origin: str  # "bundled" or "run"
    path: Path  # its folder
    meta: dict[str, Any]  # empty where it cannot be read
    error: str | None  # why it cannot


def _bundled() -> dict[str, Path]:
    found = sorted(paths.models().glob(f"*/{WEIGHTS}"))
    return {weights.parent.name: weights.parent for weights in found}


def _checkpoint(run: run_dir.RunDir) -> Path | None:
    """The folder of the run's best checkpoint, else of its last, else None."""
    for name in ("best", "last"):
        with contextlib.suppress(OSError):
            folder = (run.checkpoints / name).resolve(strict=True)
            if (folder / WEIGHTS).is_file():
                return folder
    return None


def list_models() -> list[ModelInfo]:
    """The models that come with the program, then the runs that have a checkpoint."""
    found = [(name, "bundled", folder) for name, folder in _bundled().items()]
    runs = [(run.name, "run", _checkpoint(run)) for run in run_dir.list_runs()]
    found += [(name, origin, folder) for name, origin, folder in runs if folder]
    result = []
    for name, origin, folder in found:
        try:
            meta, error = read_meta(folder), None
        except InputError as problem:
            meta, error = {}, str(problem)
        result.append(ModelInfo(name, origin, folder, meta, error))
    return result


def _find_run(name: str) -> run_dir.RunDir | None:
    for run in run_dir.list_runs():
        if name in (run.name, run.path.name):
            return run
    path = Path(name)
    is_run = (path / "config.json").is_file() and (path / "checkpoints").is_dir()
    return run_dir.RunDir(path.resolve()) if is_run else None


def _find_folder(name: str) -> Path | None:
    path = Path(name)
    folder = path.parent if path.name == WEIGHTS else path
    if not folder.is_dir() and path.exists():
        raise InputError(f"{path} is not a model: name a folder that holds {WEIGHTS} and {META}.")
    return folder.resolve() if folder.is_dir() else None


def locate(name: str | None, kind: str | None = None) -> tuple[str, Path]:
    """The name and the folder of a model, links followed.

    name: a bundled model's, a run's, or a path (the model's folder, its model.safetensors, or a
    run's folder); None: the first bundled model of the kind ("lyrics" or "music"; None: of any),
    else the newest run of it that has a checkpoint.
    Raises InputError when there is no such model.
    """
    if name is None:
        for listed in list_models():
            if kind is None or listed.meta.get("kind") == kind:
                return listed.name, listed.path
        raise InputError(
            f"There is no model yet: train one with 'rnn-tui train {kind or 'lyrics'}', or name a "
            "folder."
        )
    bundled = _bundled()
    if name in bundled:
        return name, bundled[name].resolve()
    with contextlib.suppress(OSError):  # as for a name that is too long for a file's
        if run := _find_run(name):
            if folder := _checkpoint(run):
                return name, folder
            raise InputError(
                f"The run {run.name!r} has no checkpoint yet: wait until it has saved one "
                f"('rnn-tui watch {run.name}'), or name another model."
            )
        if folder := _find_folder(name):
            return name, folder
    known = [*bundled, *(run.name for run in run_dir.list_runs())]
    if close := closest(name, known):
        hint = f"did you mean {join_or(close)}?"
    elif known:
        hint = f"there are {', '.join(known[:8])}; a folder's path will do too."
    else:
        hint = "train one with 'rnn-tui train lyrics', or give a folder's path."
    raise InputError(f"There is no model {name!r}: {hint}")


def _check_meta(meta: object, where: str) -> dict[str, Any]:
    if not isinstance(meta, dict) or not isinstance(meta.get("format"), int):
        raise InputError(f"{where} does not describe a model: give a model made by rnn-tui train.")
    if meta["format"] != FORMAT:
        raise InputError(
            f"{where} has format {meta['format']}, this version reads format {FORMAT}: "
            "use the version of rnn-tui that wrote it."
        )
    for key, wanted in _KEYS.items():
        if not isinstance(meta.get(key), wanted):
            raise InputError(f"{where} has no proper {key!r}: the model is damaged, give another.")
    if meta["kind"] not in typing.get_args(configs.Kind):
        raise InputError(f"{where} is of a model for {meta['kind']}: give one for songs.")
    if not all(isinstance(artist, str) for artist in meta["conditions"]):
        raise InputError(f"{where} has no proper 'conditions': the model is damaged, give another.")
    return meta


def read_meta(folder: Path) -> dict[str, Any]:
    """What a model's meta.json says; raises InputError where it is none."""
    path = folder / META
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"Cannot read {path} ({error.strerror}): a model is a folder with {WEIGHTS} and {META}."
        ) from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}): give another model.") from error
    return _check_meta(meta, str(path))


def read_tensors(folder: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a model's folder, by name; raises InputError."""
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
            f"{path} is damaged or no safetensors file ({error}): copy or train it anew."
        ) from error


def _check_tensors(
    tensors: Mapping[str, NDArray[Any]], wanted: Mapping[str, tuple[int, ...]], where: str
) -> None:
    """Refuse a network's tensors that are not just those of `wanted`, or not finite."""
    for name, shape in wanted.items():
        if name not in tensors:
            raise InputError(
                f"{where} lacks the tensor {name} that its meta.json asks for: the model is "
                "damaged, give another."
            )
        if tensors[name].shape != shape:
            raise InputError(
                f"The tensor {name} in {where} has shape {tensors[name].shape}, by its "
                f"meta.json it should be {shape}: the two files are not of one model, "
                "copy both anew."
            )
        if tensors[name].dtype.kind != "f" or not np.isfinite(tensors[name]).all():
            raise InputError(
                f"The tensor {name} in {where} holds what is no finite number: its training "
                "failed, give an earlier checkpoint."
            )
    for name in sorted(set(tensors) - set(wanted)):
        raise InputError(
            f"{where} has a tensor {name} that its meta.json knows nothing of: the two files are "
            "not of one model, copy both anew."
        )


def from_tensors(
    meta: dict[str, Any],
    tensors: Mapping[str, NDArray[Any]],
    name: str = "the model in memory",
    path: Path | None = None,
    precision: str = DEFAULT_PRECISION,
) -> Model:
    """A model of weights in memory, named as on the disk; `meta` as meta.json has it.

    precision: how a network of lyrics multiplies, one of `PRECISIONS`; one of music always in full.
    Raises InputError when the two do not fit each other.
    """
    where = str(path / WEIGHTS) if path else name
    meta = _check_meta(meta, str(path / META) if path else name)
    try:
        config = configs.from_mapping({"model": meta["model"]}, "its 'model'").model
        codec = codec_from_json(meta["codec"])
    except InputError as error:
        raise InputError(f"{path / META if path else name}: {error}") from error
    if isinstance(codec, CharacterCodec) != (meta["kind"] == "lyrics"):
        raise InputError(
            f"{path / META if path else name} is of a model for {meta['kind']} with frames of "
            f"{codec.spec.kind}: the model is damaged, give another."
        )
    if isinstance(codec, CharacterCodec) and codec.spec.size == MARKS:
        raise InputError(f"{where} knows not one character: the model is damaged, give another.")
    if config.kind != "network":
        try:
            counts = ngram.from_tensors(config, codec.spec.size, tensors)
        except ValueError as error:
            raise InputError(f"{where} is damaged ({error}): copy or train it anew.") from error
        return Model(name, path, meta, config, codec, NgramStepper(counts), ())
    known = tuple(meta["conditions"]) if config.condition_size else ()
    _check_tensors(tensors, network.tensor_shapes(config, codec.spec, len(known)), where)
    weights = {key: np.asarray(tensor, np.float32) for key, tensor in tensors.items()}
    if meta["kind"] == "music":
        precision = "full"
    stepper = Network.build(config, codec.spec, weights, precision)
    return Model(name, path, meta, config, codec, stepper, known)


def load(name: str | None, precision: str = DEFAULT_PRECISION, kind: str | None = None) -> Model:
    """Find and read a model; see `locate` for what names it. Raises InputError."""
    found, folder = locate(name, kind)
    try:
        return read(found, folder, precision)
    except InputError:
        if folder.exists():
            raise
        return read(*locate(name, kind), precision)  # a better checkpoint took its place in between


def read(name: str, folder: Path, precision: str = DEFAULT_PRECISION) -> Model:
    """Read the model in a folder. Raises InputError, one sentence, for whatever is wrong in it."""
    meta = read_meta(folder)
    return from_tensors(meta, read_tensors(folder), name, folder, precision)


def file_version(folder: Path) -> tuple[Path, int]:
    """What tells whether a model's file has changed: its folder, and when it was written."""
    try:
        return folder, (folder / WEIGHTS).stat().st_mtime_ns
    except OSError:
        return folder, 0


def training_corpus(model: Model) -> Corpus:
    """The prepared corpus of a model's songs, prepared anew from their source where it is gone.

    Raises InputError where that is gone too, or is no longer what the model has learned from.
    """
    wanted = model.meta.get("corpus", {}).get("hash")
    for path in sorted(paths.corpora().glob("*/meta.json")):
        try:
            if json.loads(path.read_text(encoding="utf-8"))["hash"] == wanted:
                return Corpus.open(path.parent)
        except (OSError, ValueError, KeyError, TypeError, InputError):
            continue
    own = configs.from_mapping({"data": model.meta.get("data", {})}, "meta.json").data
    if not own.source:
        raise InputError(
            f"{model.name} does not say what it learned from: train it anew, or choose another."
        )
    found = prepare_corpus(own, kind=model.meta["kind"])
    if found.hash != wanted:
        raise InputError(
            f"The songs of {found.name} have changed since {model.name} learned from them: give "
            f"{own.source} back as it was, or train anew."
        )
    return found
