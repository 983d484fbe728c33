"""What may stand in the fields of the Music page."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import InputError
from engine.music.general_midi import INSTRUMENTS
from engine.music.tempo_map import TempoMap
from engine.protocol import FrameLength
from tui.pages.music import options as fields
from tui.pages.music.options import Beginning, Length
from tui.widgets import fields as field_widgets

Means = Callable[[str], Any]


@pytest.mark.parametrize(
    ("means", "text", "value"),
    [
        (fields.begins, "", Beginning()),
        (fields.begins, "c4 E4, G4", Beginning(notes=(60, 64, 67))),
        (fields.begins, "60", Beginning(notes=(60,))),
        (fields.begins, "tune.MID", Beginning(file="tune.MID")),
        (fields.begins, "a/b", Beginning(file="a/b")),
        (fields.temperature, "", 1.0),
        (fields.temperature, "0.7", 0.7),
        (fields.temperature, "inf", math.inf),
        (fields.memory, "0.5", 0.5),
        (fields.least, "", 0),
        (fields.least, "2", 2),
        (fields.length, "", Length(200, "frames")),
        (fields.length, "64", Length(64, "frames")),
        (fields.length, "16 bars", Length(16, "bars")),
        (fields.length, "2.5Bars", Length(2.5, "bars")),
        (fields.length, "30s", Length(30, "seconds")),
        (fields.length, "1 second", Length(1, "seconds")),
        (fields.tempo, "1.5", 1.5),
        (fields.tempo, "×2", 2.0),
        (fields.transpose, "-12", -12),
        (fields.velocity, "", 1.0),
    ],
)
def test_values(means: Means, text: str, value: Any) -> None:
    assert means(text) == value


@pytest.mark.parametrize(
    ("means", "text", "said"),
    [
        (
            fields.begins,
            "H4",
            "'H4' is not a note: use names such as C4 F#4 Bb3, or MIDI pitches, or a",
        ),
        (fields.begins, "C9", "'C9' is not on the piano"),
        (fields.begins, "~nobody-of-that-name/a.mid", "no home folder"),
        (fields.temperature, "hot", "Temperature is 'hot': give a number from 0 up to inf."),
        (fields.temperature, "nan", "Temperature is 'nan'"),
        (fields.temperature, "-1", "Temperature is '-1'"),
        (fields.memory, "1.5", "Memory is '1.5': give a number from 0 to 1."),
        (fields.least, "1.5", "Least notes is '1.5': give a whole number from 0 to 10."),
        (fields.least, "11", "Least notes is '11'"),
        (fields.length, "0", "Length is '0': give it as 200 frames, 16 bars or 30 s."),
        (fields.length, "1.5 frames", "Length is '1.5 frames'"),
        (fields.length, "2 hours", "Length is '2 hours'"),
        (fields.length, "1.2.3 s", "Length is '1.2.3 s'"),
        (fields.length, "s", "Length is 's'"),
        (fields.tempo, "0", "Tempo is '0': give a number from 0.1 to 10."),
        (fields.transpose, "61", "Transpose is '61'"),
        (fields.velocity, "loud", "Velocity is 'loud'"),
    ],
)
def test_what_is_wrong(means: Means, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        means(text)
    assert said in str(caught.value)


def test_lengths_in_frames() -> None:
    seconds, beats = FrameLength(0.3, None, 100.0), FrameLength(0.15, 0.25, 100.0)
    plain = TempoMap(100.0)
    assert Length().frames(None, plain) == 200
    assert Length(30, "seconds").frames(seconds, plain) == 100
    assert Length(2, "bars").frames(seconds, plain) == 16
    assert Length(2, "bars").frames(beats, plain) == 32
    assert Length(0.1, "seconds").frames(seconds, plain) == 1
    with pytest.raises(InputError, match="wait a moment, or give frames"):
        Length(2, "bars").frames(None, plain)


def test_steps_go_from_multiple_to_multiple() -> None:
    assert field_widgets.stepped(0.75, 1, 0.1, 0, 2) == "0.8"
    assert field_widgets.stepped(0.75, -1, 0.1, 0, 2) == "0.7"
    assert field_widgets.stepped(0.7, 1, 0.1, 0, 2) == "0.8"
    assert field_widgets.stepped(2.0, 1, 0.1, 0, 2) == "2"
    assert field_widgets.stepped(-24.0, -1, 1, -24, 24) == "-24"
    assert field_widgets.stepped(0.2, -1, 0.1, 0, 2) == "0.1"


def test_the_instruments_of_general_midi() -> None:
    assert len(INSTRUMENTS) == len(set(INSTRUMENTS)) == 128
    assert INSTRUMENTS[40] == "Violin"
    assert INSTRUMENTS[73] == "Flute"
    assert INSTRUMENTS[127] == "Gunshot"
