"""Arguments and errors that several commands share."""

import argparse
from collections.abc import Callable, Iterable
from typing import Any

from engine.options import AnyOption

JSON_LINES = "Print JSON, one object a line."
MODEL = "Name of a model or a run, or a path"


def add_option(parser: argparse._ActionsContainer, option: AnyOption, **more: Any) -> None:
    """Add the flag of an option; `more` are further arguments of `add_argument`."""
    convert: Callable[[str], Any] = option.convert
    settings = {"metavar": option.metavar, "default": option.default, "help": option.help}
    parser.add_argument(option.flag, type=convert, **settings | more)


def add_options(parser: argparse._ActionsContainer, options: Iterable[AnyOption]) -> None:
    """Add the flags of several options."""
    for option in options:
        add_option(parser, option)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add `--model`."""
    parser.add_argument("--model", metavar="M", help=f"{MODEL} (default: an included model).")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json` for a list of objects."""
    parser.add_argument("--json", action="store_true", help=JSON_LINES)
