"""Choose the next character of each song from the logits of a model.

Besides the temperature and the filters top-k, top-p and min-p, two options change the logits
depending on the text so far. N: songs; V: characters.

Repetition penalty: where the last m characters, m above `FREE_REPEAT`, also occurred earlier in the
text, the logit of the character that followed them there is lowered by m − `FREE_REPEAT` times the
penalty, in nats. So the longer a repeat, the less probable that it continues; single characters
and short words may recur. In the spirit of Keskar et al. 2019 ("CTRL"), whose penalty applies to
single tokens.

Line length: in a line that has that many characters, the newline takes over the probability of the
space, so that the line ends with the current word. Where words end is still the model's choice: no
word is cut, and the model may end a line earlier.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.options import LYRICS_OPTIONS, RAW

FREE_REPEAT = 7  # characters that may be repeated without a penalty
REPEAT_WINDOW = 1_000  # the last characters, in which repeats are searched
MAX_REPEAT = 64  # a longer repeat counts as this long
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
    candidates: int = _default("candidates")
    known_words: str = _default("known_words")  # "on" or "off"
    form: str = _default("form")  # letters of `engine.sampling.form`, or "none"
    rhyme: str = _default("rhyme")  # "none", "aabb" or "abab"
    ending: str = _default("ending")  # "on" or "off"
    raw: str = _default("raw")  # "on": the five before have the values of `RAW`

    @property
    def is_raw(self) -> bool:
        """Whether songs are written character by character, not line by line."""
        return self.raw == "on" or all(getattr(self, name) == RAW[name] for name in RAW)

    def resolved(self) -> "SamplingParams":
        """Return the parameters with the values that `raw` stands for."""
        return dataclasses.replace(self, raw="off", **RAW) if self.raw == "on" else self

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            LYRICS_OPTIONS[field.name].check(getattr(self, field.name))


def match_weight(memory: float, temperature: float) -> float:
    """Return the weight of the match memory, 0 … 1: the option `memory`, reduced below T = 1.

    Otherwise a model at a low temperature would repeat a chorus endlessly. Reduced in this way,
    repeats in generated songs are about as frequent and as long as in real songs, at temperatures
    from 0.7 to 1.
    """
    return memory * min(1.0, max(0.0, 1.5 * temperature - 0.5))


def choose(
    logits: NDArray[np.float64],
    params: SamplingParams,
    noise: NDArray[np.float64],
) -> NDArray[np.intp]:
    """Choose an index for each row of logits (N, V); return them, (N,). A logit of −inf never wins.

    noise: (N, V) from the Gumbel distribution; not used at temperature 0. By the Gumbel-max trick
    (Gumbel 1954; Maddison et al. 2014) the argmax of logits / T + noise is distributed exactly as
    softmax(logits / T), without a sum of exponentials, which could overflow.
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
    """Return logits / T plus a constant for each row, for a T that is infinite or nearly 0."""
    scores: NDArray[np.float64] = logits - logits.max(axis=1, keepdims=True)
    if math.isinf(temperature):
        scores[np.isfinite(scores)] = 0.0
    else:
        with np.errstate(over="ignore"):  # overflows to −inf, which is right
            scores /= temperature
    return scores


def filter_mask(logits: NDArray[np.float64], params: SamplingParams) -> NDArray[np.bool_]:
    """Return which logits pass all filters, (N, V); of equal ones the lower index ranks first."""
    order = np.argsort(-logits, axis=1, kind="stable")
    ranked = np.take_along_axis(logits, order, axis=1)
    p = np.exp(ranked - ranked[:, :1])  # (N, V) descending, divided by the highest probability
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
    """Return log Σ exp of each row of logits (N, V); a logit minus that is a log probability."""
    if len(logits) == 1:  # the same result with fewer calls
        largest = logits.item(logits.argmax())
        return [largest + math.log(np.exp(logits - largest).sum())]
    peaks = logits.max(1, keepdims=True)  # subtracted so that exp cannot overflow
    result: list[float] = (peaks[:, 0] + np.log(np.exp(logits - peaks).sum(1))).tolist()
    return result


def apply_guidance(logits: NDArray[np.float64], guidance: float) -> NDArray[np.float64]:
    """Return guided logits (N, V) from (2·N, V): N rows with the artist, then N without.

    Classifier-free guidance (Ho & Salimans 2021; guidance is w + 1 in their terms): multiplies the
    difference that the artist makes. 0 returns the rows without the artist, 1 those with it.
    """
    conditional, unconditional = np.split(logits, 2)
    return unconditional + guidance * (conditional - unconditional)


def restrict(
    logits: NDArray[np.float64],
    songs: Sequence[Sequence[int]],
    params: SamplingParams,
    alphabet: Sequence[str],
) -> NDArray[np.float64]:
    """Return logits (N, V) changed by the repetition penalty and the line length.

    songs: the codec indices of each so far; alphabet: (V,). Returns `logits` itself if neither is
    used.
    """
    if params.repetition:
        logits = penalize_repetition(logits, songs, params.repetition)
    if params.line:
        logits = break_lines(logits, songs, params.line, alphabet)
    return logits


def penalize_repetition(
    logits: NDArray[np.float64], songs: Sequence[Sequence[int]], strength: float
) -> NDArray[np.float64]:
    """Return logits (N, V) minus the repetition penalties of each song.

    songs: the codec indices of each so far; strength: nats per character above `FREE_REPEAT`.
    """
    logits = logits.copy()
    for row, frames in zip(logits, songs, strict=True):
        for index, penalty in repetition_penalties(frames, strength).items():
            row[index] -= penalty
    return logits


def repetition_penalties(frames: Sequence[int], strength: float) -> dict[int, float]:
    """Return the penalty, in nats, of each codec index that would continue a repeat in `frames`."""
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

    songs: the codec indices of each so far; the first is the begin mark, which is not part of a
    line. alphabet: (V,); one without a space or a newline leaves the logits unchanged.
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
