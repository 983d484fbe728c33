import subprocess
import sys
from pathlib import Path

import pytest

from assets.make.composer.pieces import PIECES
from assets.make.composer.styles import STYLES
from assets.make.composer.theory import Chord, Key, chord, harmony, rhythm

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "assets/corpora/pieces"


def written(folder: Path, *titles: str) -> dict[str, bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "assets.make.composer", str(folder), *titles],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return {str(x.relative_to(folder)): x.read_bytes() for x in folder.rglob("*") if x.is_file()}


def test_the_same_bytes_again(tmp_path: Path) -> None:
    titles = ["Paper Lanterns", "For Those at Sea", "Two Squirrels", "Walnuts"]
    files = written(tmp_path, *titles)
    del files["README.md"]
    assert len(files) == len(titles)
    for name, content in files.items():
        assert content == (KEPT / name).read_bytes(), name


@pytest.mark.slow
def test_every_piece_is_what_the_composer_writes(tmp_path: Path) -> None:
    kept = {str(x.relative_to(KEPT)): x.read_bytes() for x in KEPT.rglob("*") if x.is_file()}
    assert written(tmp_path) == kept


def test_every_rhythm_fills_its_bar() -> None:
    for name, style in STYLES.items():
        for cell in f"{style.cells}, {style.half}, {style.full}".split(", "):
            assert sum(length for length, _ in rhythm(cell)) == style.bar, (name, cell)


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
def test_chords(symbol: str, mode: str, tones: tuple[int, ...], bass: int) -> None:
    built: Chord = chord(symbol, mode)
    assert (built.tones, built.bass) == (tones, bass)


def test_a_key_bends_to_its_chord() -> None:
    minor = Key.named("A minor")
    assert [minor.pitch(step, chord("i", "minor")) for step in range(8)] == [
        *(69, 71, 72, 74, 76, 77, 79, 81)
    ]
    assert minor.pitch(6, chord("V", "minor")) == 80  # the leading note
    assert Key.named("B flat major").tonic == 70
    assert Key.named("C pentatonic").pitch(5, chord("I", "major")) == 72


def test_two_chords_share_a_bar_by_its_beats() -> None:
    def lengths(text: str, bar: int, beat: int) -> list[int]:
        return [span.length for span in harmony(text, "major", bar, beat)[0]]

    assert lengths("I V7", 36, 12) == [24, 12]
    assert lengths("I V7", 36, 18) == [18, 18]
    assert lengths("I V7", 48, 12) == [24, 24]
    assert lengths("I IV V7 I", 48, 12) == [12] * 4
