"""What the form for a new run holds, whether it is right, and the command it stands for."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine import config as configs
from engine.config import Kind
from engine.errors import InputError
from tui.formatting import short_number

_KEYS_SHOWN = 6
SOURCES: dict[Kind, str] = {
    "lyrics": "a CSV, a JSONL or a folder artist/song.txt",
    "music": "MIDI files, alone, in a folder or in a zip, or of a .mat of rolls",
}


@dataclass(frozen=True)
class Form:
    """The fields as typed."""

    kind: Kind = "lyrics"
    data: str = ""
    preset: str | None = None
    name: str = ""
    steps: str = ""
    settings: str = ""  # key=value, one a line

    def source(self) -> str:
        """The dataset's name, or the path with `~` spelt out, as a shell would."""
        data = self.data.strip()
        return str(Path(data).expanduser()) if data.startswith("~") else data

    def pairs(self) -> list[str]:
        """The settings' lines, and the steps, as `--set` wants them."""
        lines = [line.strip() for line in self.settings.split("\n") if line.strip()]
        steps = self.steps.strip().replace(",", "")
        return [*([f"train.steps={steps}"] if steps else []), *lines]


@dataclass(frozen=True)
class Checked:
    """A form looked over: what is wrong, by field, or else the config it asks for."""

    problems: Mapping[str, str]
    config: configs.RunConfig | None


def check(form: Form) -> Checked:
    """Look the fields over as the command would."""
    data = form.source()
    try:
        configs.load(form.kind, form.preset, (), data)
    except InputError as error:
        return Checked({"preset": str(error)}, None)
    steps = form.pairs()[:1] if form.steps.strip() else []
    for field, settings in (("steps", steps), ("settings", form.pairs())):
        try:
            config = configs.load(form.kind, form.preset, settings, data)
        except InputError as error:
            return Checked({field: str(error)}, None)
    return Checked({}, config)


def missing(config: configs.RunConfig) -> dict[str, str]:
    """What has still to be filled in before the run can start."""
    if config.data.source:
        return {}
    return {"data": f"Name a dataset, or the path of {SOURCES[config.kind]}."}


def arguments(form: Form) -> list[str]:
    """The words after `rnn-tui` that start the run."""
    words = ["train", form.kind]
    if form.source():
        words += ["--data", form.source()]
    if form.preset:
        words += ["--preset", form.preset]
    if form.name.strip():
        words += ["--run", form.name.strip()]
    for pair in form.pairs():
        words += ["--set", pair]
    return [*words, "--detach", "--json"]


def summary(config: configs.RunConfig) -> str:
    """What will be trained, in words."""
    train = config.train
    if config.model.kind != "network":
        return f"{config.model.words}: counts once through the songs"
    if not train.bptt:
        return f"{config.model.words} · {train.steps:,} steps of {train.batch_size} whole songs"
    size = train.steps * train.batch_size * train.bptt
    return (
        f"{config.model.words} · {train.steps:,} steps of {train.batch_size} × {train.bptt} "
        f"{'characters' if config.kind == 'lyrics' else 'frames'} ({short_number(size)})"
    )


def matching_keys(line: str) -> str:
    """The keys of `--set` that a line without its `=` may be the beginning of; else nothing."""
    if "=" in line or not line.strip():
        return ""
    known = configs.settings()
    found = [key for key in known if line.strip() in key]
    shown = "   ".join(f"{key}={known[key].default_text}" for key in found[:_KEYS_SHOWN])
    return f"{shown}   …" if len(found) > _KEYS_SHOWN else shown


@dataclass(frozen=True)
class Preset:
    """One to choose from."""

    name: str
    label: str  # what a list shows
    kind: Kind | None  # None: it says nothing of it


def presets() -> list[Preset]:
    """The presets that there are."""
    result = []
    for name, path in configs.presets().items():
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            values = {}
        about, kind = values.get("about"), values.get("kind")
        known: Kind | None = kind if kind in SOURCES else None
        result.append(Preset(name, f"{name}: {about}" if about else name, known))
    return result


def free_name(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or the first of wanted-2, wanted-3, … that no run has."""
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted}-{number}" in taken:
        number += 1
    return f"{wanted}-{number}"
