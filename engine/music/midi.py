"""Read and write MIDI files.

The parser is our own because files may come from any source: its time and memory grow with the size
of the file alone. Other readers accept numbers of any length, so that a few hundred kilobytes of
0xFF keep them busy for minutes; mido also takes three times as long (2.2 s against 0.7 s for a MiB
of notes) and refuses a file for an invalid event that affects no note, such as a key signature, a
time signature or a sequence number.
"""

import bisect
import io
import struct
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine import files
from engine.errors import InputError
from engine.music import voices
from engine.music.general_midi import PERCUSSION
from engine.music.key_finding import find_key
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.score import LeftOut, Note, Score, merge_overlapping
from engine.music.tempo_map import DENOMINATORS, integrate

MAX_BYTES = 2 << 20  # of a file: hours of piano music, with pedals, take less
MAX_SECONDS = 3 * 3600
META, END_OF_TRACK, SET_TEMPO, TIME_SIGNATURE = 0xFF, 0x2F, 0x51, 0x58
# Number of data bytes of each channel message, by the upper four bits of its status byte.
_DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
# All Sound Off, All Notes Off, and the changes of mode, which end all notes too.
_ENDING_CONTROLLERS = {120, 123, 124, 125, 126, 127}
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
    """The tracks of a MIDI file."""

    ticks_per_beat: float
    tracks: list[bytes]
    # Ticks are fractions of a second: there are `ticks_per_beat` in half a second, a beat of the
    # default tempo, and the file's tempos have no effect.
    has_timecode: bool = False
    separate: bool = False  # the tracks are separate pieces (format 2), and not played together


