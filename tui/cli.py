"""`rnn-tui`: the app without words, a command with them.

Exit status: 0 done, 1 the work failed, 2 the words or the input were wrong, 130 interrupted.
"""

import argparse
import os
import sys
import traceback
from importlib import metadata
from pathlib import Path
from typing import NoReturn

from engine.errors import InputError, WorkError
from tui.commands import (
    ask,
    bench,
    data,
    evaluate,
    export,
    models,
    neurons,
    play,
    ports,
    runs,
    sample,
    similar,
    train,
    watch,
    web,
)

COMMANDS = {
    "train": train,
    "watch": watch,
    "ask": ask,
    "sample": sample,
    "similar": similar,
    "play": play,
    "ports": ports,
    "eval": evaluate,
    "data": data,
    "models": models,
    "neurons": neurons,
    "runs": runs,
    "export": export,
    "bench": bench,
    "web": web,
}
INTERRUPTED = 130  # also what train gives when a signal stopped it


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}: see '{self.prog} --help'.")


def parser() -> argparse.ArgumentParser:
    """All commands and their words."""
    common = _Parser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show where an error comes from")
    root = _Parser(prog="rnn-tui", description=__doc__, parents=[common])
    root.formatter_class = argparse.RawDescriptionHelpFormatter
    root.add_argument("--version", action="version", version=metadata.version("rnn-tui"))
    words = root.add_subparsers(dest="command", metavar="COMMAND")
    for name, module in COMMANDS.items():
        about = (module.__doc__ or "").strip().split("\n")[0]
        # Suppressed, or the default of the subcommand would undo a --debug before its name.
        after = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
        after.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
        module.add(words.add_parser(name, help=about, description=about, parents=[after]))
    return root


def _app() -> int:
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise InputError(
            "The app needs a terminal: open one, or use a command ('rnn-tui --help' lists them)."
        )
    from tui.app import run_app

    return run_app()


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit status; no traceback without --debug."""
    debug = "--debug" in (sys.argv[1:] if arguments is None else arguments)
    if sys.stdout is None:  # closed, as by `>&-`
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    try:
        chosen = parser().parse_args(arguments)
        status = COMMANDS[chosen.command].run(chosen) if chosen.command else _app()
        sys.stdout.flush()
    except (InputError, WorkError) as error:
        return _say(str(error), 2 if isinstance(error, InputError) else 1, debug)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # as in `rnn-tui sample … | head`
        _discard()
        return 0
    except OSError as error:  # what a command does not say itself: a full disk behind the output
        _discard()
        place = error.filename or "the output"
        return _say(f"Cannot use {place} ({error.strerror}): choose another place.", 1, debug)
    except UnicodeEncodeError as error:
        said = f"The output takes no {error.object[error.start]!a} ({error.encoding}): set "
        return _say(f"{said}PYTHONUTF8=1, or a locale in UTF-8.", 1, debug)
    except Exception as error:  # the last net: a bug is said in one sentence too
        words = " ".join(str(error).split())
        said = f"{type(error).__name__}: {words}: please report it with the output of --debug."
        return _say(said, 1, debug)
    else:
        return int(status)


def _discard() -> None:
    """Send what stdout still holds nowhere, or Python would complain when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(sentence: str, status: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""  # a line of progress may stand there
    print(f"{clear}rnn-tui: {sentence}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
