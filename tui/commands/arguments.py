"""Arguments that several commands share."""

import argparse
from collections.abc import Callable
from typing import Any

from engine.options import Option


def add_option(
    parser: "argparse.ArgumentParser | argparse._MutuallyExclusiveGroup",
    option: Option,
    **more: Any,
) -> None:
    """Add a flag for an option of `engine.options`; `more` goes to `add_argument`."""
    convert: Callable[[str], Any] = option.convert
    parser.add_argument(
        option.flag,
        metavar=option.metavar,
        type=convert,
        default=option.default,
        help=option.help,
        **more,
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add `--model`."""
    parser.add_argument(
        "--model",
        metavar="M",
        help="Name of a model or a run, or a path (default: the newest model of your own, "
        "else an included one).",
    )
