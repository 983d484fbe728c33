"""The bytes of a Standard MIDI File as events.

Written for strangers' files: time and memory grow with the file's size alone. (General readers
take numbers of any length, on which a few hundred kilobytes of 0xFF keep them busy for minutes.
mido also takes three times the time, 2.2 s against 0.7 for a MiB of notes, and refuses a song for
an odd event that matters to no note: a key signature, a metre, a sequence number.)
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

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
