"""The `rnn-tui` command: its arguments, error messages and exit statuses."""

import argparse
import os
import sys
import textwrap
import traceback
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

from engine.errors import InputError, WorkError
from engine.suggestions import did_you_mean
from tui.commands import (
    INTERRUPTED,
    ask,
    bench,
    completion,
    data,
    evaluate,
    export,
    jam,
    models,
    neurons,
    output,
    play,
    ports,
    runs,
    sample,
    settings,
    similar,
    train,
    watch,
    web,
)
from tui.sources.child_commands import INSTALLED, Programs

COMMANDS = {
    "train": train,
    "settings": settings,
    "watch": watch,
    "ask": ask,
    "sample": sample,
    "similar": similar,
    "neurons": neurons,
    "play": play,
    "jam": jam,
    "ports": ports,
    "eval": evaluate,
    "data": data,
    "models": models,
    "runs": runs,
    "export": export,
    "bench": bench,
    "web": web,
    "completion": completion,
}
DESCRIPTION = (
    "A studio in the terminal for recurrent neural networks that write song lyrics and piano "
    "music. Without a command, the app starts."
)
EXIT_STATUSES = {
    0: "success",
    1: "failure",
    2: "bad usage or input",
    INTERRUPTED: "interrupted by ctrl-c or a signal",
}


class _Formatter(argparse.HelpFormatter):
    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(text, width, break_on_hyphens=False)  # 'rnn-tui' stays whole


class _Parser(argparse.ArgumentParser):
    def __init__(self, *, add_help: bool = True, **settings: Any) -> None:
        super().__init__(add_help=False, formatter_class=_Formatter, **settings)
        if add_help:
            self.add_argument("-h", "--help", action="help", help="Show this help.")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse an unknown option here, where the options of the command are known."""
        found, rest = super().parse_known_args(args, namespace)
        for word in rest:
            if word.startswith("--"):
                flag = word.partition("=")[0]
                flags = [name for name in self._option_string_actions if name.startswith("--")]
                hint = did_you_mean(flag, flags, f"see '{self.prog} --help'.")
                raise InputError(f"'{self.prog}' has no option {flag}: {hint}")
        return found, rest

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}: see '{self.prog} --help'.")


def parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    statuses = ", ".join(f"{status} {meaning}" for status, meaning in EXIT_STATUSES.items())
    epilog = f"'rnn-tui COMMAND --help' describes a command. Exit status: {statuses}."
    root = _Parser(prog="rnn-tui", description=DESCRIPTION, epilog=epilog)
    version = f"rnn-tui {metadata.version('rnn-tui')}"
    root.add_argument("--version", action="version", version=version, help="Show the version.")
    root.add_argument("--debug", action="store_true", help="Show the traceback of an error.")
    root.add_argument(
        "--plain", action="store_true",
        help="The app as questions and lines, for screen readers; nothing is drawn.",
    )  # fmt: skip
    commands = root.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, module in COMMANDS.items():
        about = (module.__doc__ or "").strip().split("\n")[0]
        # Without SUPPRESS, the subcommand's default would override a --debug before its name.
        common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
        common.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
        module.add(commands.add_parser(name, help=about, description=about, parents=[common]))
    return root


def _app(programs: Programs) -> int:
    in_browser = "TEXTUAL_DRIVER" in os.environ  # set by `rnn-tui web`, which has pipes
    if not in_browser and not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise InputError(
            "The app needs a terminal: open one, or use a command ('rnn-tui --help' lists them)."
        )
    from tui.app import run_app

    return run_app(programs=programs)


def _run(chosen: argparse.Namespace, programs: Programs) -> int:
    """Run the command, or without one the app or its plain mode."""
    if chosen.command:
        return int(COMMANDS[chosen.command].run(chosen))
    if chosen.plain:
        from tui import plain

        return plain.run(partial(main, programs=programs), programs)
    return _app(programs)


def main(arguments: list[str] | None = None, programs: Programs = INSTALLED) -> int:
    """Run a command, or without one the app; return the exit status.

    Errors are printed as one sentence, and with --debug also as a traceback.
    """
    debug = "--debug" in (sys.argv[1:] if arguments is None else arguments)
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed by the shell's `>&-`
            setattr(sys, stream, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    output.prepare_streams()
    try:
        chosen = parser().parse_args(arguments, argparse.Namespace(programs=programs))
        status = _run(chosen, programs)
        sys.stdout.flush()
    except (InputError, WorkError) as error:
        try:
            sys.stdout.flush()
        except OSError:  # perhaps the reason of this error
            _discard_output()
        return _fail(str(error), 2 if isinstance(error, InputError) else 1, debug)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # for example, `rnn-tui sample … | head`
        _discard_output()
        return 0
    except OSError as error:  # for example, stdout is on a full disk; commands handle their files
        _discard_output()
        target = error.filename or "the output"
        return _fail(f"Cannot use {target} ({error.strerror}): write somewhere else.", 1, debug)
    except Exception as error:  # a bug
        text = " ".join(str(error).split())
        return _fail(
            f"Internal error, {type(error).__name__}: {text}: please report it with the output of "
            "--debug.",
            1,
            debug,
        )
    else:
        return int(status)


def _discard_output() -> None:
    """Redirect stdout to the null device, so that Python can flush its buffer at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(sentence: str, status: int, debug: bool) -> int:
    """Print an error and return the exit status."""
    if debug:
        traceback.print_exc()
    if sys.stderr.isatty():  # perhaps with a line of progress
        output.overwrite(f"rnn-tui: {sentence}", "\n", err=True)
    else:
        output.echo(f"rnn-tui: {sentence}", err=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