def parse(data: bytes) -> MidiFile:
    """Split a MIDI file, or a RIFF file (.rmi) with one in it, into its tracks.

    Whatever follows the last track is ignored. Raises ValueError, with the reason, for other data.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        data = data[data.find(b"MThd") :]
    if data[:4] != b"MThd":
        raise ValueError("it does not begin with MThd")
    if len(data) < 14 or int.from_bytes(data[4:8], "big") < 6:
        raise ValueError("its header is cut off")
    file_format, count, division = struct.unpack_from(">HHH", data, 8)
    if file_format > 2:
        raise ValueError(f"it is of the unknown format {file_format}")
    per_second = _ticks_per_second(division) if division >= 0x8000 else 0.0
    if not (per_second or 0 < division < 0x8000):
        raise ValueError("its header has no unit of time")
    tracks = _tracks(data, count)
    if len(tracks) < count:
        raise ValueError(f"its header announces {count} tracks, and it has {len(tracks)}")
    per_beat = per_second * _DEFAULT_TEMPO / 1e6 or float(division)
    return MidiFile(per_beat, tracks, per_second > 0, file_format == 2)


def _ticks_per_second(division: int) -> float:
    """Return the ticks per second of a division in frames of SMPTE; 0 for an invalid one."""
    frames = 0x100 - (division >> 8)  # per second; 29 stands for 29.97
    return (30 / 1.001 if frames == 29 else frames) * (division & 0xFF)


def _tracks(data: bytes, count: int) -> list[bytes]:
    """Return the bodies of the chunks that are tracks, of which the header announces `count`."""
    tracks: list[bytes] = []
    offset = 0
    while len(data) - offset >= 8:
        name, size = struct.unpack_from(">4sL", data, offset)
        body = data[offset + 8 : offset + 8 + size]
        if len(body) < size:
            if len(tracks) < count or name == b"MTrk":
                raise ValueError("it is cut off")
            break  # no chunk, but bytes that the file's way to here has added
        if name == b"MTrk":
            tracks.append(body)
        offset += 8 + size
    return tracks


def events(track: bytes) -> Iterator[Event]:
    """Yield the events of a track, without system messages.

    An end of track in mid-track ends it only if no valid events follow. Raises ValueError, with the
    reason, for invalid bytes.
    """
    ended = False
    try:
        for event in _events(track):
            yield event
            ended = ended or (event.status, event.kind) == (META, END_OF_TRACK)
    except IndexError:
        if not ended:
            raise ValueError("a track ends within an event") from None
    except ValueError:
        if not ended:
            raise


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
                status = 0  # what follows is padding, unless it has a status byte
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
    `Score.left_out`. A note-off ends the earliest open note of its pitch, channel and track; if
    more notes begin than end, because a note-off is missing, it ends all of them. A channel mode
    message, such as All Notes Off, ends the notes of its channel; a note that nothing ends lasts
    until its track ends. Overlapping notes of one pitch are merged: see `merge_overlapping`. The
    score has all tempos of the file, of several at one tick the last, and the time signature in
    force at the first note: see `_time_signature`. Pedals are ignored.

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
    """The notes, tempos and time signatures of all tracks of a file, timed in ticks."""

    notes: list[_TickNote] = field(default_factory=list)
    tempos: dict[int, int] = field(default_factory=dict)  # by tick, in microseconds per beat
    time_signatures: dict[int, tuple[int, int]] = field(default_factory=dict)  # by tick
    drums: int = 0  # notes on the percussion channel


def _to_score(file: MidiFile) -> Score:
    contents = _Contents()
    pieces = 0  # tracks with notes
    for track in file.tracks:
        before = len(contents.notes) + contents.drums
        _read_track(track, contents)
        pieces += len(contents.notes) + contents.drums > before
    if file.separate and pieces > 1:
        raise ValueError(f"it is of format 2: its {pieces} tracks are separate pieces")
    on_piano = [note for note in contents.notes if LOWEST_PITCH <= note.pitch <= HIGHEST_PITCH]
    sounding = [note for note in on_piano if note.end > note.start]
    if not sounding:
        raise ValueError("it holds no notes" + (" but drums" if contents.drums else ""))
    tempos = {0: _DEFAULT_TEMPO} | ({} if file.has_timecode else contents.tempos)
    tempo_ticks = sorted(tempos)
    microseconds = np.array([tempos[tick] for tick in tempo_ticks])  # per beat, (k,)
    seconds = integrate(
        np.array(tempo_ticks, np.float64),
        microseconds / 1e6 / file.ticks_per_beat,
        [note.start for note in sounding] + [note.end for note in sounding] + tempo_ticks,
    )
    starts, ends, changes = np.split(seconds, [len(sounding), 2 * len(sounding)])
    if np.any(ends > MAX_SECONDS):
        raise ValueError(f"it lasts {ends.max() / 3600:,.0f} hours")
    notes = merge_overlapping(
        Note(start, end, note.pitch, note.velocity)
        for start, end, note in zip(starts.tolist(), ends.tolist(), sounding, strict=True)
    )
    beats_per_minute = (_MICROSECONDS / microseconds).tolist()
    first = min(sounding)
    return Score(
        notes,
        beats_per_minute[0],
        _time_signature(contents.time_signatures, first.start, file),
        first.program,
        tuple(zip(changes[1:].tolist(), beats_per_minute[1:], strict=True)),
        LeftOut(
            drums=contents.drums,
            outside=len(contents.notes) - len(on_piano),
            empty=len(on_piano) - len(sounding),
            joined=len(sounding) - len(notes),
        ),
    )


def _time_signature(
    by_tick: dict[int, tuple[int, int]], first_note: int, file: MidiFile
) -> tuple[int, int]:
    """Return the time signature in force at the tick of the first note; 4/4 without any.

    One that holds for a single bar of its own, or less, is that of a pickup bar: then the next one
    is returned.
    """
    ticks = sorted(by_tick)
    if not ticks:
        return 4, 4
    index = max(bisect.bisect_right(ticks, first_note) - 1, 0)
    if index + 1 < len(ticks):
        numerator, denominator = by_tick[ticks[index]]
        bar = numerator * 4 / denominator * file.ticks_per_beat
        if ticks[index + 1] - ticks[index] <= bar:
            index += 1
    return by_tick[ticks[index]]


@dataclass
class _Key:
    """The events of one key of a channel since it was silent."""

    open: int = 0  # number of notes that have begun and not ended
    # Of each the tick, the velocity (0: it is a note-off) and the program.
    events: list[tuple[int, int, int]] = field(default_factory=list)


def _read_track(track: bytes, contents: _Contents) -> None:
    """Add the notes, tempos and time signatures of a track to the contents of its file."""
    keys: defaultdict[int, defaultdict[int, _Key]] = defaultdict(lambda: defaultdict(_Key))
    programs: dict[int, int] = {}  # by channel
    tick = 0
    for tick, status, kind, data in events(track):
        channel, message = status & 0x0F, status & 0xF0
        if status == META:
            _read_meta(tick, kind, data, contents)
        elif message == 0xC0:
            programs[channel] = data[0]
        elif message == 0xB0 and data[0] in _ENDING_CONTROLLERS:
            _end_notes(tick, keys.pop(channel, {}), contents)
        elif message == 0x90 and data[1]:
            if channel == PERCUSSION:
                contents.drums += 1
            else:
                key = keys[channel][data[0]]
                key.events.append((tick, data[1], programs.get(channel, 0)))
                key.open += 1
        elif message in (0x80, 0x90) and data[0] in keys[channel]:
            key = keys[channel][data[0]]
            key.events.append((tick, 0, 0))
            key.open -= 1
            if not key.open:
                _pair_notes(tick, data[0], keys[channel].pop(data[0]), contents)
    for by_pitch in keys.values():
        _end_notes(tick, by_pitch, contents)


def _end_notes(tick: int, by_pitch: dict[int, _Key], contents: _Contents) -> None:
    for pitch, key in by_pitch.items():
        _pair_notes(tick, pitch, key, contents)


def _pair_notes(end: int, pitch: int, key: _Key, contents: _Contents) -> None:
    """Add the notes of one key, which all end by the tick `end`."""
    notes: deque[tuple[int, int, int]] = deque()
    for tick, velocity, program in key.events:
        if velocity:
            notes.append((tick, velocity, program))
            continue
        # With a note-off missing, it is unknown which notes the others end: they silence the key.
        for _ in range(len(notes) if key.open else 1):
            if notes:
                start, strength, instrument = notes.popleft()
                contents.notes.append(_TickNote(start, tick, pitch, strength, instrument))
    for start, strength, instrument in notes:
        contents.notes.append(_TickNote(start, end, pitch, strength, instrument))


def _read_meta(tick: int, kind: int, data: bytes, contents: _Contents) -> None:
    if kind == SET_TEMPO:
        if len(data) != 3 or not any(data):
            raise ValueError("it sets an invalid tempo")
        contents.tempos[tick] = int.from_bytes(data, "big")
    elif kind == TIME_SIGNATURE and len(data) >= 2:
        valid = data[0] > 0 and data[1] < len(DENOMINATORS)
        if valid:  # others are ignored
            contents.time_signatures[tick] = data[0], DENOMINATORS[data[1]]


def encode(score: Score) -> bytes:
    """Return the score as the bytes of a MIDI file: tempos and signatures, then a track per voice.

    The voices are those of `voices.divide`, each on a channel of its own; the key signature is that
    of `find_key`. Times are rounded to 1/960 of a beat; a note lasts at least that long.
    """
    import mido  # not needed to read files

    def tempo_message(tempo: float) -> mido.MetaMessage:
        microseconds = min(max(round(_MICROSECONDS / tempo), 1), 0xFFFFFF)
        return mido.MetaMessage("set_tempo", tempo=microseconds)

    def ticks(seconds: list[float]) -> list[int]:
        return [round(beat * _TICKS_PER_BEAT) for beat in score.tempo_map.beats(seconds).tolist()]

    numerator, denominator = score.time_signature
    notes = merge_overlapping(score.notes)
    # Of each track (tick, order at that tick, message): notes end before others start.
    conductor = [
        (0, 0, tempo_message(score.tempo)),
        (0, 0, mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)),
        (0, 0, mido.MetaMessage("key_signature", key=find_key(notes).name)),
    ]
    changes = ticks([second for second, _ in score.tempo_changes])
    for tick, (_, tempo) in zip(changes, score.tempo_changes, strict=True):
        conductor.append((tick, 0, tempo_message(tempo)))
    tracks = [conductor]
    starts = ticks([note.start for note in notes])
    ends = ticks([note.end for note in notes])
    free = [0] * 128  # by pitch: the tick from which the next note can start
    rounded = []  # the notes as they will be read, timed in ticks, so that they keep their voices
    for start, end, note in zip(starts, ends, notes, strict=True):
        start = max(start, free[note.pitch])
        free[note.pitch] = end = max(end, start + 1)
        rounded.append(replace(note, start=start, end=end))
    for channel, (name, voice) in enumerate(voices.divide(rounded)):
        track = [
            (0, 0, mido.MetaMessage("track_name", name=name.capitalize())),
            (0, 0, mido.Message("program_change", channel=channel, program=score.program)),
        ]
        for note in voice:
            key = {"channel": channel, "note": note.pitch}
            track.append(
                (int(note.start), 2, mido.Message("note_on", velocity=note.velocity, **key))
            )
            track.append((int(note.end), 1, mido.Message("note_off", velocity=0, **key)))
        tracks.append(track)
    file = mido.MidiFile(type=1, ticks_per_beat=_TICKS_PER_BEAT)
    for messages in tracks:
        written = mido.MidiTrack()
        previous = 0
        for tick, _, message in sorted(messages, key=lambda item: item[:2]):
            written.append(message.copy(time=tick - previous))
            previous = tick
        file.tracks.append(written)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def write(score: Score, path: Path) -> None:
    """Write the score to a MIDI file, complete or not at all; see `encode`."""
    files.write_atomic(path, encode(score))
