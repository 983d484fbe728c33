"""Write what commands print into the pages: `python -m tests.docs.update PAGE …`.

For outputs that have changed, for example those of an included model that was trained again. The
pages are run in their order; networks are trained for two steps only. Outputs that vary are not
changed, nor are those in which "…" stands for anything but the end. Read the pages again
afterwards: the text around an output may describe it.
"""

import sys
import tempfile
from pathlib import Path

from tests.docs.runner import Runner


def updated(page: str, printed: str, found: str) -> str:
    """Return the text of a page that shows `found` where it showed `printed`."""
    shown = printed.splitlines()
    lines = [line.rstrip() for line in found.strip().splitlines()]
    if shown[-1] == "…":  # the end is left out
        lines = [*lines[: len(shown) - 1], "…"]
    if "…" in "".join(shown[:-1] if shown[-1] == "…" else shown):
        return page
    for indent in ("", "    "):
        old, new = ("\n".join(indent + x if x else x for x in part) for part in (shown, lines))
        page = page.replace(f"\n{old}\n", f"\n{new}\n")
    return page


def main() -> None:
    """Run the pages that the arguments name, and write them."""
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(Path(folder), quick=True, log=lambda line: print(line, flush=True))
        for name in sys.argv[1:]:
            path = Path(name).resolve()
            runner.run(path)
            text = path.read_text(encoding="utf-8")
            for printed, found in runner.stale:
                text = updated(text, printed, found)
            path.write_text(text, encoding="utf-8")
            runner.stale.clear()


if __name__ == "__main__":
    main()
