"""A small piano roll as text: a row for two keys, in half-block characters."""

from collections.abc import Sequence

from engine.music.pitch import pitch_name

HALF_BLOCKS = " ▄▀█"  # index: lower + 2 · upper, each 1 if the key sounds


def roll_lines(notes: Sequence[Sequence[int]], width: int) -> list[str]:
    """Return rows of two keys each, highest first, for (first frame, end frame, pitch) notes.

    The end frame is the one after the note. A row is the name of its lower key, followed by a cell
    for each of up to `width` frames.
    """
    shown = [(first, last, pitch) for first, last, pitch in notes if first < width]
    if not shown:
        return ["(silence)"]
    low = min(pitch for _, _, pitch in shown) // 2 * 2
    high = max(pitch for _, _, pitch in shown)
    length = min(width, max(last for _, last, _ in shown))
    sounding = {(pitch, frame) for first, last, pitch in shown for frame in range(first, last)}
    rows = []
    for lower in range(high // 2 * 2, low - 1, -2):
        cells = (
            HALF_BLOCKS[((lower, frame) in sounding) + 2 * ((lower + 1, frame) in sounding)]
            for frame in range(length)
        )
        rows.append(f"{pitch_name(lower):<4}{''.join(cells).rstrip()}".rstrip())
    return rows
