"""The values of the dialog for a new run: their checks, and the command that starts the run."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine import config
from engine.config import Kind, RunConfig
from engine.errors import InputError
from tui.formatting import short_number

_MAX_KEYS = 6  # the most settings suggested at once
SOURCES: dict[Kind, str] = {
    "lyrics": "a CSV file, a JSONL file or a folder artist/song.txt",
    "music": "MIDI or MusicXML files, one or a folder or zip of them, or a .mat of piano rolls",
}


@dataclass(frozen=True)
class Form:
    """The texts of the fields as typed."""

    kind: Kind = "lyrics"
    data: str = ""
    preset: str | None = None
    name: str = ""
    steps: str = ""
    settings: str = ""  # lines of key=value

    def source(self) -> str:
        """Return the name of the data set, or its path with `~` expanded as by a shell."""
        data = self.data.strip()
        return str(Path(data).expanduser()) if data.startswith("~") else data

    def pairs(self) -> list[str]:
        """Return the `key=value` pairs for `--set`: the steps, if given, and the other settings."""
        lines = [line.strip() for line in self.settings.split("\n") if line.strip()]
        steps = self.steps.strip().replace(",", "")
        return [*([f"train.steps={steps}"] if steps else []), *lines]


@dataclass(frozen=True)
class Checked:
    """The result of a check: the problems by field, or the config that the form describes.

    config: None if there are problems.
    """

    problems: Mapping[str, str]
    config: RunConfig | None


def check(form: Form) -> Checked:
    """Check the fields in the same way as `rnn-tui train` does."""
    data = form.source()
    try:
        config.load(form.kind, form.preset, (), data)
    except InputError as error:
        return Checked({"preset": str(error)}, None)
    steps = form.pairs()[:1] if form.steps.strip() else []
    for field, settings in (("steps", steps), ("settings", form.pairs())):
        try:
            loaded = config.load(form.kind, form.preset, settings, data)
        except InputError as error:
            return Checked({field: str(error)}, None)
    return Checked({}, loaded)


def missing(loaded: RunConfig) -> dict[str, str]:
    """Return the fields that must be filled in before the run can start, each with a message."""
    if loaded.data.source:
        return {}
    return {"data": f"Enter the name of a data set, or the path of {SOURCES[loaded.kind]}."}


def arguments(form: Form) -> list[str]:
    """Return the arguments of `rnn-tui` that start the run."""
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


def summary(loaded: RunConfig) -> str:
    """Return the model and how long it will be trained, in one line."""
    model, train = loaded.model, loaded.train
    if model.kind != "network":
        return f"{model.words} · one pass over the songs"
    if not train.bptt:
        return f"{model.words} · {train.steps:,} steps of {train.batch_size} whole songs"
    unit = "characters" if loaded.kind == "lyrics" else "frames"
    total = short_number(train.steps * train.batch_size * train.bptt)
    return (
        f"{model.words} · {train.steps:,} steps of "
        f"{train.batch_size} × {train.bptt} {unit} ({total})"
    )


def matching_keys(line: str) -> str:
    """Return the settings whose names contain what is typed before a "="; empty without any.

    Several are listed with their defaults; of a single one the meaning and the range are returned.
    """
    settings = config.settings()
    word = line.partition("=")[0].strip()
    if not word:
        return ""
    found = [word] if word in settings else [key for key in settings if word in key]
    if len(found) == 1:
        return meaning(found[0])
    if "=" in line:
        return ""
    shown = "   ".join(f"{key}={settings[key].default_text}" for key in found[:_MAX_KEYS])
    return f"{shown}   …" if len(found) > _MAX_KEYS else shown


def meaning(key: str) -> str:
    """Return the meaning, the range and the default of a setting."""
    setting = config.settings()[key]
    return (
        f"{key}: {setting.help} Allowed: {setting.values}; default {setting.default_text or '–'}."
    )


@dataclass(frozen=True)
class Preset:
    """An entry in the list of presets."""

    name: str
    label: str  # its name and description
    kind: Kind | None  # None: the preset is for any kind


# What a form for each kind shows at first, and the preset for the songs of a path.
DATA_SETS: dict[Kind, str] = {"lyrics": "originals", "music": "pieces"}
_PRESETS: dict[Kind, tuple[str, str]] = {
    "lyrics": ("quick", "own-songs"),
    "music": ("sketch", "sketch"),
}


def suggested_preset(kind: Kind, data: str, names: Collection[str]) -> str | None:
    """Return the preset for a data set; None for the default settings.

    names: of the named data sets; any other data is a path. A preset that does not exist is not
    suggested.
    """
    preset = _PRESETS[kind][data.strip() not in ("", DATA_SETS[kind], *names)]
    return preset if preset in config.presets() else None


def presets() -> list[Preset]:
    """Return the presets, those that are suggested first, without steps of the included models."""
    result = []
    first = [name for names in _PRESETS.values() for name in names]
    for name, path in config.presets().items():
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            values = {}
        about, kind = values.get("about"), values.get("kind")
        known: Kind | None = kind if kind in SOURCES else None
        if not values.get("inner"):
            result.append(Preset(name, f"{name}: {about}" if about else name, known))
    return sorted(result, key=lambda preset: (preset.name not in first, preset.name))


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, or the first of name-2, name-3, … that is not taken."""
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"
