"""Piano rolls as PNG images."""

import io
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine import files
from engine.frame_spec import KEYS
from engine.music.piano_roll import Roll
from engine.music.pitch import LOWEST_PITCH, is_black, pitch_name

# Sizes in pixels, for a high-density screen.
_KEY_HEIGHT = 14
_WIDTH, _MIN_WIDTH = 2000, 900  # width of a single roll; minimum width of each of several rolls
_TOP, _BOTTOM, _LEFT, _GAP, _MARGIN = 76, 64, 84, 44, 32
_KEYBOARD_WIDTH = 26
_TITLE_SIZE, _LABEL_SIZE = 34, 24  # font sizes

_PAPER, _INK, _FAINT = "#ffffff", "#1d2430", "#6b7482"
_WHITE_ROW, _BLACK_ROW, _OCTAVE_LINE, _SECOND_LINE = "#fbfcfd", "#eef1f5", "#c3cad4", "#dde2e9"
_HELD, _ONSET = "#5b8fd6", "#173a6f"
_TO_ASCII = str.maketrans("×–—", "x--")  # Pillow's built-in font has ASCII letters only


def draw(rolls: Sequence[Roll], titles: Sequence[str] = ()) -> bytes:
    """Draw rolls side by side, with a common scale of seconds and keys; returns the bytes of a PNG.

    A note is a bar whose left edge, its onset, is darker. The height of the image depends on the
    keys in use, its width on the number of rolls only. titles: one for each roll, or for the first
    ones. Raises ValueError without a roll.
    """
    if not rolls:
        raise ValueError("no rolls to draw")
    low, high = _key_range(rolls)
    width = _WIDTH if len(rolls) == 1 else max(_MIN_WIDTH, _WIDTH // len(rolls))
    height = (high - low) * _KEY_HEIGHT
    size = (
        _MARGIN * 2 + _LEFT + len(rolls) * (width + _KEYBOARD_WIDTH) + (len(rolls) - 1) * _GAP,
        _TOP + height + _BOTTOM,
    )
    image = Image.new("RGB", size, _PAPER)
    canvas = ImageDraw.Draw(image)
    seconds = max(1.0, *(roll.seconds for roll in rolls))
    for i, roll in enumerate(rolls):
        left = _MARGIN + _LEFT + i * (width + _KEYBOARD_WIDTH + _GAP)
        _draw_keys(canvas, left, width, low, high, labels=i == 0)
        _draw_seconds(canvas, left + _KEYBOARD_WIDTH, width, height, seconds)
        _draw_notes(canvas, roll, left + _KEYBOARD_WIDTH, high, width / seconds)
        if i < len(titles):
            _draw_title(canvas, titles[i], left + _KEYBOARD_WIDTH, width)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def write(rolls: Sequence[Roll], path: Path, titles: Sequence[str] = ()) -> None:
    """Write the image of rolls to a PNG file, complete or not at all; see `draw`."""
    files.write_atomic(path, draw(rolls, titles))


def _key_range(rolls: Sequence[Roll]) -> tuple[int, int]:
    """Return the lowest key to show and the key above the highest: at least two octaves."""
    used = np.flatnonzero(np.any([roll.sounding.any(axis=0) for roll in rolls], axis=0))
    low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (39, 40)
    missing = max(24 - (high - low), 4)
    low = max(low - missing // 2, 0)
    return low, min(max(high + missing // 2, low + 24), KEYS)


def _draw_title(canvas: ImageDraw.ImageDraw, title: str, left: int, width: int) -> None:
    """Draw a title above its roll, cut to the width of the roll."""
    font = ImageFont.load_default(_TITLE_SIZE)
    letters = unicodedata.normalize("NFKD", title.translate(_TO_ASCII))
    without_accents = "".join(letter for letter in letters if not unicodedata.combining(letter))
    text = without_accents.encode("ascii", "replace").decode()[:200]
    shown = text
    while shown and canvas.textlength(shown, font) > width:
        text = text[:-1]
        shown = text + "..."
    canvas.text((left, _TOP - 22), shown, _INK, font, anchor="ls")


def _draw_keys(
    canvas: ImageDraw.ImageDraw, left: int, width: int, low: int, high: int, labels: bool
) -> None:
    """Draw the rows of the keys, the keyboard to the left of them, and the names of the Cs."""
    font = ImageFont.load_default(_LABEL_SIZE)
    right, start = left + _KEYBOARD_WIDTH + width, left + _KEYBOARD_WIDTH
    for key in range(low, high):
        pitch = key + LOWEST_PITCH
        top = _TOP + (high - 1 - key) * _KEY_HEIGHT
        black = is_black(pitch)
        canvas.rectangle(
            (start, top, right, top + _KEY_HEIGHT - 1), _BLACK_ROW if black else _WHITE_ROW
        )
        if black:
            canvas.rectangle(
                (left, top, left + _KEYBOARD_WIDTH * 2 // 3, top + _KEY_HEIGHT - 1), _INK
            )
        if pitch % 12 == 0:
            bottom = top + _KEY_HEIGHT - 1
            canvas.line((left, bottom, right, bottom), _OCTAVE_LINE, 2)
            if labels:
                label = left - 14, top + _KEY_HEIGHT / 2
                canvas.text(label, pitch_name(pitch), _FAINT, font, anchor="rm")
    bottom = _TOP + (high - low) * _KEY_HEIGHT
    canvas.rectangle((left, _TOP, start, bottom), outline=_OCTAVE_LINE, width=2)
    canvas.rectangle((left, _TOP, right, bottom), outline=_OCTAVE_LINE, width=2)


def _draw_seconds(
    canvas: ImageDraw.ImageDraw, left: int, width: int, height: int, seconds: float
) -> None:
    """Draw up to ten vertical lines at round numbers of seconds, with labels."""
    steps = (factor * 10**power for power in range(300) for factor in (1, 2, 5))
    step = next(step for step in steps if seconds / step <= 10)
    font = ImageFont.load_default(_LABEL_SIZE)
    bottom = _TOP + height
    for second in range(0, int(seconds) + 1, step):
        x = left + second * width / seconds
        if second:
            canvas.line((x, _TOP + 2, x, bottom - 2), _SECOND_LINE, 2)
        canvas.text((x, bottom + 12), f"{second} s", _FAINT, font, anchor="mt")


def _draw_notes(
    canvas: ImageDraw.ImageDraw, roll: Roll, left: int, high: int, scale: float
) -> None:
    """Draw the notes at `scale` pixels per second."""
    pixels = roll.frame_seconds * scale  # width of a frame
    edge = max(2.0, min(6.0, pixels * 0.4))
    for first, stop, key in roll.notes().tolist():
        x = left + first * pixels
        end = max(left + stop * pixels - 2, x + 2)  # a gap before the next note of this key
        top = _TOP + (high - 1 - key) * _KEY_HEIGHT + 1
        canvas.rectangle((x, top, end, top + _KEY_HEIGHT - 3), _HELD)
        canvas.rectangle((x, top, min(x + edge, end), top + _KEY_HEIGHT - 3), _ONSET)
