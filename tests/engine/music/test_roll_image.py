"""Images of piano rolls, read back by their pixels."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.frame_spec import KEYS
from engine.music import piano_roll, roll_image
from engine.music.piano_roll import Roll
from engine.music.score import Note, Score

HELD, ONSET = (0x5B, 0x8F, 0xD6), (0x17, 0x3A, 0x6F)


def pixels(*rolls: Roll, titles: tuple[str, ...] = ()) -> np.ndarray:
    """Return the image as (height, width, 3)."""
    image = Image.open(io.BytesIO(roll_image.draw(rolls, titles)))
    assert image.format == "PNG"
    return np.asarray(image.convert("RGB"))


def runs(row: np.ndarray, color: tuple[int, int, int]) -> int:
    """Return the number of runs of a color in a row of pixels, (width, 3)."""
    there = np.concatenate([[False], (row == color).all(axis=-1)])
    return int(np.sum(there[1:] & ~there[:-1]))


def rows(image: np.ndarray, color: tuple[int, int, int]) -> list[int]:
    return np.flatnonzero((image == color).all(axis=-1).any(axis=1)).tolist()


def test_every_note_has_a_bar_and_an_onset() -> None:
    notes = (Note(0, 0.9, 60), Note(0.9, 1.8, 60), Note(3, 3.6, 60), Note(0.6, 3, 67))
    image = pixels(piano_roll.from_score(Score(notes)))
    lines = rows(image, ONSET)
    assert runs(image[lines[-1]], ONSET) == runs(image[lines[-1]], HELD) == 3  # middle C
    assert runs(image[lines[0]], ONSET) == runs(image[lines[0]], HELD) == 1  # the G above it
    row = lines.index(next(line for line in lines if line - 1 not in lines and line != lines[0]))
    assert lines[row] - lines[0] == 7 * 14  # seven semitones of rows


def read_notes(image: np.ndarray, length: int) -> set[tuple[int, int, int]]:
    """First frame, frame after the last, and key of each note of a picture of one roll.

    length: of the roll in frames. Its lowest key must be a C that sounds through all of them.
    """
    blue = (image == HELD).all(axis=-1) | (image == ONSET).all(axis=-1)
    lines = np.flatnonzero(blue.any(axis=1))
    bottom, row = lines[-1], 14  # pixels a key
    whole = np.flatnonzero(blue[bottom])
    left, frame = whole[0], (whole[-1] + 2 - whole[0]) / length  # pixels
    assert (image[bottom + 2, left + 1] == (0xC3, 0xCA, 0xD4)).all()  # the line under each C
    found = set()
    for line in range(bottom, lines[0] - 1, -row):
        onset = (image[line - 2] == ONSET).all(axis=-1)
        starts = np.flatnonzero(onset & ~np.roll(onset, 1))
        for start, after in zip(starts, [*starts[1:], blue.shape[1]], strict=True):
            part = blue[line - 2, start:after]
            stop = start + (len(part) if part.all() else int(np.argmin(part)))
            first, last = (start - left) / frame, (stop + 1 - left) / frame
            assert abs(first - round(first)) < 0.1
            assert abs(last - round(last)) < 0.1
            found.add((round(first), round(last), 39 + (bottom - line) // row))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_notes_are_drawn_at_their_times_and_keys(seed: int) -> None:
    generator = np.random.default_rng(seed)
    sounding, onset = np.zeros((2, 40, KEYS), np.uint8)
    sounding[:, 40:66] = generator.random((40, 26)) < 0.4
    onset[:, 40:66] = sounding[:, 40:66] & (generator.random((40, 26)) < 0.3)
    sounding[:, 39], onset[0, 39] = 1, 1  # the middle C, from beginning to end
    music = piano_roll.from_frames(np.concatenate([sounding, onset], axis=1))
    expected = {(int(first), int(stop), int(key)) for first, stop, key in music.notes()}
    assert len(expected) > 150
    assert read_notes(pixels(music), 40) == expected


def test_a_held_note_differs_from_a_repeated_one() -> None:
    held = pixels(piano_roll.from_score(Score((Note(0, 1.2, 60),))))
    repeated = pixels(piano_roll.from_score(Score((Note(0, 0.6, 60), Note(0.6, 1.2, 60)))))
    assert held.shape == repeated.shape
    assert np.sum((held == ONSET).all(axis=-1)) * 2 == np.sum((repeated == ONSET).all(axis=-1))


def test_the_width_does_not_depend_on_the_length() -> None:
    short = piano_roll.from_frames(np.eye(20, KEYS))
    long = piano_roll.from_frames(np.tile(np.eye(20, KEYS), (200, 1)))
    assert pixels(short).shape == pixels(long).shape
    assert pixels(short, long).shape[0] == pixels(short).shape[0]
    assert pixels(short, short, short).shape[1] > pixels(short, short).shape[1]


def test_rolls_side_by_side_share_a_scale() -> None:
    music = piano_roll.from_score(Score((Note(0, 3, 60),)))
    longer = piano_roll.from_score(Score((Note(0, 6, 60),)))
    image = pixels(music, longer)
    row = image[rows(image, HELD)[0]]
    blue = np.flatnonzero((row == HELD).all(axis=-1))
    gap = int(np.argmax(np.diff(blue)))
    assert len(blue) - gap - 1 == pytest.approx(2 * (gap + 1), rel=0.05)


def test_titles_with_any_letters_of_any_length_fit() -> None:
    music = piano_roll.from_score(Score((Note(0, 3, 60),)))
    plain = pixels(music, music)
    titled = pixels(music, music, titles=("früh — 2 × 256 ♪", "late " * 200))
    assert plain.shape == titled.shape
    assert (plain[80:] == titled[80:]).all()
    assert (plain[:70] != titled[:70]).any()
    assert (titled[:70, -30:] == 255).all()  # nothing runs over the edge


def test_silence_is_drawn_and_no_rolls_are_refused() -> None:
    assert not rows(pixels(piano_roll.from_frames(np.zeros((0, KEYS)))), ONSET)
    assert rows(pixels(piano_roll.from_frames(np.ones((5, KEYS)))), ONSET)
    with pytest.raises(ValueError, match="no rolls"):
        roll_image.draw([])


def test_the_file_has_the_image(tmp_path: Path) -> None:
    path = tmp_path / "pictures" / "roll.png"
    music = piano_roll.from_score(Score((Note(0, 3, 60),)))
    roll_image.write([music], path, ["early"])
    assert path.read_bytes() == roll_image.draw([music], ["early"])
    assert [item.name for item in path.parent.iterdir()] == ["roll.png"]
