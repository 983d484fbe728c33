import dataclasses
from pathlib import Path

import pytest

from engine import config
from tui.pages.train import new_run_values
from tui.pages.train.new_run_values import Form


@pytest.fixture(autouse=True)
def _presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = tmp_path / "wide.toml"
    wide.write_text('about = "A wide one"\nkind = "music"\n[model]\nhidden_size = 512\n')
    plain = tmp_path / "plain.toml"
    plain.write_text("[train]\nsteps = 10\n")
    monkeypatch.setattr(config, "presets", lambda: {"plain": plain, "wide": wide})


def test_presets_have_their_descriptions() -> None:
    assert new_run_values.presets() == [
        new_run_values.Preset("plain", "plain", None),
        new_run_values.Preset("wide", "wide: A wide one", "music"),
    ]


def test_the_command_has_all_that_is_in_the_form() -> None:
    form = Form(
        "music", "harbour", "wide", " mine ", "1,500", "model.layers=3\n\n train.lr = 0.01 "
    )
    assert new_run_values.arguments(form) == [
        "train", "music", "--data", "harbour", "--preset", "wide", "--run", "mine",
        "--set", "train.steps=1500", "--set", "model.layers=3", "--set", "train.lr = 0.01",
        "--detach", "--json",
    ]  # fmt: skip
    checked = new_run_values.check(form)
    assert not checked.problems
    assert checked.config is not None
    assert checked.config.train.steps == 1500
    assert checked.config.model.hidden_size == 512
    assert checked.config.model.layers == 3
    assert new_run_values.arguments(Form()) == ["train", "lyrics", "--detach", "--json"]


def test_a_tilde_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert "/somewhere/songs.csv" in new_run_values.arguments(Form(data="~/songs.csv"))


@pytest.mark.parametrize(
    ("form", "field", "word"),
    [
        (Form(steps="many"), "steps", "train.steps"),
        (Form(steps="0"), "steps", "1 or more"),
        (Form(settings="model.hiden=4"), "settings", "model.hidden_size"),
        (Form(settings="model.layers"), "settings", "for example model.layers=2."),
        (Form(settings="300"), "settings", '"300" needs a key'),
        (Form(settings="model.cell=tree"), "settings", "lstm"),
        (Form(preset="wide"), "preset", "is for music, not for lyrics"),
    ],
)
def test_a_problem_is_shown_at_its_field(form: Form, field: str, word: str) -> None:
    checked = new_run_values.check(form)
    assert list(checked.problems) == [field]
    assert word in checked.problems[field]
    assert checked.config is None


def test_the_data_set_is_missing_until_it_is_named() -> None:
    loaded = new_run_values.check(Form()).config
    assert loaded is not None
    assert list(new_run_values.missing(loaded)) == ["data"]
    assert "MIDI" in new_run_values.missing(dataclasses.replace(loaded, kind="music"))["data"]
    named = new_run_values.check(Form(data="harbour")).config
    assert named is not None
    assert not new_run_values.missing(named)


def test_a_summary_in_words() -> None:
    loaded = new_run_values.check(Form(steps="1000")).config
    assert loaded is not None
    assert (
        new_run_values.summary(loaded)
        == "lstm 2 × 256 · 1,000 steps of 32 × 128 characters (4.1 M)"
    )
    music = new_run_values.check(Form("music", steps="1000")).config
    assert music is not None
    assert new_run_values.summary(music).endswith("1,000 steps of 32 × 128 frames (4.1 M)")
    whole = new_run_values.check(Form(steps="1000", settings="train.bptt=0")).config
    assert whole is not None
    assert new_run_values.summary(whole) == "lstm 2 × 256 · 1,000 steps of 32 whole songs"
    counting = new_run_values.check(Form(settings="model.kind=markov")).config
    assert counting is not None
    assert new_run_values.summary(counting).startswith("markov 5 · one pass over the songs")


def test_keys_are_suggested_while_they_are_typed() -> None:
    meaning = (
        "model.hidden_size: Number of units in each recurrent layer. Allowed: a whole number from "
        "1 to 16,384; default 256."
    )
    assert new_run_values.matching_keys("model.hid") == meaning
    assert new_run_values.matching_keys("model.hidden_size = 3") == meaning
    assert new_run_values.matching_keys("model.").startswith("model.kind=network   model.order=5")
    assert new_run_values.matching_keys("model.").endswith("…")
    assert new_run_values.matching_keys("size=3") == ""
    assert new_run_values.matching_keys("  ") == ""
    assert new_run_values.matching_keys("nonsense") == ""


def test_a_free_name() -> None:
    assert new_run_values.free_name("wide", ()) == "wide"
    assert new_run_values.free_name("wide", {"wide", "wide-2"}) == "wide-3"
