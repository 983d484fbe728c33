"""Decoding: filters, penalty and lines against naive definitions, draws by counting them."""

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.data.codecs import CharacterCodec
from engine.errors import InputError
from engine.frame_spec import BEGIN
from engine.inference import models
from engine.inference.models import Model, ModelMeta
from engine.sampling.decoding import (
    FREE_REPEAT,
    MAX_REPEAT,
    REPEAT_WINDOW,
    SamplingParams,
    apply_guidance,
    break_lines,
    choose,
    filter_mask,
    log_sum_exp,
    match_weight,
    repetition_penalties,
)
from engine.sampling.lyrics import LyricsRequest, change_params, stream
from engine.sampling.songs import Character

LOGITS = np.array([1.0, 0.5, -0.3, 2.0, 0.0, -1.0, 1.5, 0.7])
P = np.exp(LOGITS) / np.exp(LOGITS).sum()
DRAWS = 40_000
CRITICAL = {3: 16.27, 5: 20.52, 7: 24.32}  # of chi-square: one in a thousand is larger


def draw(
    params: SamplingParams, banned: tuple[int, ...] = (), logits: NDArray[np.float64] = LOGITS
) -> NDArray[np.intp]:
    rows = np.tile(logits, (DRAWS, 1))
    rows[:, banned] = -np.inf
    noise = np.random.Generator(np.random.PCG64(7)).gumbel(size=rows.shape)
    chosen = choose(rows, params, noise)
    return np.bincount(chosen, minlength=len(logits))


def fits(counts: NDArray[np.intp], p: NDArray[np.float64]) -> bool:
    """Test counts against probabilities (Pearson's chi-square); zeros must be zeros."""
    p = p / p.sum()
    possible = p > 0
    if counts[~possible].any():
        return False
    expected = DRAWS * p[possible]
    statistic = ((counts[possible] - expected) ** 2 / expected).sum()
    return bool(statistic < CRITICAL[int(possible.sum()) - 1])


def test_another_temperature_does_not_fit() -> None:
    assert not fits(draw(SamplingParams(temperature=1.1)), P)


def test_temperature_one_draws_the_models_probabilities() -> None:
    assert fits(draw(SamplingParams(1.0)), P)


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_temperature_divides_the_logits(temperature: float) -> None:
    assert fits(draw(SamplingParams(temperature=temperature)), np.exp(LOGITS / temperature))


@pytest.mark.parametrize("temperature", [1e30, 1.7e308, math.inf])
def test_a_huge_temperature_draws_uniformly(temperature: float) -> None:
    assert fits(draw(SamplingParams(temperature=temperature)), np.ones(8))
    assert fits(
        draw(SamplingParams(temperature=temperature), banned=(0, 4)),
        np.array([0.0, 1, 1, 1, 0, 1, 1, 1]),
    )


@pytest.mark.parametrize("temperature", [0.0, 5e-324, 1e-30])
def test_a_tiny_temperature_takes_the_most_probable(temperature: float) -> None:
    with np.errstate(all="raise", under="ignore"):
        assert draw(SamplingParams(temperature=temperature))[3] == DRAWS
        assert draw(SamplingParams(temperature=temperature), banned=(3,))[6] == DRAWS
        huge = draw(SamplingParams(temperature=temperature), logits=LOGITS * 1e30)
    assert huge[3] == DRAWS


def test_a_tiny_temperature_draws_equal_logits_equally_often() -> None:
    logits = np.where(np.arange(8) % 2, 1.0, 0.0)
    assert fits(draw(SamplingParams(temperature=1e-30), logits=logits), logits)


def test_filters_apply_to_the_probabilities_at_temperature_one() -> None:
    cold = draw(SamplingParams(temperature=0.3, top_p=0.8))
    hot = draw(SamplingParams(temperature=math.inf, top_p=0.8))
    kept = np.flatnonzero(hot)
    assert len(kept) == 4
    assert set(np.flatnonzero(cold)) <= set(kept)
    assert fits(hot, (hot > 0).astype(float))


def test_banned_characters_leave_the_others_proportions() -> None:
    p = P.copy()
    p[[1, 3]] = 0
    assert fits(draw(SamplingParams(1.0), banned=(1, 3)), p)


def test_impossible_characters_stay_impossible() -> None:
    logits = LOGITS.copy()
    logits[[0, 5]] = -np.inf
    for temperature in (0.5, 1.0, 1e30, math.inf):
        counts = draw(SamplingParams(temperature=temperature), logits=logits)
        assert not counts[[0, 5]].any()


