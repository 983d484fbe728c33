import io
import struct
import time

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.music import smf


def whole(*tracks: bytes, form: int = 1, division: int = 96) -> bytes:
    head = struct.pack(">4sLHHH", b"MThd", 6, form, len(tracks), division)
    return head + b"".join(struct.pack(">4sL", b"MTrk", len(body)) + body for body in tracks)


def read(data: bytes) -> list[list[smf.Event]]:
    return [list(smf.events(track)) for track in smf.parse(data).tracks]


def test_events_of_every_form() -> None:
    track = bytes.fromhex(
        "00 90 3c 40"  # note on
        "81 00 3e 41"  # 128 ticks later, running status
        "00 f0 03 01 02 f7"  # system exclusive
        "00 3e 00"  # running status goes on after it
        "05 c3 07"  # one data byte
        "00 ff 51 03 07 a1 20"
        "00 ff 7f 00"  # a meta event without data
        "0a ff 2f 00"
        "00 90 3c 40"  # after the end
    )
    assert read(whole(track)) == [
        [
            smf.Event(0, 0x90, 0, b"\x3c\x40"),
            smf.Event(128, 0x90, 0, b"\x3e\x41"),
            smf.Event(128, 0x90, 0, b"\x3e\x00"),
            smf.Event(133, 0xC3, 0, b"\x07"),
            smf.Event(133, smf.META, smf.SET_TEMPO, b"\x07\xa1\x20"),
            smf.Event(133, smf.META, 0x7F, b""),
            smf.Event(143, smf.META, smf.END_OF_TRACK, b""),
        ]
    ]


def test_strange_chunks_and_a_long_header_are_passed_over() -> None:
    track = b"\0\xff\x2f\0"
    data = struct.pack(">4sLHHHH", b"MThd", 8, 1, 2, 480, 7)
    for name in (b"MTrk", b"XFIH", b"MTrk"):
        data += struct.pack(">4sL", name, len(track)) + track
    file = smf.parse(data + b"\0\0")
    assert file == smf.File(480, [track, track])


MESSAGES = st.lists(
    st.one_of(
        st.builds(
            lambda kind, channel, note, velocity, wait: mido.Message(
                kind, channel=channel, note=note, velocity=velocity, time=wait
            ),
            st.sampled_from(["note_on", "note_off"]),
            st.integers(0, 15),
            st.integers(0, 127),
            st.integers(0, 127),
            st.integers(0, 300_000),
        ),
        st.builds(lambda wait: mido.Message("aftertouch", value=5, time=wait), st.integers(0, 9)),
        st.builds(lambda value: mido.Message("pitchwheel", pitch=value), st.integers(-8192, 8191)),
        st.builds(lambda text: mido.MetaMessage("text", text=text), st.text("abcé", max_size=9)),
    ),
    max_size=20,
)


@given(st.lists(MESSAGES, min_size=1, max_size=3))
def test_the_events_are_those_that_were_written(tracks: list[list[mido.Message]]) -> None:
    """A file by another writer, with running status, read back event by event."""
    buffer = io.BytesIO()
    mido.MidiFile(ticks_per_beat=96, tracks=list(map(mido.MidiTrack, tracks))).save(file=buffer)
    found = read(buffer.getvalue())
    assert len(found) == len(tracks)
    for messages, events in zip(tracks, found, strict=True):
        tick = 0
        for message, event in zip(messages, events, strict=False):
            tick += message.time
            assert event.tick == tick
            data = bytes(message.bytes())
            if message.is_meta:
                assert (event.status, event.kind, event.data) == (0xFF, data[1], data[3:])
            else:
                assert (event.status, event.data) == (data[0], data[1:])
        assert len(events) == len(messages) + 1
        assert events[-1].kind == smf.END_OF_TRACK


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "MThd"),
        (b"RIFF" + bytes(20), "MThd"),
        (b"MThd", "its header is cut off"),
        (b"MThd\0\0\0\4\0\0\0\1", "its header is cut off"),
        (whole(b"", b"")[:-8], "has 1 tracks and announces 2"),
        (whole(b"\0\xff\x2f\0")[:-1], "cut off"),
        (whole(b"", form=2), "format 2"),
        (whole(b"", division=0), "parts of a beat"),
        (whole(b"", division=0xE728), "parts of a beat"),
        (whole(b"\0\x40\x40"), "status 0x00"),
        (whole(b"\0\xf8\0"), "status 0xf8"),
        (whole(b"\0\x90\x90\x40"), "over 127"),
        (whole(b"\0\x90\x40"), "ends within"),
        (whole(b"\0\xff"), "ends within"),
        (whole(b"\0\xf0\x05\x01"), "ends within"),
        (whole(b"\x81"), "ends within"),
        (whole(b"\x80\x80\x80\x80\0\x90\x40\x40"), "four bytes"),
    ],
)
def test_what_is_no_such_file_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(data)


@pytest.mark.parametrize("byte", [0x00, 0x7F, 0x80, 0xFF])
def test_a_flood_of_one_byte_takes_no_time(byte: int) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match="track"):
        read(whole(bytes([0, 0xF8]), bytes([byte]) * 500_000))
    assert time.process_time() - start < 2
