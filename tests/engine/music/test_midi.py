"""MIDI files: written and read back, read from other writers, and damaged ones refused."""

import io
import math
import struct
import time
import tracemalloc
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.music import midi
from engine.music.score import LeftOut, Note, Score, merge_overlapping

TICK = 0.5 / 960 + 1e-9  # seconds, at 120 beats a minute


def file(*tracks: Sequence[mido.Message | mido.MetaMessage], beat: int = 100) -> bytes:
    """Return a file written by mido; at 120 beats a minute a tick lasts 5 ms."""
    buffer = io.BytesIO()
    lists = [mido.MidiTrack(track) for track in tracks]
    mido.MidiFile(ticks_per_beat=beat, tracks=lists).save(file=buffer)
    return buffer.getvalue()


def on(wait: int, note: int = 60, velocity: int = 64, channel: int = 0) -> mido.Message:
    return mido.Message("note_on", time=wait, note=note, velocity=velocity, channel=channel)


def off(wait: int, note: int = 60, channel: int = 0) -> mido.Message:
    return mido.Message("note_off", time=wait, note=note, channel=channel)


def spans(score: Score) -> list[tuple[float, float, int]]:
    return [(round(note.start, 6), round(note.end, 6), note.pitch) for note in score.notes]


def by_key(score: Score) -> list[Note]:
    return sorted(score.notes, key=lambda note: (note.pitch, note.start))


def tempo(wait: int, beats: float) -> mido.MetaMessage:
    return mido.MetaMessage("set_tempo", tempo=round(60e6 / beats), time=wait)


SCORES = st.builds(
    lambda notes, tempo, metre, program, changes: Score(
        merge_overlapping(notes), tempo, metre, program, tuple(sorted(changes))
    ),
    st.lists(
        st.builds(
            lambda start, length, pitch, velocity: Note(start, start + length, pitch, velocity),
            st.floats(0, 60),
            st.floats(0.05, 8),
            st.integers(21, 108),
            st.integers(1, 127),
        ),
        min_size=1,
        max_size=15,
    ),
    st.floats(20, 300),
    st.sampled_from([(4, 4), (3, 8), (7, 16), (2, 2)]),
    st.integers(0, 127),
    st.lists(st.tuples(st.floats(0.1, 50), st.floats(20, 300)), max_size=3),
)


@given(SCORES)
@settings(deadline=None)
def test_a_score_is_read_as_it_was_written(score: Score) -> None:
    again = midi.read(midi.encode(score))
    # Half a tick at each end, and the sum of rounding tempos to microseconds.
    near = 60 / min(score.tempo, *(tempo for _, tempo in score.tempo_changes), 300) / 960 + 2e-3
    for before, after in zip(by_key(score), by_key(again), strict=True):
        assert (before.pitch, before.velocity) == (after.pitch, after.velocity)
        assert math.isclose(before.start, after.start, abs_tol=near)
        assert math.isclose(before.end, after.end, abs_tol=near)
    assert math.isclose(again.tempo, score.tempo, rel_tol=1e-5)
    assert (again.time_signature, again.program) == (score.time_signature, score.program)
    assert again.left_out == LeftOut()
    assert midi.encode(again) == midi.encode(midi.read(midi.encode(again)))


def test_the_bytes_of_one_note() -> None:
    score = Score((Note(0.5, 1.0, 69, 100),), time_signature=(6, 8), program=4)
    assert midi.encode(score) == (
        b"MThd\0\0\0\6\0\1\0\2\3\xc0"
        b"MTrk\0\0\0\x19"
        b"\0\xff\x51\x03\x07\xa1\x20"  # 500,000 microseconds a beat
        b"\0\xff\x58\x04\x06\x03\x18\x08"  # 6/8
        b"\0\xff\x59\x02\x03\0"  # A major: three sharps
        b"\0\xff\x2f\0"
        b"MTrk\0\0\0\x1b"
        b"\0\xff\x03\x06Melody"
        b"\0\xc0\x04"
        b"\x87\x40\x90\x45\x64"  # 960 ticks later
        b"\x87\x40\x80\x45\x00"
        b"\0\xff\x2f\0"
    )
    assert midi.read(midi.encode(score)) == score


