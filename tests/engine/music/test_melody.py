"""Melodies as notes with lengths, and as paths."""

from pathlib import Path

import pytest

from engine.errors import InputError
from engine.music.melody import melody_path, parse_melody


def test_notes_follow_one_another() -> None:
    melody = parse_melody("C4, D#4:2 r 60:0.5 -:1.5 g", 60.0, (3, 4))
    assert [(note.start, note.end, note.pitch) for note in melody.notes] == [
        (0, 1, 60), (1, 3, 63), (4, 4.5, 60), (6, 7, 67),
    ]  # fmt: skip
    assert (melody.tempo, melody.time_signature) == (60, (3, 4))
    assert parse_melody("C4", 120.0).end == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no notes"),
        ("r r:2", "has no notes"),
        ("C4 H4", "'H4' is not a note: use names such as C4 F#4 Bb3, or MIDI pitches, or the path"),
        ("C9", "is not on the piano"),
        ("C4:", "'C4:' has no valid length"),
        ("C4:0", "'C4:0' has no valid length"),
        ("C4:nan", "has no valid length: give a number of beats from 1/64 to 10,000"),
        ("C4:1:2", "has no valid length"),
        (" ".join(["C4:6000"] * 2), "has over 10,000 beats"),
    ],
)
def test_invalid_melodies_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_melody(text)


def test_paths_are_told_from_notes() -> None:
    assert melody_path("C4 D4") is None
    assert melody_path("tune.MID") == Path("tune.MID")
    assert melody_path("~/tune") == Path.home() / "tune"
    with pytest.raises(InputError, match="has no home folder"):
        melody_path("~nobody-of-this-name/tune.mid")
