"""Runs that start from the weights of a trained model."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.data.corpus import prepare_corpus
from engine.errors import InputError
from engine.inference import models
from engine.inference.models import read_tensors
from engine.inference.network import Network
from engine.runs import run_dir
from engine.train import initial_weights, launch, state, worker
from tests.engine.train.conftest import MakeConfig


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A file of songs with other characters and one more artist."""
    path = tmp_path / "other.csv"
    lines = [f'{name},{n},,"a zebra quits, my next fjord waltz by {n}"' for n in range(40)
             for name in ("Bo", "Cy", "Ada")]  # fmt: skip
    path.write_text("artist,song,link,text\n" + "\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("tied", [False, True])
def test_characters_and_artists_keep_their_weights(
    make_config: MakeConfig, other: Path, tied: bool
) -> None:
    settings = (f"model.tied={tied}", "model.match_memory=true")
    run = launch.new_run(make_config(*settings), "learned")
    worker.train_run(run)
    model = models.load("learned")
    config = make_config(*settings, f"data.source={other}", "train.init_from=learned")
    corpus = prepare_corpus(config.data)
    training = state.build_train_state(config, corpus)
    before = {name: tensor.clone() for name, tensor in training.network.state_dict().items()}
    initial_weights.load_weights(training, config, corpus)
    after, average = training.network.state_dict(), training.ema.state_dict()
    assert model.path
    theirs = {name: torch.from_numpy(values) for name, values in read_tensors(model.path).items()}
    for name, tensor in after.items():
        assert torch.equal(average[name], tensor)
        if name not in (*initial_weights._ROW_PER_CHARACTER, "condition.weight"):
            assert torch.equal(tensor, theirs[name])
    old, new = model.codec.characters, corpus.codec.characters  # type: ignore[union-attr]
    assert set(old) & set(new)
    assert set(new) - set(old)
    for name in set(after) & set(initial_weights._ROW_PER_CHARACTER):
        assert torch.equal(after[name][:3], theirs[name][:3])
        for index, character in enumerate(new, 3):
            known = character in old
            source = theirs[name][3 + old.index(character)] if known else before[name][index]
            assert torch.equal(after[name][index], source), character
    artists = after["condition.weight"]
    assert (corpus.conditions, model.conditions) == (["Ada", "Bo", "Cy"], ("Ada", "Bo"))
    assert torch.equal(artists[1:3], theirs["condition.weight"][1:3])
    assert torch.equal(artists[3], before["condition.weight"][3])
    assert not artists[0].any()


def test_a_run_starts_from_the_weights_of_another(make_config: MakeConfig) -> None:
    worker.train_run(launch.new_run(make_config("train.ema_decay=0"), "first"))
    second = launch.new_run(
        make_config("train.steps=1", "train.lr=0", "train.init_from=first"), "second"
    )
    worker.train_run(second)
    one, two = (models.load(name) for name in ("first", "second"))
    assert one.path
    assert two.path
    other = read_tensors(two.path)
    for name, values in read_tensors(one.path).items():
        np.testing.assert_array_equal(other[name], values)
    with pytest.raises(InputError, match="is not possible for a resumed run"):
        launch.resume("second", ["train.steps=3", "train.init_from=first"])


def test_a_run_may_do_without_the_match_memory_of_the_model(make_config: MakeConfig) -> None:
    worker.train_run(launch.new_run(make_config("model.match_memory=true"), "first"))
    config = make_config("model.match_memory=false", "train.init_from=first", "train.lr=0")
    worker.train_run(launch.new_run(config, "second"))
    frames = np.array([[0, 4, 5, 9]]).T
    first, second = models.load("first", "full").stepper, models.load("second", "full").stepper
    assert isinstance(first, Network)
    assert isinstance(second, Network)
    rows = first.head.input_sums(frames[:, 0]), second.head.input_sums(frames[:, 0])
    np.testing.assert_allclose(*rows, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("train.init_from=missing",), "no model 'missing'"),
        (
            ("train.init_from=first", "model.hidden_size=13"),
            r"has model\.hidden_size = 12, but this run has 13",
        ),
        (
            ("train.init_from=first", "model.kind=uniform"),
            "only a network can start from another model",
        ),
    ],
)
def test_an_unsuitable_model_is_refused_before_anything_is_written(
    make_config: MakeConfig, settings: tuple[str, ...], message: str
) -> None:
    worker.train_run(launch.new_run(make_config("train.steps=2"), "first"))
    with pytest.raises(InputError, match=message):
        launch.new_run(make_config(*settings), "second")
    assert [run.name for run in run_dir.list_runs()] == ["first"]
