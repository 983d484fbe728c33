"""N-gram models: uniform probabilities, character frequencies, and Markov chains of order 1 to 8.

A Markov chain of order k is smoothed by interpolated Kneser-Ney with three discounts a level,
estimated from the counts of counts (Kneser & Ney 1995, "Improved backing-off for m-gram language
modeling"; Chen & Goodman 1999, "An empirical study of smoothing techniques for language
modeling"). A context is the frames before the one to predict, which is its continuation; there is a
level for each length of context. The level of the longest contexts has plain counts. On the others
a count is the number of different frames that occur before a context and its continuation. Below
the lowest level the distribution is uniform over all indices except the begin mark, so only that
one is impossible.

Contexts are stored as 64-bit hashes: among several million contexts, the probability that any two
have the same hash is about 1 in a million. V is the number of indices that a frame can have.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config import ModelConfig
from engine.errors import InputError
from engine.frame_spec import BEGIN

_MIX = np.uint64(0xBF58476D1CE4E5B9)  # odd, so that multiplying is a bijection
_TENSORS = ("contexts", "starts", "symbols", "counts")

Floats = NDArray[np.float64]
Ints = NDArray[Any]


@dataclass(frozen=True)
class Level:
    """The counts for contexts of one length: C contexts with n different continuations in all.

    The continuations of context i are at starts[i] : starts[i + 1], ordered by symbol.
    """

    contexts: Ints  # (C,) uint64, ascending: hashes
    starts: Ints  # (C + 1,) int64
    symbols: Ints  # (n,): the index of the frame that continues the context
    counts: Ints  # (n,) uint32
    keys: Ints  # (n,) int64, ascending: number of the context · V + symbol
    discounted: Floats  # (n,): discounted count / total count of the context
    backoff: Floats  # (C,): the probability that the discounts leave to the level below


def context_length(config: ModelConfig) -> int:
    """Return the length of the longest contexts; -1 for the uniform model, which has no levels."""
    return {"uniform": -1, "frequencies": 0, "markov": config.order}[config.kind]


def _extend(hashes: Ints, frames: Ints) -> Ints:
    """Return the hashes (n,) of contexts, each made one frame longer by the frame before it."""
    longer: Ints = (hashes + frames.astype(np.uint64) + np.uint64(1)) * _MIX
    longer ^= longer >> np.uint64(32)
    return longer


def _discounts(counts: Ints) -> Floats:
    """Return the discounts for counts of 0, 1, 2, and 3 or more, (4,)."""
    n = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].astype(float)  # counts of counts
    if n.all():
        y = n[0] / (n[0] + 2 * n[1])
        discounts = np.array([r - (r + 1) * y * n[r] / n[r - 1] for r in (1, 2, 3)])
    else:  # too few songs to estimate from
        discounts = np.array([0.5, 1.0, 1.5])
    # With a discount of zero, unseen continuations would be impossible.
    return np.concatenate([[0.0], np.clip(discounts, 0.05, (1, 2, 3))])


def _level(contexts: Ints, starts: Ints, symbols: Ints, counts: Ints, size: int) -> Level:
    lengths = np.diff(starts)  # (C,)
    keys = np.repeat(np.arange(len(contexts)) * size, lengths) + symbols
    discounts = _discounts(counts)[np.minimum(counts, 3)]  # (n,)
    totals = np.add.reduceat(counts, starts[:-1], dtype=np.float64)  # (C,)
    discounted = (counts - discounts) / np.repeat(totals, lengths)
    backoff = np.add.reduceat(discounts, starts[:-1]) / totals
    return Level(contexts, starts, symbols, counts, keys, discounted, backoff)


@dataclass(frozen=True)
class NgramModel:
    """An n-gram model, which `fit` or `from_tensors` makes; it ignores artists.

    `levels[l]` is that of contexts of l frames.
    """

    config: ModelConfig
    size: int  # V
    levels: tuple[Level, ...]

    @property
    def parameters(self) -> int:
        """The number of counts, of all levels."""
        return sum(len(level.counts) for level in self.levels)

    def nats(self, song: Ints) -> Floats:
        """Return −log p of each frame of a song (T,) given the frames before it, (T,)."""
        order = len(self.levels) - 1
        frames = np.concatenate([np.full(max(order, 0), BEGIN, song.dtype), song])
        result = np.where(song == BEGIN, 0.0, 1 / (self.size - 1))  # (T,) probabilities
        hashes = np.zeros(len(song), np.uint64)
        for length, level in enumerate(self.levels):
            if length:
                hashes = _extend(hashes, frames[order - length : len(frames) - length])
            context = np.searchsorted(level.contexts, hashes)  # (T,) indices
            context[context == len(level.contexts)] = 0
            known = level.contexts[context] == hashes
            key = context * self.size + song
            index = np.searchsorted(level.keys, key)
            index[index == len(level.keys)] = 0
            own = np.where(level.keys[index] == key, level.discounted[index], 0.0)
            result = np.where(known, own + level.backoff[context] * result, result)
        with np.errstate(divide="ignore"):
            return -np.log(result)

    def probabilities(self, context: Ints) -> Floats:
        """Return the probability of each frame that may follow a context of any length, (V,).

        A context that is shorter than those of the model is taken for the beginning of a song.
        """
        result = np.full(self.size, 1 / (self.size - 1))
        result[BEGIN] = 0.0
        hashes = np.zeros(1, np.uint64)
        for length, level in enumerate(self.levels):
            if length:
                frame = context[-length] if length <= len(context) else BEGIN
                hashes = _extend(hashes, np.array([frame]))
            index = int(np.searchsorted(level.contexts, hashes[0]))
            if index < len(level.contexts) and level.contexts[index] == hashes[0]:
                found = slice(level.starts[index], level.starts[index + 1])
                result *= level.backoff[index]
                result[level.symbols[found]] += level.discounted[found]
        return result

    def tensors(self) -> dict[str, Ints]:
        """Return the counts as named arrays, four per level: `levels.l.contexts`, `starts`, …"""
        return {
            f"levels.{length}.{name}": getattr(level, name)
            for length, level in enumerate(self.levels)
            for name in _TENSORS
        }


@dataclass(frozen=True)
class _Table:
    """The continuations of contexts of one length, as in `Level`, counted in two ways."""

    contexts: Ints
    starts: Ints
    symbols: Ints
    before: Ints  # (n,) uint32: different frames before each; for the longest contexts, occurrences
    occurrences: Ints  # (n,) uint32: of each continuation

    def level(self, counts: Ints, size: int) -> Level:
        return _level(self.contexts, self.starts, self.symbols, counts, size)


def _tables(songs: Iterable[Ints], size: int, order: int) -> list[_Table]:
    """Count songs: return a table for each length of context from 0 to `order`."""
    dtype = np.min_scalar_type(size - 1)
    padding = np.full(max(order, 0), BEGIN, dtype)
    pieces = [piece for song in songs for piece in (padding, np.asarray(song, dtype))]
    if not pieces:
        raise InputError("The training split has no songs to count: use more songs.")
    frames = np.concatenate(pieces)
    positions = np.flatnonzero(frames != BEGIN)  # of every frame to predict
    occurrences = np.ones(len(positions), np.uint32)

    tables: list[_Table] = []
    for length in range(order, -1, -1):
        hashes = np.zeros(len(positions), np.uint64)
        for distance in range(1, length + 1):
            hashes = _extend(hashes, frames[positions - distance])
        contexts, context = np.unique(hashes, return_inverse=True)
        key = context * size + frames[positions]
        by_key = np.argsort(key)
        key = key[by_key]
        first = np.flatnonzero(np.diff(key, prepend=-1))  # where each continuation begins
        counts = np.diff(first, append=len(key)).astype(np.uint32)
        occurrences = np.add.reduceat(occurrences[by_key], first, dtype=np.uint32)
        keys = key[first]
        starts = np.searchsorted(keys, np.arange(len(contexts) + 1) * size)
        symbols = (keys % size).astype(dtype)
        tables.insert(0, _Table(contexts, starts, symbols, counts, occurrences))
        positions = positions[by_key[first]]  # each continuation counts once on the level below
    return tables


def fit(songs: Iterable[Ints], size: int, config: ModelConfig) -> NgramModel:
    """Return the model of some songs, each an array (T,) of indices that ends in the end mark.

    size: V. Takes about 100 bytes of memory per frame. Raises InputError if there are no songs.
    """
    tables = _tables(songs, size, context_length(config))
    levels = tuple(table.level(table.before, size) for table in tables)
    return NgramModel(config, size, levels)


def fit_all_orders(songs: Iterable[Ints], size: int, highest: int) -> list[NgramModel]:
    """Return the uniform model, the frequencies and the Markov chains of order 1 to `highest`.

    Each equals the model that `fit` returns, but the songs are counted only once: the models
    share all their levels but the highest.
    """
    tables = _tables(songs, size, highest)
    shared = [table.level(table.before, size) for table in tables]
    models = [NgramModel(ModelConfig(kind="uniform"), size, ())]
    for order, table in enumerate(tables):
        config = (
            ModelConfig(kind="markov", order=order) if order else ModelConfig(kind="frequencies")
        )
        top = table.level(table.occurrences, size)
        models.append(NgramModel(config, size, (*shared[:order], top)))
    return models


def from_tensors(config: ModelConfig, size: int, tensors: Mapping[str, NDArray[Any]]) -> NgramModel:
    """Build a model from the arrays that `NgramModel.tensors` returned.

    size: V. Raises ValueError if they are not the counts of such a model; the message is a clause,
    such as "the tensor levels.0.counts is missing".
    """
    wanted = [
        f"levels.{length}.{name}"
        for length in range(context_length(config) + 1)
        for name in _TENSORS
    ]
    if set(wanted) != set(tensors):
        name = sorted(set(wanted) ^ set(tensors))[0]
        raise ValueError(f"the tensor {name} is {'missing' if name in wanted else 'unknown'}")
    levels = []
    for length in range(context_length(config) + 1):
        names = [f"levels.{length}.{name}" for name in _TENSORS]
        contexts, starts, symbols, counts = (tensors[name] for name in names)
        n = len(symbols) if symbols.ndim == 1 else -1
        valid = {
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
        for name, is_valid in valid.items():
            if not is_valid:
                raise ValueError(f"the tensor {name} has invalid counts")
        level = _level(contexts, starts, symbols, counts, size)
        if not (level.keys[1:] > level.keys[:-1]).all():
            raise ValueError(f"the tensor {names[2]} has invalid counts")
        levels.append(level)
    return NgramModel(config, size, tuple(levels))
