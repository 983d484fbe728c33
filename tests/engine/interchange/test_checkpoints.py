"""Checkpoints of other programs score as their own code scores them; no pickle runs."""

import itertools
import json
import math
import pickle
import string
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.errors import InputError
from engine.inference import models
from engine.inference.network import Network
from engine.interchange.checkpoints import import_checkpoint

TEXT = "the wind is in the willow,\nthe moon is in the mill"
LETTERS = "\n ,abcdehilmnostuvw"


class TheirNetwork(nn.Module):
    """The network of char-rnn.pytorch and of word_language_model: the same names of tensors."""

    def __init__(self, size: int, width: int, hidden: int, layers: int, cell: str) -> None:
        super().__init__()
        self.encoder = nn.Embedding(size, width)
        self.rnn: Any = getattr(nn, cell)(width, hidden, layers)
        self.decoder = nn.Linear(hidden, size)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.decoder(self.rnn(self.encoder(tokens))[0])  # type: ignore[no-any-return]


def _theirs(cell: str = "LSTM", size: int = len(LETTERS), **more: int) -> TheirNetwork:
    torch.manual_seed(3)
    return TheirNetwork(size, **{"width": 7, "hidden": 9, "layers": 2, **more}, cell=cell)


def _their_bits(network: TheirNetwork, tokens: list[int]) -> float:
    """Bits of each token but the first, in the mean."""
    indices = torch.tensor(tokens)
    with torch.no_grad():
        log_p = torch.log_softmax(network(indices[:-1, None])[:, 0], 1)
    return -float(log_p[torch.arange(len(tokens) - 1), indices[1:]].mean()) / math.log(2)


def _our_bits(folder: Path, text: str) -> float:
    model = models.read("m", folder, "full")
    assert isinstance(model.stepper, Network)
    state, nats = model.stepper.initial_state(None, 1), 0.0
    indices = [0, *model.codec.encode(text).tolist()]  # type: ignore[arg-type]
    for frame, following in itertools.pairwise(indices):
        logits = model.stepper.step(state, np.array([frame]))[0].astype(np.float64)
        logits[0] = -np.inf  # the begin mark is never written
        nats += float(np.logaddexp.reduce(logits) - logits[following])
    return nats / len(text) / math.log(2)


@pytest.mark.parametrize("cell", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("form", ["safetensors", "pickle"])
def test_an_imported_network_scores_as_their_code(cell: str, form: str, tmp_path: Path) -> None:
    network, file = _theirs(cell), tmp_path / "model.pt"
    if form == "safetensors":
        save_file(network.state_dict(), file)
    else:
        torch.save({"epoch": 3, "state_dict": network.state_dict()}, file)
    vocabulary = tmp_path / "vocabulary.json"
    shuffled = LETTERS[5:] + LETTERS[:5]  # in another order than that of the code points
    vocabulary.write_text(json.dumps(list(shuffled)))
    meta = import_checkpoint(file, vocabulary, tmp_path / "ours")
    assert (meta.model.cell, meta.model.layers) == (cell.lower(), 2)
    expected = _their_bits(network, [shuffled.index(c) for c in "\n" + TEXT])
    assert _our_bits(tmp_path / "ours", TEXT) == pytest.approx(expected, abs=1e-3)


def test_char_rnn_pytorch_needs_no_vocabulary(tmp_path: Path) -> None:
    network = _theirs("GRU", size=100, width=9)
    torch.save(network.state_dict(), tmp_path / "model.pt")
    import_checkpoint(tmp_path / "model.pt", None, tmp_path / "ours")
    text = TEXT.title()
    expected = _their_bits(network, [string.printable.index(c) for c in "\n" + text])
    assert _our_bits(tmp_path / "ours", text) == pytest.approx(expected, abs=1e-3)


def test_tokens_of_word_language_model_and_tied_weights(tmp_path: Path) -> None:
    letters = ["<unk>", *LETTERS.replace("\n", ""), "<eos>"]
    network = _theirs(size=len(letters), width=9)
    network.decoder.weight = network.encoder.weight
    tensors = {k: v for k, v in network.state_dict().items() if k != "decoder.weight"}
    save_file(tensors, tmp_path / "model.safetensors")
    vocabulary = tmp_path / "vocabulary.json"
    vocabulary.write_text(json.dumps({token: index for index, token in enumerate(letters)}))
    import_checkpoint(tmp_path / "model.safetensors", vocabulary, tmp_path / "ours")
    tokens = [letters.index(c if c != "\n" else "<eos>") for c in "\n" + TEXT]
    assert _our_bits(tmp_path / "ours", TEXT) == pytest.approx(
        _their_bits(network, tokens), abs=1e-3
    )


def test_a_text_file_is_a_vocabulary(tmp_path: Path) -> None:
    save_file(_theirs().state_dict(), tmp_path / "m")
    (tmp_path / "letters.txt").write_text(LETTERS + "\n")
    meta = import_checkpoint(tmp_path / "m", tmp_path / "letters.txt", tmp_path / "ours")
    assert meta.codec.to_json()["characters"] == "".join(sorted(LETTERS))


class _Dangerous:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("ran"),))


def test_a_pickle_of_anything_else_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(_theirs(), "module.pt")  # as char-rnn.pytorch saves it
    torch.save({"state_dict": _Dangerous()}, "dangerous.pt")
    Path("plain.pt").write_bytes(pickle.dumps(_Dangerous()))
    Path("text.pt").write_text("hello")
    for name in ("module.pt", "dangerous.pt", "plain.pt", "text.pt"):
        with pytest.raises(InputError, match="is not a file of tensors only"):
            import_checkpoint(Path(name), None, Path("ours"))
    assert not Path("ran").exists()
    assert not Path("ours").exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"decoder.bias": None}, "lacks decoder.bias"),
        ({"rnn.weight_ih_l0_reverse": torch.zeros(2)}, "also has weight_ih_l0_reverse"),
        ({"rnn.weight_hh_l0": torch.zeros(18, 9)}, "not of one LSTM, GRU or RNN"),
        ({"rnn.weight_ih_l1": torch.zeros(36, 8)}, "has shape"),
        ({"rnn.bias_ih_l1": torch.full((36,), torch.nan)}, "not finite numbers"),
    ],
)
def test_other_tensors_are_refused(
    change: dict[str, Tensor | None], expected: str, tmp_path: Path
) -> None:
    tensors = _theirs().state_dict() | change
    save_file({name: t for name, t in tensors.items() if t is not None}, tmp_path / "m")
    (tmp_path / "letters.txt").write_text(LETTERS)
    with pytest.raises(InputError) as error:
        import_checkpoint(tmp_path / "m", tmp_path / "letters.txt", tmp_path / "ours")
    assert expected in str(error.value)
    assert not (tmp_path / "ours").exists()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[1, 2]", "is not a list of characters"),
        ('{"a": 1, "b": 1}', "is not a list of characters"),
        ("{", "is not UTF-8 text or JSON"),
        ('["a", "b"]', "has 2 characters and"),
        (json.dumps(["the", *LETTERS[1:]]), "write single characters: import a network of char"),
        (json.dumps(["a", *LETTERS[1:]]), "has a character twice"),
    ],
)
def test_other_vocabularies_are_refused(content: str, expected: str, tmp_path: Path) -> None:
    save_file(_theirs().state_dict(), tmp_path / "m")
    (tmp_path / "letters.json").write_text(content)
    with pytest.raises(InputError) as error:
        import_checkpoint(tmp_path / "m", tmp_path / "letters.json", tmp_path / "ours")
    assert expected in str(error.value)
