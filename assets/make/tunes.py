"""Write tunes.zip: folk tunes in one metre and one key, on which the model `folk` is trained.

    python -m assets.make.tunes Nottingham.zip tunes.zip

The first archive has MIDI files in folders named train, valid and test: the melody in the first
track with notes, the chords in the last. Tunes in 4/4 throughout are kept. Each is moved to C major
or A minor, to the octave in which melodies lie closest to B4 and chords to F#3, and begins with its
first bar: an upbeat before the first chord is dropped. Of the melody's notes in an eighth, only the
first is kept. So all bars, and most parts of eight bars, begin at the same beat positions, which
the network reads (`model.beat_position`).
"""

import argparse
import io
import itertools
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import mido

METRE = (4, 4)
BAR = 4  # beats
FRAME = 0.5  # beats: an eighth note
CENTRES = (71, 54)  # MIDI pitches: the middle of the octaves to which melody and chords are moved
TONICS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ALIGNED = 0.8  # minimum share of chords that begin on the first or third beat
TICKS = 480  # of a beat


@dataclass(frozen=True)
class Note:
    """A note; times in beats."""

    start: float
    end: float
    pitch: int


def read_tune(data: bytes) -> tuple[list[list[Note]], str] | None:
    """Return the notes of each track with notes, and the key; None for a tune that is left out."""
    file = mido.MidiFile(file=io.BytesIO(data))
    metres, keys, tracks = set(), [], []
    for track in file.tracks:
        time, notes, open_notes = 0, [], dict[int, float]()
        for message in track:
            time += message.time
            beats = time / file.ticks_per_beat
            if message.type == "time_signature":
                metres.add((message.numerator, message.denominator))
            elif message.type == "key_signature":
                keys.append(message.key)
            elif message.type in {"note_on", "note_off"}:
                if message.note in open_notes:
                    notes.append(Note(open_notes.pop(message.note), beats, message.note))
                if message.type == "note_on" and message.velocity:
                    open_notes[message.note] = beats
        if notes:
            tracks.append(sorted(notes, key=lambda note: (note.start, note.pitch)))
    if metres != {METRE} or len(set(keys)) != 1 or len(tracks) != 2:
        return None
    return tracks, keys[0]


def align(tracks: list[list[Note]], key: str) -> list[list[Note]] | None:
    """Return the tracks in C or A minor from their first bar; None if chords do not follow bars."""
    melody, chords = tracks
    begin = chords[0].start
    starts = [(note.start - begin) % (BAR / 2) for note in chords]
    if sum(min(s, BAR / 2 - s) < 0.05 for s in starts) < ALIGNED * len(starts):
        return None
    tonic = TONICS[key[0]] + key.count("#") - key.count("b")
    shift = (9 if key.endswith("m") else 0) - tonic
    melody, chords = (
        _move(track, begin, shift, centre) for track, centre in zip(tracks, CENTRES, strict=True)
    )
    return [one_voice(melody), chords]


def _move(notes: list[Note], begin: float, shift: int, centre: int) -> list[Note]:
    """Transpose notes from `begin` on by `shift` and by the octaves that move them to `centre`."""
    mean = sum(note.pitch for note in notes) / len(notes)
    shift += 12 * round((centre - mean - shift) / 12)
    return [
        Note(note.start - begin, note.end - begin, note.pitch + shift)
        for note in notes
        if note.start >= begin
    ]


def one_voice(melody: list[Note]) -> list[Note]:
    """Return the notes of a melody that are the first of their frame, each until the next one."""
    firsts: dict[int, Note] = {}
    for note in melody:
        firsts.setdefault(math.floor(note.start / FRAME + 0.01), note)
    starts = sorted(firsts)
    ends = [min(firsts[a].end, b * FRAME) for a, b in itertools.pairwise(starts)]
    ends.append(firsts[starts[-1]].end if starts else 0.0)
    return [
        Note(start * FRAME, max(end, (start + 1) * FRAME), firsts[start].pitch)
        for start, end in zip(starts, ends, strict=True)
    ]


def write_tune(tracks: list[list[Note]]) -> bytes:
    """Return a MIDI file of the tracks."""
    file = mido.MidiFile(ticks_per_beat=TICKS)
    head = mido.MidiTrack(
        [mido.MetaMessage("time_signature", numerator=METRE[0], denominator=METRE[1])]
    )
    file.tracks.append(head)
    for notes in tracks:
        events = [
            (round(time * TICKS), kind, note.pitch)
            for note in notes
            for time, kind in ((note.start, "note_on"), (note.end, "note_off"))
        ]
        track, now = mido.MidiTrack(), 0
        for time, kind, pitch in sorted(events):  # note_off before note_on
            track.append(mido.Message(kind, note=pitch, velocity=80, time=time - now))
            now = time
        file.tracks.append(track)
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def make(source: Path, output: Path) -> tuple[int, int]:
    """Write the archive; return the number of tunes in it and in the source."""
    total = kept = 0
    with (
        zipfile.ZipFile(source) as archive,
        zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for name in sorted(archive.namelist()):
            if not name.endswith(".mid"):
                continue
            total += 1
            tune = read_tune(archive.read(name))
            aligned = align(*tune) if tune else None
            if aligned and all(aligned):
                out.writestr(name, write_tune(aligned))
                kept += 1
    return kept, total


def main() -> None:
    """Write the archive that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("source", type=Path, metavar="Nottingham.zip")
    parser.add_argument("output", type=Path, metavar="tunes.zip")
    given = parser.parse_args()
    kept, total = make(given.source, given.output)
    print(f"{kept} of {total} tunes")


if __name__ == "__main__":
    main()
