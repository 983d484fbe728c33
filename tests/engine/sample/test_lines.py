"""Lines of about a length: against the definition, and in songs as they are written."""

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.data.characters import BEGIN, CharacterCodec
from engine.sample import models
from engine.sample.decoding import Rules
from engine.sample.lines import ended
from engine.sample.models import Model
from engine.sample.sampler import Character, Request, change, stream

Build = Callable[..., Model]
Make = Callable[..., tuple[dict[str, Any], dict[str, Any]]]

ALPHABET = ["", "", "?", "\n", " ", "a"]
NEWLINE, SPACE = 3, 4
UNLIKELY = -30.0  # a log probability


def written(model: Model, **request: Any) -> list[str]:
    """What the songs of a stream say, when they are written."""
    song = stream(model, Request(**request))
    texts = [""] * len(song.songs)
    for character in song:
        texts[character.song] += character.text
    return texts


def wrapped(text: str, least: int, before: str = "") -> str:
    """The text after another, each space that follows `least` characters of a line a newline."""
    result = before
    for character in text:
        length = len(result.rsplit("\n", 1)[-1])
        result += "\n" if character == " " and least and length >= least else character
    return result[len(before) :]


@dataclasses.dataclass
class Reciter:
    """In the place of a network: knows one text by heart, whatever it is that was written."""

    text: list[int]

    def begin(self, condition: object, count: int) -> list[Any]:
        return [np.full(count, -1)]

    def read(self, state: list[Any], frames: NDArray[Any], trust: float) -> None:
        state[0] = state[0] + len(frames)

    def step(self, state: list[Any], frames: NDArray[Any], trust: float) -> NDArray[np.float64]:
        self.read(state, frames[None], trust)
        logits = np.full((len(frames), 18), UNLIKELY)
        logits[np.arange(len(frames)), [self.text[place] for place in state[0]]] = 0.0
        return logits


@pytest.fixture
def reciter(build: Build) -> Callable[[str], Model]:
    """reciter(text) gives a model that knows the text by heart."""
    model = build(kind="uniform")
    assert isinstance(model.codec, CharacterCodec)
    encode = model.codec.encode

    def reciter(text: str) -> Model:
        stepper: Any = Reciter(encode(text).tolist())
        return dataclasses.replace(model, stepper=stepper)

    return reciter


songs = st.lists(st.integers(NEWLINE, 5), max_size=12).map(lambda frames: [BEGIN, *frames])
logit = st.floats(-8, 8) | st.just(-math.inf)
rows = st.lists(st.tuples(songs, st.lists(logit, min_size=6, max_size=6)), min_size=1, max_size=4)


@given(rows, st.integers(1, 10))
def test_equals_its_definition(rows: list[tuple[list[int], list[float]]], least: int) -> None:
    logits = np.array([row for _, row in rows])
    before = np.exp(logits)
    result = np.exp(ended(logits, [frames for frames, _ in rows], least, ALPHABET))
    np.testing.assert_array_equal(np.exp(logits), before)
    for (frames, _), p, got in zip(rows, before, result, strict=True):
        length = 0
        for frame in frames[1:]:
            length = 0 if frame == NEWLINE else length + 1
        if length >= least:
            p = np.array([*p[:NEWLINE], p[NEWLINE] + p[SPACE], 0.0, *p[SPACE + 1 :]])
        np.testing.assert_allclose(got, p, rtol=1e-12)


words = st.lists(st.text("abcé,", min_size=1, max_size=9), min_size=1, max_size=12)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words, words, st.integers(1, 30))
def test_words_stay_whole_and_the_prime_counts(
    reciter: Callable[[str], Model], prime: list[str], rest: list[str], least: int
) -> None:
    before, after = " ".join(prime), "".join(" " + word for word in rest)
    rules = Rules(0.0, line=least)
    song = reciter(before + after)
    expected = wrapped(after, least, before)
    assert expected.split() == rest
    ask: dict[str, Any] = {"prime": before, "rules": rules, "length": len(after)}
    assert written(song, **ask, count=2) == [expected, expected]


@pytest.mark.parametrize(
    "rules",
    [
        Rules(0.0),
        Rules(0.5),
        Rules(math.inf, top_k=1),
        Rules(math.inf, top_p=0.5),
        Rules(math.inf, min_p=0.5, repetition=2.0),
    ],
    ids=str,
)
def test_it_holds_with_every_rule(reciter: Callable[[str], Model], rules: Rules) -> None:
    text = "a bad cab, a bad bag. high jade, i gad, a bad cab, a bad bag"
    song = reciter(text)
    for least in (1, 8, 20, 200):
        rules = dataclasses.replace(rules, line=least)
        assert written(song, rules=rules, seed=1, length=len(text)) == [wrapped(text, least)]


KINDS: list[dict[str, Any]] = [{"hidden": 40}, {"cell": "gru", "memory": True}, {"kind": "markov"}]


@pytest.mark.parametrize("settings", KINDS, ids=str)
@pytest.mark.parametrize("temperature", [0.0, 0.9, math.inf])
def test_no_line_is_longer_than_asked_for_and_its_last_word(
    build: Build, settings: dict[str, Any], temperature: float
) -> None:
    model = build(**settings)
    guided = {"guidance": 2.0} if model.conditions and "kind" not in settings else {}
    rules = Rules(temperature, repetition=0.5, line=9, **guided)  # type: ignore[arg-type]
    artist = "Zed" if guided else None
    ask: dict[str, Any] = {"artist": artist, "rules": rules, "length": 200}
    together = written(model, **ask, seed=7, count=4)
    for number, text in enumerate(together):
        for line in text.split("\n"):
            assert len(line) <= 9 + len(line.rsplit(" ", 1)[-1])
        assert written(model, **ask, seed=7 + number) == [text]


def test_it_can_be_turned_while_songs_are_written(reciter: Callable[[str], Model]) -> None:
    words = "a bad cab, a bad bag. high jade, i gad, dead bee, fed a fig. abba"
    song = stream(reciter(words), Request(rules=Rules(0.0), length=len(words), count=2))
    characters = iter(song)
    expected = ""
    texts = ["", ""]
    for least, many in ((0, 16), (4, 20), (0, 10), (11, len(words) - 46)):
        change(song, {"line": least})
        for character in itertools.islice(characters, 2 * many):
            texts[character.song] += character.text
        said = len(expected)
        expected += wrapped(words[said : said + many], least, expected)
    assert texts == [expected, expected]
    assert "\n" in expected


def test_surprise_stays_the_models_own(reciter: Callable[[str], Model]) -> None:
    text = "a bad cab"
    rules = Rules(0.0, line=2)
    characters: list[Character] = [
        *stream(reciter(text), Request(rules=rules, length=len(text), alternatives=1))
    ]
    assert "".join(character.text for character in characters) == "a bad\ncab"
    ended_line = characters[5]
    assert ended_line.bits == pytest.approx(-UNLIKELY / math.log(2))
    assert ended_line.alternatives[0][0] == " "
    assert characters[4].bits == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("characters", [" !,.abcdefghijé", "\n!,.abcdefghijé"])
def test_an_alphabet_without_the_one_or_the_other_is_left_alone(
    make: Make, characters: str
) -> None:
    meta, tensors = make()
    meta["codec"] = CharacterCodec(characters).to_json()
    model = models.from_tensors(meta, tensors)
    plain = written(model, seed=1, length=300, rules=Rules(math.inf))
    assert written(model, seed=1, length=300, rules=Rules(math.inf, line=1)) == plain
    assert set(plain[0]) == set(characters)
