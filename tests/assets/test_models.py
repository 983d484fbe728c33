"""The models that come with the program: each loads, writes, and scores as its card says."""

import json
import re
from pathlib import Path

import pytest

from engine import paths
from engine.sample import models, rolls, sampler
from engine.sample.decoding import Rules
from engine.sample.rolls import RollRequest
from engine.sample.sampler import Request
from engine.train import scoring

FOLDER = paths.assets() / "models"
NAMES = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())
REAL = Path(__file__).parents[3] / "shared" / "data" / "polymusic"
# What each is scored on where it does not come along.
FILES = {"folk": REAL / "Nottingham.mat", "chorales": REAL / "JSB_Chorales.mat"}
LARGEST = 25e6  # bytes, of all of them


def test_all_of_them_are_there_and_small() -> None:
    assert NAMES == ["chorales", "folk", "lyrics"]
    sizes = [file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()]
    assert sum(sizes) <= LARGEST


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_by_its_name_and_writes(name: str) -> None:
    model = models.load(name)
    assert model.path == FOLDER / name
    if model.meta["kind"] == "lyrics":
        for artist in (None, model.conditions[0]):
            request = Request("Why", artist, Rules(0.7), seed=1, length=200)
            assert sum(len(letter.text) for letter in sampler.stream(model, request)) == 200
    else:
        frames = list(rolls.stream(model, RollRequest(length=40, seed=1)))
        assert len(frames) == 40
        assert any(frame.any() for frame in frames)


@pytest.mark.parametrize("name", NAMES)
def test_its_card_says_what_a_stranger_asks(name: str) -> None:
    folder = FOLDER / name
    card = (folder / "card.md").read_text(encoding="utf-8")
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    for heading in ("Data and licence", "Made by", "Training curve", "Scores", "Samples", "Limits"):
        assert f"## {heading}\n" in card
    assert f"`{meta['data']['source']}`" in card
    assert card.count("--temperature") == 3
    unit = "bits" if meta["kind"] == "lyrics" else "loss"
    for split in ("valid", "test"):
        told = re.search(rf"rnn-tui eval --model {name} --split {split}\n\s+([\d.]+)", card)
        assert told is not None
        assert float(told[1]) == pytest.approx(meta["scores"][split][unit], abs=1e-4)
    for picture in re.findall(r"\]\((.+?)\)", card):
        assert (folder / picture).is_file()


def test_it_scores_other_songs_where_its_own_are_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path))
    score = scoring.score(models.load("chorales"), "pieces", "test")
    assert score.frames > 100
    assert score.without_copies is None  # of what it learned from nothing is known


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_scores_as_its_card_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path))
    source = FILES.get(name)
    if source is not None and not source.exists():
        pytest.skip(f"its songs do not come along, and {source} is not there")
    model = models.load(name)
    score = scoring.score(model, str(source or ""), "test")
    assert score.loss == pytest.approx(model.meta["scores"]["test"]["loss"], rel=1e-3)
