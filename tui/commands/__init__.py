"""The commands, one in each file: `add` declares the arguments, `run` returns the exit status.

The first line of a module's docstring is the command's description. Slow imports are inside of
functions, so that `rnn-tui --help` and the app start quickly.
"""

INTERRUPTED = 130  # exit status after ctrl-c or a signal