def test_pretty_midi_reads_the_same_notes() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pretty_midi itself
        import pretty_midi

    notes = [Note(i * 0.3, i * 0.3 + 0.25, 60 + i * 7 % 24, 40 + i) for i in range(40)]
    for i in range(10):  # with the pitches of notes in the other tracks
        notes += [Note(i * 1.2, i * 1.2 + 1.2, 48 + (7 * i + third) % 24) for third in (0, 4, 9)]
    notes = [*merge_overlapping(notes)]
    changes = ((3.0, 90.0), (6.5, 150.0))
    data = midi.encode(Score(tuple(notes), 100.0, tempo_changes=changes))
    reader: Any = pretty_midi.PrettyMIDI
    tracks = reader(io.BytesIO(data)).instruments
    assert [track.name for track in tracks] == ["Soprano", "Alto", "Tenor", "Bass"]
    theirs = sorted((n for track in tracks for n in track.notes), key=lambda n: (n.start, n.pitch))
    ours = midi.read(data).notes
    assert [(n.pitch, n.velocity) for n in ours] == [(n.pitch, n.velocity) for n in theirs]
    for mine, other, meant in zip(ours, theirs, notes, strict=True):
        assert math.isclose(mine.start, other.start, abs_tol=1e-6)
        assert math.isclose(mine.end, other.end, abs_tol=1e-6)
        assert math.isclose(mine.start, meant.start, abs_tol=1e-3)


@pytest.mark.parametrize(
    ("chord", "names"),
    [((), ["Melody"]), ((48, 52, 55), ["Melody", "Chords"]), ((36,), ["Right hand", "Left hand"])],
)
def test_voices_have_tracks_and_channels_of_their_own_and_a_key(
    chord: tuple[int, ...], names: list[str]
) -> None:
    tune = [Note(i / 2, (i + 1) / 2, pitch + 4) for i, pitch in enumerate([60, 64, 67, 65, 62, 60])]
    chords = [Note(start, start + 1.0, pitch + 4) for start in (0.0, 1.0, 2.0) for pitch in chord]
    score = Score(merge_overlapping([*tune, *chords]), program=5)
    file = mido.MidiFile(file=io.BytesIO(midi.encode(score)))
    assert [track.name for track in file.tracks[1:]] == names
    assert [m.key for m in file.tracks[0] if m.type == "key_signature"] == ["E"]
    for number, track in enumerate(file.tracks[1:]):
        assert {m.channel for m in track if not m.is_meta} == {number}
        assert [m.program for m in track if m.type == "program_change"] == [5]
    pitches = {m.note for m in file.tracks[1] if m.type == "note_on"}
    assert pitches == {note.pitch for note in tune}
    assert midi.read(midi.encode(score)) == score


def test_seconds_follow_the_tempos_of_all_tracks() -> None:
    conductor = [tempo(0, 60), tempo(200, 120), tempo(100, 240)]
    melody = [on(0), off(100), on(150), off(100), on(150), off(100)]
    score = midi.read(file(conductor, melody))
    assert spans(score) == [(0, 1, 60), (2.25, 2.625, 60), (3.0, 3.25, 60)]
    assert score.tempo == 60
    assert score.tempo_changes == ((2.0, 120.0), (2.5, 240.0))
    assert score.tempo_map.beats([0, 2, 2.5, 3]).tolist() == [0, 2, 3, 5]


def test_the_tempo_is_120_by_default() -> None:
    score = midi.read(file([on(100), off(100)]))
    assert (score.tempo, score.time_signature, score.tempo_changes) == (120.0, (4, 4), ())
    assert spans(score) == [(0.5, 1.0, 60)]


def metre(wait: int, numerator: int, denominator: int = 4) -> mido.MetaMessage:
    return mido.MetaMessage(
        "time_signature", time=wait, numerator=numerator, denominator=denominator
    )


NOTES = [on(0), off(100)]


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [
        ([[metre(0, 3, 2**9), *NOTES]], (4, 4)),  # an invalid one
        ([[metre(3000, 3)], [metre(20, 6, 8), *NOTES]], (6, 8)),
        ([[metre(0, 4), metre(0, 3), *NOTES]], (3, 4)),  # the last of equal ticks
        ([[metre(0, 4)], [metre(0, 3), *NOTES]], (3, 4)),
        ([[metre(0, 4), metre(4000, 3)], [on(4000), off(100)]], (3, 4)),  # at the first note
        ([[metre(0, 4), metre(4000, 3)], [on(3999), off(100)]], (4, 4)),
        ([[metre(0, 4), metre(4000, 3)], [on(0, 10), off(9, 10), on(4000), off(9)]], (3, 4)),
        ([[on(0), off(100), metre(0, 5)]], (5, 4)),  # none at the first note
        ([[metre(0, 1), metre(100, 4), metre(1600, 3)], NOTES], (4, 4)),  # a pickup bar
        ([[metre(0, 4), metre(200, 3)], [on(100), off(100)]], (3, 4)),  # shorter than its bar
        ([[metre(0, 2), metre(400, 3)], NOTES], (2, 4)),  # two bars
    ],
)
def test_the_time_signature_is_that_of_the_first_note(
    tracks: list[list[mido.Message]], expected: tuple[int, int]
) -> None:
    assert midi.read(file(*tracks)).time_signature == expected


def test_the_last_of_two_tempos_at_one_tick_holds() -> None:
    score = midi.read(file([tempo(0, 60), tempo(0, 90), *NOTES]))
    assert score.tempo == pytest.approx(90, abs=1e-3)
    assert score.tempo_changes == ()


def test_the_tempo_of_the_first_note() -> None:
    score = midi.read(file([tempo(0, 60), tempo(100, 90), *NOTES, tempo(0, 30)]))
    assert score.tempo == 60
    assert score.first_note_tempo == pytest.approx(90, abs=1e-3)
    assert midi.read(file([*NOTES, tempo(0, 60)])).first_note_tempo == 120


def test_a_lost_note_off_does_not_join_the_notes_after_it() -> None:
    later = [on(800), off(100), on(800), off(100)]
    score = midi.read(file([on(0), on(100), off(100), *later]))
    assert spans(score) == [(0, 0.5, 60), (0.5, 1, 60), (5, 5.5, 60), (9.5, 10, 60)]
    score = midi.read(file([on(0, 72), on(100), on(100), off(100), *later, off(0, 72)]))
    assert spans(score)[:2] == [(0, 10.5, 72), (0.5, 1, 60)]


@pytest.mark.parametrize("controller", [120, 123, 124, 125, 126, 127])
def test_a_channel_mode_message_ends_the_notes_of_its_channel(controller: int) -> None:
    end = mido.Message("control_change", control=controller, time=100)
    score = midi.read(
        file(
            [on(0), on(0, 62), on(0, 64, channel=1), end, off(100, 64, channel=1), on(100), off(9)]
        )
    )
    assert spans(score) == [(0, 0.5, 60), (0, 0.5, 62), (0, 1, 64), (1.5, 1.545, 60)]


def test_notes_left_out_are_counted() -> None:
    score = midi.read(
        file(
            [
                on(0, channel=9),
                off(50, channel=9),
                on(0, 20),
                off(10, 20),
                on(0, 109),
                off(10, 109),
            ],
            [on(0, 62), off(0, 62), on(30, 64), off(50, 64)],
            [on(30, 64, 99), off(20, 64)],
        )
    )
    assert spans(score) == [(0.15, 0.4, 64)]
    assert score.notes[0].velocity == 99
    assert score.left_out == LeftOut(drums=1, outside=2, empty=1, joined=1)


def test_a_note_on_without_velocity_is_a_note_off() -> None:
    assert spans(midi.read(file([on(0), on(20, velocity=0), off(20)]))) == [(0, 0.1, 60)]


