"""Songs as points: the mean of a network's hidden state while it reads them.

The last layer's state holds what the network goes by when it tells the next frame; its mean over a
song is where the song lies for the network. It is read without the artist's name, so that what
counts is how the song is written and not who signed it. (Karpathy et al. 2015, "Visualizing and
understanding recurrent networks", look into single units; the mean of them all over a text is the
plainest of the sentence vectors.)
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.corpus import Corpus
from engine.errors import InputError
from engine.files import write_atomic
from engine.inference import models
from engine.inference.models import META, WEIGHTS, Model
from engine.inference.network import Network

MAX_FRAMES = 4_000_000  # frames of a corpus that are read at most
_LANES = 8  # songs that are read in step with each other: with more, fast products gain nothing
_WINDOW = 128  # frames between two looks at a stop
_KEPT = 8  # files of vectors beside a corpus

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class EmbeddedSongs:
    """Songs that a model has learned from, or was checked by, with their vectors."""

    corpus: Corpus
    rows: NDArray[np.intp]  # (S,) their places in the corpus
    vectors: Vectors  # (S, H)


def first_songs(corpus: Corpus) -> NDArray[np.intp]:
    """The places (S,) of the songs that are read: all, or of many those in the first `MOST` frames.

    Songs lie in an order of chance, so the first are as good as any.
    """
    return corpus.limit_rows(np.arange(len(corpus.songs)), MAX_FRAMES)


def require_network(model: Model) -> Network:
    """The network of a model; raises InputError for one that only counts."""
    if not isinstance(model.stepper, Network):
        raise InputError(
            f"{model.name} is {model.config.words} and has no hidden state to tell songs by: name "
            "a network."
        )
    return model.stepper


def embed(
    model: Model, songs: Sequence[NDArray[Any]], look: Callable[[], None] = lambda: None
) -> Iterator[tuple[list[int], Vectors]]:
    """Read songs (T, *frame), those of like lengths together.

    Gives the places of some of them in `songs` with their vectors (n, H), till all are read; `look`
    is called many times in between, and may raise. Raises InputError for a model that only counts.
    """
    stepper, spec = require_network(model), model.codec.spec
    order = sorted(range(len(songs)), key=lambda place: len(songs[place]))
    for start in range(0, len(order), _LANES):
        lanes = order[start : start + _LANES]
        lengths = np.array([len(songs[place]) for place in lanes])
        frames = np.zeros((lengths.max(), len(lanes), *spec.shape), spec.dtype)
        for lane, place in enumerate(lanes):
            frames[: lengths[lane], lane] = songs[place]
        state = stepper.initial_state(None, len(lanes))
        stepper.read(state, np.zeros_like(frames[:1]))  # what stands before the first frame
        total = np.zeros((len(lanes), stepper.hidden), np.float64)
        for first in range(0, len(frames), _WINDOW):
            look()
            window = frames[first : first + _WINDOW]
            ready = stepper.read(state, window).hidden
            hidden = ready.reshape(*window.shape[:2], -1).astype(np.float32)  # (T, N, H)
            inside = np.arange(first, first + len(window))[:, None] < lengths  # (T, N)
            total += np.einsum("tnh,tn->nh", hidden, inside)
        mean = total / lengths[:, None] * stepper.precision.scale
        yield lanes, mean.astype(np.float32)


def embed_songs(
    model: Model,
    progress: Callable[[int, int], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> EmbeddedSongs:
    """The songs of a model with their vectors: read once, and then kept beside the corpus.

    progress is told how many songs are read, and of how many. Raises InputError where the songs
    are not here, for a model that only counts, and where `stopped` says so in between.
    """
    require_network(model)
    corpus = models.training_corpus(model)
    chosen = first_songs(corpus)
    path = corpus.path / f"hidden-{_hash(model.path)}.npy" if model.path else None
    vectors = _kept(path, (len(chosen), model.config.hidden_size))
    if vectors is None:
        vectors = _read(model, corpus, chosen, progress, stopped)
        if path:
            _keep(path, vectors)
    return EmbeddedSongs(corpus, chosen, vectors)


def _read(
    model: Model,
    corpus: Corpus,
    chosen: NDArray[np.intp],
    progress: Callable[[int, int], None] | None,
    stopped: Callable[[], bool],
) -> Vectors:
    count = 0

    def look() -> None:
        if stopped():
            raise InputError(
                f"The reading was stopped after {count} of {len(chosen)} songs: ask again to "
                "begin it anew."
            )

    seen = corpus.translated(model.codec, [])
    vectors = np.zeros((len(chosen), model.config.hidden_size), np.float32)
    for places, some in embed(model, [seen.song(row) for row in chosen], look):
        vectors[places] = some
        count += len(places)
        if progress:
            progress(count, len(chosen))
    return vectors


@lru_cache(maxsize=4)
def _digest(folder: Path, stamp: tuple[int, ...]) -> str:  # noqa: ARG001 (the key of the cache)
    whole = hashlib.sha256()
    for name in (META, WEIGHTS):
        whole.update((folder / name).read_bytes())
    return whole.hexdigest()[:16]


def _hash(folder: Path) -> str:
    """16 hexadecimal digits that change with the model."""
    return _digest(folder, tuple((folder / name).stat().st_mtime_ns for name in (META, WEIGHTS)))


def _kept(path: Path | None, shape: tuple[int, int]) -> Vectors | None:
    """The vectors that were kept; None where they are not, or are damaged."""
    try:
        vectors = np.load(path, allow_pickle=False) if path else None
    except (OSError, ValueError, EOFError):
        return None
    if vectors is None or vectors.shape != shape or vectors.dtype != np.float32:
        return None
    kept: Vectors = vectors
    return kept


def _keep(path: Path, vectors: Vectors) -> None:
    """Keep them, in place of those of models that were asked for long ago."""
    content = io.BytesIO()
    np.save(content, vectors)
    write_atomic(path, content.getvalue())
    kept = sorted(path.parent.glob("hidden-*.npy"), key=lambda file: file.stat().st_mtime_ns)
    for old in kept[:-_KEPT]:
        old.unlink(missing_ok=True)
