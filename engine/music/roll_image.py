"""Piano rolls as pictures (PNG)."""

import io
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine import files
from engine.frames import KEYS
from engine.music.piano_roll import Roll
from engine.music.pitch import LOWEST_PITCH

# Sizes in pixels, for a screen of high density.
_ROW = 14  # a key's height
_WIDTH, _NARROW = 2000, 900  # of the roll when alone; at least, of each among several
_TOP, _BOTTOM, _LEFT, _GAP, _MARGIN = 76, 64, 84, 44, 32
_STRIP = 26  # the keyboard's width
_TITLE, _LABEL = 34, 24  # sizes of letters

_PAPER, _INK, _FAINT = "#ffffff", "#1d2430", "#6b7482"
_WHITE_ROW, _BLACK_ROW, _OCTAVE, _SECOND = "#fbfcfd", "#eef1f5", "#c3cad4", "#dde2e9"
_HELD, _ONSET = "#5b8fd6", "#173a6f"
_NEAREST = str.maketrans("×–—", "x--")  # the letters that Pillow brings along are ASCII's
_BLACK_KEYS = {1, 3, 6, 8, 10}  # semitones above C


def draw(rolls: Sequence[Roll], titles: Sequence[str] = ()) -> bytes:
    """Draw rolls side by side, on one scale of seconds and keys, as the bytes of a PNG.

    A note is a bar whose darker left edge is its onset. The height fits the keys that sound, the
    width does not depend on the rolls' lengths. Raises ValueError where there is no roll.
    """
    if not rolls:
        raise ValueError("no rolls to draw")
    low, high = _key_range(rolls)
    width = _WIDTH if len(rolls) == 1 else max(_NARROW, _WIDTH // len(rolls))
    height = (high - low) * _ROW
    size = (
        _MARGIN * 2 + _LEFT + len(rolls) * (width + _STRIP) + (len(rolls) - 1) * _GAP,
        _TOP + height + _BOTTOM,
    )
    image = Image.new("RGB", size, _PAPER)
    canvas = ImageDraw.Draw(image)
    seconds = max(1.0, *(roll.seconds for roll in rolls))
    for place, roll in enumerate(rolls):
        left = _MARGIN + _LEFT + place * (width + _STRIP + _GAP)
        _draw_keys(canvas, left, width, low, high, labels=place == 0)
        _draw_seconds(canvas, left + _STRIP, width, height, seconds)
        _draw_notes(canvas, roll, left + _STRIP, high, width / seconds)
        if place < len(titles):
            _draw_title(canvas, titles[place], left + _STRIP, width)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def write(rolls: Sequence[Roll], path: Path, titles: Sequence[str] = ()) -> None:
    """Draw rolls into a PNG file, the old or the new whole; see `draw`."""
    files.write_atomic(path, draw(rolls, titles))


def _key_range(rolls: Sequence[Roll]) -> tuple[int, int]:
    """The keys to show, from the first to after the last: two octaves or more."""
    used = np.flatnonzero(np.any([roll.sounding.any(axis=0) for roll in rolls], axis=0))
    low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (39, 40)
    missing = max(24 - (high - low), 4)
    low = max(low - missing // 2, 0)
    return low, min(max(high + missing // 2, low + 24), KEYS)


def _draw_title(canvas: ImageDraw.ImageDraw, title: str, left: int, width: int) -> None:
    """Draw a title over its roll, cut to its width."""
    font = ImageFont.load_default(_TITLE)
    letters = unicodedata.normalize("NFKD", title.translate(_NEAREST))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    text = bare.encode("ascii", "replace").decode()[:200]
    cut = text
    while cut and canvas.textlength(cut, font) > width:
        text = text[:-1]
        cut = text + "..."
    canvas.text((left, _TOP - 22), cut, _INK, font, anchor="ls")


def _draw_keys(
    canvas: ImageDraw.ImageDraw, left: int, width: int, low: int, high: int, labels: bool
) -> None:
    """Draw the rows, the keyboard before them, and the names of the Cs before that."""
    font = ImageFont.load_default(_LABEL)
    right, start = left + _STRIP + width, left + _STRIP
    for key in range(low, high):
        semitone = (key + LOWEST_PITCH) % 12
        top = _TOP + (high - 1 - key) * _ROW
        black = semitone in _BLACK_KEYS
        canvas.rectangle((start, top, right, top + _ROW - 1), _BLACK_ROW if black else _WHITE_ROW)
        if black:
            canvas.rectangle((left, top, left + _STRIP * 2 // 3, top + _ROW - 1), _INK)
        if semitone == 0:
            bottom = top + _ROW - 1
            canvas.line((left, bottom, right, bottom), _OCTAVE, 2)
            if labels:
                name = f"C{(key + LOWEST_PITCH) // 12 - 1}"
                canvas.text((left - 14, top + _ROW / 2), name, _FAINT, font, anchor="rm")
    bottom = _TOP + (high - low) * _ROW
    canvas.rectangle((left, _TOP, start, bottom), outline=_OCTAVE, width=2)
    canvas.rectangle((left, _TOP, right, bottom), outline=_OCTAVE, width=2)


def _draw_seconds(
    canvas: ImageDraw.ImageDraw, left: int, width: int, height: int, seconds: float
) -> None:
    """Draw a line and its label at round numbers of seconds, not over ten of them."""
    steps = (factor * 10**power for power in range(300) for factor in (1, 2, 5))
    step = next(step for step in steps if seconds / step <= 10)
    font = ImageFont.load_default(_LABEL)
    bottom = _TOP + height
    for second in range(0, int(seconds) + 1, step):
        x = left + second * width / seconds
        if second:
            canvas.line((x, _TOP + 2, x, bottom - 2), _SECOND, 2)
        canvas.text((x, bottom + 12), f"{second} s", _FAINT, font, anchor="mt")


def _draw_notes(
    canvas: ImageDraw.ImageDraw, roll: Roll, left: int, high: int, scale: float
) -> None:
    """Draw the notes, `scale` pixels a second."""
    pixels = roll.frame_seconds * scale  # a frame
    edge = max(2.0, min(6.0, pixels * 0.4))
    for first, stop, key in roll.notes().tolist():
        x = left + first * pixels
        end = max(left + stop * pixels - 2, x + 2)  # a gap before the next note of this key
        top = _TOP + (high - 1 - key) * _ROW + 1
        canvas.rectangle((x, top, end, top + _ROW - 3), _HELD)
        canvas.rectangle((x, top, min(x + edge, end), top + _ROW - 3), _ONSET)
