"""Models that only count: uniform, frequencies, and Markov chains of order 1 to 8.

A Markov chain of order k is smoothed by interpolated Kneser-Ney with three discounts a level,
estimated from the counts of counts (Kneser & Ney 1995, "Improved backing-off for m-gram language
modeling"; Chen & Goodman 1999, "An empirical study of smoothing techniques for language
modeling"). Its top level holds plain counts; below, a count says after how many different frames
a continuation was seen. The lowest distribution is uniform over every index but the begin mark,
so nothing else is impossible. Contexts are 64-bit hashes: two of some millions of contexts share
one with a chance of about 1 in a million.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config import ModelConfig
from engine.errors import InputError
from engine.frames import BEGIN

_MIX = np.uint64(0xBF58476D1CE4E5B9)  # odd, so that multiplying loses nothing
_TENSORS = ("contexts", "starts", "symbols", "counts")

Floats = NDArray[np.float64]
Ints = NDArray[Any]


@dataclass(frozen=True)
class Level:
    """What followed the contexts of one length; C contexts, n different continuations.

    The continuations of context i are `starts[i]` to `starts[i + 1]`, ordered by symbol.
    """

    contexts: Ints  # (C,) uint64, rising
    starts: Ints  # (C + 1,) int64
    symbols: Ints  # (n,)
    counts: Ints  # (n,) uint32
    keys: Ints  # (n,) int64, rising: place of the context · V + symbol
    shares: Floats  # (n,) discounted count / count of the context
    rests: Floats  # (C,) what the discounts took, to be spread by the level below


def context_length(config: ModelConfig) -> int:
    """How many frames the model looks back; -1 for the uniform one, which has no level at all."""
    return {"uniform": -1, "frequencies": 0, "markov": config.order}[config.kind]


def _extend(hashes: Ints, frames: Ints) -> Ints:
    """Hashes (n,) of contexts one frame longer, from those of the shorter ones and that frame."""
    longer: Ints = (hashes + frames.astype(np.uint64) + np.uint64(1)) * _MIX
    longer ^= longer >> np.uint64(32)
    return longer


def _discounts(counts: Ints) -> Floats:
    """What to take from a count of 0, 1, 2, and 3 or more; shape (4,)."""
    n = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].astype(float)  # counts of counts
    if n.all():
        y = n[0] / (n[0] + 2 * n[1])
        taken = np.array([r - (r + 1) * y * n[r] / n[r - 1] for r in (1, 2, 3)])
    else:  # too few songs to estimate from
        taken = np.array([0.5, 1.0, 1.5])
    # A discount of zero would make what was never seen impossible.
    return np.concatenate([[0.0], np.clip(taken, 0.05, (1, 2, 3))])


def _level(contexts: Ints, starts: Ints, symbols: Ints, counts: Ints, size: int) -> Level:
    lengths = np.diff(starts)  # (C,)
    keys = np.repeat(np.arange(len(contexts)) * size, lengths) + symbols
    taken = _discounts(counts)[np.minimum(counts, 3)]  # (n,)
    totals = np.add.reduceat(counts, starts[:-1], dtype=np.float64)  # (C,)
    shares = (counts - taken) / np.repeat(totals, lengths)
    rests = np.add.reduceat(taken, starts[:-1]) / totals
    return Level(contexts, starts, symbols, counts, keys, shares, rests)


@dataclass(frozen=True)
class NgramModel:
    """Probabilities out of counts, the same for every artist; made by `count` or `from_tensors`.

    `levels[l]` looks back l frames of V different ones.
    """

    config: ModelConfig
    size: int  # V
    levels: tuple[Level, ...]

    @property
    def parameters(self) -> int:
        """How many counts it holds."""
        return sum(len(level.counts) for level in self.levels)

    def nats(self, song: Ints) -> Floats:
        """−log p of each frame of a song, given all before it: (T,) → (T,)."""
        back = len(self.levels) - 1
        frames = np.concatenate([np.full(max(back, 0), BEGIN, song.dtype), song])
        result = np.where(song == BEGIN, 0.0, 1 / (self.size - 1))  # (T,) probabilities
        hashes = np.zeros(len(song), np.uint64)
        for length, level in enumerate(self.levels):
            if length:
                hashes = _extend(hashes, frames[back - length : len(frames) - length])
            place = np.searchsorted(level.contexts, hashes)
            place[place == len(level.contexts)] = 0
            seen = level.contexts[place] == hashes
            key = place * self.size + song
            where = np.searchsorted(level.keys, key)
            where[where == len(level.keys)] = 0
            share = np.where(level.keys[where] == key, level.shares[where], 0.0)
            result = np.where(seen, share + level.rests[place] * result, result)
        with np.errstate(divide="ignore"):
            return -np.log(result)

    def probabilities(self, context: Ints) -> Floats:
        """Probability of every next frame after `context` (any length; only its end counts): (V,).

        A context shorter than the model looks back stands at the beginning of a song.
        """
        result = np.full(self.size, 1 / (self.size - 1))
        result[BEGIN] = 0.0
        hashes = np.zeros(1, np.uint64)
        for length, level in enumerate(self.levels):
            if length:
                frame = context[-length] if length <= len(context) else BEGIN
                hashes = _extend(hashes, np.array([frame]))
            place = int(np.searchsorted(level.contexts, hashes[0]))
            if place < len(level.contexts) and level.contexts[place] == hashes[0]:
                found = slice(level.starts[place], level.starts[place + 1])
                result *= level.rests[place]
                result[level.symbols[found]] += level.shares[found]
        return result

    def tensors(self) -> dict[str, Ints]:
        """The counts as named arrays, four a level: `levels.l.contexts`, `starts`, …"""
        return {
            f"levels.{length}.{name}": getattr(level, name)
            for length, level in enumerate(self.levels)
            for name in _TENSORS
        }


@dataclass(frozen=True)
class _Table:
    """What followed the contexts of one length, as in `Level`, and how often in two ways."""

    contexts: Ints
    starts: Ints
    symbols: Ints
    frames: Ints  # (n,) uint32: after how many different frames; in the longest, how often
    times: Ints  # (n,) uint32: how often

    def level(self, counts: Ints, size: int) -> Level:
        return _level(self.contexts, self.starts, self.symbols, counts, size)


def _tables(songs: Iterable[Ints], size: int, back: int) -> list[_Table]:
    """The tables of contexts of 0 to `back` frames."""
    dtype = np.min_scalar_type(size - 1)
    padding = np.full(max(back, 0), BEGIN, dtype)
    pieces = [piece for song in songs for piece in (padding, np.asarray(song, dtype))]
    if not pieces:
        raise InputError("There is not one song to count in the training split: give more songs.")
    frames = np.concatenate(pieces)
    positions = np.flatnonzero(frames != BEGIN)  # of every frame that is to be predicted
    times = np.ones(len(positions), np.uint32)

    tables: list[_Table] = []
    for length in range(back, -1, -1):
        hashes = np.zeros(len(positions), np.uint64)
        for distance in range(1, length + 1):
            hashes = _extend(hashes, frames[positions - distance])
        contexts, place = np.unique(hashes, return_inverse=True)
        key = place * size + frames[positions]
        by_key = np.argsort(key)
        key = key[by_key]
        first = np.flatnonzero(np.diff(key, prepend=-1))  # where each continuation starts
        counts = np.diff(first, append=len(key)).astype(np.uint32)
        times = np.add.reduceat(times[by_key], first, dtype=np.uint32)
        keys = key[first]
        starts = np.searchsorted(keys, np.arange(len(contexts) + 1) * size)
        symbols = (keys % size).astype(dtype)
        tables.insert(0, _Table(contexts, starts, symbols, counts, times))
        positions = positions[by_key[first]]  # the level below counts each of these once
    return tables


def fit(songs: Iterable[Ints], size: int, config: ModelConfig) -> NgramModel:
    """Count songs, each an array (T,) of frames below `size` that ends in its end mark.

    Takes about 100 bytes of memory a frame while it counts. Raises InputError without a song.
    """
    tables = _tables(songs, size, context_length(config))
    levels = tuple(table.level(table.frames, size) for table in tables)
    return NgramModel(config, size, levels)


def fit_all_orders(songs: Iterable[Ints], size: int, highest: int) -> list[NgramModel]:
    """The uniform model, the frequencies and the chains of order 1 to `highest`.

    Each is what `count` gives, but all are counted at once: they share the levels below their own.
    """
    tables = _tables(songs, size, highest)
    shared = [table.level(table.frames, size) for table in tables]
    models = [NgramModel(ModelConfig(kind="uniform"), size, ())]
    for back, table in enumerate(tables):
        own = ModelConfig(kind="markov", order=back) if back else ModelConfig(kind="frequencies")
        top = table.level(table.times, size)
        models.append(NgramModel(own, size, (*shared[:back], top)))
    return models


def from_tensors(config: ModelConfig, size: int, tensors: Mapping[str, NDArray[Any]]) -> NgramModel:
    """The inverse of `CountingModel.tensors`.

    Raises ValueError, naming the tensor, when they are not the counts of such a model.
    """
    wanted = [
        f"levels.{length}.{name}"
        for length in range(context_length(config) + 1)
        for name in _TENSORS
    ]
    if set(wanted) != set(tensors):
        odd = sorted(set(wanted) ^ set(tensors))[0]
        raise ValueError(f"the tensor {odd} is {'missing' if odd in wanted else 'one too many'}")
    levels = []
    for length in range(context_length(config) + 1):
        names = [f"levels.{length}.{name}" for name in _TENSORS]
        contexts, starts, symbols, counts = (tensors[name] for name in names)
        n = len(symbols) if symbols.ndim == 1 else -1
        fits = {
            names[0]: contexts.dtype == np.uint64
            and contexts.ndim == 1
            and bool((contexts[1:] > contexts[:-1]).all()),
            names[1]: starts.dtype == np.int64
            and starts.shape == (contexts.size + 1,)
            and starts[0] == 0
            and starts[-1] == n
            and bool((starts[1:] > starts[:-1]).all()),
            names[2]: symbols.dtype.kind == "u"
            and bool(((symbols > BEGIN) & (symbols < size)).all()),
            names[3]: counts.dtype == np.uint32 and counts.shape == (n,) and bool(counts.all()),
        }
        for name, right in fits.items():
            if not right:
                raise ValueError(f"the tensor {name} does not hold the counts it should")
        level = _level(contexts, starts, symbols, counts, size)
        if not (level.keys[1:] > level.keys[:-1]).all():
            raise ValueError(f"the tensor {names[2]} does not hold the counts it should")
        levels.append(level)
    return NgramModel(config, size, tuple(levels))
