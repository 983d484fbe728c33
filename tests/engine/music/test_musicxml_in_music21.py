"""MusicXML files, as music21 reads them: those that we write, and real ones that we read."""

import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.music import musicxml
from engine.music.score import Note, Score

music21 = pytest.importorskip("music21", reason="music21 is not installed: it is in the extra dev")
pytestmark = pytest.mark.slow

SONGS = Path(__file__).parents[3] / "../shared/data/scores/openscore_lieder.zip"
# The beats at which a pitch begins to sound, and those that each pitch sounds in all.
Onsets = set[tuple[float, int]]
Beats = Counter[int]


def as_music21_reads(parts: Any) -> tuple[Onsets, Beats]:
    """Return what is read of parts, of tied notes the first, without grace notes and cue notes."""
    onsets: Onsets = set()
    beats: Beats = Counter()
    for part in parts:
        for chord in part.flatten().notes:
            if chord.duration.isGrace or chord.style.noteSize == "cue":
                continue
            for note in chord.notes if chord.isChord else [chord]:
                tie = note.tie or chord.tie
                beats[note.pitch.midi] += chord.quarterLength
                if tie is None or tie.type in {"start", "let-ring"}:
                    onsets.add((round(float(chord.offset), 3), note.pitch.midi))
    return onsets, beats


def as_we_read(score: Score, shift: float = 0.0) -> tuple[Onsets, Beats]:
    """Return the same of a score, whose beats are counted from the beat `shift`."""
    onsets: Onsets = set()
    beats: Beats = Counter()
    for note in score.notes:
        start, end = score.tempo_map.beats([note.start, note.end]).tolist()
        onsets.add((round(start - shift, 3), note.pitch))
        beats[note.pitch] += end - start
    return onsets, beats


@pytest.mark.parametrize("divisions", [2, 4, 6, 12])
@pytest.mark.parametrize("time_signature", [(4, 4), (3, 4), (6, 8), (5, 8)])
def test_what_we_write_is_read_as_it_was(
    divisions: int, time_signature: tuple[int, int], tmp_path: Path
) -> None:
    random = np.random.default_rng(divisions)
    unit = 0.75 / divisions  # seconds at 80 beats per minute
    free: dict[int, int] = {}
    notes = []
    for start in range(0, 80, 2):
        for pitch in random.integers(36, 96, 3).tolist():
            if free.get(pitch, 0) <= start:
                free[pitch] = end = start + int(random.integers(1, 20))
                notes.append(Note(start * unit, end * unit, pitch))
    score = Score(tuple(sorted(notes, key=lambda x: (x.start, x.pitch))), 80.0, time_signature)
    musicxml.write(score, tmp_path / "a.musicxml")
    read = music21.converter.parse(tmp_path / "a.musicxml", format="musicxml", forceSource=True)
    (onsets, beats), (expected, sounding) = as_music21_reads(read.parts), as_we_read(score)
    assert onsets == expected
    assert {pitch: float(beats[pitch]) for pitch in beats} == pytest.approx(dict(sounding))
    first = read.parts[0].measure(1)
    assert first.timeSignature.ratioString == "{}/{}".format(*time_signature)
    assert read.recurse().getElementsByClass("MetronomeMark").first().number == 80
    assert len(read.parts) == 2
    for measure in read.parts[0].getElementsByClass("Measure"):
        assert measure.duration.quarterLength == score.tempo_map.bar_length


# Songs in 3/4, 2/4 and 6/8, with pickup bars, several voices, ties and cue notes.
@pytest.mark.parametrize("index", [150, 750, 1050])
def test_a_real_song_is_read_as_music21_reads_it(index: int) -> None:
    if not SONGS.exists():
        pytest.skip("the published songs are not on this machine")
    with zipfile.ZipFile(SONGS) as archive:
        data = archive.read(archive.namelist()[index])
    read = music21.converter.parseData(musicxml._unpack(data).decode(), format="musicxml")
    pickup = read.parts[0].getElementsByClass("Measure").first()
    lacks = pickup.barDuration.quarterLength - pickup.duration.quarterLength
    # Notes that both hands play are one for us, so only the onsets are equal.
    assert as_we_read(musicxml.read(data), lacks)[0] == as_music21_reads(read.parts[1:])[0]
