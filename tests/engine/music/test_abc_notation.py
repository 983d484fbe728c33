"""ABC notation: an independent reader finds the same notes at the same times."""

import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.music import abc_notation, export_process
from engine.music.score import Note, Score

_TOKEN = re.compile(
    r"\[Q:[^\]]*\]|(?P<chord>\[[^\]]*\]|[=^]?[A-Ga-g][,']*|z)(?P<over>\d*)(?:/(?P<under>\d+))?(?P<tie>-?)"
    r"|\|\]?|\s+"
)


def _read(text: str) -> set[tuple[Fraction, Fraction, int]]:
    """Return the notes as (start, end, pitch), in beats."""
    body = text.split("K:C\n")[1]
    notes = set()
    for voice in re.split(r"V:\d+ clef=\w+\n", body)[1:]:
        now, held, sharp = Fraction(0), dict[int, Fraction](), dict[str, int]()
        position = 0
        while position < len(voice):
            match = _TOKEN.match(voice, position)
            assert match, voice[position : position + 20]
            position = match.end()
            if match[0].startswith("|"):
                sharp.clear()
            if match["chord"] is None:
                continue
            length = Fraction(int(match["over"] or 1), int(match["under"] or 1)) / 2
            for sign, letter, marks in re.findall(r"([=^]?)([A-Ga-g])([,']*)", match["chord"]):
                name = letter + marks
                if sign:
                    sharp[name] = int(sign == "^")
                octave = letter.islower() + marks.count("'") - marks.count(",")
                step = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[letter.upper()]
                pitch = 60 + 12 * octave + step + sharp.get(name, 0)
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
    assert _read(abc_notation.encode(score, "x")) == expected


def test_a_tune_as_it_is_written() -> None:
    pitches = [60, 61, 60, 72, 73, 84, 48, 47]
    notes = [Note(n * 0.25, n * 0.25 + 0.25, pitch) for n, pitch in enumerate(pitches)]
    notes += [Note(2.0, 5.0, 64), Note(2.0, 5.0, 67)]
    text = abc_notation.encode(Score(tuple(notes), 120.0, (4, 4)), "A  tune\n50%")
    assert text == (
        "%abc-2.1\nX:1\nT:A tune 50\nM:4/4\nL:1/8\nQ:1/4=120\nK:C\n"
        "V:1 clef=treble\nC ^C =C c ^c c' z2 | [EG]8- | [EG]4 z4 |]\n"
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
