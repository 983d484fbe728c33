"""Pieces of music: their ends, lengths, likelihoods and grid."""

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.data.codecs import KeysCodec
from engine.data.music_bounds import MusicBounds, longest_runs
from engine.data.music_keys import TrainedKeys
from engine.frame_spec import KEYS
from engine.inference import models
from engine.inference.heads import IndependentHead, KeysHead
from engine.inference.models import Model
from engine.inference.network import Network
from engine.music import midi
from engine.sampling.music import (
    MAX_FRAMES,
    MusicRequest,
    MusicStream,
    read_prompt,
    stream,
    streams,
    write_best,
)

Load = Callable[..., Model]
INDEPENDENT = {"head": "independent"}  # faster
ONE: dict[str, Any] = {"candidates": 1}  # frame by frame


@pytest.fixture
def load(write_music: Callable[..., Path], tmp_path: Path) -> Load:
    return lambda **settings: models.load(str(write_music(tmp_path / "model", **settings)))


def nats(model: Model, piece: MusicStream, frames: list[NDArray[np.uint8]]) -> float:
    """Return the negative log likelihood of a piece, read again frame by frame."""
    network = model.stepper
    assert isinstance(network, Network)
    head = network.head
    assert isinstance(head, KeysHead)
    state = network.initial_state(None, 1)
    total, before = 0.0, np.zeros_like(frames[0])
    for frame in frames:
        inputs = network.feed(state, before[None])
        total += head.nats(inputs, frame[None])[0]
        if piece.request.length is None:
            total += np.logaddexp(0, head.end_logits(inputs)[0])
        before = frame
    if piece.reason == "end":
        total += np.logaddexp(0, -head.end_logits(network.feed(state, before[None]))[0])
    return total


@pytest.mark.parametrize("planes", [1, 2])
@pytest.mark.parametrize("length", [None, 9])
@pytest.mark.parametrize("candidates", [1, 3])
def test_a_piece_has_the_likelihood_of_its_frames_and_of_its_end(
    load: Load, planes: int, length: int | None, candidates: int
) -> None:
    model = load(planes=planes, end=-1.5, bounds=MusicBounds(2, 1, 0.1), **INDEPENDENT)
    ends = set()
    for seed in range(4):
        piece = stream(model, MusicRequest(seed=seed, length=length, candidates=candidates))
        frames = list(piece)
        assert piece.nats == pytest.approx(nats(model, piece, frames), rel=1e-5)
        assert piece.frames == len(frames)
        ends.add(piece.reason)
    assert ends == ({"end"} if length is None else {"length"})


def test_a_piece_ends_as_often_as_the_model_says(load: Load) -> None:
    model = load(end=-1.0, **INDEPENDENT)  # after a frame the piece ends with probability 0.27
    pieces = streams(model, MusicRequest(seed=0, **ONE), 200)
    lengths = np.array([len(list(piece)) for piece in pieces])
    assert {piece.reason for piece in pieces} == {"end"}
    assert lengths.min() == 1  # never without a frame
    mean, share = lengths.mean(), 1 / (1 + np.exp(1))
    assert abs(mean - 1 / share) < 5 * (1 - share) ** 0.5 / share / 200**0.5


