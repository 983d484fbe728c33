"""Read networks of characters that other programs have trained.

The checkpoints are those of an embedding, a torch.nn.LSTM, GRU or RNN (tanh) and a linear layer, as
in char-rnn.pytorch and in PyTorch's example word_language_model: a state_dict as safetensors, or as
a pickle of tensors only. Nothing else is unpickled, since a pickle can run code.

These programs know no marks. The begin mark becomes the newline, with which their texts separate
songs: so the network scores a song as their own code scores it after a newline. The end mark and
the unknown mark are never written, unless the vocabulary has them.
"""

import json
import string
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from engine import files
from engine.config import ModelConfig
from engine.data.codecs import END, MARKS, UNKNOWN, CharacterCodec
from engine.errors import InputError
from engine.frame_spec import BEGIN
from engine.inference import models
from engine.inference.models import META, WEIGHTS, ModelMeta

NEVER = -100.0  # the logit of a mark that is never written
_MARKS = {"<eos>": "\n", "<unk>": None}  # tokens of word_language_model; None: the unknown mark
_CELLS = {1: "rnn", 3: "gru", 4: "lstm"}  # by the number of gates
_STATE_DICTS = ("state_dict", "model_state_dict", "model")  # where a checkpoint may have it
_PARTS = {"encoder": "encoder", "embedding": "encoder", "decoder": "decoder", "fc": "decoder"}
_NORMALIZED = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")

Array = NDArray[np.float32]


def import_checkpoint(checkpoint: Path, vocabulary: Path | None, folder: Path) -> ModelMeta:
    """Convert a checkpoint to a new model's folder; return its description.

    vocabulary: a JSON file (a list of characters by index, an object from characters to indices, or
    a text) or a text file with the characters in order; None: Python's string.printable, which
    char-rnn.pytorch uses. Raises InputError for files that are not as described, and if `folder`
    exists already.
    """
    if folder.exists():
        raise InputError(f"{folder} exists already: choose another folder.")
    tensors = _normalize(_read_tensors(checkpoint), checkpoint)
    size = len(tensors["encoder.weight"])
    tokens = list(string.printable) if vocabulary is None else _read_vocabulary(vocabulary, size)
    if len(tokens) != size:
        source = vocabulary or "the default vocabulary, string.printable,"
        raise InputError(
            f"{source} has {len(tokens)} characters and {checkpoint} was trained on {size}: name "
            "its own vocabulary."
        )
    meta, weights = _convert(tensors, tokens, checkpoint)
    models.from_tensors(meta, weights, str(checkpoint))
    with files.atomic_folder(folder) as draft:
        (draft / WEIGHTS).write_bytes(safetensors.numpy.save(weights))
        (draft / META).write_text(json.dumps(meta.to_json(), indent=1), encoding="utf-8")
        files.write_checksums(draft, (WEIGHTS, META))
    return meta


def _read_tensors(path: Path) -> dict[str, Array]:
    """Read the tensors of a safetensors file or of a pickle of tensors only."""
    with files.explain_read_errors(path):
        head = path.open("rb").read(9)
    if head[8:9] == b"{":  # after the length of the header, its JSON
        try:
            return dict(safetensors.numpy.load_file(path))
        except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path} is not a valid safetensors file ({error}): copy it again."
            ) from error
    import torch  # takes seconds

    try:
        with warnings.catch_warnings(action="ignore"):  # of files that are refused
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of many kinds; whatever the file is, nothing of it has been run
        raise InputError(
            f"{path} is not a file of tensors only, and other pickles can run code: save it again "
            "where it was trained, with safetensors.torch.save_file(model.state_dict(), "
            "'model.safetensors')."
        ) from error
    for key in _STATE_DICTS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        content = {}
    return {
        str(name): tensor.float().numpy()
        for name, tensor in content.items()
        if isinstance(tensor, torch.Tensor)
    }


def _normalize(tensors: Mapping[str, Array], path: Path) -> dict[str, Array]:
    """Return the tensors with their common names: encoder.weight, weight_ih_l0, decoder.bias …"""
    result: dict[str, Array] = {}
    for name, tensor in tensors.items():
        *_, module, last = ("", *name.split("."))
        if last.startswith(_NORMALIZED):
            key = last
        elif module in _PARTS:
            key = f"{_PARTS[module]}.{last}"
        else:
            key = name
        if key in result:
            raise InputError(f"{path} has two tensors for {key}: name a checkpoint of one network.")
        result[key] = tensor.astype(np.float32)
    if "encoder.weight" in result:  # a file of safetensors leaves out a shared tensor
        result.setdefault("decoder.weight", result["encoder.weight"])
    known = {"encoder.weight", "decoder.weight", "decoder.bias"}
    known |= {f"{part}_l{layer}" for layer in range(_layers(result)) for part in _NORMALIZED}
    missing, unknown = sorted(known - set(result)), sorted(set(result) - known)
    if missing or unknown or not _layers(result):
        what = f"lacks {missing[0]}" if missing else f"also has {unknown[0]}" if unknown else ""
        raise InputError(
            f"{path} {what or 'has no recurrent layer'}: name the state_dict of an embedding "
            "(encoder), a torch.nn.LSTM, GRU or RNN and a linear layer (decoder)."
        )
    return result