def test_the_same_seed_chooses_the_same() -> None:
    assert (draw(SamplingParams(1.0)) == draw(SamplingParams(1.0))).all()


logit_rows = st.lists(st.floats(-8, 8), min_size=2, max_size=12)


@settings(deadline=None)
@given(logit_rows, st.integers(0, 14))
def test_top_k_keeps_the_first_of_a_sorted_list(row: list[float], k: int) -> None:
    ranked = sorted(range(len(row)), key=lambda i: (-row[i], i))
    expected = set(ranked[:k] if k else ranked)
    assert set(np.flatnonzero(filter_mask(np.array([row]), SamplingParams(top_k=k))[0])) == expected


@settings(deadline=None)
@given(logit_rows, st.floats(0.01, 1.0))
def test_top_p_keeps_the_fewest_that_reach_the_sum(row: list[float], share: float) -> None:
    p = np.exp(row) / np.exp(row).sum()
    ranked = sorted(range(len(row)), key=lambda i: (-row[i], i))
    expected: list[int] = []
    for index in ranked:
        total = math.fsum(p[expected])
        assume(share == 1 or abs(total - share) > 1e-9)  # else rounding decides
        if total < share:
            expected.append(index)
    assert set(np.flatnonzero(filter_mask(np.array([row]), SamplingParams(top_p=share))[0])) == set(
        expected
    )


@settings(deadline=None)
@given(logit_rows, st.floats(0.0, 1.0))
def test_min_p_keeps_a_share_of_the_most_probable(row: list[float], share: float) -> None:
    ratios = [math.exp(x - max(row)) for x in row]
    assume(all(abs(ratio - share) > 1e-9 or ratio == share for ratio in ratios))
    expected = {i for i, ratio in enumerate(ratios) if ratio >= share}
    assert (
        set(np.flatnonzero(filter_mask(np.array([row]), SamplingParams(min_p=share))[0]))
        == expected
    )


@settings(deadline=None)
@given(logit_rows, st.integers(0, 6), st.floats(0.01, 1), st.floats(0, 1))
def test_filters_together_keep_what_each_keeps(
    row: list[float], k: int, p: float, m: float
) -> None:
    logits = np.array([row, row[::-1]])
    apart = [
        filter_mask(logits, params)
        for params in (SamplingParams(top_k=k), SamplingParams(top_p=p), SamplingParams(min_p=m))
    ]
    together = filter_mask(logits, SamplingParams(top_k=k, top_p=p, min_p=m))
    assert (together == (apart[0] & apart[1] & apart[2])).all()
    assert together[np.arange(2), logits.argmax(axis=1)].all()


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"temperature": -math.inf},
        {"top_k": -1},
        {"top_p": 0.0},
        {"top_p": 1.01},
        {"top_p": math.nan},
        {"min_p": -0.01},
        {"min_p": 1.5},
        {"min_p": math.nan},
        {"guidance": -0.1},
        {"guidance": math.inf},
        {"guidance": math.nan},
        {"repetition": -1.0},
        {"repetition": math.nan},
        {"line": -1},
        {"line": 201},
        {"memory": -0.1},
        {"memory": 1.1},
        {"memory": math.nan},
    ],
    ids=str,
)
def test_values_out_of_range_are_refused_by_name(values: dict[str, float]) -> None:
    ((name, value),) = values.items()
    label = name.capitalize().replace("_", "-")
    with pytest.raises(InputError, match=f"^{label} must be .*, not {value!r}[.]$"):
        SamplingParams(**values)  # type: ignore[arg-type]


def test_the_match_weight_falls_with_the_temperature() -> None:
    weights = [
        match_weight(1.0, temperature) for temperature in (0, 0.3, 0.5, 0.7, 0.9, 1.0, math.inf)
    ]
    assert weights == sorted(weights)
    assert weights[0] == 0
    assert weights[-2:] == [1, 1]
    assert match_weight(0.5, 0.8) == pytest.approx(match_weight(1.0, 0.8) / 2)


def test_guidance_interpolates_and_extrapolates_the_artist_style() -> None:
    with_artist, without = np.random.default_rng(0).standard_normal((2, 3, 8))
    both = np.concatenate([with_artist, without])
    np.testing.assert_array_equal(apply_guidance(both, 0.0), without)
    np.testing.assert_allclose(apply_guidance(both, 1.0), with_artist, rtol=0, atol=1e-12)
    np.testing.assert_allclose(apply_guidance(both, 0.5), (with_artist + without) / 2)
    np.testing.assert_allclose(apply_guidance(both, 2.0), with_artist + (with_artist - without))


