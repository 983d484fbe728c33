"""The two errors that end a command with a message: `InputError` and `WorkError`."""


class InputError(Exception):
    """Bad usage or bad input, which ends a command with exit status 2.

    The message is one sentence with the problem, where it is and what to do about it.
    """


class WorkError(Exception):
    """A failure on good input, such as a failed download, which ends a command with exit status 1.

    The message is like that of `InputError`.
    """
