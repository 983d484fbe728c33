"""Write docs/commands.md and docs/settings.md: `python -m assets.make.reference_pages`."""

import argparse
import inspect
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from unittest import mock

from engine import config
from engine.config import DataConfig, ModelConfig, TrainConfig
from engine.options import (
    LYRICS_EXTRA_OPTIONS,
    LYRICS_OPTIONS,
    MUSIC_OPTIONS,
    PLAYBACK_OPTIONS,
    AnyOption,
)
from tui import cli

DOCS = Path(__file__).parents[2] / "docs"
_COLUMNS = "100"  # width of the usage lines
_SOURCE = "<!-- Written by `python -m assets.make.reference_pages`. -->"


def main() -> None:
    """Write both pages."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    return {"commands.md": _page(_commands()), "settings.md": _page(_settings())}


def _page(blocks: Iterable[str]) -> str:
    return "\n\n".join([_SOURCE, *blocks]) + "\n"


def _commands() -> Iterator[str]:
    root = cli.parser()
    yield "<!-- page not run: the blocks are usage lines -->"
    yield "# Commands"
    yield cli.DESCRIPTION
    yield from _parser(root)
    yield "Exit statuses:"
    yield _table(("status", "meaning"), [(str(k), v) for k, v in cli.EXIT_STATUSES.items()])
    for name, parser in _subparsers(root).items():
        yield f"## {name}"
        yield str(parser.description)
        yield from _parser(parser)
        for action, below in _subparsers(parser).items():
            yield f"### {name} {action}"
            yield str(below.description)
            yield from _parser(below)


def _parser(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the usage of a command and a table of its arguments, in Markdown."""
    with mock.patch.dict(os.environ, {"COLUMNS": _COLUMNS}):
        lines = parser.format_usage().replace("[-h] ", "").splitlines()
    yield "\n".join(f"    {line.removeprefix('usage: ').removeprefix(' ' * 7)}" for line in lines)
    rows = []
    for action in parser._actions:
        if action.help in (None, argparse.SUPPRESS) or action.dest == "help":
            continue
        flags = ", ".join(action.option_strings) or _metavar(action)
        value = f" {_metavar(action)}" if action.option_strings and action.nargs != 0 else ""
        rows.append((f"`{flags}{value}`", str(action.help)))
    if rows:
        yield _table(("argument", "meaning"), rows)


def _metavar(action: argparse.Action) -> str:
    if action.choices is not None:
        return "|".join(map(str, action.choices))
    name = str(action.metavar or action.dest.upper())
    return f"[{name}]" if action.nargs == "?" else name


def _subparsers(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def _settings() -> Iterator[str]:
    yield "# Settings"
    yield (
        "A training run takes its settings from the defaults, a preset, and "
        "`rnn-tui train … --set KEY=VALUE` or the form in the app; later ones override earlier "
        "ones. A preset is a TOML file with the tables below; `rnn-tui settings` prints the "
        "settings."
    )
    for table, cls in (("data", DataConfig), ("model", ModelConfig), ("train", TrainConfig)):
        yield f"## {table}"
        yield str(inspect.getdoc(cls))
        settings = [
            (
                f"`{setting.key}`",
                f"`{setting.default_text}`" if setting.default_text else "empty",
                setting.values,
                f"{setting.help}{f' For {setting.kind} only.' if setting.kind else ''}",
            )
            for setting in config.settings().values()
            if setting.table == table
        ]
        yield _table(("key", "default", "values", "meaning"), settings)
    yield "## Presets"
    presets = [
        (name, tomllib.loads(path.read_text(encoding="utf-8")))
        for name, path in config.presets().items()
    ]
    rows = [(f"`{name}`", values["kind"], values["about"]) for name, values in presets]
    yield _table(("preset", "for", "contents"), rows)
    yield "# Options of writing and playing"
    yield (
        "These are flags of `rnn-tui sample` and `rnn-tui play`, fields of the Lyrics and Music "
        "pages, and keys of the sampler's protocol (where `--top-p` is `top_p`)."
    )
    commands = _subparsers(cli.parser())
    sample = _subparsers(commands["sample"])
    lyrics = {**LYRICS_OPTIONS, **LYRICS_EXTRA_OPTIONS}
    for title, options, parser in (
        ("Lyrics", lyrics, sample["lyrics"]),
        ("Music", MUSIC_OPTIONS, sample["music"]),
        ("Playback", PLAYBACK_OPTIONS, commands["play"]),
    ):
        yield f"## {title}"
        yield _options(options, parser)


def _options(options: Mapping[str, AnyOption], parser: argparse.ArgumentParser) -> str:
    flags = {flag for action in parser._actions for flag in action.option_strings}
    rows = [
        (
            f"`{option.flag}`" if option.flag in flags else "–",
            option.label if option.placeholder else "–",
            option.values,
            option.help,
        )
        for option in options.values()
    ]
    return _table(("flag", "field in the app", "values", "meaning"), rows)


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (header, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], "|---" * len(header) + "|", *lines[1:]])


if __name__ == "__main__":
    main()
