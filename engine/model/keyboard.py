"""What the joint head sees when it decides whether a piano key sounds; sizes without torch."""

KEYS = 88
ABOVE = 48  # keys above, decided before it in the same frame
AROUND = 12  # keys to either side of it, in frames that are known already
COUNTS = 8  # notes so far, told apart up to this many
FEATURES = 8  # numbers that the hidden state has for each key
UNITS = 64  # of the small network that all keys share
