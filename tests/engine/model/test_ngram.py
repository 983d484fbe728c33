"""N-gram models, compared with a reference that counts in dictionaries and with known figures."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.config import DataConfig, ModelConfig
from engine.errors import InputError
from engine.model import ngram

SIZE = 7  # begin, end, unknown and four characters
REAL = Path(__file__).parents[3] / "../shared/data/lyrics/songdata_prefix2893.csv"

song = st.lists(st.integers(2, SIZE - 1), max_size=20).map(lambda frames: np.array([*frames, 1]))
songs = st.lists(song, min_size=1, max_size=8)


def markov(order: int) -> ModelConfig:
    return ModelConfig(kind="markov", order=order)


def reference(songs: list[NDArray[Any]], order: int) -> Callable[[tuple[int, ...], int], float]:
    """Return interpolated Kneser-Ney with three discounts, written as in the papers."""
    counts: Counter[tuple[int, ...]] = Counter()  # of n-grams
    for frames in songs:
        padded = [0] * order + frames.tolist()
        counts.update(tuple(padded[t : t + order + 1]) for t in range(len(frames)))
    tables = {order: counts}
    for length in range(order - 1, -1, -1):
        tables[length] = Counter(gram[1:] for gram in tables[length + 1])
    followers: dict[tuple[int, ...], dict[int, int]] = defaultdict(dict)
    for table in tables.values():
        for gram, number in table.items():
            followers[gram[:-1]][gram[-1]] = number

    def discounts(length: int) -> list[float]:
        n1, n2, n3, n4 = (list(tables[length].values()).count(r) for r in (1, 2, 3, 4))
        if 0 in (n1, n2, n3, n4):
            return [0, 0.5, 1.0, 1.5]
        y = n1 / (n1 + 2 * n2)
        raw = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
        return [0, *(min(max(d, 0.05), r) for d, r in zip(raw, (1, 2, 3), strict=True))]

    discount_of = {length: discounts(length) for length in tables}

    def probability(context: tuple[int, ...], frame: int) -> float:
        lower = probability(context[1:], frame) if context else 1 / (SIZE - 1)
        known = followers.get(context)
        if known is None:
            return lower
        discount = discount_of[len(context)]
        total = sum(known.values())
        number = known.get(frame, 0)
        rest = sum(discount[min(c, 3)] for c in known.values())
        return (number - discount[min(number, 3)] + rest * lower) / total

    return probability


@settings(deadline=None, max_examples=60)
@given(songs, song, st.integers(0, 5))
def test_equals_a_reference_that_counts_in_dictionaries(
    train: list[NDArray[Any]], unseen: NDArray[Any], order: int
) -> None:
    config = markov(order) if order else ModelConfig(kind="frequencies")
    model = ngram.fit(train, SIZE, config)
    probability = reference(train, order)
    padded = [0] * order + unseen.tolist()
    expected = [
        -math.log(probability(tuple(padded[t : t + order]), padded[t + order]))
        for t in range(len(unseen))
    ]
    np.testing.assert_allclose(model.nats(unseen), expected, rtol=1e-9)


@settings(deadline=None, max_examples=60)
@given(songs, song, st.sampled_from(["uniform", "frequencies", "markov"]), st.integers(1, 8))
def test_probabilities_sum_to_one_and_agree_with_nats(
    train: list[NDArray[Any]], unseen: NDArray[Any], kind: str, order: int
) -> None:
    model = ngram.fit(train, SIZE, ModelConfig(kind=kind, order=order))
    nats = model.nats(unseen)
    for t, frame in enumerate(unseen):
        p = model.probabilities(unseen[:t])
        assert p.sum() == pytest.approx(1)
        assert p[0] == 0
        assert (p[1:] > 0).all()
        assert nats[t] == pytest.approx(-math.log(p[frame]))


@settings(deadline=None, max_examples=60)
@given(songs, st.integers(0, 8))
def test_all_orders_at_once_equal_each_model_alone(train: list[NDArray[Any]], highest: int) -> None:
    models = ngram.fit_all_orders(train, SIZE, highest)
    assert [ngram.context_length(model.config) for model in models] == list(range(-1, highest + 1))
    for model in models:
        alone = ngram.fit(train, SIZE, model.config)
        assert model.tensors().keys() == alone.tensors().keys()
        for name, tensor in alone.tensors().items():
            np.testing.assert_array_equal(model.tensors()[name], tensor)
            assert model.tensors()[name].dtype == tensor.dtype


@pytest.mark.parametrize("order", [1, 3])
def test_equals_the_reference_with_discounts_estimated_from_many_songs(order: int) -> None:
    rng = np.random.default_rng(3)
    train = [2 + rng.poisson(1.5, 30).clip(0, SIZE - 3) for _ in range(8)]
    model = ngram.fit(train, SIZE, markov(order))
    assert set(range(1, 5)) <= set(model.levels[order].counts.tolist())
    probability = reference(train, order)
    for context in ((3,) * order, (5, 2, 4)[:order], (0,) * order, (0, 0, 2)[-order:]):
        expected = [probability(context, frame) for frame in range(1, SIZE)]
        p = model.probabilities(np.array([f for f in context if f]))
        np.testing.assert_allclose(p[1:], expected, rtol=1e-9)


def test_discounts_follow_the_counts_of_counts() -> None:
    model = ngram.fit(  # 10 characters once, 5 twice, 2 three times, 1 four times
        [np.repeat(np.arange(2, 20), [1] * 10 + [2] * 5 + [3] * 2 + [4])],
        20,
        ModelConfig(kind="frequencies"),
    )
    p = model.probabilities(np.array([]))
    rest = (10 * 0.5 + 5 * 1.4 + 3 * 2.0) / 30  # y = 1/2; computed by hand
    np.testing.assert_allclose(p[2:12], 0.5 / 30 + rest / 19)
    np.testing.assert_allclose(p[12:17], 0.6 / 30 + rest / 19)
    np.testing.assert_allclose(p[17:], [1 / 30 + rest / 19] * 2 + [2 / 30 + rest / 19])
    np.testing.assert_allclose(p[1], rest / 19)


def test_uniform_is_over_all_except_the_begin_mark() -> None:
    model = ngram.fit([np.array([3, 1])], SIZE, ModelConfig(kind="uniform"))
    assert model.parameters == 0
    np.testing.assert_allclose(model.nats(np.array([3, 4, 1])), math.log(SIZE - 1))


def test_a_model_without_a_song_is_refused() -> None:
    with pytest.raises(InputError, match="has no songs to count"):
        ngram.fit([], SIZE, markov(2))


def test_a_large_alphabet() -> None:
    rng = np.random.default_rng(0)
    train = [rng.integers(2, 40_000, 300).astype(np.uint16) for _ in range(3)]
    model = ngram.fit(train, 40_000, markov(8))
    assert model.probabilities(train[0][:20]).sum() == pytest.approx(1)
    assert model.probabilities(train[0][:20]).argmax() == train[0][20]


def test_a_longer_context_predicts_better() -> None:
    train = [np.array([3, 5, 4, 6, 5, 3] * 50 + [1])]  # 3 and 6 decide what follows a 5
    bits = [ngram.fit(train, SIZE, markov(k)).nats(train[0]).mean() for k in (1, 2)]
    assert bits[1] < 0.2 < bits[0]


def test_a_model_is_restored_from_its_tensors() -> None:
    rng = np.random.default_rng(1)
    train = [rng.integers(1, SIZE, 200) for _ in range(5)]
    model = ngram.fit(train, SIZE, markov(4))
    again = ngram.from_tensors(markov(4), SIZE, model.tensors())
    np.testing.assert_array_equal(again.nats(train[0]), model.nats(train[0]))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("levels.1.contexts", lambda a: a[::-1]),
        ("levels.1.contexts", lambda a: a.astype(np.float32)),
        ("levels.1.starts", lambda a: a[:-1]),
        ("levels.1.starts", lambda a: a[::-1]),
        ("levels.1.starts", lambda a: a + 1),
        ("levels.0.symbols", lambda a: a * 0),
        ("levels.0.symbols", lambda a: a + SIZE),
        ("levels.0.symbols", lambda a: a[None]),
        ("levels.0.symbols", lambda a: a[::-1]),
        ("levels.2.counts", lambda a: a[:-1]),
        ("levels.2.counts", lambda a: a * 0),
    ],
)
def test_invalid_tensors_are_refused(name: str, change: Callable[..., Any]) -> None:
    model = ngram.fit([np.array([3, 4, 5, 3, 4, 1])], SIZE, markov(2))
    tensors = model.tensors()
    tensors[name] = change(tensors[name])
    with pytest.raises(ValueError, match=r"levels\.\d"):
        ngram.from_tensors(markov(2), SIZE, tensors)


def test_missing_and_unknown_tensors_are_named() -> None:
    tensors = ngram.fit([np.array([3, 1])], SIZE, markov(1)).tensors()
    with pytest.raises(ValueError, match=r"levels\.2\.\w+ is missing"):
        ngram.from_tensors(markov(2), SIZE, tensors)
    with pytest.raises(ValueError, match=r"levels\.1\.\w+ is unknown"):
        ngram.from_tensors(ModelConfig(kind="frequencies"), SIZE, tensors)


@pytest.mark.slow
def test_bits_of_published_songs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not REAL.is_file():
        pytest.skip("the published songs are not on this machine")
    from engine.data.corpus import prepare_corpus

    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path))
    corpus = prepare_corpus(DataConfig(source=str(REAL)))
    train = [corpus.song(row) for row in corpus.select("train")]
    test = [corpus.song(row) for row in corpus.select("test")]
    bits = []
    for config in (ModelConfig(kind="frequencies"), markov(1), markov(3), markov(5)):
        model = ngram.fit(train, corpus.codec.spec.size, config)
        nats = np.concatenate([model.nats(frames) for frames in test])
        bits.append(nats.mean() / math.log(2))
    assert bits == sorted(bits, reverse=True)
    assert bits[0] == pytest.approx(4.5, abs=0.2)
    assert bits[-1] < 2.1
