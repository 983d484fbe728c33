"""Show the app in a browser on this machine (extra `web`)."""

import argparse
import shlex

from engine import processes
from engine.errors import InputError


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--host", default="localhost", help="the address to listen on")
    parser.add_argument("--port", type=int, default=8000)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted. Whoever reaches the address can use the app."""
    try:
        from textual_serve.server import Server
    except ImportError:
        raise InputError("The browser page needs the extra: pip install 'rnn-tui[web]'.") from None
    command = shlex.join(processes.command("tui.cli"))
    Server(command, host=arguments.host, port=arguments.port, title="rnn-tui").serve()
    return 0
