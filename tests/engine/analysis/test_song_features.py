"""The features of songs: of a known song, and against plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.analysis import song_features
from engine.frame_spec import KEYS

SONG = 'Oh "é (a)\nb"\n\n"Oh\n\noh "É (A)\n'


def marks(name: str, song: str = SONG) -> str:
    """Return the characters at which a feature is 1, the others as dots."""
    values = song_features.text_features(song)[name]
    assert set(values) <= {0, 1}
    pairs = zip(song, values, strict=True)
    return "".join(c if value or c == "\n" else "." for c, value in pairs)


@pytest.mark.parametrize(
    ("name", "shown"),
    {
        "in quotes": '..."é (a)\nb"\n\n"Oh\n\n..."É (A)\n',  # an empty line closes them
        "in parentheses": "......(a)\n..\n\n...\n\n......(A)\n",
        "word end": ".h..é..a.\nb.\n\n..h\n\n.h..É..A.\n",
        "capital": "O........\n..\n\n.O.\n\n....É..A.\n",
        "vowel": "O...é..a.\n..\n\n.O.\n\no...É..A.\n",
    }.items(),
)
def test_binary_features_of_a_text(name: str, shown: str) -> None:
    assert marks(name) == shown


def test_positions_in_a_text() -> None:
    found = song_features.text_features("ab\n\nc")
    assert found["line position"].tolist() == [0, 1, 2, 0, 0]
    assert found["to line end"].tolist() == [2, 1, 0, 0, 0]
    assert found["song position"].tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_a_line_is_repeated_from_its_second_occurrence() -> None:
    song = "La la\n\nno\nla  LA\n\nla la"
    repeated = song_features.text_features(song)["line repeated"]
    assert repeated.tolist() == [0] * 10 + [1] * 7 + [0] + [1] * 5


@given(st.text('ab A\n"(“”)é', max_size=60))
def test_positions_in_lines_against_counting(text: str) -> None:
    found = song_features.text_features(text)
    assert {values.shape for values in found.values()} == {(len(text),)}
    for i in range(len(text)):
        start = text.rfind("\n", 0, i) + 1
        assert found["line position"][i] == i - start
        end = text.find("\n", i)
        last = len(text) - 1 if end < 0 else end
        assert found["to line end"][i] == last - i


Frames = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(1, 20), st.just(2 * KEYS)),
                  elements=st.integers(0, 1), fill=st.just(np.uint8(0))),
    st.sampled_from([(4.0, 4), (6.0, 3), (20 / 3, 4), (0.5, 2)]),
)  # fmt: skip
def test_keys_against_a_loop(frames: Frames, time: tuple[float, int]) -> None:
    bar, beats = time
    found = song_features.key_features(frames, bar, beats)
    highest = lowest = None
    before: list[int] = []
    bars = at = -1
    for i, frame in enumerate(frames):
        keys = [key for key in range(KEYS) if frame[key]]
        highest, lowest = (max(keys), min(keys)) if keys else (highest, lowest)
        assert found["keys sounding"][i] == len(keys)
        if highest is not None:
            assert (found["highest key"][i], found["lowest key"][i]) == (highest, lowest)
        assert found["chord changes"][i] == (keys != before)
        before = keys
        now = int((i + 1e-6) / bar)
        assert found["bar begins"][i] == (now > bars)
        assert found["bar position"][i] == pytest.approx(i - now * bar, abs=1e-5)
        beat = int((i + 1e-6) * beats / bar)
        assert found["beat begins"][i] == (beat > at)
        bars, at = now, beat
