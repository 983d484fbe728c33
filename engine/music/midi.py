"""MIDI files as scores, and back."""

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

# Data bytes of each channel message, by the upper half of its status.
_SIZES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
META, END_OF_TRACK, SET_TEMPO, TIME_SIGNATURE = 0xFF, 0x2F, 0x51, 0x58


class Event(NamedTuple):
    """One event of a track."""

    tick: int  # from the file's start
    status: int  # 0x80 … 0xEF with the channel in the lower half, or META
    kind: int  # of a META event; 0 in others
    data: bytes  # without status, kind and length


@dataclass(frozen=True)
class File:
    """The tracks of a file, to be played together."""

    ticks_per_beat: int
    tracks: list[bytes]


def parse(data: bytes) -> File:
    """Cut a file into its tracks; raises ValueError in words for what is no such file."""
    if data[:4] != b"MThd":
        raise ValueError("it does not begin with MThd")
    chunks = list(_chunks(data))
    if not chunks or len(chunks[0][1]) < 6:
        raise ValueError("its header is cut off")
    form, count, division = struct.unpack(">HHH", chunks[0][1][:6])
    if form > 1:
        raise ValueError(f"it is of format {form}, whose tracks are separate pieces")
    if not 0 < division < 0x8000:
        raise ValueError("it does not count time in parts of a beat")
    tracks = [body for name, body in chunks[1:] if name == b"MTrk"]
    if len(tracks) < count:
        raise ValueError(f"it has {len(tracks)} tracks and announces {count}")
    return File(division, tracks)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = 0
    while len(data) - offset >= 8:  # fewer bytes after the last chunk are padding
        name, size = struct.unpack_from(">4sL", data, offset)
        body = data[offset + 8 : offset + 8 + size]
        if len(body) < size:
            raise ValueError("it is cut off")
        yield name, body
        offset += 8 + size


def _number(data: bytes, offset: int) -> tuple[int, int]:
    """A number of one to four bytes, and the offset after it."""
    value = 0
    for end in range(offset, offset + 4):
        value = value << 7 | data[end] & 0x7F
        if data[end] < 0x80:
            return value, end + 1
    raise ValueError("it holds a number of over four bytes")


def events(track: bytes) -> Iterator[Event]:
    """The events of a track up to its end, without system messages.

    Raises ValueError in words for bytes that are no events.
    """
    try:
        yield from _events(track)
    except IndexError:
        raise ValueError("a track ends within an event") from None


def _events(track: bytes) -> Iterator[Event]:
    offset = tick = status = 0
    while offset < len(track):
        delta, offset = _number(track, offset)
        tick += delta
        if track[offset] == META:
            kind = track[offset + 1]
            size, offset = _number(track, offset + 2)
            yield Event(tick, META, kind, _slice(track, offset, size))
            if kind == END_OF_TRACK:
                return
        elif track[offset] in (0xF0, 0xF7):  # system exclusive
            size, offset = _number(track, offset + 1)
            _slice(track, offset, size)
        else:
            if track[offset] >= 0x80:
                status, offset = track[offset], offset + 1
            size = _SIZES.get(status & 0xF0, 0)  # without its status a message has the last one's
            if not size:
                raise ValueError(f"a track holds the status {status:#04x}")
            body = _slice(track, offset, size)
            if max(body) >= 0x80:
                raise ValueError("a track holds a value over 127")
            yield Event(tick, status, 0, body)
        offset += size


def _slice(track: bytes, offset: int, size: int) -> bytes:
    if offset + size > len(track):
        raise IndexError
    return track[offset : offset + size]


MAX_BYTES = 2 << 20  # hours of piano with all its pedalling take less
MAX_SECONDS = 3 * 3600
_DRUMS = 9  # the channel of percussion
_TICKS = 960  # a beat, in files written here: half a millisecond at 120 beats a minute
_PULSE = 60_000_000  # microseconds a minute: MIDI counts tempo in microseconds a beat


def read(source: Path | bytes, name: str = "") -> Score:
    """Read the notes of a MIDI file, all its instruments on one keyboard.

    Left out and counted: drums, pitches that no piano has, notes without length. A note-off ends
    the earliest open note of its pitch, channel and track; what is never ended lasts as long as its
    track. Keys struck while down are as `struck` says. Tempo and metre are the first, further
    tempos are kept as changes; pedals are not kept. Raises InputError, by `name`, for whatever is
    no such file, for one over 2 MiB, without notes, or that lasts over three hours.
    """
    name = name or (str(source) if isinstance(source, Path) else "the MIDI data")
    data = _load(source, name) if isinstance(source, Path) else source
    if len(data) > MAX_BYTES:
        raise InputError(f"{name} has over {MAX_BYTES} bytes: give a smaller MIDI file.")
    try:
        return _score(data)
    except ValueError as error:
        raise InputError(
            f"{name} is no MIDI file for a piano, for {error}: export it anew or give another."
        ) from error


def _load(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"Cannot read {name} ({error.strerror}): give a MIDI file.") from error


class _Held(NamedTuple):
    """A note in ticks."""

    start: int
    end: int
    pitch: int
    velocity: int
    program: int


@dataclass
class _Found:
    """What the tracks hold, in ticks."""

    notes: list[_Held] = field(default_factory=list)
    tempos: dict[int, int] = field(default_factory=dict)  # by tick, in microseconds a beat
    metre: tuple[int, tuple[int, int]] | None = None  # tick, metre
    drums: int = 0


