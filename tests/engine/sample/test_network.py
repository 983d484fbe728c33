"""The stepped network: conditions, batches and the state."""

from collections.abc import Callable

import numpy as np
import pytest

from engine.sample.models import Model

Build = Callable[..., Model]
KINDS = [
    {"cell": "rnn"},
    {"cell": "gru", "tied": True},
    {"cell": "lstm", "layers": 3},
    {"cell": "lstm", "condition": 0},
    {"kind": "markov", "order": 3},
    {"kind": "frequencies"},
    {"kind": "uniform"},
]


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_a_batch_equals_its_songs_one_by_one(build: Build, settings: dict[str, object]) -> None:
    stepper = build(**settings).stepper
    frames = np.array([[0, 0, 0], [5, 6, 7], [8, 5, 5], [3, 9, 4]])  # (T, N)
    batch = stepper.begin(None, 3)
    singles = [stepper.begin(None, 1) for _ in range(3)]
    for row in frames:
        logits = stepper.step(batch, row)
        for n, single in enumerate(singles):
            one = stepper.step(single, row[n : n + 1])
            np.testing.assert_allclose(logits[n : n + 1], one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_feeding_then_stepping_equals_stepping(build: Build, settings: dict[str, object]) -> None:
    stepper = build(**settings).stepper
    fed, stepped = stepper.begin(None, 1), stepper.begin(None, 1)
    for frame in (0, 5, 6):
        stepper.feed(fed, np.array([frame]))
        stepper.step(stepped, np.array([frame]))
    last = np.array([7])
    np.testing.assert_array_equal(stepper.step(fed, last), stepper.step(stepped, last))


def test_a_condition_is_a_mixture_of_rows(build: Build) -> None:
    stepper = build().stepper
    one = np.eye(4, dtype=np.float32)

    def first(condition: np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None) -> object:
        return stepper.step(stepper.begin(condition, 1), np.array([0]))

    np.testing.assert_array_equal(first(None), first(one[0]))
    assert not np.allclose(first(one[1]), first(one[2]))  # type: ignore[arg-type]
    both = stepper.begin(0.5 * (one[1] + one[2]), 1)[0]
    parts = [stepper.begin(one[row], 1)[0] for row in (1, 2)]
    np.testing.assert_allclose(both, (parts[0] + parts[1]) / 2, rtol=1e-5, atol=1e-6)
    rows = stepper.begin(one[1:3], 2)[0]  # a condition for each song
    np.testing.assert_allclose(rows, np.concatenate(parts), rtol=1e-5, atol=1e-6)


def test_a_counting_model_gives_its_log_probabilities(build: Build) -> None:
    model = build(kind="markov", order=2)
    state = model.stepper.begin(None, 1)
    for frame in (0, 7):
        logits = model.stepper.step(state, np.array([frame]))
    assert np.exp(logits).sum() == pytest.approx(1)
    assert logits[0, 0] == -np.inf
    likeliest = model.codec.decode([int(logits.argmax())])
    assert likeliest == " "  # what follows an "a" at the beginning of the songs