@settings(deadline=None)
@given(logit_rows)
def test_logits_minus_log_sum_exp_are_log_probabilities(row: list[float]) -> None:
    naive = np.log(np.exp(row) / np.exp(row).sum())
    (total,) = log_sum_exp(np.array([row]))
    np.testing.assert_allclose(row - np.array(total), naive, atol=1e-12)
    impossible = np.array([[*row, -np.inf]])
    far = impossible + 1e4  # where exp would overflow
    assert log_sum_exp(impossible) == pytest.approx([total], abs=1e-12)
    assert log_sum_exp(far) == pytest.approx([total + 1e4], abs=1e-9)
    several = np.concatenate([impossible, far, -far])[:, :-1]
    assert log_sum_exp(several) == pytest.approx(
        [log_sum_exp(each[None])[0] for each in several], abs=1e-12
    )


Build = Callable[..., Model]
Make = Callable[..., tuple[ModelMeta, dict[str, Any]]]

ALPHABET = ["", "", "?", "\n", " ", "a"]
NEWLINE, SPACE = 3, 4
UNLIKELY = -30.0  # a log probability


def written(model: Model, **request: Any) -> list[str]:
    """Return the texts of the songs of a stream."""
    song = stream(model, LyricsRequest(**request))
    texts = [""] * len(song.songs)
    for character in song:
        texts[character.song] += character.text
    return texts


def wrapped(text: str, length: int, before: str = "") -> str:
    """Return a text with a newline for each space after `length` or more characters of a line."""
    result = before
    for character in text:
        line = result.rsplit("\n", 1)[-1]
        result += "\n" if character == " " and length and len(line) >= length else character
    return result[len(before) :]


@dataclasses.dataclass
class Reciter:
    """Takes the place of a network: predicts a fixed text, whatever is written."""

    text: list[int]

    def initial_state(self, condition: object, count: int) -> list[Any]:
        return [np.full(count, -1)]

    def read(self, state: list[Any], frames: NDArray[Any], match_weight: float) -> None:
        state[0] = state[0] + len(frames)

    def step(
        self, state: list[Any], frames: NDArray[Any], match_weight: float
    ) -> NDArray[np.float64]:
        self.read(state, frames[None], match_weight)
        logits = np.full((len(frames), 18), UNLIKELY)
        logits[np.arange(len(frames)), [self.text[position] for position in state[0]]] = 0.0
        return logits


@pytest.fixture
def reciter(build: Build) -> Callable[[str], Model]:
    """reciter(text) returns a model that predicts a fixed text."""
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
def test_line_breaks_equal_their_definition(
    rows: list[tuple[list[int], list[float]]], length: int
) -> None:
    logits = np.array([row for _, row in rows])
    before = np.exp(logits)
    result = np.exp(break_lines(logits, [frames for frames, _ in rows], length, ALPHABET))
    np.testing.assert_array_equal(np.exp(logits), before)
    for (frames, _), p, got in zip(rows, before, result, strict=True):
        characters = 0
        for frame in frames[1:]:
            characters = 0 if frame == NEWLINE else characters + 1
        if characters >= length:
            p = np.array([*p[:NEWLINE], p[NEWLINE] + p[SPACE], 0.0, *p[SPACE + 1 :]])
        np.testing.assert_allclose(got, p, rtol=1e-12)


words = st.lists(st.text("abcé,", min_size=1, max_size=9), min_size=1, max_size=12)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words, words, st.integers(1, 30))
def test_words_stay_whole_and_the_prompt_counts(
    reciter: Callable[[str], Model], prime: list[str], rest: list[str], length: int
) -> None:
    before, after = " ".join(prime), "".join(" " + word for word in rest)
    params = SamplingParams(0.0, line=length)
    song = reciter(before + after)
    expected = wrapped(after, length, before)
    assert expected.split() == rest
    request: dict[str, Any] = {"prime": before, "params": params, "length": len(after)}
    assert written(song, **request, count=2) == [expected, expected]


@pytest.mark.parametrize(
    "params",
    [
        SamplingParams(0.0),
        SamplingParams(0.5),
        SamplingParams(math.inf, top_k=1),
        SamplingParams(math.inf, top_p=0.5),
        SamplingParams(math.inf, min_p=0.5, repetition=2.0),
    ],
    ids=str,
)
def test_lines_break_with_every_option(
    reciter: Callable[[str], Model], params: SamplingParams
) -> None:
    text = "a bad cab, a bad bag. high jade, i gad, a bad cab, a bad bag"
    song = reciter(text)
    for length in (1, 8, 20, 200):
        params = dataclasses.replace(params, line=length)
        assert written(song, params=params, seed=1, length=len(text)) == [wrapped(text, length)]


