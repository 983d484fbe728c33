"""Serve the app as a web page (needs the extra web)."""

import argparse
import shlex

from engine import processes
from engine.errors import missing_extra


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--host", default="localhost",
        help="Address to listen on (default localhost); everyone who can reach it can use the app.",
    )  # fmt: skip
    parser.add_argument("--port", type=int, default=8000, help="Port number (default 8000).")


def run(arguments: argparse.Namespace) -> int:
    """Serve until ctrl-c."""
    try:
        from textual_serve.server import Server
    except ImportError:
        raise missing_extra("The web page", "web") from None
    command = shlex.join(processes.command("tui.cli"))
    Server(command, host=arguments.host, port=arguments.port, title="rnn-tui").serve()
    return 0
