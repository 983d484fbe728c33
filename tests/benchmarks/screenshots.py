"""Draw the pictures of the documentation: `python tests/benchmarks/screenshots.py RUN [PAGE …]`.

The app is opened without a terminal. It shows the run on the Train page, and with the included
models writes a song on the Lyrics page, shows a unit on the Neurons page and writes a piece on the
Music page. The Map page shows the artists, placed by the run's network. The files are docs/PAGE.svg
for the pages train, lyrics, neurons, music and map; without PAGE all are drawn.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input, Select

from engine.runs import run_dir
from tui.app import RnnTuiApp

SIZE = (120, 36)
DOCS = Path(__file__).parents[2] / "docs"


async def until(pilot: Pilot[None], shows: Callable[[str], bool]) -> str:
    """Wait until `shows` is true of the screen's picture (SVG), and return the picture."""
    for _ in range(600):
        await pilot.pause(0.1)
        picture = pilot.app.export_screenshot(title="rnn-tui")
        if shows(picture.replace("&#160;", " ")):
            return picture
    raise SystemExit("A page did not show the expected text within a minute: run this again.")


def save(name: str, picture: str) -> None:
    """Write a picture to docs/."""
    (DOCS / f"{name}.svg").write_text(picture, encoding="utf-8")


async def choose(pilot: Pilot[None], key: str) -> None:
    """Select a model, for example bundled/folk, on the open page."""
    await until(pilot, lambda text: "ready" in text or "writing" in text)
    await pilot.press("escape")  # stop the song that starts by itself
    pilot.app.screen.query_one("#model", Select).value = key
    await pilot.pause()


async def draw_train(pilot: Pilot[None], _: str) -> None:
    """Draw the run on the Train page, which is open."""
    save("train", await until(pilot, lambda t: "smoothed" in t and "parameters" in t))


async def draw_lyrics(pilot: Pilot[None], _: str) -> None:
    """Draw a song on the Lyrics page."""
    await pilot.press("2")
    await choose(pilot, "bundled/lyrics")
    pilot.app.screen.query_one("#guidance", Input).value = "2"
    pilot.app.screen.query_one("#temperature", Input).value = "0.6"
    pilot.app.screen.query_one("#seed", Input).value = "1"
    await pilot.press("a", *"papa", "enter")
    save("lyrics", await until(pilot, lambda text: "✓ the end" in text))


async def draw_neurons(pilot: Pilot[None], _: str) -> None:
    """Draw a unit on the Neurons page."""
    await pilot.press("6")
    save("neurons", await until(pilot, lambda text: "line position" in text))


async def draw_music(pilot: Pilot[None], _: str) -> None:
    """Draw a piece on the Music page."""
    await pilot.press("3")
    await choose(pilot, "bundled/folk")
    pilot.app.screen.query_one("#length", Input).value = "160"
    pilot.app.screen.query_one("#seed", Input).value = "1"
    await pilot.press("g")
    save("music", await until(pilot, lambda text: "written ·" in text and "· folk" in text))


async def draw_map(pilot: Pilot[None], run: str) -> None:
    """Draw the artists on the Map page; `rnn-tui similar` must have read the songs before."""
    await pilot.press("7")
    await until(pilot, lambda text: "artists ·" in text or "reading" in text or "loading" in text)
    pilot.app.screen.query_one("#model", Select).value = f"run/{run}"
    save("map", await until(pilot, lambda text: "artists ·" in text and "variance" in text))


DRAWINGS = {
    "train": draw_train,
    "lyrics": draw_lyrics,
    "neurons": draw_neurons,
    "music": draw_music,
    "map": draw_map,
}


async def draw(run: str, pages: list[str]) -> None:
    """Draw pages with the run of this name."""
    async with RnnTuiApp(run=run_dir.find(run)).run_test(size=SIZE) as pilot:
        for page in pages or DRAWINGS:
            await DRAWINGS[page](pilot, run)


if __name__ == "__main__":
    asyncio.run(draw(sys.argv[1], sys.argv[2:]))