def test_a_note_may_be_repeated_before_its_note_off() -> None:
    score = midi.read(file([on(0), on(20), off(0), off(20)]))
    assert spans(score) == [(0, 0.1, 60), (0.1, 0.2, 60)]
    assert score.left_out == LeftOut()


def test_a_note_that_starts_while_its_key_is_down_divides_the_earlier_one() -> None:
    hands = file([on(0, channel=1), off(100, channel=1)], [on(40, channel=2), off(20, channel=2)])
    assert spans(midi.read(hands)) == [(0, 0.2, 60), (0.2, 0.5, 60)]


def test_a_note_without_a_note_off_lasts_until_its_track_ends() -> None:
    end = mido.MetaMessage("end_of_track", time=60)
    assert spans(midi.read(file([on(20), off(20, 61), end]))) == [(0.1, 0.5, 60)]


def test_the_program_is_that_of_the_first_note() -> None:
    late = [mido.Message("program_change", program=7), on(50), off(10)]
    early = [
        mido.Message("program_change", program=11, channel=3),
        on(20, channel=3),
        off(9, 60, 3),
    ]
    assert midi.read(file(late, early)).program == 11


def test_very_short_notes_last_a_tick_each() -> None:
    score = Score((Note(1, 1 + 1e-6, 60), Note(1 + 1e-5, 1 + 2e-5, 60), Note(1 + 3e-5, 2, 60)))
    again = midi.read(midi.encode(score))
    assert len(again.notes) == 3
    for before, after in zip(score.notes, again.notes, strict=True):
        assert abs(before.start - after.start) < 3 * TICK


