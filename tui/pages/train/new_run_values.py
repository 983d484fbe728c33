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
    """Return the settings, with defaults, whose names contain `line`; empty without any.

    It is also empty for a line with "=", where the key is complete.
    """
    if "=" in line or not line.strip():
        return ""
    settings = config.settings()
    found = [key for key in settings if line.strip() in key]
    shown = "   ".join(f"{key}={settings[key].default_text}" for key in found[:_MAX_KEYS])
    return f"{shown}   …" if len(found) > _MAX_KEYS else shown


@dataclass(frozen=True)
class Preset:
    """An entry in the list of presets."""

    name: str
    label: str  # its name and description
    kind: Kind | None  # None: the preset is for any kind


def presets() -> list[Preset]:
    """Return all presets."""
    result = []
    for name, path in config.presets().items():
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            values = {}
        about, kind = values.get("about"), values.get("kind")
        known: Kind | None = kind if kind in SOURCES else None
        result.append(Preset(name, f"{name}: {about}" if about else name, known))
    return result


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, or the first of name-2, name-3, … that is not taken."""
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"
