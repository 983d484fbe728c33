"""ABC notation: an independent reader finds the same notes at the same times."""

import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.music import abc_notation, export_process, musicxml
from engine.music.score import Note, Score

_TOKEN = re.compile(
    r"\[Q:[^\]]*\]|(?P<chord>\[[^\]]*\]|[=^_]*[A-Ga-g][,']*|z)(?P<over>\d*)(?:/(?P<under>\d+))?(?P<tie>-?)"
    r"|\|\]?|\s+"
)


_SIGNATURES = {  # in sharps, of major keys and of minor ones
    "Db": -5, "Ab": -4, "Eb": -3, "Bb": -2, "F": -1, "C": 0,
    "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F#": 6,
    "Bbm": -5, "Fm": -4, "Cm": -3, "Gm": -2, "Dm": -1, "Am": 0,
    "Em": 1, "Bm": 2, "F#m": 3, "C#m": 4, "G#m": 5, "D#m": 6,
}  # fmt: skip


def _read(text: str, octaves_differ: bool = True) -> set[tuple[Fraction, Fraction, int]]:
    """Return the notes as (start, end, pitch), in beats.

    octaves_differ: an accidental holds for its own octave only.
    """
    _, key, body = re.split(r"K:(\S+)\n", text)
    fifths = _SIGNATURES[key]
    letters = "FCGDAEB"[:fifths] if fifths >= 0 else "BEADGCF"[:-fifths]
    signature = dict.fromkeys(letters, 1 if fifths > 0 else -1)
    notes = set()
    for voice in re.split(r"V:\d+ clef=\w+\n", body)[1:]:
        now, held, altered = Fraction(0), dict[int, Fraction](), dict[str, int]()
        position = 0
        while position < len(voice):
            match = _TOKEN.match(voice, position)
            assert match, voice[position : position + 20]
            position = match.end()
            if match[0].startswith("|"):
                altered.clear()
            if match["chord"] is None:
                continue
            length = Fraction(int(match["over"] or 1), int(match["under"] or 1)) / 2
            for sign, letter, marks in re.findall(r"([=^_]*)([A-Ga-g])([,']*)", match["chord"]):
                name = letter + marks if octaves_differ else letter.upper()
                if sign:
                    altered[name] = sign.count("^") - sign.count("_")
                octave = letter.islower() + marks.count("'") - marks.count(",")
                step = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[letter.upper()]
                pitch = 60 + 12 * octave + step
                pitch += altered.get(name, signature.get(letter.upper(), 0))
                start = held.pop(pitch, now)
                if match["tie"]:
                    held[pitch] = start
                else:
                    notes.add((start, now + length, pitch))
            now += length
        assert not held
    return notes


_NOTES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 30), st.integers(21, 108)), min_size=1, max_size=25
)


@settings(max_examples=40, deadline=None)
@given(_NOTES, st.sampled_from([1, 2, 3, 4, 6, 8]), st.sampled_from([(4, 4), (3, 4), (6, 8)]))
def test_a_reader_finds_the_same_notes(
    notes: list[tuple[int, int, int]], divisions: int, metre: tuple[int, int]
) -> None:
    beat = 60 / 90
    score = Score(
        tuple(
            Note(start / divisions * beat, (start + length) / divisions * beat, pitch)
            for start, length, pitch in notes
        ),
        tempo=90.0,
        time_signature=metre,
    )
    expected = {
        (Fraction(start, divisions), Fraction(start + length, divisions), pitch)
        for start, length, pitch in notes
    }
    text = abc_notation.encode(score, "x")
    assert _read(text) == _read(text, octaves_differ=False) == expected


@pytest.mark.parametrize(
    ("shift", "written"),
    [
        (7, "K:G\nV:1 clef=treble\nG A B c d e f g | ^c d =c B G4 |]"),
        (10, "K:Bb\nV:1 clef=treble\nB c d e f g a b | =e f _e d B4 |]"),
        (1, "K:Db\nV:1 clef=treble\nD E F G A B c d | =G A _G F D4 |]"),
        (6, "K:F#\nV:1 clef=treble\nF G A B c d e f | ^B c =B A F4 |]"),
    ],
)
def test_a_tune_is_spelled_in_its_key(shift: int, written: str) -> None:
    pitches = [60, 62, 64, 65, 67, 69, 71, 72, 66, 67, 65, 64]
    notes = [Note(n / 4, (n + 1) / 4, pitch + shift) for n, pitch in enumerate(pitches)]
    notes.append(Note(3.0, 4.0, 60 + shift))
    score = Score(tuple(notes), 120.0)
    assert abc_notation.encode(score, "x").split("Q:1/4=120\n")[1].strip() == written
    sheet = musicxml.encode(score).decode()
    assert f"<fifths>{_SIGNATURES[written.split()[0][2:]]}</fifths>" in sheet


def test_a_minor_key_is_named() -> None:
    notes = [Note(n / 2, n / 2 + 0.5, pitch) for n, pitch in enumerate([67, 70, 74, 66, 67])]
    text = abc_notation.encode(Score(tuple(notes), 120.0, (2, 4)), "x")
    assert text.endswith("K:Gm\nV:1 clef=treble\nG2 B2 | d2 ^F2 | G2 z2 |]\n")


def test_a_tune_as_it_is_written() -> None:
    pitches = [60, 61, 60, 72, 73, 84, 48, 47]
    notes = [Note(n * 0.25, n * 0.25 + 0.25, pitch) for n, pitch in enumerate(pitches)]
    notes += [Note(2.0, 5.0, 60), Note(2.0, 5.0, 67)]
    text = abc_notation.encode(Score(tuple(notes), 120.0, (4, 4)), "A  tune\n50%")
    assert text == (
        "%abc-2.1\nX:1\nT:A tune 50\nM:4/4\nL:1/8\nQ:1/4=120\nK:C\n"
        "V:1 clef=treble\nC ^C =C c ^c =c' z2 | [CG]8- | [CG]4 z4 |]\n"
        "V:2 clef=bass\nz6 C, B,, | z8 | z8 |]\n"
    )


def test_a_new_tempo_stands_at_its_bar_and_times_off_the_grid_are_rounded() -> None:
    notes = (Note(0.0, 1.0, 60), Note(2.0, 4.015, 62))
    score = Score(notes, 120.0, tempo_changes=((2.0, 60.0),))
    text = abc_notation.encode(score, "x")
    assert "C4 z4 | [Q:1/4=60] D4 z4 |]" in text
    off = Score((Note(0.0, 0.3, 60), Note(0.3, 0.6, 62)), 120.0)
    assert _read(abc_notation.encode(off, "x")) == {
        (Fraction(0), Fraction(7, 12), 60),
        (Fraction(7, 12), Fraction(14, 12), 62),
    }


def test_a_file_of_this_ending_is_written(tmp_path: Path) -> None:
    export_process.save(Score((Note(0.0, 1.0, 60),)), tmp_path / "tune.abc", 0.25)
    assert (tmp_path / "tune.abc").read_text().split("\n")[2] == "T:tune"
    assert _read(abc_notation.encode(Score(()), "x")) == set()
    with pytest.raises(Exception, match="none of the endings"):
        export_process.save(Score(()), tmp_path / "tune.ab", 0.25)