BROKEN = {
    "no header": (b"no music at all", r"\(it does not begin with MThd\)"),
    "no notes": (file([off(0)]), r"\(it holds no notes\): export"),
    "drums": (file([on(0, channel=9), off(9, channel=9)]), "holds no notes but drums"),
    "outside": (file([on(0, 10), off(9, 10)]), "holds no notes"),
    "days": (file([on(0), off(2**27)]), "it lasts 186 hours"),
    "size": (bytes(midi.MAX_BYTES + 1), "has over 2097152 bytes"),
    "cut off": (file([on(0), off(9)])[:-1], "it is cut off"),
    "tempo": (
        b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\x07\0\xff\x51\x03\0\0\0",
        "it sets an invalid tempo",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_unusable_files_are_refused_in_one_sentence(name: str) -> None:
    data, reason = BROKEN[name]
    with pytest.raises(InputError, match=reason) as caught:
        midi.read(data, "the song")
    assert str(caught.value).startswith("the song ")
    assert str(caught.value).count(". ") == 0
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Cannot read .*none\.mid"):
        midi.read(tmp_path / "none.mid")
    with pytest.raises(InputError, match="Cannot read"):
        midi.read(tmp_path)
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    with pytest.raises(InputError, match=r"bad\.mid is not a usable MIDI file"):
        midi.read(tmp_path / "bad.mid")


def _read_or_refuse(data: bytes) -> None:
    try:
        score = midi.read(data)
    except InputError:
        return
    assert score.notes
    assert 0 < score.end <= midi.MAX_SECONDS
    assert all(21 <= note.pitch <= 108 for note in score.notes)
    assert score.notes == merge_overlapping(score.notes)


HEAD = struct.pack(">4sLHHH", b"MThd", 6, 1, 1, 96)


@given(st.binary(max_size=200), st.booleans())
@settings(deadline=None, max_examples=200)
def test_random_bytes_end_in_a_score_or_an_input_error(body: bytes, framed: bool) -> None:
    track = struct.pack(">4sL", b"MTrk", len(body)) + body
    _read_or_refuse(HEAD + track if framed else body)


@given(SCORES, st.data())
@settings(deadline=None, max_examples=200)
def test_broken_files_end_in_a_score_or_an_input_error(score: Score, draw: st.DataObject) -> None:
    data = bytearray(midi.encode(score))
    for place in draw.draw(st.lists(st.integers(0, len(data) * 8 - 1), max_size=6)):
        data[place // 8] ^= 1 << place % 8
    _read_or_refuse(bytes(data[: draw.draw(st.integers(0, len(data)))]))
    _read_or_refuse(bytes(data))


def test_memory_grows_with_the_size_of_the_file_alone() -> None:
    tail = b"\x10\xff\x2f\x00"
    bodies = [
        b"\0\x90\x40\x40" + b"\xff\xff\xff\x7f\x40\x00\0\x40\x40" * 5000 + tail,  # days of music
        b"\0\x90\x40\x40"
        + b"\1\x40\x40" * 15000
        + tail,  # a key struck 15,000 times, never released
        b"\0\x90\x40\x40" + b"\1\xff\x51\x03\0\0\1" * 6000 + tail,
        b"\xff" * 45000,
    ]
    tracemalloc.start()
    for body in bodies:
        _read_or_refuse(HEAD + struct.pack(">4sL", b"MTrk", len(body)) + body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 45000 * 400


def test_writing_replaces_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "song.mid"
    first, second = Score((Note(0, 1, 60),)), Score((Note(0, 1, 72),))
    midi.write(first, path)
    midi.write(second, path)
    assert midi.read(path) == second
    assert [item.name for item in path.parent.iterdir()] == ["song.mid"]


def midi_file(*tracks: bytes, file_format: int = 1, division: int = 96) -> bytes:
    head = struct.pack(">4sLHHH", b"MThd", 6, file_format, len(tracks), division)
    return head + b"".join(struct.pack(">4sL", b"MTrk", len(body)) + body for body in tracks)


def read(data: bytes) -> list[list[midi.Event]]:
    return [list(midi.events(track)) for track in midi.parse(data).tracks]


def test_events_of_every_form() -> None:
    track = bytes.fromhex(
        "00 90 3c 40"  # note on
        "81 00 3e 41"  # 128 ticks later, running status
        "00 f0 03 01 02 f7"  # system exclusive
        "00 3e 00"  # running status continues after it
        "05 c3 07"  # one data byte
        "00 ff 51 03 07 a1 20"
        "00 ff 7f 00"  # a meta event without data
        "0a ff 2f 00"
        "00 3c 40"  # padding
    )
    assert read(midi_file(track)) == [
        [
            midi.Event(0, 0x90, 0, b"\x3c\x40"),
            midi.Event(128, 0x90, 0, b"\x3e\x41"),
            midi.Event(128, 0x90, 0, b"\x3e\x00"),
            midi.Event(133, 0xC3, 0, b"\x07"),
            midi.Event(133, midi.META, midi.SET_TEMPO, b"\x07\xa1\x20"),
            midi.Event(133, midi.META, 0x7F, b""),
            midi.Event(143, midi.META, midi.END_OF_TRACK, b""),
        ]
    ]


def test_events_after_an_end_of_track_are_read() -> None:
    end = b"\0\xff\x2f\0"
    track = b"\0\x90\x3c\x40\x60\x80\x3c\0" + end + b"\0\x90\x3e\x40\x60\x80\x3e\0" + end
    assert spans(midi.read(midi_file(track))) == [(0, 0.5, 60), (0.5, 1, 62)]
    for padding in (bytes(9), b"\xff" * 9, b"\0\x90\x40", b"text", b"\xf0"):
        assert spans(midi.read(midi_file(track + padding))) == [(0, 0.5, 60), (0.5, 1, 62)]


SONG = file([on(0), off(100)])


@pytest.mark.parametrize(
    "data",
    [
        SONG + b"\n" * 8,
        SONG + b"\0" * 300,
        SONG + b"<!-- saved from a page -->\r\n",
        SONG + b"XFIH\0\0\0\x02ab" + b"XFKM\0\0\0\x09",
        b"RIFF"
        + struct.pack("<L", len(SONG) + 12)
        + b"RMIDdata"
        + struct.pack("<L", len(SONG))
        + SONG,
        b"RIFF\x40\0\0\0RMIDDISP\x02\0\0\0ab" + b"data" + struct.pack("<L", len(SONG)) + SONG,
        SONG[:8] + b"\0\x02" + SONG[10:],  # format 2, with one track
    ],
)
def test_what_stands_around_the_tracks_is_ignored(data: bytes) -> None:
    assert midi.read(data) == midi.read(SONG)


def test_a_file_of_format_2_with_one_track_of_notes_is_read() -> None:
    notes = b"\0\x90\x3c\x40\x60\x80\x3c\0\0\xff\x2f\0"
    empty = b"\0\xff\x2f\0"
    assert spans(midi.read(midi_file(empty, notes, file_format=2))) == [(0, 0.5, 60)]
    with pytest.raises(InputError, match="format 2: its 2 tracks are separate pieces"):
        midi.read(midi_file(notes, notes, file_format=2))


@pytest.mark.parametrize(
    ("frames", "ticks", "second"), [(25, 40, 1000), (24, 80, 1920), (30, 8, 240), (29, 100, 2997)]
)
def test_ticks_of_smpte_frames(frames: int, ticks: int, second: int) -> None:
    """Their length does not depend on tempos."""
    events = [tempo(0, 30), on(second), off(second)]
    data = bytearray(file(events))
    data[12:14] = 0x100 - frames, ticks
    score = midi.read(bytes(data))
    (note,) = score.notes
    assert note.start == pytest.approx(1, rel=1e-4)
    assert note.end == pytest.approx(2, rel=1e-4)
    assert score.tempo == 120


def test_unknown_chunks_and_a_long_header_are_ignored() -> None:
    track = b"\0\xff\x2f\0"
    data = struct.pack(">4sLHHHH", b"MThd", 8, 1, 2, 480, 7)
    for name in (b"MTrk", b"XFIH", b"MTrk"):
        data += struct.pack(">4sL", name, len(track)) + track
    file = midi.parse(data + b"\0\0")
    assert file == midi.MidiFile(480, [track, track])


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
def test_events_are_read_as_mido_wrote_them(tracks: list[list[mido.Message]]) -> None:
    """A file with running status, compared event by event."""
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
        assert events[-1].kind == midi.END_OF_TRACK


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "MThd"),
        (b"RIFF" + bytes(20), "MThd"),
        (b"RIFF\x04\0\0\0RMID", "MThd"),
        (b"MThd", "its header is cut off"),
        (b"MThd\0\0\0\4\0\0\0\1", "its header is cut off"),
        (midi_file(b"", b"")[:-8], "its header announces 2 tracks, and it has 1"),
        (midi_file(b"\0\xff\x2f\0")[:-1], "cut off"),
        (midi_file(b"", file_format=3), "the unknown format 3"),
        (midi_file(b"", division=0), "no unit of time"),
        (midi_file(b"", division=0xE700), "no unit of time"),
        (midi_file(b"") + b"MTrk\0\0\0\x09", "cut off"),
        (midi_file(b"\0\x40\x40"), "status 0x00"),
        (midi_file(b"\0\xf8\0"), "status 0xf8"),
        (midi_file(b"\0\x90\x90\x40"), "over 127"),
        (midi_file(b"\0\x90\x40"), "ends within"),
        (midi_file(b"\0\xff"), "ends within"),
        (midi_file(b"\0\xf0\x05\x01"), "ends within"),
        (midi_file(b"\x81"), "ends within"),
        (midi_file(b"\x80\x80\x80\x80\0\x90\x40\x40"), "four bytes"),
    ],
)
def test_invalid_data_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(data)


@pytest.mark.parametrize("byte", [0x00, 0x7F, 0x80, 0xFF])
def test_a_file_of_one_repeated_byte_is_refused_quickly(byte: int) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match="track"):
        read(midi_file(bytes([0, 0xF8]), bytes([byte]) * 500_000))
    assert time.process_time() - start < 2
