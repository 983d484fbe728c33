"""Runs the blocks of code of pages (see `tests.docs.pages`) and compares what they print."""

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from tests.docs import pages
from tests.docs.pages import ROOT, Block

Call = Callable[[list[str]], tuple[int, str]]  # arguments of rnn-tui → exit status, what it prints
# A network of a quick run takes this many steps; n-gram models take one pass anyway.
_QUICK = ("train.steps=2", "train.evaluate_every=1", "train.save_every=1", "train.sample_every=1")
_NETWORKS = re.compile(r"train (lyrics|music)(?!.*--preset (uniform|frequencies|markov))")


def call_process(arguments: list[str]) -> tuple[int, str]:
    """Run `rnn-tui` in a process of its own."""
    command = [sys.executable, "-m", "tui.cli", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    return done.returncode, done.stdout


@dataclass
class Runner:
    """Runs blocks in one folder, with one home in it."""

    folder: Path
    call: Call = call_process
    slow: bool = True  # also what is marked slow
    quick: bool = False  # train networks for two steps only, and compare only what is not slow
    log: Callable[[str], None] = lambda _: None  # called with each command that has ended
    failures: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)  # by command
    stale: list[tuple[str, str]] = field(default_factory=list)  # what a page shows, and what it is

    def run(self, page: Path) -> None:
        """Run the blocks of a page; record what failed and how long each command took."""
        names: dict[str, Any] = {}
        home = mock.patch.dict(os.environ, RNN_TUI_HOME=str(self.folder / "home"))
        with home, contextlib.chdir(self.folder):
            for block in pages.blocks(page):
                if block.mark not in (("", "slow") if self.slow else ("",)):
                    continue
                if block.language == "console":
                    for command, printed in pages.commands(block):
                        self._run_command(block, command, printed)
                elif block.language == "pycon":
                    self._run_examples(block, names)
                elif block.language == "python":
                    exec(compile(block.text, block.where, "exec"), names)

    def _run_command(self, block: Block, command: str, printed: str) -> None:
        words = pages.arguments(command)
        if words is None:
            self.failures.append(f"{block.where}: {command!r} is no rnn-tui command: mark it")
            return
        refused = printed.startswith("rnn-tui: ")
        if self.quick and not refused and _NETWORKS.match(" ".join(words)):
            words += [word for setting in _QUICK for word in ("--set", setting)]
        began = time.perf_counter()
        status, found = self.call(words)
        self.seconds[command] = time.perf_counter() - began
        self.log(f"{self.seconds[command]:7.1f} s  {block.where}  {command}")
        compared = printed and not block.output_varies
        if (status > 0) != refused or (compared and not matches(printed, found)):
            self.failures.append(f"{block.where}: {command}\nstatus {status}, {found}")
            if (status > 0) == refused:
                self.stale.append((printed, found))

    def _run_examples(self, block: Block, names: dict[str, Any]) -> None:
        parser, out = doctest.DocTestParser(), io.StringIO()
        test = parser.get_doctest(block.text + "\n", names, block.where, None, 0)
        doctest.DocTestRunner().run(test, out=out.write, clear_globs=False)
        names.update(test.globs)
        if out.getvalue():
            self.failures.append(f"{block.where}:\n{out.getvalue()}")


def matches(printed: str, found: str) -> bool:
    """Return whether a page shows what was found; "…" in the page stands for anything."""
    wanted, text = (
        "\n".join(line.rstrip() for line in value.strip().splitlines())
        for value in (printed, found)
    )
    return re.fullmatch(".*?".join(map(re.escape, wanted.split("…"))), text, re.DOTALL) is not None
