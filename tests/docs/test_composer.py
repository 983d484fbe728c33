"""The pieces that come with the program: what they are, and that the composer writes them again."""

import collections
from pathlib import Path

import numpy as np
import pytest

from docs.composer.__main__ import FOLDER, pieces, write
from docs.composer.forms import compose
from docs.composer.styles import STYLES
from engine.music import midi
from engine.music.score import Score

FILES = sorted(FOLDER.glob("*/*.mid"))
SCORES = [midi.read(path) for path in FILES]


def top(score: Score) -> list[tuple[float, int]]:
    """The notes with none above them, as beats and pitches: the melody, nearly always."""
    return [
        (round(note.start * score.tempo / 60, 2), note.pitch)
        for note in score.notes
        if not any(
            other.pitch > note.pitch and other.start <= note.start + 1e-3 < other.end
            for other in score.notes
        )
    ]


def test_there_are_enough_and_they_differ() -> None:
    assert len(FILES) == 4 * len(STYLES) >= 96
    assert {path.parent.name for path in FILES} == {"train", "valid", "test"}
    melodies = {tuple(pitch for _, pitch in top(score)[:40]) for score in SCORES}
    assert len(melodies) == len(FILES)
    assert len({score.metre for score in SCORES}) >= 6
    assert len({style.keys[n] for style in STYLES.values() for n in range(4)}) >= 24
    titles = [title for style in STYLES.values() for title in style.titles]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(("path", "score"), list(zip(FILES, SCORES, strict=True)))
def test_a_piece_can_be_played_by_two_hands(path: Path, score: Score) -> None:
    assert 20 <= score.end <= 60
    assert score.left_out.outside == score.left_out.empty == score.left_out.joined == 0
    assert all(28 <= note.pitch <= 96 for note in score.notes)
    assert len(score.notes) > 100
    down = collections.Counter(round(note.start, 4) for note in score.notes)
    assert max(down.values()) <= 6


def test_bars_begin_in_consonance() -> None:
    """Of two notes that a bar begins with, few are a semitone or a major seventh apart."""
    clashes = bars = 0
    for score in SCORES:
        bar = score.metre[0] * 4 / score.metre[1] * 60 / score.tempo
        for start in np.arange(0, score.end - 1e-3, bar):
            sounding = sorted(n.pitch for n in score.notes if n.start <= start + 1e-3 < n.end)
            bars += 1
            clashes += any((sounding[-1] - low) % 12 in (1, 11) for low in sounding[:-1])
    assert clashes / bars < 0.03


def test_themes_return() -> None:
    """The first two bars are heard again at the beginning of a later bar, in nearly every piece."""
    found = 0
    for score in SCORES:
        bar = score.metre[0] * 4 / score.metre[1]  # beats
        notes = set(top(score))
        first = [(beat, pitch) for beat, pitch in notes if beat < 2 * bar]
        later = [bar * number for number in range(4, int(score.end * score.tempo / 60 / bar))]
        shares = [
            np.mean([(round(beat + shift, 2), pitch) in notes for beat, pitch in first])
            for shift in later
        ]
        found += bool(max(shares) > 0.8)
    assert found / len(SCORES) > 0.9


@pytest.mark.parametrize("style", ["waltz", "chorale", "invention", "blues"])
def test_the_composer_writes_the_same_piece_again(style: str) -> None:
    piece = compose(style, 1)
    (path,) = [file for file in FILES if int(file.name[:3]) == 4 * list(STYLES).index(style) + 2]
    assert midi.encode(piece.score) == path.read_bytes()
    assert compose(style, 1, seed=1).score.notes != piece.score.notes


@pytest.mark.slow
def test_the_composer_writes_the_same_files_again(tmp_path: Path) -> None:
    write(tmp_path)
    written = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.*")}
    kept = {path.relative_to(FOLDER): path.read_bytes() for path in FOLDER.rglob("*.*")}
    assert written == kept
    assert len(pieces()) == len(written) - 1
