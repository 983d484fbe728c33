"""Heads for piano keys: who may look at whom, and what the likelihoods add up to."""

import math

import pytest
import torch
from torch import Tensor

from engine.config import ModelConfig
from engine.frames import FrameSpec
from engine.model.keyboard import ABOVE, KEYS
from engine.model.keys import IndependentHead, JointHead
from engine.model.network import Network
from engine.model.window import Window

T, L, H = 5, 2, 12


def head(kind: str, size: int, memory: bool = False) -> IndependentHead | JointHead:
    torch.manual_seed(0)
    config = ModelConfig(head=kind, hidden=H, embedding=6, memory=memory)
    made = Network(config, FrameSpec("keys", size), 0).double().head
    assert isinstance(made, IndependentHead | JointHead)
    for parameter in made.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return made


def frames(size: int, count: int = T, seed: int = 0) -> Tensor:
    """Frames of some notes, in which what begins sounds and what sounds anew begins."""
    generator = torch.Generator().manual_seed(seed)
    bits = (torch.rand(count + 1, L, size, generator=generator) < 0.3).to(torch.uint8)
    if size > KEYS:
        sounds = bits[..., :KEYS]
        bits[1:, :, KEYS:] |= sounds[1:] & ~sounds[:-1] & 1
        bits[..., KEYS:] &= sounds
    return bits


def window(size: int, memory: bool = False, seed: int = 0) -> Window:
    bits = frames(size, seed=seed)
    fresh = torch.zeros(T, L, dtype=torch.bool)
    nobody = torch.zeros(T, L, dtype=torch.long)
    made = Window(bits[:-1], bits[1:], fresh, nobody)
    if not memory:
        return made
    recalled = frames(size, seed=seed + 1)[:-1]
    match = torch.arange(T * L).view(T, L) % 5
    return made._replace(recalled=recalled * (match > 0).unsqueeze(2), match=match)


def hidden() -> Tensor:
    return torch.randn(T, L, H, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("size", [88, 176])
def test_a_key_depends_on_keys_above_and_on_no_other_of_its_frame(size: int, memory: bool) -> None:
    """Flip each bit of a frame: only what is decided after it may change."""
    joint, seen = head("joint", size, memory), window(size, memory)
    assert isinstance(joint, JointHead)
    order = [*reversed(range(KEYS)), *reversed(range(KEYS, size))]  # of the decisions

    def misses(targets: Tensor) -> Tensor:
        """Nats of the keys in the order of decision, (T·L, size)."""
        found = torch.zeros(T * L, size, dtype=torch.float64)
        for first, logits, bits, where in joint.decisions(hidden(), seen._replace(targets=targets)):
            nats = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, bits, reduction="none"
            )
            found[:, first : first + KEYS][where] = nats
        return found[:, order]

    before = misses(seen.targets)
    reached = torch.zeros(size, size, dtype=torch.bool)
    for place, key in enumerate(order):
        flipped = seen.targets.clone()
        flipped[..., key] ^= 1
        changed = (misses(flipped) - before).abs() > 1e-12
        assert not changed[:, :place].any()
        reached[place] = changed.any(0)
    sounding = reached[:KEYS, :KEYS]
    for place in range(KEYS - 1):
        assert sounding[place, place + 1 : place + 1 + ABOVE].float().mean() > 0.9
    if size > KEYS:
        assert reached[:KEYS, KEYS:].any()  # onsets know all that sounds
