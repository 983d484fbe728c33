"""Song vectors: the mean hidden state of a network while it reads each song.

From the last layer's hidden state the network predicts the next frame; the mean of this state over
a song's frames is the song's vector. Songs are read without their artist, so that the vector
depends on how a song is written, not on who wrote it. (Karpathy et al. 2015, "Visualizing and
understanding recurrent networks", examine single units; the mean of all units over a text is the
simplest of sentence vectors.) S: songs; H: hidden units.
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

MAX_FRAMES = 4_000_000  # of a corpus; songs after them are not read
_BATCH_SIZE = 8  # songs stepped together: with more, fast products gain nothing
_WINDOW = 128  # frames between two checks for a stop
_MAX_FILES = 8  # files of vectors that are kept in a corpus's folder

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class EmbeddedSongs:
    """Songs of a model's corpus with their vectors."""

    corpus: Corpus
    rows: NDArray[np.intp]  # (S,) the songs' rows in the corpus
    vectors: Vectors  # (S, H)


def embed_songs(
    model: Model,
    on_progress: Callable[[int, int], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> EmbeddedSongs:
    """Return the songs of a model's training corpus with their vectors.

    Vectors are cached in the corpus's folder. on_progress: called with the number of songs read so
    far and in all. Raises InputError if the songs no longer exist, for an n-gram model, and when
    `stopped` returns true.
    """
    require_network(model)
    corpus = models.training_corpus(model)
    rows = first_songs(corpus)
    path = corpus.path / f"hidden-{_hash(model.path)}.npy" if model.path else None
    vectors = _load(path, (len(rows), model.config.hidden_size))
    if vectors is None:
        vectors = _embed_rows(model, corpus, rows, on_progress, stopped)
        if path:
            _save(path, vectors)
    return EmbeddedSongs(corpus, rows, vectors)


def first_songs(corpus: Corpus) -> NDArray[np.intp]:
    """Return the rows (S,) of the songs that are read: all, or those in the first `MAX_FRAMES`."""
    return corpus.limit_rows(np.arange(len(corpus.songs)), MAX_FRAMES)


def require_network(model: Model) -> Network:
    """Return a model's network; raises InputError for an n-gram model."""
    if not isinstance(model.stepper, Network):
        raise InputError(
            f"{model.name} is {model.config.words} and has no hidden state to compare songs by: "
            "use a network."
        )
    return model.stepper


def embed(
    model: Model, songs: Sequence[NDArray[Any]], on_window: Callable[[], None] = lambda: None
) -> Iterator[tuple[list[int], Vectors]]:
    """Read songs in batches of similar length; yield each batch's indices and vectors (n, H).

    songs: (T, *frame) each; on_window: called before every `_WINDOW` frames, and may raise to end
    the reading. Raises InputError for an n-gram model.
    """
    network, spec = require_network(model), model.codec.spec
    order = sorted(range(len(songs)), key=lambda index: len(songs[index]))
    for first in range(0, len(order), _BATCH_SIZE):
        batch = order[first : first + _BATCH_SIZE]
        lengths = np.array([len(songs[index]) for index in batch])
        frames = np.zeros((lengths.max(), len(batch), *spec.shape), spec.dtype)
        for column, index in enumerate(batch):
            frames[: lengths[column], column] = songs[index]
        state = network.initial_state(None, len(batch))
        network.read(state, np.zeros_like(frames[:1]))  # the begin mark, or silence
        total = np.zeros((len(batch), network.hidden), np.float64)
        for start in range(0, len(frames), _WINDOW):
            on_window()
            window = frames[start : start + _WINDOW]
            output = network.read(state, window).hidden
            hidden = output.reshape(*window.shape[:2], -1).astype(np.float32)  # (T, N, H)
            inside = np.arange(start, start + len(window))[:, None] < lengths  # (T, N)
            total += np.einsum("tnh,tn->nh", hidden, inside)
        mean = total / lengths[:, None] * network.precision.scale
        yield batch, mean.astype(np.float32)


def _embed_rows(
    model: Model,
    corpus: Corpus,
    rows: NDArray[np.intp],
    on_progress: Callable[[int, int], None] | None,
    stopped: Callable[[], bool],
) -> Vectors:
    count = 0

    def check_stop() -> None:
        if stopped():
            raise InputError(
                f"Reading was stopped after {count} of {len(rows)} songs: start it again to read "
                "all."
            )

    translated = corpus.translated(model.codec, [])
    vectors = np.zeros((len(rows), model.config.hidden_size), np.float32)
    for indices, some in embed(model, [translated.song(row) for row in rows], check_stop):
        vectors[indices] = some
        count += len(indices)
        if on_progress:
            on_progress(count, len(rows))
    return vectors


def _hash(folder: Path) -> str:
    """Return 16 hexadecimal digits, a hash of the model in a folder."""
    return _digest(folder, tuple((folder / name).stat().st_mtime_ns for name in (META, WEIGHTS)))


@lru_cache(maxsize=4)
def _digest(folder: Path, times: tuple[int, ...]) -> str:  # noqa: ARG001 (the key of the cache)
    digest = hashlib.sha256()
    for name in (META, WEIGHTS):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]


def _load(path: Path | None, shape: tuple[int, int]) -> Vectors | None:
    """Return cached vectors; None if they are missing or damaged."""
    try:
        vectors = np.load(path, allow_pickle=False) if path else None
    except (OSError, ValueError, EOFError):
        return None
    if vectors is None or vectors.shape != shape or vectors.dtype != np.float32:
        return None
    result: Vectors = vectors
    return result


def _save(path: Path, vectors: Vectors) -> None:
    """Write vectors to a file; if a folder has more than `_MAX_FILES`, delete the oldest."""
    content = io.BytesIO()
    np.save(content, vectors)
    write_atomic(path, content.getvalue())
    files = sorted(path.parent.glob("hidden-*.npy"), key=lambda file: file.stat().st_mtime_ns)
    for file in files[:-_MAX_FILES]:
        file.unlink(missing_ok=True)
