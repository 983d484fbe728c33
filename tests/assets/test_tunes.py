"""The tunes of `folk`: one metre, one key, from the first bar on."""

import io
import zipfile
from pathlib import Path

import mido
import pytest

from assets.make import tunes
from assets.make.tunes import Note
from engine.music import midi

MELODY = [62, 64, 66, 67, 69, 71, 73, 74]  # the scale of D major
CHORD = (50, 54, 57)


def midi_file(upbeat: float, metre: tuple[int, int] = (4, 4), key: str = "D") -> bytes:
    """Return a tune of four bars in beats, whose chords begin after the upbeat."""
    file = mido.MidiFile(ticks_per_beat=480)
    head = mido.MidiTrack(
        [
            mido.MetaMessage("time_signature", numerator=metre[0], denominator=metre[1]),
            mido.MetaMessage("key_signature", key=key),
        ]
    )
    melody, chords = mido.MidiTrack(), mido.MidiTrack()
    count = 16 + round(upbeat)
    for number in range(count):
        pitch = MELODY[number % 8]
        melody.append(mido.Message("note_on", note=pitch, velocity=80))
        melody.append(mido.Message("note_off", note=pitch, time=480))
    for bar in range(4):
        for n, pitch in enumerate(CHORD):
            wait = round(480 * upbeat) if bar == n == 0 else 0
            chords.append(mido.Message("note_on", note=pitch, velocity=80, time=wait))
        for n, pitch in enumerate(CHORD):
            chords.append(mido.Message("note_off", note=pitch, time=0 if n else 4 * 480))
    file.tracks.extend((head, melody, chords))
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


@pytest.mark.parametrize("upbeat", [0, 1, 3])
def test_a_tune_is_moved_to_c_and_begins_with_its_first_bar(upbeat: int) -> None:
    found = tunes.read_tune(midi_file(upbeat))
    assert found is not None
    aligned = tunes.align(*found)
    assert aligned is not None
    melody, chords = aligned
    assert [note.start for note in melody] == list(range(16))
    expected = [MELODY[(n + upbeat) % 8] - 2 for n in range(16)]
    assert [note.pitch for note in melody] == expected
    assert chords[:3] == [Note(0, 4, pitch - 2) for pitch in CHORD]


def test_a_minor_tune_is_moved_to_a_minor() -> None:
    found = tunes.read_tune(midi_file(0, key="Em"))
    assert found is not None
    aligned = tunes.align(*found)
    assert aligned is not None
    assert {note.pitch - 5 for note in aligned[0]} == set(MELODY)


@pytest.mark.parametrize("data", [midi_file(0, (3, 4)), midi_file(0, (6, 8))])
def test_tunes_in_other_metres_are_left_out(data: bytes) -> None:
    assert tunes.read_tune(data) is None


def test_tunes_whose_chords_do_not_follow_bars_are_left_out() -> None:
    found = tunes.read_tune(midi_file(0))
    assert found is not None
    melody, chords = found[0]
    moved = [Note(n.start * 7 / 8, n.end * 7 / 8, n.pitch) for n in chords]
    assert tunes.align([melody, moved], "D") is None


def test_the_archive_keeps_the_splits(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr("N/train/a.mid", midi_file(1))
        archive.writestr("N/valid/b.mid", midi_file(0, (6, 8)))
        archive.writestr("N/test/c.mid", midi_file(0))
        archive.writestr("N/readme.txt", "no tune")
    assert tunes.make(tmp_path / "in.zip", tmp_path / "out.zip") == (2, 3)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.namelist() == ["N/test/c.mid", "N/train/a.mid"]
        written = tmp_path / "a.mid"
        written.write_bytes(archive.read("N/train/a.mid"))
    score = midi.read(written)
    assert score.time_signature == (4, 4)
    assert len(score.notes) == 16 + 4 * len(CHORD)
