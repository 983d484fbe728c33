"""How the next character is chosen from what a model says."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.options import LYRICS_OPTIONS

_MILD = 1e-3  # temperatures from here on need no care


def _default(name: str) -> Any:
    return LYRICS_OPTIONS[name].default


@dataclass(frozen=True)
class SamplingParams:
    """How the next character is chosen; `engine.options` has the range and default of each field.

    The filters top_k, top_p and min_p look at the model's own probabilities (temperature 1),
    whatever the temperature. A character must pass all of them; the most probable always does.
    Raises InputError for a value out of range.
    """

    temperature: float = _default("temperature")
    top_k: int = _default("top_k")
    top_p: float = _default("top_p")  # nucleus sampling (Holtzman et al. 2020)
    min_p: float = _default("min_p")
    memory: float = _default("memory")
    guidance: float = _default("guidance")
    repetition: float = _default("repetition")  # nats for each character of a repeat after `FREE`
    line: int = _default("line")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            LYRICS_OPTIONS[field.name].check(getattr(self, field.name))


def match_weight(memory: float, temperature: float) -> float:
    """How far the memory of the song is to be believed, 0 … 1, where `memory` was asked for.

    A cold model would sing its chorus for ever; so damped, the repeats in what it writes are about
    as many and as long as those of real songs, at temperatures from 0.7 to 1.
    """
    return memory * min(1.0, max(0.0, 1.5 * temperature - 0.5))


def filter_mask(logits: NDArray[np.float64], params: SamplingParams) -> NDArray[np.bool_]:
    """Which of the logits (N, V) pass the filters, (N, V); of equals the lower index is first."""
    order = np.argsort(-logits, axis=1, kind="stable")
    ranked = np.take_along_axis(logits, order, axis=1)
    p = np.exp(ranked - ranked[:, :1])  # (N, V) falling, relative to the most probable
    keep = p >= params.min_p
    if params.top_k:
        keep[:, params.top_k :] = False
    if params.top_p < 1:
        reached = np.cumsum(p, axis=1) / p.sum(axis=1, keepdims=True)
        keep[:, 1:] &= reached[:, :-1] < params.top_p
    result = np.empty_like(keep)
    np.put_along_axis(result, order, keep, axis=1)
    return result


def apply_guidance(logits: NDArray[np.float64], guidance: float) -> NDArray[np.float64]:
    """Logits (N, V) out of (2·N, V), those with the artist before those without.

    Classifier-free guidance (Ho & Salimans 2021), with w = guidance − 1 in their terms: as if the
    artist were that many times as certain. At 0 they are those without, at 1 those with.
    """
    conditional, plain = np.split(logits, 2)
    return plain + guidance * (conditional - plain)


def log_sum_exp(logits: NDArray[np.float64]) -> list[float]:
    """log Σ exp of each row of logits (N, V), in nats: a logit less that is a log probability."""
    if len(logits) == 1:  # the same with fewer calls
        largest = logits.item(logits.argmax())
        return [largest + math.log(np.exp(logits - largest).sum())]
    peaks = logits.max(1, keepdims=True)  # without them exp could overflow
    result: list[float] = (peaks[:, 0] + np.log(np.exp(logits - peaks).sum(1))).tolist()
    return result


def choose(
    logits: NDArray[np.float64],
    params: SamplingParams,
    noise: NDArray[np.float64],
) -> NDArray[np.intp]:
    """Choose one index a row of logits (N, V), never one of −inf: (N,).

    Draws by the Gumbel-max trick (Gumbel 1954; Maddison et al. 2014): the largest of logit / T plus
    Gumbel noise (N, V) has just the probability softmax(logits / T), and needs no sum that could
    overflow.
    """
    if params.temperature == 0:
        scores = logits
    elif _MILD <= params.temperature < math.inf:
        scores = logits / params.temperature + noise
    else:
        scores = _extreme(logits, params.temperature) + noise
    if params.top_k or params.top_p < 1 or params.min_p > 0:
        scores[~filter_mask(logits, params)] = -np.inf
    chosen: NDArray[np.intp] = scores.argmax(1)
    return chosen


def _extreme(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """logits / T up to a constant, where T is infinite, or so small that this could overflow."""
    scores: NDArray[np.float64] = logits - logits.max(axis=1, keepdims=True)
    if math.isinf(temperature):
        scores[np.isfinite(scores)] = 0.0
    else:
        with np.errstate(over="ignore"):  # −inf is right
            scores /= temperature
    return scores


FREE_REPEAT = 7  # characters that may be repeated without a penalty
REPEAT_WINDOW = 1_000  # how many characters it looks back
MAX_REPEAT = 64  # a longer match counts as this long


def penalize_repetition(
    logits: NDArray[np.float64], songs: Sequence[Sequence[int]], strength: float
) -> NDArray[np.float64]:
    """The logits (N, V) less the penalties after each song's frames so far, (N, V)."""
    logits = logits.copy()
    for row, frames in zip(logits, songs, strict=True):
        for index, loss in repetition_penalties(frames, strength).items():
            row[index] -= loss
    return logits


def repetition_penalties(frames: Sequence[int], strength: float) -> dict[int, float]:
    """What next frames lose, in nats, after the frames so far; others lose nothing."""
    text = "".join(map(chr, frames[-REPEAT_WINDOW:]))
    end = text[-FREE_REPEAT - 1 :]
    if len(text) <= len(end):
        return {}
    result: dict[int, float] = {}
    place = text.find(end)
    while -1 < place < len(text) - len(end):
        following, length = place + len(end), len(end)
        while (
            length < MAX_REPEAT
            and length < following
            and text[following - length - 1] == text[-length - 1]
        ):
            length += 1
        loss = strength * (length - FREE_REPEAT)
        symbol = ord(text[following])
        result[symbol] = max(result.get(symbol, 0.0), loss)
        place = text.find(end, place + 1)
    return result


def break_lines(
    logits: NDArray[np.float64],
    songs: Sequence[Sequence[int]],
    least: int,
    alphabet: Sequence[str],
) -> NDArray[np.float64]:
    """The logits (N, V), the space's given to the newline where a line has `least` characters.

    Each song's frames so far begin with the begin mark, which is no character of its first line.
    An alphabet (V,) that lacks the space or the newline leaves the logits as they are.
    """
    if " " not in alphabet or "\n" not in alphabet:
        return logits
    space, newline = alphabet.index(" "), alphabet.index("\n")
    rows = [
        row
        for row, frames in enumerate(songs)
        if len(frames) > least and newline not in frames[-least:]
    ]
    if rows:
        logits = logits.copy()
        logits[rows, newline] = np.logaddexp(logits[rows, newline], logits[rows, space])
        logits[rows, space] = -np.inf
    return logits
