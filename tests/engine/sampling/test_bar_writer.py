"""Music bar by bar: forms, versions of a bar, and the same frames as without both."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.data.music_bounds import MusicBounds
from engine.data.music_forms import find_form
from engine.frame_spec import KEYS
from engine.inference import models
from engine.inference.heads import KeysHead
from engine.inference.models import Model
from engine.inference.network import Network
from engine.sampling import bar_writer
from engine.sampling.bar_writer import PART_BARS, BarSettings, BarWriter, spread
from engine.sampling.guard import Guard
from engine.sampling.music import MusicRequest, stream

Load = Callable[..., Model]
BAR = 6  # frames: 3/4 in frames of half a beat


@pytest.fixture
def load(write_music: Callable[..., Path], tmp_path: Path) -> Load:
    return lambda **settings: models.load(
        str(write_music(tmp_path / "model", head="independent", beats=0.5, **settings))
    )


def written(model: Model, **options: Any) -> tuple[list[NDArray[np.uint8]], str | None]:
    """Return the frames of a piece, and why it ended."""
    piece = stream(model, MusicRequest(**{"seed": 3, **options}))
    return list(piece), piece.reason


def frame_by_frame(model: Model, seed: int, limit: int) -> list[NDArray[np.uint8]]:
    """Return a piece, drawn as the article does: the reference."""
    network = model.stepper
    assert isinstance(network, Network)
    head = network.head
    assert isinstance(head, KeysHead)
    generator = np.random.Generator(np.random.PCG64(seed))
    guard = Guard(model.meta.bounds)
    state, frame = network.initial_state(None, 1), np.zeros((1, network.spec.size), np.uint8)
    frames: list[NDArray[np.uint8]] = []
    while len(frames) < limit:
        inputs = network.feed(state, frame)
        ends = float(head.end_logits(inputs)[0]) + generator.logistic() > 0
        if ends and frames:
            break
        frame, _ = guard.draw(head, inputs, 1.0, generator)
        guard.add(frame)
        frames.append(frame[0])
    return frames


@pytest.mark.parametrize("planes", [1, 2])
@pytest.mark.parametrize("bounds", [None, MusicBounds(2, 1, 0.1)])
def test_one_candidate_without_a_form_is_drawn_frame_by_frame(
    load: Load, planes: int, bounds: MusicBounds | None
) -> None:
    model = load(planes=planes, end=-3.0, bounds=bounds, lengths=(40,))
    lengths = set()
    for seed in range(5):
        frames, _ = written(model, seed=seed, form="none", candidates=1)
        assert np.array_equal(frames, frame_by_frame(model, seed, 40))
        lengths.add(len(frames))
    assert len(lengths) > 2


@given(st.text("ABCD", min_size=1, max_size=6))
def test_a_part_that_returns_repeats_its_bars_but_the_last(parts: str) -> None:
    form = spread(parts)
    assert len(form) == PART_BARS * len(parts)
    bars = [form[start : start + PART_BARS] for start in range(0, len(form), PART_BARS)]
    for part, bar in zip(parts, bars, strict=True):
        assert bar[:-1] == bars[parts.index(part)][:-1]
        assert len(set(bar)) == PART_BARS
        assert form.count(bar[-1]) == 1
    assert len(set(form)) == 7 * len(set(parts)) + len(parts)


@pytest.mark.parametrize("candidates", [1, 3])
def test_bars_return_as_the_form_says(load: Load, candidates: int) -> None:
    model = load(end=-99.0, planes=2, forms=("ABCABCDB",))
    frames, reason = written(model, candidates=candidates)
    assert reason == "end"
    assert find_form(np.stack(frames), BAR) == "ABCABCDB"
    frames, reason = written(model, candidates=candidates, form="AB")
    assert (len(frames), reason) == (2 * PART_BARS * BAR, "end")
    frames, reason = written(model, candidates=candidates, form="AA", length=9 * BAR + 2)
    assert (len(frames), reason) == (9 * BAR + 2, "length")
    assert np.array_equal(frames[8 * BAR :], frames[: BAR + 2])


def test_a_length_takes_a_form_that_is_long_enough(load: Load) -> None:
    model = load(forms=("AB", "ABA", "ABACA"))
    for seed in range(4):
        frames, reason = written(model, seed=seed, length=5 * BAR, candidates=2)
        assert (find_form(np.stack(frames), BAR), reason) == ("ABACA", "length")
        frames, _ = written(model, seed=seed, length=7 * BAR, candidates=2)
        assert len(frames) == 7 * BAR  # longer than any form
    assert {len(written(model, seed=seed)[0]) // BAR for seed in range(12)} == {2, 3, 5}


def test_a_prompt_has_no_form_unless_it_is_asked_for(load: Load) -> None:
    model = load(forms=("AAAA",), end=-99.0, lengths=(60,))
    prompt = model.codec.decode(np.eye(KEYS, dtype=np.uint8)[40:46])
    frames, reason = written(model, prime=prompt, candidates=2)
    assert (len(frames), reason) == (54, "length")
    frames, reason = written(model, prime=prompt, candidates=2, form="A")
    assert (len(frames), reason) == (PART_BARS * BAR, "end")


def test_a_stop_leaves_whole_bars(load: Load) -> None:
    model, calls = load(end=-99.0), iter(range(1000))
    request = MusicRequest(seed=1, length=100, candidates=2, form="AA")
    piece = stream(model, request, stopped=lambda: next(calls) >= 2 * BAR + 3)
    assert (len(list(piece)), piece.reason) == (2 * BAR, "stopped")


CLASH, FIT, FIT_HIGH, FIT_LOW = (0, 1), (0, 7), (12, 24), (0, 12)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        # The one that clashes is dropped; the others' middle one by probability is kept.
        ("AB", [FIT, FIT_HIGH]),
        # A letter that is new is no earlier bar, and the last bar is the most probable one.
        ("ABC", [FIT, FIT_LOW, FIT_HIGH]),
    ],
)
def test_the_version_that_is_kept(
    load: Load, monkeypatch: pytest.MonkeyPatch, form: str, expected: list[tuple[int, int]]
) -> None:
    versions = np.zeros((4, KEYS), np.uint8)
    for row, keys in enumerate((FIT_LOW, CLASH, FIT, FIT_HIGH)):
        versions[row, keys] = 1
    nats = np.array([3.0, 2.5, 2.0, 1.0])

    def draw(*_: object) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        return versions.copy(), nats.copy()

    monkeypatch.setattr(bar_writer, "draw_guarded", draw)
    network = load(end=0.0).stepper
    assert isinstance(network, Network)
    settings = BarSettings(bar=2, form=form, candidates=4)
    generator = np.random.Generator(np.random.PCG64(0))
    writer = BarWriter(network, Guard(None), settings, generator, lambda: False)
    frames = list(writer.write(100, can_end=True))
    assert [tuple(np.flatnonzero(frame).tolist()) for frame in frames[::2]] == expected
    assert np.array_equal(frames[::2], frames[1::2])
    assert writer.reason == "end"
