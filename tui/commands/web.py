"""Serve the app as a web page (needs the extra web)."""

import argparse

from engine import processes
from engine.errors import missing_extra
from tui.commands import output


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--host", default="localhost",
        help="Address to listen on (default localhost: this machine only); whoever has the printed "
        "address, with its token, can use the app and your files.",
    )  # fmt: skip
    parser.add_argument("--port", type=int, default=8000, help="Port number (default 8000).")


def run(arguments: argparse.Namespace) -> int:
    """Serve until ctrl-c."""
    try:
        from tui.web_server import WebServer, listen
    except ImportError:
        raise missing_extra("The web page", "web") from None
    listening = listen(arguments.host, arguments.port)
    server = WebServer(processes.command("tui.cli"), arguments.host, listening)
    output.echo(f"rnn-tui is at {server.address} (ctrl-c ends it).")
    server.serve()
    return 0
