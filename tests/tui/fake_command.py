"""A fake `rnn-tui` for the pages: records its calls and does the least that pages can see."""

import json
import sys
from pathlib import Path

from tui.sources.child_commands import Programs


class FakeCommand:
    """The fake command as an app runs it, and its calls."""

    def __init__(self, calls: Path) -> None:
        self._calls = calls
        self.programs = Programs(cli=(sys.executable, __file__, str(calls)))

    def __call__(self) -> str:
        """Return its calls, one a line."""
        return self._calls.read_text() if self._calls.exists() else ""


def main(calls: str, *words: str) -> int:
    with Path(calls).open("a") as file:
        file.write(" ".join(words) + "\n")
    if words[:2] == ("data", "list"):
        print(json.dumps({"name": "harbour", "kind": "lyrics", "about": "Invented sea songs"}))
        print(json.dumps({"name": "preludes", "kind": "music", "about": "Not for lyrics"}))
        far = {"name": "far", "kind": "music", "about": "Tunes", "here": False, "size": 1_500_000}
        print(json.dumps({**far, "licence": "CC0"}))
        return 0
    if words[:2] == ("data", "fetch"):
        print("Downloading far: 50%", file=sys.stderr)
        print(json.dumps({"name": "far", "path": "far.zip"}))
        return 0
    if words[0] == "models":
        return 0
    if "--resume" in words:
        name = words[words.index("--resume") + 1]
        print(f"{name} cannot be resumed: it has no checkpoint.", file=sys.stderr)
        return 1
    if "nowhere" in words:
        print("reading", file=sys.stderr)
        print("There are no songs at nowhere: name a dataset.", file=sys.stderr)
        return 2
    if "slow" in words:
        print("Reading the songs", file=sys.stderr, flush=True)
        sys.stdin.read()  # empty at once
        import time

        time.sleep(60)
    return started(words[words.index("--run") + 1])


def started(name: str) -> int:
    from engine import config
    from engine.runs import run_dir

    values = {"data": {"source": "harbour"}}
    run = run_dir.create(name, config.from_mapping(values, "a test"), {})
    print(json.dumps({"run": name, "path": str(run.path)}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
