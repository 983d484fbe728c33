"""WAV files: every note sounds at its time, with its pitch and its loudness."""

import math
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import InputError
from engine.music import piano_roll, wav_file
from engine.music.score import Note, Score

RATE = 44_100
NOTES = [  # separated, so that each onset can be found
    Note(0.25, 1.0, 60, 90),
    Note(2.5, 3.3, 76, 60),
    Note(5.1321, 5.8, 48, 100),
    Note(7.4, 8.3, 72, 90),
    Note(10.0, 10.9, 55, 80),
    Note(10.0, 10.9, 84, 80),
]


def read(path: Path) -> Any:
    """Return the frames, (n, 2) within -1 … 1."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2) / 32768


def strength(frames: Any, pitch: int) -> float:
    """Return the share of a pitch and its overtones in the energy of a sound."""
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(len(frames)), 1 << 16)) ** 2
    places = np.fft.rfftfreq(1 << 16, 1 / RATE)
    found = 0.0
    for overtone in range(1, 9):
        height = 440 * 2 ** ((pitch - 69) / 12) * overtone
        found += spectrum[np.abs(places / height - 1) < 0.025].sum()
    return float(found / spectrum.sum())


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("wav") / "song.wav"
    wav_file.write(Score(tuple(NOTES)), path)
    return read(path)


def test_every_note_starts_on_time(frames: Any) -> None:
    """A note reaches 1/20 of its peak within 4 ms of its start.

    The SoundFont's own samples begin with up to 4 ms of near silence (7 ms around pitch 67).
    """
    late = []
    for start in sorted({note.start for note in NOTES}):
        near = np.abs(frames[round((start - 0.1) * RATE) : round((start + 0.1) * RATE), 0])
        late.append(np.flatnonzero(near > near.max() / 20)[0] / RATE - 0.1)
    print(f"onsets late by {1000 * min(late):.2f} to {1000 * max(late):.2f} ms")
    assert max(abs(moment) for moment in late) < 0.004


def test_only_the_pitch_of_the_note_sounds(frames: Any) -> None:
    for note in NOTES[:4]:
        part = frames[round(note.start * RATE) : round((note.start + 0.6) * RATE), 0]
        assert strength(part, note.pitch) > 0.9
        assert strength(part, note.pitch + 1) < 0.05
    chord = frames[round(10 * RATE) : round(10.6 * RATE), 0]
    assert min(strength(chord, 55), strength(chord, 84)) > 0.2
    assert strength(chord, 55) + strength(chord, 84) > 0.9


def test_it_is_silent_before_between_and_after(frames: Any) -> None:
    assert np.abs(frames[: round(0.249 * RATE)]).max() == 0
    for start in (2.5, 5.1321, 7.4, 10.0):
        assert np.abs(frames[round((start - 0.05) * RATE) : round(start * RATE)]).max() < 1e-3
    assert np.abs(frames[-RATE // 100 :]).max() < 1e-3
    assert 11 < len(frames) / RATE < 13


def level(frames: Any, pitch: int) -> float:
    """Return the level of a pitch and its first overtones in decibels."""
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(len(frames)), 1 << 15)) ** 2
    places = np.fft.rfftfreq(1 << 15, 1 / RATE)
    found = 1e-9
    for overtone in range(1, 5):
        height = 440 * 2 ** ((pitch - 69) / 12) * overtone
        found += spectrum[np.abs(places - height) < max(12, 0.02 * height)].sum() / len(frames) ** 2
    return 10 * math.log10(found)


def test_a_roll_can_be_read_from_its_sound() -> None:
    """In each frame, the keys that are struck, held or repeated sound, and no others."""
    chords = [(39,), (51, 40), (46,), (55, 36), (34, 45), (60,), (43, 54), (48,)]
    sounding, onset = np.zeros((2, 40, 88), np.uint8)
    first = 1
    # In turn short, held and repeated chords, with a rest after each.
    for index, chord in enumerate(chords):
        frames_long = 1 if index % 3 == 0 else 3
        for key in chord:
            sounding[first : first + frames_long, key] = 1
            onset[first : first + (frames_long if index % 3 == 2 else 1), key] = 1
        first += frames_long + 1
    music = piano_roll.from_frames(np.concatenate([sounding, onset], axis=1)[:first])
    sound = wav_file.synthesize(music.score()).mean(axis=1)

    def part(start: float, stop: float) -> Any:
        return sound[round(start * RATE) : round(stop * RATE)]

    for frame, key in np.argwhere(music.sounding).tolist():
        moment = 0.3 * frame
        before, after = part(moment - 0.07, moment), part(moment + 0.03, moment + 0.1)
        struck = level(after, key + 21) > level(before, key + 21)  # a held note fades
        assert struck == music.onset[frame, key], (frame, key)
    for frame in np.flatnonzero(music.onset.any(axis=1)).tolist():
        keys = np.flatnonzero(music.sounding[frame]).tolist()
        shares = [strength(part(0.3 * frame, 0.3 * frame + 0.29), key + 21) for key in keys]
        assert min(shares) > 0.1
        assert sum(shares) > 0.85


def test_velocity_sets_the_loudness() -> None:
    sound = wav_file.synthesize(Score((Note(0, 0.5, 60, 120), Note(3, 3.5, 60, 60))))
    loud, soft = (np.abs(part).max() for part in (sound[: 3 * RATE], sound[3 * RATE :]))
    assert 20 * math.log10(loud / soft) == pytest.approx(40 * math.log10(2), abs=1)


def test_the_program_sets_the_instrument() -> None:
    piano, organ = (
        wav_file.synthesize(Score((Note(0, 2, 60, 80),), program=program)) for program in (0, 19)
    )
    faded = [np.abs(x[RATE : 2 * RATE]).max() / np.abs(x[:RATE]).max() for x in (piano, organ)]
    assert faded[0] < 0.5 < faded[1]


@pytest.mark.parametrize(
    "notes",
    [[Note(0, 0.5, 60, 1)], NOTES[:1], [Note(0, 0.5, pitch, 127) for pitch in range(30, 90)]],
)
def test_the_peak_of_a_file_is_one_decibel_below_full_scale(
    notes: list[Note], tmp_path: Path
) -> None:
    wav_file.write(Score(tuple(notes)), tmp_path / "song.wav")
    assert 20 * math.log10(np.abs(read(tmp_path / "song.wav")).max()) == pytest.approx(-1, abs=0.01)


def test_an_empty_score_is_an_empty_file(tmp_path: Path) -> None:
    wav_file.write(Score(()), tmp_path / "empty.wav")
    assert len(read(tmp_path / "empty.wav")) == 0


def test_a_refused_song_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="takes 70 minutes, and a WAV file can have up to 60: save"
    ):
        wav_file.write(Score((Note(0, 4200, 60, 80),)), tmp_path / "long.wav")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []
