"""`python -m tui` is `rnn-tui`."""

import sys

from tui.cli import main

sys.exit(main())
