"""From the logits of a model to the next character of each song.

Beside temperature and filters there are two processors of logits that depend on the text so far.

The repetition penalty lowers what would only repeat the text. Single characters always recur; a
repeated passage is what bores. So where the last m characters, m above `FREE_REPEAT`, occurred
before in the text, the character that followed them there loses m − `FREE_REPEAT` times the
penalty, in nats: the longer the repeat, the less probable that it continues. In the spirit of
Keskar et al. 2019 ("CTRL"), whose penalty applies to single tokens.

With a line length, a line that has that many characters ends with its word: there the newline takes
the place of the space, and its probability. Where words end is still the model's choice, so that
no word is cut, and the model may end a line earlier.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.options import LYRICS_OPTIONS

FREE_REPEAT = 7  # characters that may be repeated without a penalty
REPEAT_WINDOW = 1_000  # characters in which repeats are searched
MAX_REPEAT = 64  # a longer match counts as this long
_MIN_DIVISOR = 1e-3  # logits divided by a smaller temperature could overflow


def _default(name: str) -> Any:
    return LYRICS_OPTIONS[name].default


@dataclass(frozen=True)
class SamplingParams:
    """How the next character is chosen; `engine.options` has the range and default of each field.

    The filters top_k, top_p and min_p apply to the model's own probabilities (temperature 1),
    whatever the temperature. A character must pass all of them; the most probable always does.
    Raises InputError for a value out of range.
    """

    temperature: float = _default("temperature")
    top_k: int = _default("top_k")
    top_p: float = _default("top_p")  # nucleus sampling (Holtzman et al. 2020)
    min_p: float = _default("min_p")
    memory: float = _default("memory")
    guidance: float = _default("guidance")
    repetition: float = _default("repetition")  # nats per character beyond `FREE_REPEAT`
    line: int = _default("line")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            LYRICS_OPTIONS[field.name].check(getattr(self, field.name))


def match_weight(memory: float, temperature: float) -> float:
    """Return the weight of the match memory, 0 … 1, for the option `memory`.

    A model at a low temperature would repeat its chorus endlessly; damped like this, repeats in
    what it writes are about as frequent and as long as in real songs, at temperatures from 0.7 to
    1.
    """
    return memory * min(1.0, max(0.0, 1.5 * temperature - 0.5))


def choose(
    logits: NDArray[np.float64],
    params: SamplingParams,
    noise: NDArray[np.float64],
) -> NDArray[np.intp]:
    """Choose one index for each row of logits (N, V), never one of −inf: (N,).

    Draws by the Gumbel-max trick (Gumbel 1954; Maddison et al. 2014): the largest of logit / T plus
    Gumbel noise (N, V) has exactly the probability softmax(logits / T), and needs no sum that could
    overflow.
    """
    if params.temperature == 0:
        scores = logits
    elif _MIN_DIVISOR <= params.temperature < math.inf:
        scores = logits / params.temperature + noise
    else:
        scores = _scale_extreme(logits, params.temperature) + noise
    if params.top_k or params.top_p < 1 or params.min_p > 0:
        scores[~filter_mask(logits, params)] = -np.inf
    chosen: NDArray[np.intp] = scores.argmax(1)
    return chosen


def _scale_extreme(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return logits / T up to a constant, for an infinite T or one so small it could overflow."""
    scores: NDArray[np.float64] = logits - logits.max(axis=1, keepdims=True)
    if math.isinf(temperature):
        scores[np.isfinite(scores)] = 0.0
    else:
        with np.errstate(over="ignore"):  # −inf is right
            scores /= temperature
    return scores


def filter_mask(logits: NDArray[np.float64], params: SamplingParams) -> NDArray[np.bool_]:
    """Return which of the logits (N, V) pass the filters; among equals the lower index is first."""
    order = np.argsort(-logits, axis=1, kind="stable")
    ranked = np.take_along_axis(logits, order, axis=1)
    p = np.exp(ranked - ranked[:, :1])  # (N, V) falling, relative to the most probable
    keep = p >= params.min_p
    if params.top_k:
        keep[:, params.top_k :] = False
    if params.top_p < 1:
        cumulative = np.cumsum(p, axis=1) / p.sum(axis=1, keepdims=True)
        keep[:, 1:] &= cumulative[:, :-1] < params.top_p
    result = np.empty_like(keep)
    np.put_along_axis(result, order, keep, axis=1)
    return result


def log_sum_exp(logits: NDArray[np.float64]) -> list[float]:
    """Return log Σ exp of each row of logits (N, V): a logit minus it is a log probability."""
    if len(logits) == 1:  # the same with fewer calls
        largest = logits.item(logits.argmax())
        return [largest + math.log(np.exp(logits - largest).sum())]
    peaks = logits.max(1, keepdims=True)  # subtracted so that exp cannot overflow
    result: list[float] = (peaks[:, 0] + np.log(np.exp(logits - peaks).sum(1))).tolist()
    return result


def apply_guidance(logits: NDArray[np.float64], guidance: float) -> NDArray[np.float64]:
    """Return logits (N, V) from (2·N, V): N rows with the artist, then N without.

    Classifier-free guidance (Ho & Salimans 2021), with w = guidance − 1 in their terms: the
    evidence for the artist counts this many times. 0 returns those without, 1 those with.
    """
    conditional, unconditional = np.split(logits, 2)
    return unconditional + guidance * (conditional - unconditional)


def penalize_repetition(
    logits: NDArray[np.float64], songs: Sequence[Sequence[int]], strength: float
) -> NDArray[np.float64]:
    """Return logits (N, V) minus the repetition penalties after each song's frames so far."""
    logits = logits.copy()
    for row, frames in zip(logits, songs, strict=True):
        for index, penalty in repetition_penalties(frames, strength).items():
            row[index] -= penalty
    return logits


def repetition_penalties(frames: Sequence[int], strength: float) -> dict[int, float]:
    """Return the penalties, in nats, of the next frames that would continue a repeat."""
    text = "".join(map(chr, frames[-REPEAT_WINDOW:]))
    end = text[-FREE_REPEAT - 1 :]
    if len(text) <= len(end):
        return {}
    result: dict[int, float] = {}
    start = text.find(end)
    while -1 < start < len(text) - len(end):
        following, length = start + len(end), len(end)
        while (
            length < MAX_REPEAT
            and length < following
            and text[following - length - 1] == text[-length - 1]
        ):
            length += 1
        penalty = strength * (length - FREE_REPEAT)
        symbol = ord(text[following])
        result[symbol] = max(result.get(symbol, 0.0), penalty)
        start = text.find(end, start + 1)
    return result


def break_lines(
    logits: NDArray[np.float64],
    songs: Sequence[Sequence[int]],
    length: int,
    alphabet: Sequence[str],
) -> NDArray[np.float64]:
    """Return logits (N, V) in which lines of `length` or more characters end at their next space.

    Each song's frames so far begin with the begin mark, which is not a character of its first line.
    An alphabet (V,) without a space or a newline leaves the logits unchanged.
    """
    if " " not in alphabet or "\n" not in alphabet:
        return logits
    space, newline = alphabet.index(" "), alphabet.index("\n")
    rows = [
        row
        for row, frames in enumerate(songs)
        if len(frames) > length and newline not in frames[-length:]
    ]
    if rows:
        logits = logits.copy()
        logits[rows, newline] = np.logaddexp(logits[rows, newline], logits[rows, space])
        logits[rows, space] = -np.inf
    return logits
