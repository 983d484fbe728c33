"""The two ways a command can fail, besides an interrupt."""


class InputError(Exception):
    """Bad usage or input (exit status 2).

    Its message is one sentence that names the thing, the place and the remedy.
    """


class WorkError(Exception):
    """A failure on good input (exit status 1), with a message as of `InputError`."""
