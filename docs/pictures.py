"""Draw the README's pictures from a real run: `python docs/pictures.py RUN`.

Opens the app without a terminal, shows the run on the Train page, lets its best model sing on the
Lyrics page, and writes docs/train.svg and docs/lyrics.svg.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

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


if __name__ == "__main__":
    asyncio.run(draw(sys.argv[1]))
