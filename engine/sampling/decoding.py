"""How the next character is chosen from what a model says."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError

_MILD = 1e-3  # temperatures from here on need no care


@dataclass(frozen=True)
class SamplingParams:
    """How boldly to choose; the defaults follow the model's own probabilities.

    The three filters are judged on those own probabilities (temperature 1), whatever the
    temperature; a character must pass all of them, and the most probable always does.
    Raises InputError for a value out of range.
    """

    temperature: float = 1.0  # 0: always the most probable; inf: all alike
    top_k: int = 0  # only the k most probable; 0: all
    top_p: float = 1.0  # only the fewest most probable that reach this sum (Holtzman et al. 2020)
    min_p: float = 0.0  # only those at least this share as probable as the most probable
    memory: float = 1.0  # how far to believe a model's memory of the song; 0: not at all
    guidance: float = 1.0  # how strongly the artist is followed; 0: as by nobody
    repetition: float = 0.0  # nats off what would repeat the text, see `engine.sampling.decoding`
    line: int = 0  # characters at which a line ends with its word, see `engine.sampling.decoding`

    def __post_init__(self) -> None:
        if not self.temperature >= 0:  # not >=: NaN is refused too
            raise InputError(
                f"The temperature is {self.temperature}: give 0 (always the likeliest character) "
                "or more, up to inf (all alike)."
            )
        if self.top_k < 0:
            raise InputError(f"top-k is {self.top_k}: give 1 or more, or 0 for all characters.")
        if not 0 < self.top_p <= 1:
            raise InputError(f"top-p is {self.top_p}: give a share above 0 and up to 1.")
        if not 0 <= self.min_p <= 1:
            raise InputError(f"min-p is {self.min_p}: give a share from 0 to 1.")
        if not 0 <= self.memory <= 1:
            raise InputError(f"The memory is {self.memory}: give a share from 0 to 1.")
        if not 0 <= self.guidance <= 10:
            raise InputError(
                f"The guidance is {self.guidance}: give 0 (the artist left aside) to 10, 1 as "
                "the model has learned."
            )
        if not 0 <= self.repetition <= 10:
            raise InputError(f"The repetition penalty is {self.repetition}: give 0 (none) to 10.")
        if not 0 <= self.line <= 200:
            raise InputError(
                f"The line length is {self.line}: give 1 to 200 characters, or 0 for lines as they "
                "come."
            )


def match_weight(memory: float, temperature: float) -> float:
    """How far the memory of the song is to be believed, 0 … 1, where `memory` was asked for.

    A cold model would sing its chorus for ever; so damped, the repeats in what it writes are about
    as many and as long as those of real songs, at temperatures from 0.7 to 1.
    """
    return memory * min(1.0, max(0.0, 1.5 * temperature - 0.5))


def filter_mask(logits: NDArray[np.float64], rules: SamplingParams) -> NDArray[np.bool_]:
    """Which of the logits (N, V) pass the filters, (N, V); of equals the lower index is first."""
    order = np.argsort(-logits, axis=1, kind="stable")
    ranked = np.take_along_axis(logits, order, axis=1)
    p = np.exp(ranked - ranked[:, :1])  # (N, V) falling, relative to the most probable
    keep = p >= rules.min_p
    if rules.top_k:
        keep[:, rules.top_k :] = False
    if rules.top_p < 1:
        reached = np.cumsum(p, axis=1) / p.sum(axis=1, keepdims=True)
        keep[:, 1:] &= reached[:, :-1] < rules.top_p
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
    rules: SamplingParams,
    noise: NDArray[np.float64],
) -> NDArray[np.intp]:
    """Choose one index a row of logits (N, V), never one of −inf: (N,).

    Draws by the Gumbel-max trick (Gumbel 1954; Maddison et al. 2014): the largest of logit / T plus
    Gumbel noise (N, V) has just the probability softmax(logits / T), and needs no sum that could
    overflow.
    """
    if rules.temperature == 0:
        scores = logits
    elif _MILD <= rules.temperature < math.inf:
        scores = logits / rules.temperature + noise
    else:
        scores = _extreme(logits, rules.temperature) + noise
    if rules.top_k or rules.top_p < 1 or rules.min_p > 0:
        scores[~filter_mask(logits, rules)] = -np.inf
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
