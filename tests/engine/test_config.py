"""Settings: their layers, errors, table, and conversion to JSON and TOML and back."""

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import config as configs
from engine.config import DataConfig, ModelConfig, RunConfig, TrainConfig
from engine.errors import InputError


def test_later_layers_override_earlier_ones(tmp_path: Path) -> None:
    preset = tmp_path / "mine.toml"
    preset.write_text('about = "mine"\n[model]\nhidden_size = 7\nlayers = 3\n[train]\nlr = 1\n')
    config = configs.load("lyrics", str(preset), ["model.hidden_size=9"], "songs.csv")
    assert (config.model.hidden_size, config.model.layers, config.train.lr) == (9, 3, 1.0)
    assert config.data.source == "songs.csv"
    assert config.train.bptt == TrainConfig().bptt


@pytest.mark.parametrize("name", configs.presets())
def test_included_presets_are_valid(name: str) -> None:
    config = configs.load(tomllib.loads(configs.presets()[name].read_text())["kind"], name)
    assert config != RunConfig()
    assert "about" in tomllib.loads(configs.presets()[name].read_text())


def test_the_article_names_its_64_artists() -> None:
    artists = configs.load("lyrics", "article").data.artists
    assert len(set(artists)) == 64
    assert {"ABBA", "Queen"} <= set(artists)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("data.artists=ABBA, Queen,", "artists", ("ABBA", "Queen")),
        ('data.artists=["Earth, Wind & Fire", "Cher"]', "artists", ("Earth, Wind & Fire", "Cher")),
        ("data.artists=", "artists", ()),
        ("data.min_songs=1_000", "min_songs", 1000),
        ("data.valid_fraction=1e-1", "valid_fraction", 0.1),
    ],
)
def test_values_are_read_by_their_fields_type(text: str, key: str, value: object) -> None:
    assert getattr(configs.load("lyrics", None, [text]).data, key) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train.step=1", "did you mean 'train.steps'"),
        ("steps=1", "There is no setting 'steps': did you mean 'train.steps'?"),
        ("train=1", "There is no setting 'train'"),
        ("train.steps=1.5", "train.steps must be a whole number of 1 or more, not '1.5'."),
        ("train.lr=inf", "train.lr must be a finite number of 0 or more, not 'inf'."),
        ("train.lr=-1", "a finite number of 0 or more"),
        ("model.tied=perhaps", "true or false"),
        ("train.bptt=-1", "a whole number of 0 or more"),
        ("train.checkpoint_segment=-1", "0 or more"),
        ("train.checkpoint_segment=some", "a whole number of 0 or more, or auto, not"),
        ("model.kind=transformer", "must be network, uniform, frequencies or markov, not"),
    ],
)
def test_invalid_settings_are_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        configs.load("lyrics", None, [text])


@pytest.mark.parametrize(("text", "value"), [("auto", "auto"), ("128", 128), ("0", 0)])
def test_a_number_or_a_word(text: str, value: int | str) -> None:
    config = configs.load("lyrics", None, [f"train.checkpoint_segment={text}"])
    assert config.train.checkpoint_segment == value
    assert configs.from_mapping(tomllib.loads(configs.to_toml(config)), "here") == config


def test_invalid_presets_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    for text, message in [
        ("[model", "is not TOML"),
        ("[model]\nhiden = 3", "did you mean 'model.hidden_size'"),
        ("model = 3", "model in .* must be a table, not 3"),
        ('[model]\nhidden_size = "wide"', "a whole number"),
        ("[model]\ntied = 3", "true or false"),
        ("[data]\nartists = 3", "data.artists must be a list, for example a,b,c, not 3"),
    ]:
        broken.write_text(text)
        with pytest.raises(InputError, match=message):
            configs.load("lyrics", str(broken))
    with pytest.raises(InputError, match="Cannot read"):
        configs.load("lyrics", str(tmp_path / "gone.toml"))


