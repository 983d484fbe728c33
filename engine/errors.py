"""The errors that end a command with a message: `InputError` and `WorkError`, and a common one."""


class InputError(Exception):
    """Bad usage or bad input, which ends a command with exit status 2.

    The message is one sentence with the problem, where it is and what to do about it.
    """


class WorkError(Exception):
    """A failure on good input, such as a failed download, which ends a command with exit status 1.

    The message is like that of `InputError`.
    """


def missing_extra(what: str, extra: str) -> InputError:
    """Return the error that `what` needs a package of an extra that is not installed."""
    return InputError(f"{what} needs the extra {extra!r}: {install_extra(extra)}.")


def install_extra(extra: str) -> str:
    """Return what to do to install an extra, as part of a sentence."""
    return f"in rnn-tui's folder, run .venv/bin/pip install -c constraints.txt '.[{extra}]'"
