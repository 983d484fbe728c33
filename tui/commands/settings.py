"""List the settings of a run, which `rnn-tui train --set KEY=VALUE` changes."""

import argparse
import json
import shutil
import textwrap
from typing import Any

from engine import config
from engine.config import Setting
from engine.errors import InputError
from engine.suggestions import did_you_mean
from tui.commands import output
from tui.commands.arguments import add_json


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "part", metavar="PART", nargs="?", default="",
        help="List only keys that contain this, for example train.sample (default: all keys).",
    )  # fmt: skip
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the settings with their defaults, values and meanings."""
    table = config.settings()
    found = [setting for key, setting in table.items() if arguments.part.lower() in key]
    if not found:
        hint = did_you_mean(
            arguments.part,
            (setting.name for setting in table.values()),
            "'rnn-tui settings' lists all keys.",
        )
        raise InputError(f"No setting has {arguments.part!r} in its key: {hint}")
    if arguments.json:
        for setting in found:
            output.echo_json(json.dumps(_to_json(setting)))
    else:
        _print(found)
    return 0


def _to_json(setting: Setting) -> dict[str, Any]:
    return {
        "key": setting.key,
        "type": "list" if setting.type is tuple else setting.type.__name__,
        "default": setting.default,
        "low": setting.low,
        "high": setting.high,
        "choices": setting.choices,
        "help": setting.help,
    }


def _print(settings: list[Setting]) -> None:
    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    indent, table = " " * 4, ""
    for setting in settings:
        if setting.table != table:
            output.echo(f"{chr(10) if table else ''}[{setting.table}]")
            table = setting.table
        only = f"; {setting.kind} only" if setting.kind else ""
        output.echo(f"{setting.key}={setting.default_text}  ({setting.values}{only})")
        help_text = textwrap.fill(
            setting.help, width, initial_indent=indent, subsequent_indent=indent
        )
        output.echo(help_text)
