"""The included models: each loads, writes, and has the scores on its card."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from assets.make import tunes
from engine import files, paths
from engine.data.codecs import CharacterCodec
from engine.frame_spec import BEGIN
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
# The songs that are not included, of the models trained on them.
FILES = {
    "folk": REAL.parent / "nottingham" / "Nottingham.zip",
    "chorales": REAL / "JSB_Chorales.mat",
    "piano": REAL.parent / "scores" / "openscore_lieder.zip",
}
TEXT = """Why do the lanterns lean to me
when all the harbour bells are slow?
I gave the river back the key
and watched the morning barges go.

"""
MAX_BYTES = 40e6  # of all models


def test_the_included_models_are_small() -> None:
    assert NAMES == ["chorales", "english", "folk", "lyrics", "piano"]
    sizes = [file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()]
    assert sum(sizes) <= MAX_BYTES


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
def test_its_card_is_complete(name: str) -> None:
    folder = FOLDER / name
    card = (folder / "card.md").read_text(encoding="utf-8")
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    names = {"meta.json", "model.safetensors"} | (
        {"words.txt"} if meta["kind"] == "lyrics" else set()
    )
    assert {line[66:] for line in (folder / "SHA256SUMS").read_text().splitlines()} == names
    assert files.is_undamaged(folder), f"in {folder}, run sha256sum {' '.join(names)} > SHA256SUMS"
    for heading in ("Data and licence", "Made by", "Training curve", "Scores", "Samples", "Limits"):
        assert f"## {heading}\n" in card
    assert f"`{meta['data']['source']}`" in card
    assert card.count("--temperature") == 3
    unit = "bits" if meta["kind"] == "lyrics" else "loss"
    for split in ("valid", "test"):
        printed = re.search(rf"rnn-tui eval --model {name} --split {split}\n\s+([\d.]+)", card)
        assert printed is not None
        assert float(printed[1]) == pytest.approx(meta["scores"][split][unit], abs=1e-4)
    for picture in re.findall(r"\]\((.+?)\)", card):
        assert (folder / picture).is_file()


def test_it_scores_other_songs_if_its_own_do_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path))
    folder = shutil.copytree(FOLDER / "lyrics", tmp_path / "model")
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    meta["data"]["source"] = "songlyrics"  # not downloaded
    (folder / "SHA256SUMS").unlink()
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    rows = [f'Ada,Song {number},,"{TEXT}Verse {number} {"and " * number}"' for number in range(20)]
    songs = tmp_path / "songs.csv"
    songs.write_text("\n".join(["artist,song,link,text", *rows]), encoding="utf-8")
    score = evaluate_model.score_model(models.load(str(folder)), str(songs), "test")
    assert score.frames > len(TEXT)


def test_fast_precision_costs_the_lyrics_model_almost_nothing() -> None:
    """Less than half a percent of its bits per character, so that fast can be the default."""
    nats = {}
    for precision in PRECISIONS:
        model = models.load("lyrics", precision)
        assert isinstance(model.codec, CharacterCodec)
        frames = [BEGIN, *model.codec.encode(TEXT * 3).tolist()]
        state = model.stepper.initial_state(None, 1)
        logits = [model.stepper.step(state, np.array([frame]))[0] for frame in frames[:-1]]
        rows = np.array(logits, np.float64)
        nats[precision] = np.mean(log_sum_exp(rows) - rows[range(len(rows)), frames[1:]])
    assert nats["fast"] == pytest.approx(nats["full"], rel=0.005)
    assert nats["fast"] != nats["full"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_has_the_score_on_its_card(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path))
    source = FILES.get(name)
    if name == "english":
        pytest.skip("the texts that it has read are not included")
    if source is not None and not source.exists():
        pytest.skip(f"its songs are not included, and {source} does not exist")
    if name == "folk":
        assert source is not None
        tunes.make(source, tmp_path / "tunes.zip")
        source = tmp_path / "tunes.zip"
    model = models.load(name)
    score = evaluate_model.score_model(model, str(source or ""), "test")
    assert score.loss == pytest.approx(model.meta.scores["test"].loss, rel=1e-3)