def _layers(tensors: Mapping[str, Array]) -> int:
    return sum(name.startswith("weight_hh_l") and name[11:].isdigit() for name in tensors)


def _read_vocabulary(path: Path, size: int) -> list[str]:
    """Return the tokens of a vocabulary by index; size: how many there should be."""
    with files.explain_read_errors(path):
        content = path.read_bytes()
    try:
        text = content.decode("utf-8")
        values = json.loads(text) if path.suffix.lower() == ".json" else text
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not UTF-8 text or JSON: convert it.") from error
    if isinstance(values, str):
        # An editor may have added the newline at the end of a text file.
        return list(values[:-1] if len(values) == size + 1 and values[-1] == "\n" else values)
    if isinstance(values, dict) and sorted(values.values(), key=repr) == sorted(
        range(len(values)), key=repr
    ):
        values = sorted(values, key=values.__getitem__)
    if not isinstance(values, list) or not all(isinstance(token, str) for token in values):
        raise InputError(
            f"{path} is not a list of characters, nor an object from characters to their indices "
            "0, 1 …: write it as one of them."
        )
    return values


def _rows(tokens: list[str]) -> tuple[CharacterCodec, dict[int, int]]:
    """Return the codec of a vocabulary, and the token of each of its indices that has one."""
    characters = [_MARKS.get(token, token) for token in tokens]
    if "\n" in tokens:  # then <eos> is another mark than the newline
        characters = [None if token in _MARKS else token for token in tokens]
    for character in characters:
        if character is not None and len(character) != 1:
            raise InputError(
                f"The vocabulary has {character!r}, and models of lyrics write single characters: "
                "import a network of characters."
            )
    rows = {character: row for row, character in enumerate(characters) if character is not None}
    if len(rows) < sum(character is not None for character in characters):
        raise InputError("The vocabulary has a character twice: correct it.")
    codec = CharacterCodec("".join(sorted(rows)))
    result = {MARKS + index: rows[character] for index, character in enumerate(codec.characters)}
    if "\n" in rows:
        result[BEGIN] = rows["\n"]
    if "<unk>" in tokens:
        result[UNKNOWN] = tokens.index("<unk>")
    if "<eos>" in tokens and "\n" in tokens:
        result[BEGIN] = result[END] = tokens.index("<eos>")
    return codec, result


def _convert(
    tensors: Mapping[str, Array], tokens: list[str], path: Path
) -> tuple[ModelMeta, dict[str, Array]]:
    """Return the description and the tensors of the model."""
    codec, rows = _rows(tokens)
    layers, hidden = _layers(tensors), tensors["weight_hh_l0"].shape[-1]
    gates = len(tensors["weight_hh_l0"]) / hidden
    if gates not in _CELLS or tensors["decoder.weight"].shape[-1] != hidden:
        raise InputError(
            f"{path} has recurrent weights of shape {tensors['weight_hh_l0'].shape} and a decoder "
            f"of shape {tensors['decoder.weight'].shape}: they are not of one LSTM, GRU or RNN."
        )
    config = ModelConfig(
        cell=_CELLS[int(gates)],
        layers=layers,
        hidden_size=hidden,
        embedding_size=tensors["encoder.weight"].shape[1],
        condition_size=0,
        dropout=0.0,
    )
    size = codec.spec.size
    weights = {
        "head.embedding": np.zeros((size, config.embedding_size), np.float32),
        "head.weight": np.zeros((size, hidden), np.float32),
        "head.bias": np.full(size, NEVER, np.float32),
    }
    for index, row in rows.items():
        weights["head.embedding"][index] = tensors["encoder.weight"][row]
        if index != BEGIN:  # it is not written
            weights["head.weight"][index] = tensors["decoder.weight"][row]
            weights["head.bias"][index] = tensors["decoder.bias"][row]
    for layer in range(layers):
        input_bias, hidden_bias = (tensors[f"bias_{part}_l{layer}"] for part in ("ih", "hh"))
        bias = input_bias + hidden_bias
        if config.cell == "gru":  # the reset gate multiplies the candidate's hidden bias too
            bias[2 * hidden :] = input_bias[2 * hidden :]
            weights[f"cells.{layer}.hidden_bias"] = hidden_bias[2 * hidden :].copy()
        weights[f"cells.{layer}.bias"] = _gates(bias, config.cell)
        for ours, theirs in (("input", "ih"), ("hidden", "hh")):
            weight = _gates(tensors[f"weight_{theirs}_l{layer}"], config.cell)
            weights[f"cells.{layer}.{ours}"] = np.ascontiguousarray(weight.T)
    parameters = sum(tensor.size for tensor in weights.values())
    return ModelMeta("lyrics", config, codec, parameters=parameters), weights


def _gates(rows: Array, cell: str) -> Array:
    """Return rows (G·H, …) with the gates of an LSTM, which PyTorch has as i, f, g, o, in order."""
    if cell != "lstm":
        return rows
    i, f, g, o = np.split(rows, 4)
    return np.concatenate([i, f, o, g])