KINDS: list[dict[str, Any]] = [
    {"hidden_size": 40},
    {"cell": "gru", "match_memory": True},
    {"kind": "markov"},
]


@pytest.mark.parametrize("settings", KINDS, ids=str)
@pytest.mark.parametrize("temperature", [0.0, 0.9, math.inf])
def test_no_line_is_longer_than_its_length_and_a_word(
    build: Build, settings: dict[str, Any], temperature: float
) -> None:
    model = build(**settings)
    guidance = {"guidance": 2.0} if model.conditions and "kind" not in settings else {}
    params = SamplingParams(temperature, repetition=0.5, line=9, candidates=2, **guidance)  # type: ignore[arg-type]
    artist = "Zed" if guidance else None
    request: dict[str, Any] = {"artist": artist, "params": params, "length": 200}
    together = written(model, **request, seed=7, count=4)
    for number, text in enumerate(together):
        for line in text.split("\n"):
            assert len(line) <= 9 + len(line.rsplit(" ", 1)[-1])
        assert written(model, **request, seed=7 + number) == [text]


def test_the_line_length_can_change_while_songs_are_written(
    reciter: Callable[[str], Model],
) -> None:
    words = "a bad cab, a bad bag. high jade, i gad, dead bee, fed a fig. abba"
    params = SamplingParams(0.0, raw="on")
    song = stream(reciter(words), LyricsRequest(params=params, length=len(words), count=2))
    characters = iter(song)
    expected = ""
    texts = ["", ""]
    for length, count in ((0, 16), (4, 20), (0, 10), (11, len(words) - 46)):
        change_params(song, {"line": length})
        for character in itertools.islice(characters, 2 * count):
            texts[character.song] += character.text
        start = len(expected)
        expected += wrapped(words[start : start + count], length, expected)
    assert texts == [expected, expected]
    assert "\n" in expected


def test_line_breaks_do_not_change_the_surprise(reciter: Callable[[str], Model]) -> None:
    text = "a bad cab"
    params = SamplingParams(0.0, line=2)
    characters: list[Character] = [
        *stream(reciter(text), LyricsRequest(params=params, length=len(text), alternatives=1))
    ]
    assert "".join(character.text for character in characters) == "a bad\ncab"
    ended_line = characters[5]
    assert ended_line.bits == pytest.approx(-UNLIKELY / math.log(2))
    assert ended_line.alternatives[0][0] == " "
    assert characters[4].bits == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("characters", [" !,.abcdefghijé", "\n!,.abcdefghijé"])
def test_without_a_space_or_a_newline_lines_do_not_break(make: Make, characters: str) -> None:
    meta, tensors = make()
    meta = dataclasses.replace(meta, codec=CharacterCodec(characters))
    model = models.from_tensors(meta, tensors)
    plain = written(model, seed=1, length=300, params=SamplingParams(math.inf))
    assert written(model, seed=1, length=300, params=SamplingParams(math.inf, line=1)) == plain
    assert set(plain[0]) == set(characters)


def naive(frames: list[int], strength: float) -> dict[int, float]:
    frames = frames[-REPEAT_WINDOW:]
    result: dict[int, float] = {}
    for i in range(1, len(frames)):  # the frame that followed an earlier passage
        length = 0
        while length < min(i, MAX_REPEAT) and frames[i - 1 - length] == frames[-1 - length]:
            length += 1
        if length > FREE_REPEAT:
            penalty = strength * (length - FREE_REPEAT)
            result[frames[i]] = max(result.get(frames[i], 0.0), penalty)
    return result


@given(st.lists(st.integers(3, 4), max_size=80), st.integers(0, 40), st.floats(0.1, 5))
def test_the_penalty_equals_its_definition(frames: list[int], again: int, strength: float) -> None:
    frames = frames + frames[:again]
    assert repetition_penalties(frames, strength) == naive(frames, strength)


def test_repeats_are_searched_in_the_window_only() -> None:
    passage = [*range(10, 30)]
    assert repetition_penalties([*passage, 5, *[6, 7] * (REPEAT_WINDOW // 2), *passage], 1.0) == {}
    assert repetition_penalties([*passage, 5, *passage], 1.0) == {5: len(passage) - FREE_REPEAT}
