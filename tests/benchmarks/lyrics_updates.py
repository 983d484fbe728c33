"""Measure what drawing songs costs the app while they stream, and how soon a key is answered.

`python tests/benchmarks/lyrics_updates.py [--count N]` opens the Lyrics page on a sampler that
writes as fast as it can, once with one song and once with N, with shading by surprise. It prints
the CPU milliseconds of the app per update, the most between a key and its answer, and how many
updates one update of each frame would have been.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time

from textual import events

os.environ["TEXTUAL_ANIMATIONS"] = "none"

from tests.tui.lyrics_page import page
from tui.pages.lyrics.screen import LyricsScreen
from tui.pages.model_page import SamplerAnswered

LENGTH = 2000  # characters of each song


async def measure(count: int, size: tuple[int, int]) -> None:
    """Write `count` songs, press a key every 50 ms meanwhile, and print a line of the table."""
    updates: list[float] = []  # CPU milliseconds
    pressed: float | None = None
    keys: list[float] = []
    handle, step = LyricsScreen.on_sampler_answered, LyricsScreen.action_step

    def timed(screen: LyricsScreen, event: SamplerAnswered) -> None:
        began = time.process_time()
        handle(screen, event)
        updates.append(1000 * (time.process_time() - began))

    def answered(screen: LyricsScreen, name: str, steps: int) -> None:
        nonlocal pressed
        step(screen, name, steps)
        keys.append(1000 * (time.process_time() - (pressed or 0)))
        pressed = None

    LyricsScreen.on_sampler_answered = timed  # type: ignore[method-assign,assignment]
    LyricsScreen.action_step = answered  # type: ignore[method-assign,assignment]
    async with page(size) as lyrics:
        await lyrics.fill(count=str(count), length=str(LENGTH * 16 // count))
        await lyrics.press("h")
        updates.clear()
        wall, cpu = time.monotonic(), time.process_time()
        lyrics.app.post_message(events.Key("g", "g"))
        while pressed or not keys or any(song.active for song in lyrics.screen.session.items):
            if pressed is None:
                pressed = time.process_time()
                lyrics.app.post_message(events.Key("left_square_bracket", "["))
            await asyncio.sleep(0.05)
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    LyricsScreen.on_sampler_answered = handle  # type: ignore[method-assign]
    LyricsScreen.action_step = step  # type: ignore[method-assign]
    print(
        f"{count:3} songs {size[0]:4} × {size[1]:<3} {len(updates):5} updates "
        f"{statistics.mean(updates):7.1f} ms each ({max(updates):.1f} at most) "
        f"{statistics.median(keys):7.1f} ms until a key is answered ({max(keys):.1f} at most) "
        f"{cpu:5.1f} s of CPU in {wall:.1f} s"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=16, metavar="N", help="songs (default 16)")
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as home:
        os.environ["RNN_TUI_HOME"] = home
        for songs in (1, count):
            for size in ((80, 24), (200, 60)):
                asyncio.run(measure(songs, size))


if __name__ == "__main__":
    main()
