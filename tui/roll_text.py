"""A small piano roll in half-blocks, from the notes of a sample."""

from collections.abc import Sequence

from engine.music.pitch import pitch_name

HALF_BLOCKS = " ▄▀█"  # two keys in a cell: by lower + 2 · upper


def roll_lines(notes: Sequence[Sequence[int]], width: int) -> list[str]:
    """Rows of two keys each, the highest first, from notes (first frame, frame after, pitch).

    Every row begins with the name of its lower key; at most `width` frames are shown, one a cell.
    """
    seen = [(first, last, pitch) for first, last, pitch in notes if first < width]
    if not seen:
        return ["(silence)"]
    low = min(pitch for _, _, pitch in seen) // 2 * 2
    high = max(pitch for _, _, pitch in seen)
    length = min(width, max(last for _, last, _ in seen))
    sounding = {(pitch, frame) for first, last, pitch in seen for frame in range(first, last)}
    rows = []
    for lower in range(high // 2 * 2, low - 1, -2):
        cells = (
            HALF_BLOCKS[((lower, frame) in sounding) + 2 * ((lower + 1, frame) in sounding)]
            for frame in range(length)
        )
        rows.append(f"{pitch_name(lower):<4}{''.join(cells).rstrip()}".rstrip())
    return rows
