"""Read and write MIDI files.

The parser is our own because files may come from any source: its time and memory grow with the size
of the file alone. Other readers accept numbers of any length, so that a few hundred kilobytes of
0xFF keep them busy for minutes; mido also takes three times as long (2.2 s against 0.7 s for a MiB
of notes) and refuses a file for an invalid event that affects no note, such as a key signature, a
time signature or a sequence number.
"""

import io
import struct
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine import files
from engine.errors import InputError
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.score import LeftOut, Note, Score, merge_overlapping
from engine.music.tempo_map import DENOMINATORS, integrate

MAX_BYTES = 2 << 20  # of a file: hours of piano music, with pedals, take less
MAX_SECONDS = 3 * 3600
META, END_OF_TRACK, SET_TEMPO, TIME_SIGNATURE = 0xFF, 0x2F, 0x51, 0x58
# Number of data bytes of each channel message, by the upper four bits of its status byte.
_DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
_PERCUSSION = 9  # channel
_DEFAULT_TEMPO = 500_000  # microseconds per beat, of a file without a tempo
_MICROSECONDS = 60_000_000  # in a minute; a tempo in MIDI is in microseconds per beat
_TICKS_PER_BEAT = 960  # of files written here: half a millisecond at 120 beats per minute


class Event(NamedTuple):
    """One event of a track."""

    tick: int  # from the start of the track
    status: int  # 0x80 … 0xEF, with the channel in the lower four bits, or META
    kind: int  # of a META event; 0 for other events
    data: bytes  # without status, kind and length


@dataclass(frozen=True)
class MidiFile:
    """The tracks of a MIDI file, which are played together."""

    ticks_per_beat: int
    tracks: list[bytes]


