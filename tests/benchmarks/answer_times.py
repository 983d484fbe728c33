"""Measure how much CPU time the app takes to answer a key (aim: at most 100 ms).

`python tests/benchmarks/answer_times.py [--count N] [--size W×H] [--model]` prints a row for each
key of the Lyrics page while N songs stream side by side, and for each key that opens a page or a
dialog. The songs come from a fake sampler, which writes much faster than a model, or with --model
from the included model. A first press also does what later ones find done: it has its own column.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections import defaultdict

os.environ["TEXTUAL_ANIMATIONS"] = "none"

from tests.tui.answer_times import AnswerTimer
from tests.tui.lyrics_page import LyricsPage, page
from tests.tui.page import settle
from tui.sources.child_commands import INSTALLED

SIZES = ((80, 24), (120, 40), (200, 60))
TURNS = 3
LENGTH = 1500  # characters of each song
STREAMING = (
    "left_square_bracket", "right", "down", "left", "up", "h", "b", "b", "h", "comma", "full_stop",
    "b", "t", "escape", "a", "escape", "tab", "shift+tab", "c",
)  # fmt: skip
OPENING = (
    "question_mark", "escape", "ctrl+p", "escape", "ctrl+o", "escape", "y", "escape", "e", "escape",
    "S", "escape", "1", "n", "escape", "4", "3", "5", "6", "7", "2",
)  # fmt: skip


class Rows:
    """The answers of a table, by what was pressed."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)  # CPU milliseconds

    async def press(self, timer: AnswerTimer, key: str) -> None:
        """Press a key, and note how long its answer takes."""
        taken = await timer.key(key)
        if taken is not None:
            self.times[key].append(taken)

    def show(self, title: str) -> None:
        """Print the table."""
        print(f"\n{title:36}   first  median     max  (CPU ms)")
        for key, times in self.times.items():
            later = times[1:] or times
            print(f"{key:36} {times[0]:7.0f} {statistics.median(later):7.0f} {max(later):7.0f}")
        every = [taken for times in self.times.values() for taken in times]
        slow = sum(taken > 100 for taken in every)
        print(
            f"{f'all: {slow} of {len(every)} over 100 ms':36}         "
            f"{statistics.median(every):7.0f} {max(every):7.0f}"
        )


async def stream(lyrics: LyricsPage, timer: AnswerTimer, rows: Rows, key: str) -> None:
    """Press a key while songs stream; begin them again if they have ended."""
    if not lyrics.screen.session.active:
        lyrics.screen.leave_fields()
        await rows.press(timer, "g")
    if key == "escape" and lyrics.focused in (None, "text"):
        return  # it would stop the songs
    await rows.press(timer, key)


async def measure(count: int, size: tuple[int, int], model: bool) -> None:
    """Print the tables for a size of the terminal."""
    words = f"{count} songs, {size[0]} × {size[1]}"
    opened = page(size, "", INSTALLED) if model else page(size)
    async with opened as lyrics:
        if model:  # a new user's first song has begun by itself
            await lyrics.until(lambda: lyrics.screen.session.active)
            await lyrics.press("escape")
        await lyrics.fill(count=str(count), length=str(LENGTH), prime="Why")
        await lyrics.press("h")
        with AnswerTimer.of(lyrics.app) as timer:
            rows, wall, cpu = Rows(), time.monotonic(), time.process_time()
            for _ in range(TURNS):
                for key in STREAMING:
                    await stream(lyrics, timer, rows, key)
                    await asyncio.sleep(0.05)
            cpu, wall = time.process_time() - cpu, time.monotonic() - wall
            rows.show(f"{words}, streaming")
            print(f"{cpu:.1f} s of CPU in {wall:.1f} s")
            lyrics.screen.stop()
            rows = Rows()
            for _ in range(2):
                for key in OPENING:
                    await rows.press(timer, key)
                    await settle(lyrics.pilot)
            rows.show(f"{words}, written: pages and dialogs")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=16, metavar="N", help="songs (default 16)")
    parser.add_argument("--size", metavar="W×H", help="of the terminal (default: three sizes)")
    parser.add_argument("--model", action="store_true", help="let the included model write")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["RNN_TUI_HOME"] = home
        width, _, height = (options.size or "").replace("×", "x").partition("x")
        for size in ((int(width), int(height)),) if options.size else SIZES:
            asyncio.run(measure(options.count, size, options.model))


if __name__ == "__main__":
    main()
