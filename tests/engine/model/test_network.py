"""The network: its outputs, truncated back-propagation, resets and inputs."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.config import CELL_SPECS, ModelConfig
from engine.frame_spec import FrameSpec
from engine.model import position_encoding
from engine.model.cells import State
from engine.model.heads import CharacterHead
from engine.model.network import Network, detach_state
from engine.model.window import Window

SPEC = FrameSpec("characters", 11)
T, L = 12, 3


def make(conditions: int = 4, **settings: object) -> Network:
    torch.manual_seed(0)
    values = {
        "hidden_size": 6,
        "embedding_size": 5,
        "condition_size": 3,
        "dropout": 0.0,
        **settings,
    }
    return Network(ModelConfig(**values), SPEC, conditions).double()  # type: ignore[arg-type]


def songs(seed: int = 0) -> Window:
    generator = torch.Generator().manual_seed(seed)
    frames = torch.randint(0, SPEC.size, (T + 1, L), generator=generator)
    reset = torch.zeros(T, L, dtype=torch.bool)
    reset[0] = True
    condition = torch.randint(0, 5, (L,), generator=generator).expand(T, L)
    return Window(frames[:-1], frames[1:], reset, condition)


def songs_with_matches(seed: int = 0) -> Window:
    """Return songs with random matched frames."""
    generator = torch.Generator().manual_seed(seed)
    match = torch.randint(0, SPEC.match_kinds(False), (T, L), generator=generator)
    matched = torch.randint(0, SPEC.size, (T, L), generator=generator) * (match > 0)
    return songs(seed)._replace(matched=matched, match_kind=match)


def cut(window: Window, part: slice) -> Window:
    whole = window._asdict().items()
    return window._replace(**{name: tensor[part] for name, tensor in whole if tensor is not None})


def gradients(network: Network) -> dict[str, Tensor]:
    return {
        name: parameter.grad.clone()
        for name, parameter in network.named_parameters()
        if parameter.grad is not None
    }


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_agrees_with_torch_nn(kind: str) -> None:
    """The layers of torch.nn with the same weights have the same losses."""
    network = make(cell=kind, layers=2)
    window = songs()
    ours, _ = network.nats(window, network.zero_state(L))

    size = network.config.hidden_size
    reference = getattr(nn, kind.upper())(network.head.width + 3, size, 2).double()
    # The gates of torch.nn's LSTM are i, f, g, o.
    order = [0, 1, 3, 2] if kind == "lstm" else range(CELL_SPECS[kind].gates)

    def arranged(tensor: Tensor) -> Tensor:
        parts = tensor.split(size, -1)
        return torch.cat([parts[gate] for gate in order], -1)

    for index, layer in enumerate(network.cells):
        values = {
            "weight_ih": arranged(layer.input).t(),  # type: ignore[arg-type]
            "weight_hh": arranged(layer.hidden).t(),  # type: ignore[arg-type]
            "bias_ih": arranged(layer.bias),  # type: ignore[arg-type]
            "bias_hh": torch.zeros(CELL_SPECS[kind].gates * size),
        }
        for name, value in values.items():
            getattr(reference, f"{name}_l{index}").data.copy_(value)
    assert network.condition is not None
    x = torch.cat((network.head.encode(window.inputs), network.condition(window.condition)), 2)
    theirs = network.head.nats(reference(x)[0], window)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_windows_with_carried_state_equal_the_whole(kind: str) -> None:
    network = make(cell=kind)
    window = songs()
    whole, _ = network.nats(window, network.zero_state(L))
    state, parts = network.zero_state(L), []
    for first in range(0, T, 5):
        part, state = network.nats(cut(window, slice(first, first + 5)), detach_state(state))
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_truncated_bptt_is_full_bptt_if_the_window_covers_the_sequence(kind: str) -> None:
    songs_ = songs()

    def run(size: int, truncating: bool) -> dict[str, Tensor]:
        network = make(cell=kind)
        state: list[State] = network.zero_state(L)
        losses = []
        for first in range(0, T, size):
            nats, state = network.nats(cut(songs_, slice(first, first + size)), state)
            losses.append(nats.sum())
            if truncating:
                state = detach_state(state)
        torch.stack(losses).sum().backward()
        return gradients(network)

    full = run(T, truncating=False)
    covering, uncut = run(T, truncating=True), run(4, truncating=False)
    truncated = run(4, truncating=True)
    for name, gradient in full.items():
        torch.testing.assert_close(covering[name], gradient, rtol=0, atol=0)
        torch.testing.assert_close(uncut[name], gradient, rtol=1e-9, atol=1e-12)
    assert any(not torch.allclose(truncated[name], full[name], rtol=1e-3) for name in full)


def test_a_song_does_not_depend_on_the_song_before_it() -> None:
    network = make()
    window = songs()
    window.reset[5] = True
    first, _ = network.nats(window, network.zero_state(L))
    other = window.inputs.clone()
    other[:5] = (other[:5] + 3) % SPEC.size
    second, _ = network.nats(window._replace(inputs=other), network.zero_state(L))
    torch.testing.assert_close(first[5:], second[5:], rtol=0, atol=0)
    assert not torch.allclose(first[:5], second[:5])


def test_no_artist_is_the_zero_vector_and_stays_so() -> None:
    network = make()
    no_artist = songs()._replace(condition=torch.zeros(T, L, dtype=torch.long))
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.1)
    nats, _ = network.nats(no_artist, network.zero_state(L))
    nats.sum().backward()
    optimizer.step()
    assert network.condition is not None
    assert not network.condition.weight[0].any()
    plain = make(conditions=0)
    assert plain.condition is None
    assert plain.cells[0].input.shape[0] == network.cells[0].input.shape[0] - 3  # type: ignore[index]


def test_artists_change_the_likelihoods() -> None:
    network = make()
    results = [
        network.nats(songs()._replace(condition=torch.full((T, L), artist)), network.zero_state(L))[
            0
        ]
        for artist in (0, 1, 2)
    ]
    assert not torch.allclose(results[0], results[1])
    assert not torch.allclose(results[1], results[2])


def test_the_matched_frame_and_the_match_kind_are_inputs() -> None:
    network, window = make(match_memory=True), songs_with_matches()
    assert window.matched is not None
    assert window.match_kind is not None
    first, _ = network(window, network.zero_state(L))
    for change in (
        {"matched": (window.matched + 1) % SPEC.size},
        {"match_kind": (window.match_kind + 1) % SPEC.match_kinds(False)},
    ):
        second, _ = network(window._replace(**change), network.zero_state(L))
        assert not torch.isclose(first, second).all(2).any()


def test_the_position_is_an_input() -> None:
    network = make(beat_position=True)
    start = torch.arange(T).unsqueeze(1).expand(T, L)

    def outputs_at(position: Tensor) -> Tensor:
        outputs: Tensor = network(songs()._replace(position=position), network.zero_state(L))[0]
        return outputs

    first = outputs_at(start)
    assert torch.equal(outputs_at(start + position_encoding.COMMON_PERIOD), first)
    for beats in (1, 2, 3, 32):
        assert not torch.isclose(outputs_at(start + beats), first).all(2).any()


def test_the_position_encoding_has_every_period() -> None:
    assert [position_encoding.COMMON_PERIOD % period for period in position_encoding.PERIODS] == [
        0
    ] * len(position_encoding.PERIODS)
    for column, period in enumerate(position_encoding.PERIODS):
        sine = position_encoding.TABLE[:, column]
        cosine = position_encoding.TABLE[:, column + len(position_encoding.PERIODS)]
        angle = np.arctan2(sine, cosine) % (2 * np.pi)
        expected = np.arange(position_encoding.COMMON_PERIOD) % period * 2 * np.pi / period
        np.testing.assert_allclose(angle, expected, atol=1e-5)


@pytest.mark.parametrize("tied", [False, True])
def test_the_gain_of_the_match_kind_is_added_to_the_matched_character(tied: bool) -> None:
    network, window = make(match_memory=True, tied=tied), songs_with_matches()
    assert window.matched is not None
    assert window.match_kind is not None
    head = network.head
    assert isinstance(head, CharacterHead)
    gain = head.gain
    assert gain is not None
    hidden, _ = network(window, network.zero_state(L))
    with_gain = head.logits(hidden, window)
    with torch.no_grad():
        added, gain[:] = gain.clone(), 0.0
    difference = with_gain - head.logits(hidden, window)
    expected = torch.zeros_like(difference)
    expected.scatter_(2, window.matched.unsqueeze(2), added[window.match_kind])
    torch.testing.assert_close(difference, expected)
    assert not added[0].any()
    head.logits(hidden, window).square().sum().backward()
    assert gain.grad is not None
    assert not gain.grad[0].any()  # it stays zero
    assert gain.grad[1:].any()


@pytest.mark.parametrize("tied", [False, True])
def test_an_untrained_network_is_near_uniform(tied: bool) -> None:
    network = make(tied=tied, hidden_size=64, embedding_size=32)
    nats, _ = network.nats(songs(), network.zero_state(L))
    assert abs(nats.mean().item() - math.log(SPEC.size)) < 0.3
    assert ("head.weight" in network.state_dict()) is not tied


def test_dropout_acts_in_training_only() -> None:
    network = make(dropout=0.5, hidden_size=32)

    def run() -> Tensor:
        return network.nats(songs(), network.zero_state(L))[0]

    assert not torch.allclose(run(), run())
    network.eval()
    torch.testing.assert_close(run(), run(), rtol=0, atol=0)


def test_it_can_memorize_a_song() -> None:
    network = make(hidden_size=32, embedding_size=16)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        nats, _ = network.nats(songs(), network.zero_state(L))
        nats.mean().backward()
        optimizer.step()
    assert nats.mean().item() < 0.05
