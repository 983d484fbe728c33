import numpy as np
import pytest

from engine.data.characters import CharacterCodec
from engine.data.codecs import CODECS, KeysCodec, codec_from_json
from engine.errors import InputError
from engine.frames import FrameSpec
from engine.music import roll
from engine.music.score import Note, Score

KEYS = KeysCodec(2, 0.3, None, 120.0)


@pytest.mark.parametrize(
    "codec", [KEYS, KeysCodec(1, None, 0.25, 90.0), CharacterCodec("abc"), CharacterCodec("")]
)
def test_to_json_and_back(codec: KeysCodec | CharacterCodec) -> None:
    values = codec.to_json()
    assert codec_from_json(values) == codec
    assert values["kind"] in CODECS


def test_its_frames() -> None:
    assert KEYS.spec == FrameSpec("keys", 176)
    assert KEYS.spec.shape == (176,)
    assert KEYS.spec.dtype == np.uint8
    assert KeysCodec(1, 0.3, None, 120.0).spec.shape == (88,)
    assert KEYS.seconds == 0.3
    assert KeysCodec(2, None, 0.25, 90.0).seconds == pytest.approx(1 / 6)
    assert KEYS.bar((4, 4)) == pytest.approx(2.0 / 0.3)
    assert KEYS.bar((6, 8)) == pytest.approx(1.5 / 0.3)
    assert KeysCodec(2, None, 0.25, 90.0).bar((3, 4)) == 12


def test_rolls_and_frames() -> None:
    score = Score((Note(0, 0.6, 60), Note(0.6, 0.9, 60), Note(0.3, 0.6, 64)), 90.0)
    music = KEYS.quantised(score)
    frames = KEYS.encode(music)
    assert frames.shape == (3, 176)
    assert np.flatnonzero(frames[0]).tolist() == [39, 88 + 39]
    assert np.flatnonzero(frames[1]).tolist() == [39, 43, 88 + 43]
    assert np.flatnonzero(frames[2]).tolist() == [39, 88 + 39]
    again = KEYS.decode(frames)
    assert np.array_equal(again.onset, music.onset)
    assert (again.frame, again.tempo) == (0.3, 120.0)
    in_beats = KeysCodec(1, None, 0.5, 60.0)
    assert len(in_beats.quantised(score)) == 3  # 0.9 s are 1.35 of its beats
    assert in_beats.decode(np.ones((4, 88))).onset.sum() == 88  # held, as nothing else is known
    assert roll.from_frames(in_beats.encode(music)).sounding.sum() == 4


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        {},
        {"kind": ["keys"]},
        {"kind": "drums"},
        {"kind": "characters"},
        {"kind": "keys"},
        {"kind": "keys", "planes": 3, "frame": 0.3, "beats": None, "tempo": 120},
        {"kind": "keys", "planes": 2, "frame": None, "beats": None, "tempo": 120},
        {"kind": "keys", "planes": 2, "frame": 0.3, "beats": 0.5, "tempo": 120},
        {"kind": "keys", "planes": 2, "frame": -0.3, "beats": None, "tempo": 120},
        {"kind": "keys", "planes": 2, "frame": "0.3", "beats": None, "tempo": 120},
        {"kind": "keys", "planes": 2, "frame": 0.3, "beats": None, "tempo": float("nan")},
    ],
)
def test_what_is_no_codec_is_refused(values: object) -> None:
    with pytest.raises(InputError, match="codec"):
        codec_from_json(values)
    with pytest.raises(InputError, match="codec is not one of piano keys"):
        KeysCodec.from_json(values)
