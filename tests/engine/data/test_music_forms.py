"""Forms: which bars of a piece repeat an earlier one."""

from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import DataConfig
from engine.data.corpus import prepare_corpus
from engine.data.music_forms import LETTERS, find_form, find_forms, repeated_share
from engine.frame_spec import KEYS


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(1, 4))
def test_bars_have_the_same_letter_if_they_are_equal(numbers: list[int], bar: int) -> None:
    frames = np.zeros((len(numbers) * bar, KEYS), np.uint8)
    frames[np.arange(len(frames)), np.repeat(numbers, bar)] = 1
    form = find_form(frames, bar)
    assert len(form) == len(numbers)
    for a, x in zip(form, numbers, strict=True):
        assert [b == a for b in form] == [y == x for y in numbers]
    assert list(dict.fromkeys(form)) == list(LETTERS[: len(set(numbers))])


def test_the_last_bar_may_be_shorter_and_letters_may_not_suffice() -> None:
    frames = np.eye(KEYS, dtype=np.uint8)
    assert find_form(np.concatenate([frames[:4], frames[:3]]), 4) == "AB"
    assert find_form(frames[:52], 1) == LETTERS
    assert find_form(frames[:53], 1) == ""


def test_the_share_of_repeated_bars() -> None:
    assert repeated_share(["ABAB", "AAAA"]) == 5 / 8
    assert repeated_share([]) == 0


@pytest.fixture
def write_tunes(tmp_path: Path) -> Callable[[list[str]], Path]:
    """write_tunes(forms) writes a MIDI file for each form, with a note for each bar."""

    def write(forms: list[str]) -> Path:
        for number, form in enumerate(forms):
            track = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=4, denominator=4)])
            for letter in form:
                pitch = 30 + 5 * number + LETTERS.index(letter)
                track.append(mido.Message("note_on", note=pitch, velocity=80))
                track.append(mido.Message("note_off", note=pitch, time=4 * 480))
            mido.MidiFile(tracks=[track], ticks_per_beat=480).save(tmp_path / f"{number}.mid")
        return tmp_path

    return write


def corpus_forms(source: Path, frame_beats: float = 1.0) -> tuple[str, ...]:
    """Return the forms of the files in a folder."""
    data = DataConfig(
        source=str(source), valid_fraction=0, test_fraction=0, frame_beats=frame_beats
    )
    return find_forms(prepare_corpus(data, kind="music"))


@pytest.mark.usefixtures("home")
def test_the_forms_of_a_corpus_are_the_middle_half_of_them(
    write_tunes: Callable[[list[str]], Path],
) -> None:
    forms = ["AAAAAAAA", "ABCDABCD", "ABABCDCD", "ABCDEFGH", "ABAB"]
    source = write_tunes(forms)
    assert corpus_forms(source) == ("ABABCDCD", "ABCDABCD")  # the last one is too short
    assert corpus_forms(source, 1.5) == ()  # no whole frames in a bar


@pytest.mark.usefixtures("home")
def test_songs_that_hardly_repeat_have_no_forms(write_tunes: Callable[[list[str]], Path]) -> None:
    assert corpus_forms(write_tunes(["ABCDEFGH", "ABCDEFGA", "ABCDEFGHIJ"])) == ()
