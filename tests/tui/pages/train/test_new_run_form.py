import dataclasses
from pathlib import Path

import pytest

from engine import config as configs
from tui.pages.train import new_run_form as forms
from tui.pages.train.new_run_form import Form


@pytest.fixture(autouse=True)
def _presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = tmp_path / "wide.toml"
    wide.write_text('about = "A wide one"\nkind = "music"\n[model]\nhidden_size = 512\n')
    plain = tmp_path / "plain.toml"
    plain.write_text("[train]\nsteps = 10\n")
    monkeypatch.setattr(configs, "presets", lambda: {"plain": plain, "wide": wide})


def test_presets_come_with_what_they_are_about() -> None:
    assert forms.presets() == [
        forms.Preset("plain", "plain", None),
        forms.Preset("wide", "wide: A wide one", "music"),
    ]


def test_the_command_says_what_the_form_says() -> None:
    form = Form(
        "music", "harbour", "wide", " mine ", "1,500", "model.layers=3\n\n train.lr = 0.01 "
    )
    assert forms.arguments(form) == [
        "train", "music", "--data", "harbour", "--preset", "wide", "--run", "mine",
        "--set", "train.steps=1500", "--set", "model.layers=3", "--set", "train.lr = 0.01",
        "--detach", "--json",
    ]  # fmt: skip
    checked = forms.check(form)
    assert not checked.problems
    assert checked.config is not None
    assert checked.config.train.steps == 1500
    assert checked.config.model.hidden_size == 512
    assert checked.config.model.layers == 3
    assert forms.arguments(Form()) == ["train", "lyrics", "--detach", "--json"]


def test_a_home_folder_is_spelt_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert "/somewhere/songs.csv" in forms.arguments(Form(data="~/songs.csv"))


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
def test_what_is_wrong_is_said_at_its_field(form: Form, field: str, word: str) -> None:
    checked = forms.check(form)
    assert list(checked.problems) == [field]
    assert word in checked.problems[field]
    assert checked.config is None


def test_songs_are_missing_until_named() -> None:
    config = forms.check(Form()).config
    assert config is not None
    assert list(forms.missing(config)) == ["data"]
    assert "MIDI" in forms.missing(dataclasses.replace(config, kind="music"))["data"]
    named = forms.check(Form(data="harbour")).config
    assert named is not None
    assert not forms.missing(named)


def test_a_summary_in_words() -> None:
    config = forms.check(Form(steps="1000")).config
    assert config is not None
    assert forms.summary(config) == "lstm 2 × 256 · 1,000 steps of 32 × 128 characters (4.1 M)"
    music = forms.check(Form("music", steps="1000")).config
    assert music is not None
    assert forms.summary(music).endswith("1,000 steps of 32 × 128 frames (4.1 M)")
    whole = forms.check(Form(steps="1000", settings="train.bptt=0")).config
    assert whole is not None
    assert forms.summary(whole) == "lstm 2 × 256 · 1,000 steps of 32 whole songs"
    counting = forms.check(Form(settings="model.kind=markov")).config
    assert counting is not None
    assert forms.summary(counting).startswith("markov 5: counts")


def test_keys_half_typed_are_completed() -> None:
    assert forms.matching_keys("model.hid") == "model.hidden_size=256"
    assert forms.matching_keys("model.").endswith("…")
    assert forms.matching_keys("model.hidden_size=3") == ""
    assert forms.matching_keys("  ") == ""
    assert forms.matching_keys("nonsense") == ""


def test_a_free_name() -> None:
    assert forms.free_name("wide", ()) == "wide"
    assert forms.free_name("wide", {"wide", "wide-2"}) == "wide-3"
