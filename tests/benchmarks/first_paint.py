"""How soon the app is there, beside how soon torch could be.

Run `python tests/benchmarks/first_paint.py [--busy]`. In turns, in one run: `import torch` in a
fresh process; and the app in a real pseudo-terminal, from its start to its first page, and from a
key to the page it shows. With --busy a network is trained in another process meanwhile.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pexpect

COMMAND = [sys.executable, "-m", "tui.cli"]


def import_torch() -> float:
    """Seconds to import torch in a fresh process."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - began


def app() -> tuple[float, float, float]:
    """Seconds to the first page, from a key to a new page, and to one that was open before."""
    began = time.perf_counter()
    terminal = pexpect.spawn(COMMAND[0], COMMAND[1:], dimensions=(36, 120), timeout=60)
    terminal.expect("rnn-tui")
    painted = time.perf_counter()
    terminal.expect("Quit")
    time.sleep(1)

    def key(name: str, shows: str) -> float:
        pressed = time.perf_counter()
        terminal.send(name)
        terminal.expect(shows)
        return time.perf_counter() - pressed

    opened = key("2", "Begins")
    time.sleep(1)
    key("4", "Overlay")
    time.sleep(1)
    again = key("2", "Begins")
    terminal.send("q")
    terminal.expect(pexpect.EOF)
    return painted - began, opened, again


def show(what: str, seconds: list[float]) -> None:
    """Print one line of the table."""
    values = [1000 * value for value in seconds]
    middle = statistics.median(values)
    print(f"{what:34} {middle:7.0f} ms   ({min(values):.0f} to {max(values):.0f})")


def main() -> None:
    """Take turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--busy", action="store_true", help="train a network meanwhile")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["RNN_TUI_HOME"] = str(Path(home))
        trainer = None
        if arguments.busy:
            words = ["train", "lyrics", "--data", "originals", "--run", "busy", "--quiet"]
            trainer = subprocess.Popen([*COMMAND, *words, "--set", "train.steps=100000"])
            time.sleep(15)
        try:
            turns = [(import_torch(), *app()) for _ in range(arguments.turns)]
        finally:
            if trainer is not None:
                trainer.terminate()
                trainer.wait()
    torch, painted, opened, again = (list(column) for column in zip(*turns, strict=True))
    show("import torch", torch)
    show("the app's first page", painted)
    show("a key to a page not yet open", opened)
    show("a key to a page already open", again)
    ratio = statistics.median(torch) / statistics.median(painted)
    print(f"{'first page sooner by':34} {ratio:7.1f} ×")


if __name__ == "__main__":
    main()
