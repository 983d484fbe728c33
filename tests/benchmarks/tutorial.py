"""Run all commands of the tutorial word for word: `python -m tests.benchmarks.tutorial`.

It prints the seconds that each command took, and which of them failed or printed something else
than the page shows. The networks are trained to the end, which takes minutes.
"""

import sys
import tempfile
from pathlib import Path

from tests.docs.pages import TUTORIAL
from tests.docs.runner import Runner


def main() -> int:
    """Run the chapters in order; return the number of failures, at most 1."""
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(Path(folder), log=lambda line: print(line, flush=True))
        for page in TUTORIAL:
            runner.run(page)
    print(f"{sum(runner.seconds.values()):.0f} s in all", *runner.failures, sep="\n\n")
    return int(bool(runner.failures))


if __name__ == "__main__":
    sys.exit(main())
