"""The values of the fields of the Music page."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import InputError
from engine.music.general_midi import INSTRUMENTS
from engine.options import MUSIC_OPTIONS, PLAYBACK_OPTIONS
from tui.pages.music.prompt_and_length import Prompt, parse_length, parse_prompt

Parse = Callable[[str], Any]
temperature, memory = MUSIC_OPTIONS["temperature"].parse, MUSIC_OPTIONS["memory"].parse
least, tempo = MUSIC_OPTIONS["least"].parse, PLAYBACK_OPTIONS["tempo"].parse
transpose, velocity = PLAYBACK_OPTIONS["transpose"].parse, PLAYBACK_OPTIONS["velocity"].parse


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_prompt, "", Prompt()),
        (parse_prompt, "c4 E4, G4", Prompt(notes=(60, 64, 67))),
        (parse_prompt, "60", Prompt(notes=(60,))),
        (parse_prompt, "tune.MID", Prompt(file="tune.MID")),
        (parse_prompt, "a/b", Prompt(file="a/b")),
        (temperature, "", 1.0),
        (temperature, "0.7", 0.7),
        (temperature, "inf", math.inf),
        (memory, "0.5", 0.5),
        (least, "", 0),
        (least, "2", 2),
        (parse_length, "", {}),
        (parse_length, "64", {"length": 64}),
        (parse_length, "16 bars", {"bars": 16}),
        (parse_length, "2.5Bars", {"bars": 2.5}),
        (parse_length, "30s", {"seconds": 30}),
        (parse_length, "1 second", {"seconds": 1}),
        (tempo, "1.5", 1.5),
        (tempo, "×2", 2.0),
        (transpose, "-12", -12),
        (velocity, "", 1.0),
    ],
)
def test_right_values(parse: Parse, text: str, value: Any) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "words"),
    [
        (parse_prompt, "H4", "or MIDI pitches, or the path of a MIDI or MusicXML file."),
        (parse_prompt, "C9", "'C9' is not on the piano"),
        (parse_prompt, "~nobody-of-that-name/a.mid", "no home folder"),
        (temperature, "hot", "Temperature must be a number from 0 to inf, not 'hot'."),
        (temperature, "nan", "not 'nan'."),
        (temperature, "-1", "not '-1'."),
        (memory, "1.5", "Memory must be a number from 0 to 1, not '1.5'."),
        (least, "1.5", "Min notes must be a whole number from 0 to 10, not '1.5'."),
        (least, "11", "not '11'."),
        (parse_length, "0", "Length must be like 200 frames, 16 bars or 30 s, not '0'."),
        (parse_length, "1.5 frames", "not '1.5 frames'."),
        (parse_length, "2 hours", "not '2 hours'."),
        (parse_length, "1.2.3 s", "not '1.2.3 s'."),
        (parse_length, "s", "not 's'."),
        (tempo, "0", "Tempo must be a number from 0.1 to 10, not '0'."),
        (transpose, "61", "not '61'."),
        (velocity, "loud", "not 'loud'."),
    ],
)
def test_wrong_values_are_refused(parse: Parse, text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    assert words in str(caught.value)


def test_the_instruments_of_general_midi() -> None:
    assert len(INSTRUMENTS) == len(set(INSTRUMENTS)) == 128
    assert INSTRUMENTS[40] == "Violin"
    assert INSTRUMENTS[73] == "Flute"
    assert INSTRUMENTS[127] == "Gunshot"
