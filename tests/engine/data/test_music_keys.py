"""The keys of the training songs, and the way to them."""

from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import DataConfig
from engine.data.corpus import prepare_corpus
from engine.data.music_keys import ANY_KEYS, TrainedKeys, find_trained_keys
from engine.music.key_finding import MusicalKey

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0), (0, 2, 3, 5, 7, 8, 11, 12, 7, 3, 0)


@given(st.integers(0, 11), st.booleans(), st.integers(0, 11))
def test_music_is_moved_to_the_key_of_its_mode(tonic: int, minor: bool, trained: int) -> None:
    key = MusicalKey(tonic, minor)
    for keys in (
        TrainedKeys(trained, trained),
        TrainedKeys(*((None, trained)[:: 1 if minor else -1])),
    ):
        shift = keys.shift(key)
        assert (tonic + shift) % 12 == trained
        assert -6 <= shift <= 5
    assert ANY_KEYS.shift(key) == 0


def write_scale(path: Path, tonic: int, degrees: tuple[int, ...]) -> None:
    """Write a scale as a MIDI file."""
    track = mido.MidiTrack()
    for degree in degrees:
        track.append(mido.Message("note_on", note=60 + tonic + degree, velocity=80))
        track.append(mido.Message("note_off", note=60 + tonic + degree, time=480))
    mido.MidiFile(tracks=[track], ticks_per_beat=480).save(path)


@pytest.mark.usefixtures("home")
def test_the_keys_of_a_corpus(tmp_path: Path) -> None:
    for number in range(4):  # with octaves of the tonic, so that songs differ
        write_scale(tmp_path / f"major-{number}.mid", 2, (*MAJOR, *(12,) * number))
    for number, tonic in enumerate((1, 4, 6, 9)):
        write_scale(tmp_path / f"minor-{number}.mid", tonic, MINOR)
    data = DataConfig(source=str(tmp_path), valid_fraction=0, test_fraction=0, frame_beats=1)
    assert find_trained_keys(prepare_corpus(data, kind="music")) == TrainedKeys(2, None)
