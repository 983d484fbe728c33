"""Draw the README's pictures from real runs: `python docs/pictures.py RUN [MUSIC]`.

Opens the app without a terminal, shows the run on the Train page and lets its best model sing on
the Lyrics page; then, given a run of music, lets that one write on the Music page. Writes
docs/train.svg, docs/lyrics.svg and docs/music.svg.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input, Select

from engine import rundir
from tui.app import RnnTuiApp

SIZE = (120, 36)
HERE = Path(__file__).parent


async def until(pilot: Pilot[None], shows: Callable[[str], bool]) -> str:
    """Wait until the screen's picture satisfies `shows`; gives the picture."""
    for _ in range(600):
        await pilot.pause(0.1)
        picture = pilot.app.export_screenshot(title="rnn-tui")
        if shows(picture.replace("&#160;", " ")):
            return picture
    raise SystemExit("It never came about.")


async def draw(name: str) -> None:
    """Draw both pages."""
    run = rundir.find(name)
    async with RnnTuiApp(run=run).run_test(size=SIZE) as pilot:
        picture = await until(pilot, lambda text: "smoothed" in text and "parameters" in text)
        (HERE / "train.svg").write_text(picture, encoding="utf-8")
        await pilot.press("2")
        await until(pilot, lambda text: "ready" in text and "bits/char" in text)
        pilot.app.screen.query_one("#length", Input).value = "900"
        await pilot.press("a", *"abba", "enter")
        picture = await until(pilot, lambda text: "900 chars ·" in text)
        (HERE / "lyrics.svg").write_text(picture, encoding="utf-8")


async def draw_music(name: str) -> None:
    """Draw the Music page."""
    async with RnnTuiApp("music").run_test(size=SIZE) as pilot:
        await until(pilot, lambda text: "ready" in text)
        choice = pilot.app.screen.query_one("#model", Select)
        choice.value = next(key for words, key in choice._options if str(words) == name)
        await until(pilot, lambda text: f"ready · {name}" in text)
        pilot.app.screen.query_one("#length", Input).value = "160"
        pilot.app.screen.query_one("#seed", Input).value = "2"
        await pilot.press("g")
        picture = await until(pilot, lambda text: "written ·" in text)
        (HERE / "music.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(draw(sys.argv[1]))
    if len(sys.argv) > 2:
        asyncio.run(draw_music(sys.argv[2]))