def test_a_piece_without_an_end_is_cut(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sampling.music.MAX_FRAMES", 30)
    assert MAX_FRAMES > 1000
    for lengths, limit in (((), 30), ((5, 12), 12)):
        piece = stream(load(end=-99.0, lengths=lengths, **INDEPENDENT), MusicRequest(seed=0))
        assert (len(list(piece)), piece.reason) == (limit, "length")
    model = load(end=-99.0, lengths=(5, 12), beats=0.5, **INDEPENDENT)
    prompt = KeysCodec(1, None, 0.5, 100.0).decode(np.ones((7, KEYS)))
    piece = stream(model, MusicRequest(prompt, seed=0))
    assert len(list(piece)) == 5  # with the prompt it is as long as the longest


def test_a_requested_length_is_kept_whatever_the_end_mark_says(load: Load) -> None:
    model = load(end=99.0, **INDEPENDENT)
    assert len(list(stream(model, MusicRequest(seed=0, **ONE)))) == 1
    assert len(list(stream(model, MusicRequest(seed=0, length=17)))) == 17


def test_temperature_zero_ends_where_that_is_more_probable(load: Load) -> None:
    for end, reason in ((0.1, "end"), (-0.1, "length")):
        model = load(end=end, lengths=(6,), **INDEPENDENT)
        piece = stream(model, MusicRequest(seed=0, temperature=0.0, **ONE))
        assert len(list(piece)) == (1 if reason == "end" else 6)
        assert piece.reason == reason


def test_the_best_piece_is_the_most_probable_of_the_single_ones(load: Load) -> None:
    model = load(end=-2.0, **INDEPENDENT)
    request = MusicRequest(seed=7)
    best, frames = write_best(streams(model, request, 6))
    singles = []
    for seed in range(7, 13):
        single = stream(model, dataclasses.replace(request, seed=seed))
        singles.append((single, list(single)))
    expected, written = max(
        singles, key=lambda pair: -nats(model, *pair) / (len(pair[1]) + (pair[0].reason == "end"))
    )
    assert best.seed == expected.seed
    assert np.array_equal(frames, written)
    assert len({single.seed for single, _ in singles}) == 6


def test_the_guard_can_be_turned_off(load: Load) -> None:
    model = load(bounds=MusicBounds(2, 1, 0.0), **INDEPENDENT)
    network = model.stepper
    assert isinstance(network, Network)
    assert isinstance(network.head, IndependentHead)
    head = dataclasses.replace(network.head, weight=lambda x: np.zeros((len(x), KEYS), np.float32))
    stuck = dataclasses.replace(model, stepper=dataclasses.replace(network, head=head))
    off, on = (
        np.stack(list(stream(stuck, MusicRequest(seed=1, length=9, guard=guard, temperature=0.0))))
        for guard in ("off", "on")
    )
    assert longest_runs(off)[0] == 9
    assert longest_runs(on)[0] == 2


@given(
    st.lists(st.lists(st.integers(0, 87), max_size=4), min_size=1, max_size=12),
    st.sampled_from([0.25, 1 / 3, 0.5, 1.0]),
    st.floats(30, 240),
)
@settings(deadline=None, max_examples=50)
def test_notes_lie_on_the_grid_in_a_midi_file_and_come_back(
    roll: list[list[int]], beats: float, tempo: float
) -> None:
    codec = KeysCodec(2, None, beats, tempo)
    frames = np.zeros((len(roll), 2, KEYS), np.uint8)
    for frame, keys in zip(frames, roll, strict=True):
        frame[:, keys] = 1  # each is struck
    if not frames[-1].any():
        frames[-1, :, 40] = 1  # silence after the last note is not kept
    flat = frames.reshape(len(roll), -1)
    content = midi.encode(codec.decode(flat).score())
    file = pretty_midi.PrettyMIDI(io.BytesIO(content))
    for instrument in file.instruments:
        for note in instrument.notes:
            start = file.time_to_tick(note.start) / file.resolution / beats
            assert start == pytest.approx(round(start), abs=1e-9)
    score = midi.read(content)
    assert score.tempo == pytest.approx(tempo, rel=1e-4)
    assert np.array_equal(codec.encode(codec.quantize(score)), flat)


def test_bars_of_the_models_metre(load: Load) -> None:
    model = load(beats=0.5, **INDEPENDENT)
    assert isinstance(model.codec, KeysCodec)
    prompt = read_prompt(model.codec)
    assert prompt.time_signature == (3, 4)
    assert model.codec.frames_per_bar(prompt.time_signature) == 6
    assert read_prompt(model.codec, notes=[60]).time_signature == (3, 4)


@pytest.mark.parametrize("shift", [-5, -1, 2, 5])
def test_a_prompt_is_continued_in_its_own_key(load: Load, shift: int) -> None:
    model = load(keys=TrainedKeys(0, 0), beats=0.5)
    codec = model.codec
    assert isinstance(codec, KeysCodec)
    scale = np.zeros((8, KEYS), np.uint8)
    scale[range(8), [39 + degree for degree in (0, 2, 4, 5, 7, 4, 2, 0)]] = 1  # C major

    def continued(semitones: int) -> NDArray[np.uint8]:
        prompt = codec.decode(np.roll(scale, semitones, 1))
        request = MusicRequest(prompt, seed=4, length=12, candidates=2)
        return np.stack(list(stream(model, request)))

    inner = slice(12, KEYS - 12)  # keys at the ends of the piano may be lost
    moved = np.roll(continued(shift), -shift, 1)
    assert np.array_equal(moved[:, inner], continued(0)[:, inner])


def test_a_chord_to_begin_with_has_no_key(load: Load) -> None:
    model = load(keys=TrainedKeys(0, 0), beats=0.5)
    codec = model.codec
    assert isinstance(codec, KeysCodec)
    for notes in ([62, 66, 69], [50, 62, 66, 69]):
        prompt = read_prompt(codec, notes=notes)
        written = [
            list(stream(each, MusicRequest(prompt.roll, seed=1, length=6)))
            for each in (model, load(beats=0.5))
        ]
        assert np.array_equal(written[0], written[1])
