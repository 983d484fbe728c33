"""Print a script that completes commands and options in a shell."""

import argparse
from pathlib import Path

from tui.commands import output

_LINES = {  # how a shell loads the script, for `--help`
    "bash": "add 'source <(rnn-tui completion bash)' to ~/.bashrc",
    "zsh": "write it to a file named _rnn-tui in a folder of $fpath",
    "fish": "write it to ~/.config/fish/completions/rnn-tui.fish",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    hints = "; ".join(f"{shell}: {line}" for shell, line in _LINES.items())
    parser.add_argument("shell", choices=list(_LINES), help=f"The shell. {hints}.")


def run(arguments: argparse.Namespace) -> int:
    """Print the script, made from the arguments of all commands."""
    import shtab

    from tui import cli

    root = cli.parser()
    _complete_files(root)
    output.echo(shtab.complete(root, arguments.shell))
    return 0


def _complete_files(parser: argparse.ArgumentParser) -> None:
    """Complete the names of files for every argument that is a path."""
    import shtab

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                _complete_files(below)
        elif action.type is Path or action.dest in ("data", "source", "file"):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
