"""Music within the bounds of training songs, written by heads that would not keep them."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import ModelConfig
from engine.data.music_bounds import MusicBounds, longest_runs
from engine.frame_spec import KEYS, FrameSpec
from engine.inference import network
from engine.inference.heads import Frames, HeadInput, IndependentHead, KeysHead, Nats
from engine.inference.network import Network
from engine.music.voice_leading import count_parallels
from engine.sampling.guard import Guard

ROLLS = st.lists(st.sets(st.integers(30, 50), max_size=3), max_size=8)  # frames, as sets of keys


def stuck_head(keys: list[int], planes: int) -> IndependentHead:
    """Return a head that nearly always draws the same keys, or silence."""
    spec = FrameSpec("keys", KEYS * planes)
    config = ModelConfig(
        head="independent", layers=1, hidden_size=4, embedding_size=4, condition_size=0
    )
    tensors = {
        name: np.zeros(shape, np.float32)
        for name, shape in network.tensor_shapes(config, spec, 0).items()
    }
    head = Network.build(config, spec, tensors).head
    assert isinstance(head, IndependentHead)
    bias = np.full(spec.size, -9.0, np.float32)
    bias[keys] = 9.0
    return dataclasses.replace(head, bias=bias)


def inputs_after(frame: Frames) -> HeadInput:
    return HeadInput(np.zeros((1, 4), np.float32), frame, frame * 0, np.zeros(1, np.int64))


def frame_of(keys: set[int], planes: int) -> Frames:
    frame = np.zeros((1, KEYS * planes), np.uint8)
    frame[0, list(keys)] = 1
    return frame


def write(
    head: KeysHead, guard: Guard, prompt: list[Frames], count: int, temperature: float, planes: int
) -> np.ndarray[Any, Any]:
    """Return the keys that sound in a prompt and `count` frames after it, (T, 88)."""
    generator = np.random.default_rng(0)
    frames = [*prompt]
    for frame in prompt:
        guard.add(frame)
    for _ in range(count):
        previous = frames[-1] if frames else np.zeros((1, KEYS * planes), np.uint8)
        frame, nats = guard.draw(head, inputs_after(previous), temperature, generator)
        np.testing.assert_allclose(nats, head.nats(inputs_after(previous), frame))
        guard.add(frame)
        frames.append(frame)
    return np.concatenate(frames)[:, :KEYS]


@given(
    ROLLS, st.lists(st.integers(0, 87), max_size=4), st.integers(1, 5), st.integers(0, 4),
    st.sampled_from([0.0, 0.5, 1.0, float("inf")]), st.sampled_from([1, 2]),
)  # fmt: skip
@settings(deadline=None, max_examples=40)
def test_no_chord_and_no_silence_is_longer_than_the_bounds(
    roll: list[set[int]],
    keys: list[int],
    hold: int,
    silence: int,
    temperature: float,
    planes: int,
) -> None:
    """After any roll as the prompt, whose own chords may be longer."""
    prompt = [frame_of(frame, planes) for frame in roll]
    guard = Guard(MusicBounds(hold, silence, 1.0))
    written = write(stuck_head(keys, planes), guard, prompt, 12, temperature, planes)
    given_hold, given_silence = longest_runs(written[: len(roll)]) if roll else (0, 0)
    longest, silent = longest_runs(written)
    assert longest <= max(hold, given_hold)
    assert silent <= max(silence, given_silence)


def test_without_bounds_a_head_may_stick() -> None:
    written = write(stuck_head([40], 1), Guard(None), [], 12, 1.0, 1)
    assert longest_runs(written)[0] > 5


class ParallelHead:
    """Draws fifths that move in parallel, and every fourth time a third instead."""

    def __init__(self) -> None:
        self.drawn = 0

    def draw(self, inputs: HeadInput, *_: object) -> tuple[Frames, Nats]:
        self.drawn += 1
        low = 30 + (int(inputs.previous[0].argmax()) + 1) % 30
        return frame_of({low, low + (7 if self.drawn % 4 else 4)}, 1), np.zeros(1)

    draw_other = draw

    def nats(self, *_: object) -> Nats:
        return np.zeros(1)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.3])
def test_parallels_are_no_more_frequent_than_in_the_training_songs(rate: float) -> None:
    head: Any = ParallelHead()
    free = count_parallels(write(head, Guard(None), [], 200, 1.0, 1))
    head = ParallelHead()
    bounded = count_parallels(write(head, Guard(MusicBounds(9, 9, rate)), [], 200, 1.0, 1))
    assert bounded <= rate * 200 < max(free, 1)
    assert bounded >= rate * 200 - 2


@pytest.mark.parametrize("bounds", [None, MusicBounds(9, 9, 0.0)])
def test_a_frame_with_too_few_notes_is_drawn_again(bounds: MusicBounds | None) -> None:
    head = stuck_head([40, 50], 1)
    bias = head.bias.copy()
    bias[:30] = 0.0  # about 15 of these keys sound
    head = dataclasses.replace(head, bias=bias)
    counts = write(head, Guard(bounds, 19), [], 20, 1.0, 1).sum(1)
    assert counts.min() >= 19
    assert (write(head, Guard(bounds, 60), [], 3, 1.0, 1).sum(1) < 60).all()  # it stops trying