def _score(data: bytes) -> Score:
    file = parse(data)
    found = _Found()
    for track in file.tracks:
        _read_track(track, found)
    heard = [note for note in found.notes if LOWEST_PITCH <= note.pitch <= HIGHEST_PITCH]
    found.tempos.setdefault(0, 500_000)  # what MIDI begins with
    ticks = sorted(found.tempos)
    pulses = np.array([found.tempos[tick] for tick in ticks])  # (k,)
    seconds = integrate(
        np.array(ticks, np.float64),
        pulses / 1e6 / file.ticks_per_beat,
        [note.start for note in heard] + [note.end for note in heard] + ticks,
    )
    starts, ends, knots = np.split(seconds, [len(heard), 2 * len(heard)])
    if np.any(ends > MAX_SECONDS):
        raise ValueError(f"it claims to last {ends.max() / 3600:,.0f} hours")
    whole = [
        Note(start, end, note.pitch, note.velocity)
        for start, end, note in zip(starts.tolist(), ends.tolist(), heard, strict=True)
        if end > start
    ]
    if not whole:
        raise ValueError("it holds no notes" + (" but drums" if found.drums else ""))
    notes = merge_overlapping(whole)
    tempos = (_PULSE / pulses).tolist()
    return Score(
        notes,
        tempos[0],
        found.metre[1] if found.metre else (4, 4),
        min(heard).program,
        tuple(zip(knots[1:].tolist(), tempos[1:], strict=True)),
        LeftOut(
            drums=found.drums,
            outside=len(found.notes) - len(heard),
            empty=len(heard) - len(whole),
            joined=len(whole) - len(notes),
        ),
    )


def _read_track(track: bytes, found: _Found) -> None:
    sounding: defaultdict[tuple[int, int], deque[tuple[int, int, int]]] = defaultdict(deque)
    programs: dict[int, int] = {}
    tick = 0
    for tick, status, kind, data in events(track):
        channel, message = status & 0x0F, status & 0xF0
        if status == META:
            _read_meta(tick, kind, data, found)
        elif message == 0xC0:
            programs[channel] = data[0]
        elif message == 0x90 and data[1]:
            if channel == _DRUMS:
                found.drums += 1
            else:
                sounding[channel, data[0]].append((tick, data[1], programs.get(channel, 0)))
        elif message in (0x80, 0x90) and sounding[channel, data[0]]:
            start, velocity, program = sounding[channel, data[0]].popleft()
            found.notes.append(_Held(start, tick, data[0], velocity, program))
    for (_, pitch), notes in sounding.items():
        for start, velocity, program in notes:
            found.notes.append(_Held(start, tick, pitch, velocity, program))


def _read_meta(tick: int, kind: int, data: bytes, found: _Found) -> None:
    if kind == SET_TEMPO:
        if len(data) != 3 or not any(data):
            raise ValueError("it sets a tempo that is none")
        found.tempos[tick] = int.from_bytes(data, "big")
    elif kind == TIME_SIGNATURE and len(data) >= 2:
        known = data[0] > 0 and data[1] < len(DENOMINATORS)  # others are of no use to anyone
        if known and (found.metre is None or tick < found.metre[0]):
            found.metre = tick, (data[0], DENOMINATORS[data[1]])


def encode(score: Score) -> bytes:
    """The score as the bytes of a MIDI file, of one track.

    Notes are rounded to 1/960 of a beat; a shorter one lasts just that.
    """
    import mido  # not needed by those who only read

    def pulse(tempo: float) -> int:
        return min(max(round(_PULSE / tempo), 1), 0xFFFFFF)

    def ticks(seconds: list[float]) -> list[int]:
        return [round(beat * _TICKS) for beat in score.tempo_map.beats(seconds).tolist()]

    notes = merge_overlapping(score.notes)
    numerator, denominator = score.time_signature
    # Each with its tick and its place among those of one tick: keys are let go before others fall.
    timed = [
        (0, 0, mido.MetaMessage("set_tempo", tempo=pulse(score.tempo))),
        (
            0,
            0,
            mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator),
        ),
        (0, 0, mido.Message("program_change", program=score.program)),
    ]
    moments = ticks([second for second, _ in score.tempo_changes])
    for tick, (_, tempo) in zip(moments, score.tempo_changes, strict=True):
        timed.append((tick, 0, mido.MetaMessage("set_tempo", tempo=pulse(tempo))))
    starts = ticks([note.start for note in notes])
    ends = ticks([note.end for note in notes])
    free = [0] * 128  # from when on each key can be struck again
    for start, end, note in zip(starts, ends, notes, strict=True):
        start = max(start, free[note.pitch])
        free[note.pitch] = end = max(end, start + 1)
        message = mido.Message("note_on", note=note.pitch, velocity=note.velocity)
        timed.append((start, 2, message))
        timed.append((end, 1, mido.Message("note_off", note=note.pitch, velocity=0)))
    timed.sort(key=lambda item: item[:2])
    track = mido.MidiTrack()
    before = 0
    for tick, _, message in timed:
        track.append(message.copy(time=tick - before))
        before = tick
    buffer = io.BytesIO()
    mido.MidiFile(type=0, ticks_per_beat=_TICKS, tracks=[track]).save(file=buffer)
    return buffer.getvalue()


def write(score: Score, path: Path) -> None:
    """Write the score to a MIDI file, the old or the new whole; see `encode`."""
    files.write_atomic(path, encode(score))