def parse(data: bytes) -> MidiFile:
    """Split a MIDI file into its tracks; raises ValueError, with the reason, for other data."""
    if data[:4] != b"MThd":
        raise ValueError("it does not begin with MThd")
    chunks = list(_chunks(data))
    if not chunks or len(chunks[0][1]) < 6:
        raise ValueError("its header is cut off")
    file_format, count, division = struct.unpack(">HHH", chunks[0][1][:6])
    if file_format > 1:
        raise ValueError(f"it is of format {file_format}, whose tracks are separate pieces")
    if not 0 < division < 0x8000:
        raise ValueError("it does not count time in ticks per beat")
    tracks = [body for name, body in chunks[1:] if name == b"MTrk"]
    if len(tracks) < count:
        raise ValueError(f"its header announces {count} tracks, and it has {len(tracks)}")
    return MidiFile(division, tracks)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the body of each chunk."""
    offset = 0
    while len(data) - offset >= 8:  # fewer bytes after the last chunk are padding
        name, size = struct.unpack_from(">4sL", data, offset)
        body = data[offset + 8 : offset + 8 + size]
        if len(body) < size:
            raise ValueError("it is cut off")
        yield name, body
        offset += 8 + size


def events(track: bytes) -> Iterator[Event]:
    """Yield the events of a track up to its end, without system messages.

    Raises ValueError, with the reason, for invalid bytes.
    """
    try:
        yield from _events(track)
    except IndexError:
        raise ValueError("a track ends within an event") from None


def _events(track: bytes) -> Iterator[Event]:
    offset = tick = status = 0
    while offset < len(track):
        delta, offset = _variable_length(track, offset)
        tick += delta
        if track[offset] == META:
            kind = track[offset + 1]
            size, offset = _variable_length(track, offset + 2)
            yield Event(tick, META, kind, _slice(track, offset, size))
            if kind == END_OF_TRACK:
                return
        elif track[offset] in (0xF0, 0xF7):  # system exclusive
            size, offset = _variable_length(track, offset + 1)
            _slice(track, offset, size)
        else:
            if track[offset] >= 0x80:
                status, offset = track[offset], offset + 1
            size = _DATA_BYTES.get(status & 0xF0, 0)  # without a status byte, the last one applies
            if not size:
                raise ValueError(f"a track holds the status {status:#04x}")
            body = _slice(track, offset, size)
            if max(body) >= 0x80:
                raise ValueError("a track holds a value over 127")
            yield Event(tick, status, 0, body)
        offset += size


def _variable_length(data: bytes, offset: int) -> tuple[int, int]:
    """Parse a variable-length number of up to four bytes; returns it and the offset after it."""
    value = 0
    for end in range(offset, offset + 4):
        value = value << 7 | data[end] & 0x7F
        if data[end] < 0x80:
            return value, end + 1
    raise ValueError("it holds a number of over four bytes")


def _slice(track: bytes, offset: int, size: int) -> bytes:
    """Return the `size` bytes at an offset; raises IndexError if the track ends before."""
    if offset + size > len(track):
        raise IndexError
    return track[offset : offset + size]


def read(source: Path | bytes, name: str = "") -> Score:
    """Read a MIDI file as a score, with all its instruments on one keyboard.

    Drums, pitches outside the piano's range and notes of zero length are left out and counted in
    `Score.left_out`. A note-off ends the earliest open note of its pitch, channel and track; a note
    without a note-off lasts until its track ends. Overlapping notes of one pitch are merged: see
    `merge_overlapping`. The score has the file's first time signature and all its tempos. Pedals
    are ignored.

    name: how error messages call the source (default: its path). Raises InputError for data that is
    not a MIDI file, is over 2 MiB, has no notes, or lasts longer than three hours.
    """
    name = name or (str(source) if isinstance(source, Path) else "the MIDI data")
    data = _load(source, name) if isinstance(source, Path) else source
    if len(data) > MAX_BYTES:
        raise InputError(f"{name} has over {MAX_BYTES} bytes: use a smaller MIDI file.")
    try:
        return _to_score(parse(data))
    except ValueError as error:
        raise InputError(
            f"{name} is not a usable MIDI file ({error}): export it again, or use another file."
        ) from error


def _load(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"Cannot read {name} ({error.strerror}): use another file.") from error


class _TickNote(NamedTuple):
    """A note timed in ticks."""

    start: int
    end: int
    pitch: int
    velocity: int
    program: int


@dataclass
class _Contents:
    """The notes, tempos and time signature of all tracks of a file, timed in ticks."""

    notes: list[_TickNote] = field(default_factory=list)
    tempos: dict[int, int] = field(default_factory=dict)  # by tick, in microseconds per beat
    time_signature: tuple[int, tuple[int, int]] | None = None  # the earliest, with its tick
    drums: int = 0  # notes on the percussion channel


def _to_score(file: MidiFile) -> Score:
    contents = _Contents()
    for track in file.tracks:
        _read_track(track, contents)
    on_piano = [note for note in contents.notes if LOWEST_PITCH <= note.pitch <= HIGHEST_PITCH]
    contents.tempos.setdefault(0, _DEFAULT_TEMPO)
    tempo_ticks = sorted(contents.tempos)
    microseconds = np.array([contents.tempos[tick] for tick in tempo_ticks])  # per beat, (k,)
    seconds = integrate(
        np.array(tempo_ticks, np.float64),
        microseconds / 1e6 / file.ticks_per_beat,
        [note.start for note in on_piano] + [note.end for note in on_piano] + tempo_ticks,
    )
    starts, ends, changes = np.split(seconds, [len(on_piano), 2 * len(on_piano)])
    if np.any(ends > MAX_SECONDS):
        raise ValueError(f"it lasts {ends.max() / 3600:,.0f} hours")
    timed = [
        Note(start, end, note.pitch, note.velocity)
        for start, end, note in zip(starts.tolist(), ends.tolist(), on_piano, strict=True)
        if end > start
    ]
    if not timed:
        raise ValueError("it holds no notes" + (" but drums" if contents.drums else ""))
    notes = merge_overlapping(timed)
    tempos = (_MICROSECONDS / microseconds).tolist()
    return Score(
        notes,
        tempos[0],
        contents.time_signature[1] if contents.time_signature else (4, 4),
        min(on_piano).program,
        tuple(zip(changes[1:].tolist(), tempos[1:], strict=True)),
        LeftOut(
            drums=contents.drums,
            outside=len(contents.notes) - len(on_piano),
            empty=len(on_piano) - len(timed),
            joined=len(timed) - len(notes),
        ),
    )


def _read_track(track: bytes, contents: _Contents) -> None:
    """Add the notes, tempos and time signature of a track to the contents of its file."""
    # By channel and pitch: (tick, velocity, program) of each open note, the earliest first.
    open_notes: defaultdict[tuple[int, int], deque[tuple[int, int, int]]] = defaultdict(deque)
    programs: dict[int, int] = {}  # by channel
    tick = 0
    for tick, status, kind, data in events(track):
        channel, message = status & 0x0F, status & 0xF0
        if status == META:
            _read_meta(tick, kind, data, contents)
        elif message == 0xC0:
            programs[channel] = data[0]
        elif message == 0x90 and data[1]:
            if channel == _PERCUSSION:
                contents.drums += 1
            else:
                open_notes[channel, data[0]].append((tick, data[1], programs.get(channel, 0)))
        elif message in (0x80, 0x90) and open_notes[channel, data[0]]:
            start, velocity, program = open_notes[channel, data[0]].popleft()
            contents.notes.append(_TickNote(start, tick, data[0], velocity, program))
    for (_, pitch), notes in open_notes.items():
        for start, velocity, program in notes:
            contents.notes.append(_TickNote(start, tick, pitch, velocity, program))


def _read_meta(tick: int, kind: int, data: bytes, contents: _Contents) -> None:
    if kind == SET_TEMPO:
        if len(data) != 3 or not any(data):
            raise ValueError("it sets an invalid tempo")
        contents.tempos[tick] = int.from_bytes(data, "big")
    elif kind == TIME_SIGNATURE and len(data) >= 2:
        valid = data[0] > 0 and data[1] < len(DENOMINATORS)  # an invalid one is ignored
        if valid and (contents.time_signature is None or tick < contents.time_signature[0]):
            contents.time_signature = tick, (data[0], DENOMINATORS[data[1]])


def encode(score: Score) -> bytes:
    """Return the score as the bytes of a MIDI file with one track.

    Times are rounded to 1/960 of a beat; a note lasts at least that long.
    """
    import mido  # not needed to read files

    def tempo_message(tempo: float) -> mido.MetaMessage:
        microseconds = min(max(round(_MICROSECONDS / tempo), 1), 0xFFFFFF)
        return mido.MetaMessage("set_tempo", tempo=microseconds)

    def ticks(seconds: list[float]) -> list[int]:
        return [round(beat * _TICKS_PER_BEAT) for beat in score.tempo_map.beats(seconds).tolist()]

    numerator, denominator = score.time_signature
    # (tick, order at that tick, message): notes end before others start.
    messages = [
        (0, 0, tempo_message(score.tempo)),
        (0, 0, mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)),
        (0, 0, mido.Message("program_change", program=score.program)),
    ]
    changes = ticks([second for second, _ in score.tempo_changes])
    for tick, (_, tempo) in zip(changes, score.tempo_changes, strict=True):
        messages.append((tick, 0, tempo_message(tempo)))
    notes = merge_overlapping(score.notes)
    starts = ticks([note.start for note in notes])
    ends = ticks([note.end for note in notes])
    free = [0] * 128  # by pitch: the tick from which the next note can start
    for start, end, note in zip(starts, ends, notes, strict=True):
        start = max(start, free[note.pitch])
        free[note.pitch] = end = max(end, start + 1)
        note_on = mido.Message("note_on", note=note.pitch, velocity=note.velocity)
        messages.append((start, 2, note_on))
        messages.append((end, 1, mido.Message("note_off", note=note.pitch, velocity=0)))
    messages.sort(key=lambda item: item[:2])
    track = mido.MidiTrack()
    previous = 0
    for tick, _, message in messages:
        track.append(message.copy(time=tick - previous))
        previous = tick
    buffer = io.BytesIO()
    mido.MidiFile(type=0, ticks_per_beat=_TICKS_PER_BEAT, tracks=[track]).save(file=buffer)
    return buffer.getvalue()


def write(score: Score, path: Path) -> None:
    """Write the score to a MIDI file, complete or not at all; see `encode`."""
    files.write_atomic(path, encode(score))
