"""The commands, one a file: `add` declares its words, `run` does it and returns the exit status.

At module scope they import nothing slow: `rnn-tui --help` and the app come up at once.
"""
