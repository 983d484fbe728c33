"""Voices of music: of textures whose voices are known, and of real tunes with two tracks."""

import io
import random
import zipfile
from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.music import hands, midi, voices
from engine.music.score import Note
from engine.music.voices import FOUR_PARTS, MELODY_AND_CHORDS, TWO_HANDS

NOTTINGHAM = Path("/work/shared/data/nottingham/Nottingham.zip")


def ordered(notes: list[tuple[Note, int]]) -> tuple[list[Note], list[int]]:
    """Return notes in order, and the voice of each."""
    notes = sorted(notes, key=lambda item: (item[0].start, item[0].pitch))
    return [note for note, _ in notes], [voice for _, voice in notes]


def chorale(shift: int = 0) -> tuple[list[Note], list[int]]:
    """Return four parts that move at their own times, without crossing, and their numbers."""
    notes = []
    for part, (low, high) in enumerate([(67, 76), (60, 66), (53, 59), (43, 52)]):
        generator = random.Random(part)
        time = 0.0
        while time < 40:
            length = generator.choice([0.5, 1.0, 2.0])
            pitch = generator.randint(low, high) + shift
            notes.append((Note(time, time + length, pitch), part))
            time += length
    return ordered(notes)


@given(st.integers(-20, 20))
def test_four_parts_are_told_apart_at_any_height(shift: int) -> None:
    notes, parts = chorale(shift)
    texture = voices.find_texture(notes)
    assert texture.names == FOUR_PARTS
    assert voices.assign_voices(notes, texture) == parts


def test_four_parts_of_which_some_are_silent() -> None:
    notes, parts = chorale()
    texture = voices.find_texture(notes)
    alone = [(n, p) for n, p in zip(notes, parts, strict=True) if p == 3 and n.pitch < 48]
    low, _ = ordered(alone)
    assert voices.assign_voices(low, texture) == [3] * len(low)
    more = [Note(0, 1, pitch) for pitch in (45, 47, 56, 63, 70, 72)]
    assert voices.assign_voices(more, texture) == [3, 3, 2, 1, 0, 0]


def test_a_melody_over_chords_keeps_its_color_where_it_falls_silent() -> None:
    made = []
    for bar in range(16):
        root = 48 + (0, 5, 7, 0)[bar % 4]
        made += [(Note(bar * 2, bar * 2 + 2, root + third), 1) for third in (0, 4, 7)]
        times = range(4) if bar % 4 else range(1, 3)  # sometimes the chord begins alone
        made += [(Note(bar * 2 + t / 2, bar * 2 + t / 2 + 0.5, 67 + t), 0) for t in times]
    notes, expected = ordered(made)
    texture = voices.find_texture(notes)
    assert texture.names == MELODY_AND_CHORDS
    assert voices.assign_voices(notes, texture) == expected


def test_other_music_is_for_two_hands() -> None:
    assert voices.find_texture([]).names == TWO_HANDS
    notes = [Note(t / 4, t / 4 + 0.25, pitch) for t in range(40) for pitch in (40 + t % 7, 76)]
    texture = voices.find_texture(notes)
    assert texture.names == TWO_HANDS
    assert voices.assign_voices(notes, texture) == hands.split_hands(notes)


@pytest.mark.skipif(not NOTTINGHAM.exists(), reason="the data set is not on this machine")
def test_tracks_of_folk_tunes_are_melody_and_chords() -> None:
    correct = total = 0
    with zipfile.ZipFile(NOTTINGHAM) as archive:
        names = [name for name in archive.namelist() if name.endswith(".mid")][::50]
        for name in names:
            data = archive.read(name)
            score = midi.read(data, name)
            texture = voices.find_texture(score.notes)
            assert texture.names == MELODY_AND_CHORDS
            melody = _pitches_of_first_track(data)
            found = voices.assign_voices(score.notes, texture)
            for note, voice in zip(score.notes, found, strict=True):
                beat = round(score.tempo_map.beat_at(note.start), 3)
                correct += ((beat, note.pitch) in melody) == (voice == 0)
            total += len(score.notes)
    assert correct > 0.95 * total


def _pitches_of_first_track(data: bytes) -> set[tuple[float, int]]:
    """Return (beat, pitch) of the notes of the first track that has any."""
    file = mido.MidiFile(file=io.BytesIO(data))
    for track in file.tracks:
        tick, found = 0, set()
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                found.add((round(tick / file.ticks_per_beat, 3), message.note))
        if found:
            return found
    return set()
