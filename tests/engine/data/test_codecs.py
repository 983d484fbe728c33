"""Codecs of characters and of piano keys."""

import json
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.codecs import (
    CODECS,
    END,
    UNKNOWN,
    CharacterCodec,
    KeysCodec,
    code_points,
    codec_from_json,
    index_table,
)
from engine.errors import InputError
from engine.frame_spec import BEGIN, FrameSpec
from engine.music import piano_roll
from engine.music.score import Note, Score

PIANO = KeysCodec(2, 0.3, None, 120.0)


@pytest.mark.parametrize(
    "codec",
    [PIANO, KeysCodec(1, None, 0.25, 90.0, (6, 8)), CharacterCodec("abc"), CharacterCodec("")],
)
def test_to_json_and_back(codec: KeysCodec | CharacterCodec) -> None:
    values = codec.to_json()
    assert codec_from_json(values) == codec
    assert values["kind"] in CODECS


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
def test_invalid_values_are_refused(values: object) -> None:
    with pytest.raises(InputError, match="codec"):
        codec_from_json(values)
    with pytest.raises(InputError, match="codec is not one of piano keys"):
        KeysCodec.from_json(values)


ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included


def codec_of(text: str) -> CharacterCodec:
    points, counts = np.unique(code_points(unicodedata.normalize("NFC", text)), return_counts=True)
    return CharacterCodec.from_counts(dict(zip(points.tolist(), counts.tolist(), strict=True)))


@given(ANY_TEXT)
def test_any_text_comes_back_in_nfc(text: str) -> None:
    codec = codec_of(text)
    expected = "".join(
        "\ufffd" if "\ud800" <= c <= "\udfff" else c for c in unicodedata.normalize("NFC", text)
    )
    indices = codec.encode(text)
    assert codec.decode(indices) == expected
    assert indices.dtype == codec.spec.dtype
    assert not np.isin(indices, [BEGIN, END]).any()


@given(ANY_TEXT, ANY_TEXT)
def test_encoding_equals_looking_up_each_character(known: str, text: str) -> None:
    codec = codec_of(known)
    index = {character: number for number, character in enumerate(codec.characters, start=3)}
    normal = unicodedata.normalize("NFC", text)
    assert codec.encode(text).tolist() == [index.get(c, UNKNOWN) for c in normal]
    assert codec.unknown_characters(text) == [c for c in dict.fromkeys(normal) if c not in index]


def test_indices_are_in_order_of_code_points_after_the_marks() -> None:
    codec = CharacterCodec("\n ab🎹")
    assert codec.spec.size == 8
    assert codec.encode("b🎹\na z").tolist() == [6, 7, 3, 5, 4, 2]
    assert codec.decode([0, 6, 2, 7, 1]) == "b\ufffd🎹"
    assert codec.encode("").shape == (0,)


def test_rare_and_invalid_characters_have_no_index() -> None:
    counts = {ord("a"): 3, ord("b"): 2, 0xD800: 9, 0xFFFD: 9, 0x1F3B9: 5}
    assert CharacterCodec.from_counts(counts, min_count=3).characters == "a🎹"
    array = np.zeros(200, np.int64)
    array[[97, 98]] = 3, 2
    assert CharacterCodec.from_counts(array, min_count=2).characters == "ab"
    assert CharacterCodec.from_counts(array, min_count=0).characters == "ab"  # they occur


def test_the_index_type_grows_with_the_alphabet() -> None:
    small = CharacterCodec("".join(map(chr, range(32, 32 + 253))))
    large = CharacterCodec("".join(map(chr, range(32, 32 + 254))))
    assert small.encode("ab").dtype == np.uint8
    assert large.encode("ab").dtype == np.uint16
    assert large.decode(large.encode(chr(285))) == chr(285)


@given(st.text())
def test_characters_to_json_and_back(text: str) -> None:
    codec = codec_of(text)
    assert CharacterCodec.from_json(json.loads(json.dumps(codec.to_json()))) == codec


@pytest.mark.parametrize(
    "values",
    [
        None,
        {"kind": "keys"},
        {"kind": "characters", "characters": ["a"]},
        {"kind": "characters", "characters": "ba"},
        {"kind": "characters", "characters": "aa"},
        {"kind": "characters", "characters": "a\ud800"},
    ],
)
def test_a_damaged_codec_is_refused(values: object) -> None:
    with pytest.raises(InputError, match="codec"):
        CharacterCodec.from_json(values)


@given(st.text(), st.text(), st.text())
def test_translating_indices_equals_encoding_again(first: str, second: str, t: str) -> None:
    old, new = codec_of(first + t), codec_of(second)
    assert index_table(old, new)[old.encode(t)].tolist() == new.encode(t).tolist()
    assert index_table(old, new)[:3].tolist() == [BEGIN, END, UNKNOWN]


def test_translating_does_not_compose_neighbours_in_the_alphabet() -> None:
    codec = CharacterCodec("e\u0301")  # e and a combining acute accent
    assert index_table(codec, codec).tolist() == [0, 1, 2, 3, 4]
    assert index_table(codec, CharacterCodec("\xe9\u0301")).tolist() == [0, 1, 2, 2, 4]


def test_frames_of_piano_keys() -> None:
    assert PIANO.spec == FrameSpec("keys", 176)
    assert PIANO.spec.shape == (176,)
    assert PIANO.spec.dtype == np.uint8
    assert KeysCodec(1, 0.3, None, 120.0).spec.shape == (88,)
    assert PIANO.seconds == 0.3
    assert KeysCodec(2, None, 0.25, 90.0).seconds == pytest.approx(1 / 6)
    assert PIANO.frames_per_bar((4, 4)) == pytest.approx(2.0 / 0.3)
    assert PIANO.frames_per_bar((6, 8)) == pytest.approx(1.5 / 0.3)
    assert KeysCodec(2, None, 0.25, 90.0).frames_per_bar((3, 4)) == 12


def test_rolls_and_frames() -> None:
    score = Score((Note(0, 0.6, 60), Note(0.6, 0.9, 60), Note(0.3, 0.6, 64)), 90.0)
    music = PIANO.quantize(score)
    frames = PIANO.encode(music)
    assert frames.shape == (3, 176)
    assert np.flatnonzero(frames[0]).tolist() == [39, 88 + 39]
    assert np.flatnonzero(frames[1]).tolist() == [39, 43, 88 + 43]
    assert np.flatnonzero(frames[2]).tolist() == [39, 88 + 39]
    again = PIANO.decode(frames)
    assert np.array_equal(again.onset, music.onset)
    assert (again.frame_seconds, again.tempo) == (0.3, 120.0)
    in_beats = KeysCodec(1, None, 0.5, 60.0)
    assert len(in_beats.quantize(score)) == 3  # 0.9 s are 1.35 of its beats
    assert in_beats.decode(np.ones((4, 88))).onset.sum() == 88  # without onsets a key is held
    assert piano_roll.from_frames(in_beats.encode(music)).sounding.sum() == 4


@pytest.mark.parametrize("module", ["codecs", "batches", "corpus", "lyrics_files"])
def test_importing_is_light(module: str) -> None:
    heavy = "'torch', 'textual', 'rich'"
    code = f"import sys, engine.data.{module}; print([m for m in ({heavy}) if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
