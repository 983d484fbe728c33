"""The model from which a run on few songs starts, and the words that its model may write."""

from pathlib import Path

import pytest

from engine import config as configs
from engine.config import ModelConfig, RunConfig
from engine.data.corpus import Corpus, prepare_corpus
from engine.inference import models
from engine.train import initial_model, launch, worker
from tests.engine.train.conftest import SMALL, MakeConfig


@pytest.fixture
def base(make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> models.Model:
    """A trained model that takes the place of the included English one."""
    path = tmp_path / "base.csv"
    rows = [f'Cy,{n},,"the quick brown fox jumps over a lazy dog {n % 10}"' for n in range(60)]
    path.write_text("artist,song,link,text\n" + "\n".join(rows) + "\n")
    run = launch.new_run(make_config(f"data.source={path}", "train.init_from=none"), "trained")
    worker.train_run(run)
    folder = (run.checkpoints / "best").resolve()
    monkeypatch.setattr(models, "bundled", lambda: {initial_model.BASE: folder})
    return models.load(initial_model.BASE)


def resolved(config: RunConfig) -> tuple[RunConfig, Corpus]:
    corpus = prepare_corpus(config.data)
    return initial_model.resolve(config, corpus), corpus


def test_a_run_with_the_shape_of_the_base_starts_from_it(
    base: models.Model, make_config: MakeConfig
) -> None:
    config, _ = resolved(make_config())
    assert config.train.init_from == str(base.path)
    assert config == configs.with_settings(make_config(), [f"train.init_from={base.path}"])


@pytest.mark.parametrize(
    "settings", [("model.hidden_size=13",), ("train.init_from=none",), ("model.kind=markov",)]
)
def test_other_runs_start_from_random_weights(
    base: models.Model,
    make_config: MakeConfig,
    settings: tuple[str, ...],
) -> None:
    config, _ = resolved(make_config(*settings))
    assert config.train.init_from == "none"


def test_many_songs_need_no_base(
    base: models.Model,
    make_config: MakeConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(initial_model, "FEW_CHARACTERS", 100)
    assert resolved(make_config())[0].train.init_from == "none"


def test_default_settings_become_those_of_the_preset_but_chosen_ones_stay(
    base: models.Model,
    songs: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    preset = tmp_path / "mine.toml"
    shape = [setting for setting in SMALL if setting.startswith("model.")]
    lines = [setting.removeprefix("model.").replace("=", " = ", 1) for setting in shape]
    preset.write_text("\n".join(["[model]", *lines, "[train]", "steps = 7", "lr = 0.5"]))
    monkeypatch.setattr(initial_model, "PRESET", str(preset))
    config, _ = resolved(configs.load("lyrics", None, ["train.lr=0.25"], str(songs)))
    assert config.model == base.config
    assert (config.train.steps, config.train.lr) == (7, 0.25)
    assert config.train.init_from == str(base.path)


def test_the_included_preset_has_the_shape_of_the_preset_that_trains_the_base() -> None:
    own, english = (
        configs.load("lyrics", name).model for name in (initial_model.PRESET, "english")
    )
    assert not initial_model._differences(english, own)
    assert own != ModelConfig()


def test_what_is_kept_and_what_is_new_is_said(base: models.Model, tmp_path: Path) -> None:
    path = tmp_path / "greek.csv"
    rows = [f'Ada,{n},,"ένα the fox {n}, δύο"' for n in range(30)]
    path.write_text("artist,song,link,text\n" + "\n".join(rows) + "\n")
    corpus = prepare_corpus(configs.load("lyrics", source=str(path)).data)
    text = initial_model.describe(base, corpus)
    known = len(set(base.codec.characters) & set(corpus.codec.characters))  # type: ignore[union-attr]
    assert f"has {known} of {len(corpus.codec.characters)} characters (new: " in text  # type: ignore[union-attr]
    assert "δ" in text
    assert text.endswith("; 1 new artist")


def test_models_of_few_songs_also_write_the_words_of_the_model_they_start_from(
    base: models.Model, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, corpus = resolved(make_config())
    words = initial_model.sampling_words(config, corpus)
    assert {"quick", "fox", "river", "stone"} <= set(words)
    assert words == sorted(set(words))
    alone = configs.with_settings(config, ["train.init_from=none"])
    assert "fox" not in initial_model.sampling_words(alone, corpus)
    monkeypatch.setattr(initial_model, "FEW_WORDS", 3)
    assert "fox" not in initial_model.sampling_words(config, corpus)
    assert base.path
