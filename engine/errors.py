"""The two ways a command can end badly, besides being interrupted."""


class InputError(Exception):
    """The words or the input were wrong (exit status 2).

    Its text is one sentence that names the thing, the place and the remedy.
    """


class WorkError(Exception):
    """The input was right but the work failed (exit status 1): said in one sentence too."""
