"""The models that come with the program: each loads, writes, and scores as its card says."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine import paths
from engine.data.codecs import CharacterCodec
from engine.frames import BEGIN
from engine.inference import models
from engine.inference.matmul import PRECISIONS
from engine.sampling import lyrics, music
from engine.sampling.decoding import SamplingParams, log_sum_exp
from engine.sampling.lyrics import LyricsRequest
from engine.sampling.music import MusicRequest
from engine.train import evaluate_model

FOLDER = paths.assets() / "models"
NAMES = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())
REAL = Path(__file__).parents[3] / "shared" / "data" / "polymusic"
# What each is scored on where it does not come along.
FILES = {"folk": REAL / "Nottingham.mat", "chorales": REAL / "JSB_Chorales.mat"}
TEXT = """Why do the lanterns lean to me
when all the harbour bells are slow?
I gave the river back the key
and watched the morning barges go.

"""
LARGEST = 25e6  # bytes, of all of them


def test_all_of_them_are_there_and_small() -> None:
    assert NAMES == ["chorales", "folk", "lyrics"]
    sizes = [file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()]
    assert sum(sizes) <= LARGEST


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_by_its_name_and_writes(name: str) -> None:
    model = models.load(name)
    assert model.path == FOLDER / name
    if model.kind == "lyrics":
        for artist in (None, model.conditions[0]):
            request = LyricsRequest("Why", artist, SamplingParams(0.7), seed=1, length=200)
            assert sum(len(letter.text) for letter in lyrics.stream(model, request)) == 200
    else:
        frames = list(music.stream(model, MusicRequest(length=40, seed=1)))
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
    folder = shutil.copytree(FOLDER / "lyrics", tmp_path / "model")
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    meta["data"]["source"] = "songlyrics"  # which is yet to be fetched
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    rows = [f'Ada,Song {place},,"{TEXT}Verse {place} {"and " * place}"' for place in range(20)]
    songs = tmp_path / "songs.csv"
    songs.write_text("\n".join(["artist,song,link,text", *rows]), encoding="utf-8")
    score = evaluate_model.score_model(models.load(str(folder)), str(songs), "test")
    assert score.frames > len(TEXT)


def test_eight_bits_cost_the_lyrics_model_next_to_nothing() -> None:
    """Less than half a percent of its bits per character, so that fast can be the default."""
    nats = {}
    for precision in PRECISIONS:
        model = models.load("lyrics", precision)
        assert isinstance(model.codec, CharacterCodec)
        frames = [BEGIN, *model.codec.encode(TEXT * 3).tolist()]
        state = model.stepper.initial_state(None, 1)
        logits = [model.stepper.step(state, np.array([frame]))[0] for frame in frames[:-1]]
        told = np.array(logits, np.float64)
        nats[precision] = np.mean(log_sum_exp(told) - told[range(len(told)), frames[1:]])
    assert nats["fast"] == pytest.approx(nats["full"], rel=0.005)
    assert nats["fast"] != nats["full"]


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
    score = evaluate_model.score_model(model, str(source or ""), "test")
    assert score.loss == pytest.approx(model.meta.scores["test"].loss, rel=1e-3)
