"""The errors that end a command with a message: `InputError` and `WorkError`, and a common one."""

MAX_MESSAGE = 1000  # characters: a message may quote a whole file of one line


def printable(text: str) -> str:
    """Return text as one line that is safe to print.

    Control characters become symbols, blanks of any kind spaces, and other characters that have no
    shape, such as surrogates and marks of direction, U+FFFD.
    """
    if text.isprintable():
        return text
    return "".join(map(_printable_character, text))


def _printable_character(character: str) -> str:
    if character.isprintable():
        return character
    if ord(character) < 0x20:
        return chr(0x2400 + ord(character))
    return " " if character.isspace() else "\ufffd"


class _SentenceError(Exception):
    """An error whose message is one printable line; a long one is shortened in its middle."""

    def __init__(self, message: str) -> None:
        if len(message) > MAX_MESSAGE:
            half = MAX_MESSAGE // 2
            message = f"{message[:half]} … {message[-half:]}"
        super().__init__(printable(message))


class InputError(_SentenceError):
    """Bad usage or bad input, which ends a command with exit status 2.

    The message is one sentence with the problem, where it is and what to do about it.
    """


class WorkError(_SentenceError):
    """A failure on good input, such as a failed download, which ends a command with exit status 1.

    The message is like that of `InputError`.
    """


def missing_extra(what: str, extra: str) -> InputError:
    """Return the error that `what` needs a package of an extra that is not installed."""
    return InputError(f"{what} needs the extra {extra!r}: {install_extra(extra)}.")


def install_extra(extra: str) -> str:
    """Return what to do to install an extra, as part of a sentence."""
    return f"in rnn-tui's folder, run .venv/bin/pip install -c constraints.txt '.[{extra}]'"
