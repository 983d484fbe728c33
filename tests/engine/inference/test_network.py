"""The stepped network: conditions, batches and the state."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.inference import models
from engine.inference.matmul import PRECISIONS
from engine.inference.models import Model, ModelMeta

Build = Callable[..., Model]
Make = Callable[..., tuple[ModelMeta, dict[str, Any]]]
KINDS = [
    {"cell": "rnn"},
    {"cell": "gru", "tied": True},
    {"cell": "lstm", "layers": 3},
    {"cell": "lstm", "condition_size": 0},
    {"kind": "markov", "order": 3},
    {"kind": "frequencies"},
    {"kind": "uniform"},
]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_a_batch_equals_its_songs_one_by_one(
    make: Make, settings: dict[str, object], precision: str
) -> None:
    stepper = models.from_tensors(*make(**settings), precision=precision).stepper
    frames = np.array([[0, 0, 0], [5, 6, 7], [8, 5, 5], [3, 9, 4]])  # (T, N)
    batch = stepper.initial_state(None, 3)
    singles = [stepper.initial_state(None, 1) for _ in range(3)]
    for row in frames:
        logits = stepper.step(batch, row)
        for n, single in enumerate(singles):
            one = stepper.step(single, row[n : n + 1])
            np.testing.assert_array_equal(logits[n : n + 1], one)  # to the last bit


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("settings", [*KINDS, {"match_memory": True}], ids=str)
def test_reading_equals_stepping(make: Make, settings: dict[str, object], precision: str) -> None:
    """Reading a prompt layer by layer leads to the same state as single steps."""
    stepper = models.from_tensors(*make(**settings), precision=precision).stepper
    frames = np.array([[0, 0], [5, 6], [6, 3], [4, 4]] * 12)  # (T, N)
    read, stepped = stepper.initial_state(None, 2), stepper.initial_state(None, 2)
    stepper.read(read, frames)
    for row in frames:
        stepper.step(stepped, row)
    last = np.array([7, 8])
    one, other = stepper.step(read, last), stepper.step(stepped, last)
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)
    if precision == "fast":  # integers are summed without error
        np.testing.assert_array_equal(one, other)


def test_a_condition_is_a_mixture_of_rows(build: Build) -> None:
    stepper = build().stepper
    one = np.eye(4, dtype=np.float32)

    def first(condition: np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None) -> object:
        return stepper.step(stepper.initial_state(condition, 1), np.array([0]))

    np.testing.assert_array_equal(first(None), first(one[0]))
    assert not np.allclose(first(one[1]), first(one[2]))  # type: ignore[arg-type]
    both = stepper.initial_state(0.5 * (one[1] + one[2]), 1)[0]
    parts = [stepper.initial_state(one[row], 1)[0] for row in (1, 2)]
    np.testing.assert_allclose(both, (parts[0] + parts[1]) / 2, rtol=1e-5, atol=1e-6)
    rows = stepper.initial_state(one[1:3], 2)[0]  # a condition for each song
    np.testing.assert_allclose(rows, np.concatenate(parts), rtol=1e-5, atol=1e-6)


def test_an_ngram_model_returns_its_log_probabilities(build: Build) -> None:
    model = build(kind="markov", order=2)
    state = model.stepper.initial_state(None, 1)
    for frame in (0, 7):
        logits = model.stepper.step(state, np.array([frame]))
    assert np.exp(logits).sum() == pytest.approx(1)
    assert logits[0, 0] == -np.inf
    most_probable = model.codec.decode([int(logits.argmax())])
    assert most_probable == " "  # it follows an "a" at the beginning of the songs
