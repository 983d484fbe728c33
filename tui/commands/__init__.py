"""The commands, one a file: `add` declares its arguments, `run` returns its exit status.

The first line of a module's docstring is the command's description. At module scope the commands
import nothing slow, so that `rnn-tui --help` and the app start quickly.
"""

INTERRUPTED = 130  # exit status after ctrl-c or a signal
