"""The composer of the included pieces: it writes the same bytes again, and its music theory."""

import subprocess
import sys
from pathlib import Path

import pytest

from assets.make.composer.pieces import PIECES
from assets.make.composer.styles import STYLES
from assets.make.composer.theory import Chord, Key, parse_chord, parse_progression, parse_rhythm

ROOT = Path(__file__).parents[2]
PIECES_FOLDER = ROOT / "assets/corpora/pieces"


def compose(folder: Path, *titles: str) -> dict[str, bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "assets.make.composer", str(folder), *titles],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return {str(x.relative_to(folder)): x.read_bytes() for x in folder.rglob("*") if x.is_file()}


@pytest.mark.slow
def test_some_pieces_are_written_byte_for_byte(tmp_path: Path) -> None:
    titles = ["Paper Lanterns", "For Those at Sea", "Two Squirrels", "Walnuts"]
    files = compose(tmp_path, *titles)
    del files["README.md"]
    assert len(files) == len(titles)
    for name, content in files.items():
        assert content == (PIECES_FOLDER / name).read_bytes(), name


@pytest.mark.slow
def test_every_file_is_written_byte_for_byte(tmp_path: Path) -> None:
    stored = {
        str(x.relative_to(PIECES_FOLDER)): x.read_bytes()
        for x in PIECES_FOLDER.rglob("*")
        if x.is_file()
    }
    assert compose(tmp_path) == stored


def test_every_rhythm_fills_a_bar() -> None:
    for name, style in STYLES.items():
        for cell in f"{style.cells}, {style.half_close}, {style.full_close}".split(", "):
            assert sum(length for length, _ in parse_rhythm(cell)) == style.bar, (name, cell)


def test_every_style_is_used() -> None:
    assert {piece.style for piece in PIECES} == set(STYLES)


@pytest.mark.parametrize(
    ("symbol", "mode", "tones", "bass"),
    [
        ("I", "major", (0, 4, 7), 0),
        ("ii65", "major", (2, 5, 9, 0), 5),
        ("V7/V", "major", (2, 6, 9, 0), 2),
        ("i64", "minor", (0, 3, 7), 7),
        ("VI", "minor", (8, 0, 3), 8),
        ("iiø7", "minor", (2, 5, 8, 0), 2),
        ("bII6", "minor", (1, 5, 8), 5),
        ("viio7", "minor", (11, 2, 5, 8), 11),
        ("bVII", "major", (10, 2, 5), 10),
    ],
)
def test_chords_are_parsed(symbol: str, mode: str, tones: tuple[int, ...], bass: int) -> None:
    built: Chord = parse_chord(symbol, mode)
    assert (built.tones, built.bass) == (tones, bass)


def test_pitches_are_altered_to_fit_the_chord() -> None:
    minor = Key.named("A minor")
    assert [minor.pitch(step, parse_chord("i", "minor")) for step in range(8)] == [
        *(69, 71, 72, 74, 76, 77, 79, 81)
    ]
    assert minor.pitch(6, parse_chord("V", "minor")) == 80  # the leading note
    assert Key.named("B flat major").tonic == 70
    assert Key.named("C pentatonic").pitch(5, parse_chord("I", "major")) == 72


def test_two_chords_divide_a_bar_at_a_beat() -> None:
    def lengths(text: str, bar: int, beat: int) -> list[int]:
        return [span.length for span in parse_progression(text, "major", bar, beat)[0]]

    assert lengths("I V7", 36, 12) == [24, 12]
    assert lengths("I V7", 36, 18) == [18, 18]
    assert lengths("I V7", 48, 12) == [24, 24]
    assert lengths("I IV V7 I", 48, 12) == [12] * 4
