"""Random keys, text, clicks and sizes must not crash the app, nor leave processes behind.

RNN_TUI_TEST_KEYS sets how many there are, and -s lists the answers that took more than 100 ms of
CPU time, the slowest first; the tests themselves do not depend on times.
"""

import asyncio
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from textual import events
from textual.pilot import OutOfBounds, Pilot

from tests.tui.answer_times import AnswerTimer
from tests.tui.page import make_app
from tui.app import PAGES
from tui.sources.child_commands import Programs

SEEDS = 4
EVENTS = int(os.environ.get("RNN_TUI_TEST_KEYS", "1000")) // SEEDS
SLOW = 100.0  # milliseconds
SIZES = [(20, 6), (40, 10), (60, 15), (80, 24), (100, 32), (140, 60)]
LETTERS = "abcdefghijklmnoprstuvwxyz"  # without q, which quits
KEYS = [
    *LETTERS, *LETTERS.upper(), "0", "9", "space", "comma", "full_stop", "plus", "minus", "slash",
    "left_square_bracket", "right_square_bracket", "less_than_sign", "greater_than_sign",
    "question_mark", "f1", "f2", "f3", "tab", "shift+tab", "enter", "escape", "up", "down", "left",
    "right", "home", "end", "pageup", "pagedown", "delete", "backspace", "ctrl+g", "ctrl+p",
    "ctrl+s", "ctrl+a", "ctrl+k", "ctrl+u", "ctrl+x", "ctrl+v", "ctrl+home", "ctrl+end",
]  # fmt: skip
TEXTS = [
    "", "nan", "inf", "-1", "1e99", "0.7", "4", "999999999999", "日本語", "🎹", "\t", "a" * 300,
    "[red]x[/]", "[/]", "%s{}", "..", "/no/such/file.mid", "Mabel Rowe", "Why", "ABBA=0.5",
]  # fmt: skip

# The real command, except that `train` does nothing.
REAL = "import sys; from tui.cli import main; sys.exit(sys.argv[1] == 'train' or main())"


class Monkey:
    """Does random things in an app, and notes which answers are slow."""

    def __init__(self, pilot: Pilot[None], timer: AnswerTimer, chance: random.Random) -> None:
        self.pilot, self.timer, self.chance = pilot, timer, chance
        self.slow: list[tuple[float, str]] = []  # CPU milliseconds, and what was done where

    async def act(self) -> None:
        """Do one random thing."""
        app, chance = self.pilot.app, self.chance
        kind = chance.choices(
            ["page", "key", "text", "click", "hover", "resize", "wait"], [7, 55, 8, 20, 3, 3, 4]
        )[0]
        x, y = chance.randrange(app.size.width), chance.randrange(app.size.height)
        where, taken, what = type(app.screen).__name__, None, kind
        match kind:
            case "page" | "key":
                pages = [page.key for page in PAGES.values()]
                what = chance.choice(pages if kind == "page" else KEYS)
                taken = await self.timer.key(what)
            case "text":
                app.post_message(events.Paste(chance.choice(TEXTS)))
            case "click":
                taken = await self.timer.click(x, y)
            case "hover":
                await self.pilot.hover(offset=(x, y))
            case "resize":
                await self.pilot.resize_terminal(*chance.choice(SIZES))
            case "wait":
                await asyncio.sleep(chance.choice([0.05, 0.3, 1.0]))
        if taken is not None and taken > SLOW:
            width, height = app.size
            then = type(app.screen).__name__
            self.slow.append((taken, f"{what} on {where} to {then} at {width} × {height}"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
async def test_random_input_does_not_crash_the_app(
    home: Path,
    write_run: Callable[..., object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    async def do_nothing() -> None:
        pass

    monkeypatch.chdir(tmp_path)  # where it saves files
    if seed % 2:
        write_run("mine")
    chance = random.Random(seed)
    app = make_app(programs=Programs(cli=(sys.executable, "-c", REAL)))
    monkeypatch.setattr(app, "action_quit", do_nothing)  # Quit in the footer may be clicked
    processes = psutil.Process()
    before = set(processes.children(recursive=True))
    async with app.run_test(size=chance.choice(SIZES)) as pilot:
        with AnswerTimer.of(app) as timer:
            monkey = Monkey(pilot, timer, chance)
            for _ in range(EVENTS):
                try:
                    await monkey.act()
                except OutOfBounds:  # the terminal was made smaller meanwhile
                    continue
        assert app.is_running
    for taken, what in sorted(monkey.slow, reverse=True):
        print(f"{taken:6.0f} ms  {what}")
    orphans = set(processes.children(recursive=True)) - before
    assert not psutil.wait_procs(orphans, timeout=30)[1]