NAMES = st.lists(st.text(min_size=1).filter(str.strip).map(str.strip), max_size=3).map(tuple)


@given(NAMES, st.floats(0, 1e6), st.integers(1, 10**9))
def test_a_config_survives_json_and_toml(artists: tuple[str, ...], lr: float, steps: int) -> None:
    artists = tuple(a for a in artists if a.isprintable())
    config = RunConfig(data=DataConfig(artists=artists), train=TrainConfig(lr=lr, steps=steps))
    assert configs.from_mapping(configs.to_mapping(config), "here") == config
    assert configs.from_mapping(tomllib.loads(configs.to_toml(config)), "here") == config


def test_descriptions_of_models() -> None:
    assert ModelConfig().words == "lstm 2 × 256"
    assert ModelConfig(kind="markov", order=3).words == "markov 3"
    assert ModelConfig(kind="uniform").words == "uniform"


def test_every_setting_is_described() -> None:
    table = configs.settings()
    tables = {"data": DataConfig, "model": ModelConfig, "train": TrainConfig}
    assert list(table) == [
        f"{name}.{field.name}" for name, cls in tables.items() for field in dataclasses.fields(cls)
    ]
    for key, setting in table.items():
        assert setting.key == key
        assert setting.convert(setting.default) == setting.default
        assert setting.convert(setting.default_text) == setting.default
        assert setting.help.endswith(".")
        assert setting.values


@pytest.mark.parametrize(
    ("key", "default", "values"),
    [
        ("train.steps", "2000", "a whole number of 1 or more"),
        ("train.lr", "0.004", "a finite number of 0 or more"),
        ("train.checkpoint_segment", "0", "a whole number of 0 or more, or auto"),
        ("train.sample_primes", "Why,Well", "a list, for example a,b,c"),
        ("model.tied", "false", "true or false"),
        ("model.dropout", "0.1", "a number from 0 to 0.95"),
        ("data.source", "", "a text"),
    ],
)
def test_the_description_of_a_setting(key: str, default: str, values: str) -> None:
    setting = configs.settings()[key]
    assert (setting.default_text, setting.values) == (default, values)


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        ("lyrics", "model.head=independent"),
        ("lyrics", "model.match_recovery=true"),
        ("lyrics", "train.transpose=3"),
        ("lyrics", "data.frame_beats=0.5"),
        ("music", "data.artists=ABBA"),
        ("music", "model.tied=true"),
        ("music", "train.sample_primes=Why"),
    ],
)
def test_settings_without_effect_are_refused(kind: str, setting: str) -> None:
    key = setting.partition("=")[0]
    other = "music" if kind == "lyrics" else "lyrics"
    message = f"^{key} is for {other}, and this is a {kind} run: leave it out.$"
    with pytest.raises(InputError, match=message):
        configs.load(kind, None, [setting])
    with pytest.raises(InputError, match=message):
        configs.with_settings(configs.load(kind), [setting])


def test_settings_of_the_other_kind_may_have_their_defaults() -> None:
    config = configs.load("lyrics", None, ["model.head=joint", "train.transpose=0"])
    assert config == configs.load("lyrics")
    old = dataclasses.replace(config, model=ModelConfig(head="independent"))
    assert configs.with_settings(old, ["train.steps=7"]).train.steps == 7


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "mps", "cuda:0", "cuda:13"])
def test_the_devices(device: str) -> None:
    assert configs.load("lyrics", None, [f"train.device={device}"], "x").train.device == device


@pytest.mark.parametrize("device", ["cuda:", "cuda:N", "cuda:-1", "mps:0", "gpu", "cuda:0 "])
def test_another_device_is_refused(device: str) -> None:
    with pytest.raises(InputError, match="must be auto, cpu, cuda, mps or cuda:N, not"):
        configs.load("lyrics", None, [f"train.device={device!r}"], "x")
