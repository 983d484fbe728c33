"""Random keys, text, clicks and sizes must not crash the app."""

import asyncio
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events
from textual.pilot import OutOfBounds, Pilot

from tests.tui.page import make_app
from tui.app import PAGES
from tui.sources.child_commands import Programs

EVENTS = 250
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


async def _act(pilot: Pilot[None], chance: random.Random) -> None:
    """Do one random thing."""
    app = pilot.app
    kind = chance.choices(
        ["page", "key", "text", "click", "hover", "resize", "wait"], [7, 55, 8, 20, 3, 3, 4]
    )[0]
    offset = chance.randrange(app.size.width), chance.randrange(app.size.height)
    match kind:
        case "page":
            await pilot.press(chance.choice([page.key for page in PAGES.values()]))
        case "key":
            await pilot.press(chance.choice(KEYS))
        case "text":
            app.post_message(events.Paste(chance.choice(TEXTS)))
        case "click":
            await pilot.click(offset=offset)
        case "hover":
            await pilot.hover(offset=offset)
        case "resize":
            await pilot.resize_terminal(*chance.choice(SIZES))
        case "wait":
            await asyncio.sleep(chance.choice([0.05, 0.3, 1.0]))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
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
    async with app.run_test(size=chance.choice(SIZES)) as pilot:
        for _ in range(EVENTS):
            try:
                await _act(pilot, chance)
            except OutOfBounds:  # the terminal was made smaller meanwhile
                continue
        assert app.is_running
