"""Heads for piano keys: what each key depends on, and what the likelihoods add up to."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from engine.config import ModelConfig
from engine.frame_spec import KEY_FEATURES, KEYS, KEYS_ABOVE, KEYS_AROUND, FrameSpec
from engine.model import heads
from engine.model.heads import Decider, IndependentHead, JointHead
from engine.model.network import Network
from engine.model.window import Window

T, L, H = 5, 2, 12


def head(kind: str, size: int, matching: bool = False) -> IndependentHead | JointHead:
    torch.manual_seed(0)
    config = ModelConfig(head=kind, hidden_size=H, embedding_size=6, match_memory=matching)
    made = Network(config, FrameSpec("keys", size), 0).double().head
    assert isinstance(made, IndependentHead | JointHead)
    for parameter in made.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return made


def frames(size: int, count: int = T, seed: int = 0) -> Tensor:
    """Return frames of notes; keys that begin sound, and keys that newly sound begin."""
    generator = torch.Generator().manual_seed(seed)
    bits = (torch.rand(count + 1, L, size, generator=generator) < 0.3).to(torch.uint8)
    if size > KEYS:
        sounds = bits[..., :KEYS]
        bits[1:, :, KEYS:] |= sounds[1:] & ~sounds[:-1] & 1
        bits[..., KEYS:] &= sounds
    return bits


def window(size: int, matching: bool = False, seed: int = 0) -> Window:
    bits = frames(size, seed=seed)
    reset = torch.zeros(T, L, dtype=torch.bool)
    no_artist = torch.zeros(T, L, dtype=torch.long)
    made = Window(bits[:-1], bits[1:], reset, no_artist)
    if not matching:
        return made
    matched = frames(size, seed=seed + 1)[:-1]
    match = torch.arange(T * L).view(T, L) % 5
    return made._replace(matched=matched * (match > 0).unsqueeze(2), match_kind=match)


def hidden() -> Tensor:
    return torch.randn(T, L, H, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def sounding_nats(made: IndependentHead | JointHead, seen: Window) -> Tensor:
    """Return the nats of the keys that sound in the first frame, without its onsets."""
    if isinstance(made, JointHead):
        made.onset = None
        return made.nats(hidden(), seen)[0, 0]
    made.bias.data[KEYS:] = -1000.0  # onsets that are certainly absent add nothing
    return made.nats(hidden(), seen)[0, 0]


@pytest.mark.parametrize("planes", [1, 4])
def test_a_key_depends_on_the_keys_above_it_and_on_no_others(planes: int) -> None:
    """Flip each bit: the logits of higher keys and of the key itself must not change."""
    torch.manual_seed(0)
    decider = Decider(planes).double()
    bits = (torch.rand(6, KEYS) < 0.05).double()
    features = torch.randn(6, KEYS, KEY_FEATURES, dtype=torch.float64)
    known = (torch.rand(6, planes, KEYS) < 0.2).double()

    def logits(bits: Tensor, known: Tensor) -> Tensor:
        flat: Tensor = decider(bits, features, known)
        return flat.view(6, KEYS)

    before = logits(bits, known)
    for key in range(KEYS):
        flipped = bits.clone()
        flipped[:, key] = 1 - flipped[:, key]
        changed = (logits(flipped, known) != before).any(0)
        assert not changed[key:].any()
        assert changed[max(0, key - KEYS_ABOVE) : key].all()
        flipped = known.clone()
        flipped[:, -1, key] = 1 - flipped[:, -1, key]
        changed = (logits(bits, flipped) != before).any(0)
        around = torch.arange(KEYS).sub(key).abs() <= KEYS_AROUND
        assert torch.equal(changed, around)


def test_a_key_depends_on_the_number_of_notes_further_above() -> None:
    decider = Decider(1).double()
    one, two = torch.zeros(2, 1, KEYS, dtype=torch.float64)
    one[0, 80] = two[0, 80] = two[0, 85] = 1
    still = torch.zeros(1, KEYS, KEY_FEATURES, dtype=torch.float64), torch.zeros_like(one)[:, None]
    first, second = (decider(bits, *still) for bits in (one, two))
    assert first[10] != second[10]


def test_logits_of_selected_keys_equal_those_of_all_keys() -> None:
    torch.manual_seed(0)
    decider, where = Decider(2).double(), torch.rand(6, KEYS) < 0.1
    bits, features = (
        torch.rand(6, KEYS).round().double(),
        torch.randn(6, KEYS, KEY_FEATURES).double(),
    )
    known = torch.rand(6, 2, KEYS).round().double()
    every = decider(bits, features, known).view(6, KEYS)
    torch.testing.assert_close(decider(bits, features, known, where), every[where])


@pytest.mark.parametrize("matching", [False, True])
def test_on_a_gpu_uncertain_onsets_are_computed_for_all_keys(
    matching: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, seen = head("joint", 176, matching), window(176, matching)

    def nats_and_gradients() -> list[Tensor]:
        nats = made.nats(hidden(), seen)
        return [nats, *torch.autograd.grad(nats.sum(), list(made.parameters()), allow_unused=True)]

    expected = nats_and_gradients()
    monkeypatch.setattr(heads, "_can_select", lambda _: False)
    for ours, theirs in zip(nats_and_gradients(), expected, strict=True):
        assert (ours is None) == (theirs is None)
        assert ours is None or torch.allclose(ours, theirs)


@pytest.mark.parametrize("matching", [False, True])
@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_uncertain_onsets_are_a_distribution_and_certain_ones_are_free(
    kind: str, matching: bool
) -> None:
    """Over all onsets of a frame, the likelihoods add up to that of the sounding keys."""
    made, seen = head(kind, 176, matching), window(176, matching)
    sounds, before = seen.targets[0, 0, :KEYS], seen.inputs[0, 0, :KEYS]
    sounds[sounds.nonzero()[8:]] = 0
    uncertain = (sounds & before).nonzero()[:, 0].tolist()
    assert 1 <= len(uncertain) <= 8
    nats = []
    for pattern in itertools.product((0, 1), repeat=len(uncertain)):
        seen.targets[0, 0, KEYS:] = sounds & ~before & 1
        seen.targets[0, 0, KEYS + torch.tensor(uncertain)] = torch.tensor(pattern).to(torch.uint8)
        nats.append(made.nats(hidden(), seen)[0, 0])
    assert torch.stack(nats).std() > 1e-3
    total = -torch.stack(nats).neg().logsumexp(0)
    seen.targets[0, 0, KEYS:] = 0
    torch.testing.assert_close(total, sounding_nats(made, seen))


@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_where_a_song_ends_the_end_is_scored_and_no_keys(kind: str) -> None:
    made, seen = head(kind, 176), window(176)
    keys = made.nats(hidden(), seen)
    ends = torch.arange(T * L).view(T, L) % 3 == 0
    scored = made.nats(hidden(), seen._replace(end=ends))
    torch.testing.assert_close(scored, torch.where(ends, 0.0, keys))
    p = torch.sigmoid(hidden() @ made.end.weight + made.end.bias)[..., 0]
    expected = -torch.where(ends, p, 1 - p).log()
    torch.testing.assert_close(made.end.nats(hidden(), seen._replace(end=ends)), expected)
    torch.testing.assert_close(made.end.nats(hidden(), seen), -(1 - p).log())


@pytest.mark.parametrize("size", [88, 176])
def test_independent_keys_are_independent(size: int) -> None:
    made, seen = head("independent", size), window(size)
    assert isinstance(made, IndependentHead)
    p = torch.sigmoid(hidden() @ made.weight + made.bias)
    log_p = torch.where(seen.targets > 0, p, 1 - p).log()
    total = log_p[..., :KEYS].sum(2)
    for t, stream, key in itertools.product(range(T), range(L), range(size - KEYS)):
        if seen.targets[t, stream, key] and seen.inputs[t, stream, key]:
            total[t, stream] += log_p[t, stream, KEYS + key]
    torch.testing.assert_close(made.nats(hidden(), seen), -total)


@pytest.mark.parametrize("size", [88, 176])
@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_an_untrained_network_expects_few_keys(kind: str, size: int) -> None:
    torch.manual_seed(0)
    config = ModelConfig(head=kind, hidden_size=64)
    network = Network(config, FrameSpec("keys", size), 0)
    seen = window(size)._replace(targets=torch.zeros(T, L, size, dtype=torch.uint8))
    nats, _ = network.nats(seen, network.zero_state(L))
    assert 88 * math.log1p(math.exp(-4)) < nats.mean().item() < 88 * math.log1p(math.exp(-2))


@pytest.mark.parametrize("size", [88, 176])
@pytest.mark.parametrize("kind", ["independent", "joint"])
def test_it_can_memorize_a_tune(kind: str, size: int) -> None:
    torch.manual_seed(0)
    config = ModelConfig(
        head=kind, hidden_size=48, embedding_size=16, layers=1, dropout=0, match_memory=True
    )
    network = Network(config, FrameSpec("keys", size), 0)
    seen = window(size, matching=True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.02)
    losses = []
    for _ in range(150):
        optimizer.zero_grad()
        nats, _ = network.nats(seen, network.zero_state(L))
        nats.mean().backward()
        optimizer.step()
        losses.append(nats.mean().item())
    assert losses[-1] < 0.2 * losses[0]
