"""Measure how many bytes a second the app writes to its terminal, for slow lines.

`python tests/benchmarks/terminal_bytes.py [--seconds N]` runs the app in a pseudo-terminal of
120 × 40, and counts its bytes while a song of the included model streams (aim: at most 8,000 a
second) and while the app is idle on each page (aim: at most 100 a second).
"""

import argparse
import os
import sys
import tempfile
import time
from typing import Any

import pexpect

COMMAND = [sys.executable, "-m", "tui.cli"]
SETTLED = 3.0  # seconds without a byte


def read(terminal: "pexpect.spawn[Any]", seconds: float) -> int:
    """Return the number of bytes that are written within some seconds."""
    count, end = 0, time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            count += len(terminal.read_nonblocking(1 << 16, timeout=left))
        except pexpect.TIMEOUT:
            break
    return count


def settle(terminal: "pexpect.spawn[Any]") -> None:
    """Read until nothing has been written for a while."""
    while read(terminal, SETTLED):
        pass


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--seconds", type=float, default=5, metavar="N", help="count for N seconds (default 5)"
    )
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"RNN_TUI_HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        terminal = pexpect.spawn(COMMAND[0], COMMAND[1:], dimensions=(40, 120), timeout=120)
        terminal.expect("rnn-tui")
        terminal.send("2")
        terminal.expect("writing")
        print(f"{'a song streams':20} {read(terminal, seconds) / seconds:8,.0f} bytes a second")
        terminal.send("\x1b")
        settle(terminal)
        for key, name in {"1": "Train", "2": "Lyrics", "4": "Runs", "7": "Map"}.items():
            terminal.send(key)
            terminal.expect(name)
            if name == "Map":  # it reads the songs of the model first, for minutes
                terminal.expect("esc to stop")
                terminal.send("\x1b")
            settle(terminal)
            print(f"{name + ', idle':20} {read(terminal, seconds) / seconds:8,.0f} bytes a second")
        terminal.send("q")
        terminal.expect(pexpect.EOF)


if __name__ == "__main__":
    main()
