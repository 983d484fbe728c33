"""Pieces while they are received: the player gets the notes of the finished roll."""

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.frame_spec import KEYS
from engine.music import piano_roll
from engine.music.pitch import LOWEST_PITCH
from engine.music.score import Note, Score
from engine.protocol import (
    Failed,
    Frame,
    FrameLength,
    MusicDone,
    MusicFrame,
    MusicStarted,
    NoteRow,
    SampleMusic,
)
from tui.pages.music.piece import Piece, from_score
from tui.sources.sampler import Answers

PITCHES = st.sets(st.integers(60, 63))
FRAMES = st.lists(st.tuples(PITCHES, PITCHES), max_size=14)


def requested() -> Piece:
    return Piece("folk", 4, SampleMusic("folk"), requested=10.0)


def started(prime: tuple[Frame, ...] = (), frame: float = 0.3, seed: int = 1) -> MusicStarted:
    return MusicStarted(seed, prime, (3, 4), FrameLength(frame, None, 100.0), id=4)


def frames_of(*frames: Frame) -> tuple[MusicFrame, ...]:
    return tuple(MusicFrame(frame, id=4) for frame in frames)


def done(frames: int, seconds: float) -> MusicDone:
    return MusicDone(reason="length", frames=frames, seconds=seconds, seed=9, id=4)


def test_a_melody_that_is_harmonized_is_in_the_piece_as_it_is() -> None:
    piece = requested()
    melody = (NoteRow(0.1, 0.5, 72, 90), NoteRow(0.5, 1.3, 74, 90))
    begun = dataclasses.replace(started(), melody=melody)
    piece.receive((begun, *frames_of(Frame((60,), None), Frame((60,), None))), now=11.0)
    assert piece.roll.notes == (Note(0.1, 0.5, 72, 90), Note(0.5, 1.3, 74, 90))
    assert (piece.roll.seconds, piece.complete_until) == (1.3, 0.0)
    piece.receive((dataclasses.replace(done(2, 0.1), reason="end"),), now=12.0)
    assert piece.score.notes == (Note(0, 0.6, 60), *(Note(*row) for row in melody))
    assert piece.status().startswith("✓ written · 3 notes")


def test_a_piece_from_its_request_to_its_end() -> None:
    piece = requested()
    assert (piece.complete_until, piece.status()) == (0.0, "○ waiting · 0 notes · folk")
    prime = (Frame((60,), (60,)), Frame((60, 64), (64,)))
    first: Answers = (started(prime, seed=9), *frames_of(Frame((64,), ())))
    assert piece.receive(first, now=11.0) == [Note(0.0, 0.6, 60)]
    assert (
        piece.roll.prompt_seconds,
        piece.roll.tempo_map.time_signature,
        piece.frame_seconds,
    ) == (
        0.6,
        (3, 4),
        0.3,
    )
    assert piece.roll.open_notes == (Note(0.3, 3 * 0.3, 64),)
    assert piece.complete_until == 0.3
    assert piece.roll.seconds == 3 * 0.3
    last: Answers = (*frames_of(Frame((67,), (67,))), done(2, 0.5))
    notes = [Note(0.3, 3 * 0.3, 64), Note(3 * 0.3, 1.2, 67)]
    assert piece.receive(last, now=12.0) == notes
    assert piece.complete_until is None
    assert piece.score == Score((Note(0.0, 0.6, 60), *notes), 100.0, (3, 4))
    assert piece.status("1 of 2") == (
        "✓ written · 3 notes · 2 frames · 4/s · seed 9 · piece 1 of 2 · folk"
    )
    assert piece.receive(last, now=13.0) == []


def test_a_piece_that_fails_keeps_what_it_has() -> None:
    piece = requested()
    some: Answers = (started(), *frames_of(Frame((60,), None)))
    piece.receive(some, now=11.0)
    assert piece.receive((Failed("A string broke.", id=4),), now=11.5) == [Note(0.0, 0.3, 60)]
    assert piece.status() == "✗ A string broke. · 1 note · 1 frame · 2/s · seed 1 · folk"
    refused = requested()
    refused.receive((Failed("No.", id=4),), now=11.0)
    assert refused.status() == "✗ No. · folk"


def test_a_piece_of_a_file_is_complete_at_once() -> None:
    score = Score((Note(0.0, 1.0, 60, 33),), 90.0, (6, 8), 12, ((1.0, 60.0),))
    piece = from_score("a.mid", score)
    assert (piece.complete_until, piece.active, piece.score) == (None, False, score)
    assert piece.status() == "✓ opened · 1 note · a.mid"


@given(FRAMES, st.integers(0, 5), st.lists(st.integers(0, 4), max_size=8), st.booleans())
def test_streamed_notes_are_those_of_the_finished_roll(
    frames: list[tuple[set[int], set[int]]], prompt_frames: int, cuts: list[int], planes: bool
) -> None:
    """The frames are split into deliveries and a prompt in any way."""
    made = [Frame(tuple(a), tuple(b) if planes else None) for a, b in frames]
    prime, rest = made[:prompt_frames], made[prompt_frames:]
    piece = requested()
    piece.receive((started(tuple(prime), 0.1),), 1.0)
    found = list(piece.roll.notes)  # those of the prompt are loaded with the piece
    for cut in [*cuts, len(rest)]:
        now, rest = rest[:cut], rest[cut:]
        before = piece.complete_until
        new = piece.receive(frames_of(*now), 1.0)
        assert before is not None
        assert all(note.start >= before for note in new)  # in time to be played
        found += new
    found += piece.receive((done(len(frames), 1.0),), 1.0)
    planes_of = np.zeros((len(frames), 1 + planes, KEYS), np.bool_)
    for place, both in enumerate(frames):
        for plane, pitches in enumerate(both[: 1 + planes]):
            planes_of[place, plane, [pitch - LOWEST_PITCH for pitch in pitches]] = True
    expected = (
        piano_roll.from_frames(planes_of.reshape(len(frames), KEYS * (1 + planes)), 0.1)
        .score()
        .notes
    )
    assert set(found) == set(expected)
    assert len(found) == len(expected)
    assert set(piece.roll.notes) == set(expected)
