"""Scores: the mean negative log likelihood of the frames of a split, in nats per frame.

A frame is a character of lyrics or a time step of music. The end of a song counts in lyrics, where
it is a character; in music only the keys count, as in published scores.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.data.batches import Batch, BatchStream
from engine.data.corpus import Corpus
from engine.errors import InputError
from engine.model.ngram import NgramModel

if TYPE_CHECKING:  # torch takes seconds to import, and n-gram models do not need it
    import torch

    from engine.model.network import Network
    from engine.model.window import Window

BATCH_SIZE, WINDOW = 64, 128  # streams, frames per batch: they affect the speed, not the score


@dataclass(frozen=True)
class Score:
    """The score of a model on a number of songs; losses are in nats per frame."""

    loss: float
    frames: int  # number of frames scored
    loss_after_first: float = math.nan  # without the first frame of each song; NaN: not computed
    loss_per_song: float = math.nan  # the mean of the songs' own losses; NaN: not computed
    # Without songs that are near-duplicates of training songs; None: not computed, or no song left.
    loss_without_copies: float | None = None
    near_copies: int | None = None  # number of these near-duplicates; None: not computed
    split: str = ""  # the name of the songs scored: "train", "valid", "test" or "all"; "": unknown

    @property
    def bits(self) -> float:
        """The loss in bits per frame."""
        return self.loss / math.log(2)


@dataclass(frozen=True, eq=False)
class SongScores:
    """The nats of each of S songs, in the order of their split."""

    nats: npt.NDArray[np.float64]  # (S,): sum over the frames of the song
    first: npt.NDArray[np.float64]  # (S,): nats of the song's first frame
    frames: npt.NDArray[np.int64]  # (S,): number of frames

    def without(self, excluded: npt.NDArray[np.bool_]) -> "SongScores":
        """Return the scores of the songs for which `excluded` (S,) is False."""
        return SongScores(self.nats[~excluded], self.first[~excluded], self.frames[~excluded])

    def score(self) -> Score:
        """Return the score of all songs together."""
        frames, frames_after_first = int(self.frames.sum()), int((self.frames - 1).sum())
        total, first = float(self.nats.sum()), float(self.first.sum())
        return Score(
            loss=total / frames,
            frames=frames,
            loss_after_first=(
                (total - first) / frames_after_first if frames_after_first else math.nan
            ),
            loss_per_song=float((self.nats / self.frames).mean()),
        )


def to_window(batch: Batch, device: "torch.device") -> "Window":
    """Convert a batch to tensors on a device; `reset` stays on the CPU.

    Each batch is copied when it is used, which takes little time compared with the computation, so
    that a corpus may be larger than the device's memory.
    """
    from torch import from_numpy

    from engine.model.window import Window, to_device

    memory = batch.matched is not None and batch.match_kind is not None
    return Window(
        to_device(batch.inputs, device),
        to_device(batch.targets, device),
        from_numpy(batch.reset),
        to_device(batch.condition, device),
        to_device(batch.matched, device) if batch.matched is not None and memory else None,
        to_device(batch.match_kind, device) if batch.match_kind is not None and memory else None,
        to_device(batch.position, device),
        to_device(batch.end, device),
    )


def score_network(
    model: "Network",
    corpus: Corpus,
    split: str,
    max_frames: int = 0,
    on_progress: Callable[[], None] = lambda: None,
) -> Score:
    """Score a network on a split, with the hidden state carried through each song.

    max_frames: score only the first songs of the split, at least one, that have at most this number
    of frames in total (0: all songs). on_progress: called after each batch. Raises InputError for a
    split without songs.
    """
    return score_songs(model, corpus, split, max_frames, on_progress).score()


def score_songs(
    model: "Network",
    corpus: Corpus,
    split: str,
    max_frames: int = 0,
    on_progress: Callable[[], None] = lambda: None,
) -> SongScores:
    """Score a network on each song of a split; the arguments are those of `score_network`."""
    import torch

    rows = len(corpus.select(split))
    streams = max(1, min(BATCH_SIZE, rows))
    batches = BatchStream(corpus, split, streams, WINDOW, max_frames=max_frames, model=model.config)
    state = model.zero_state(streams)
    device = state[0][0].device
    totals, lengths, first = np.zeros((3, rows))
    started = 0  # number of songs begun so far
    current = np.zeros(streams, np.int64)  # (L,): the number of each stream's song
    was_training = model.training
    model.eval()
    with torch.no_grad():
        while (batch := batches.next_batch()) is not None:
            window = to_window(batch, device)
            hidden, state = model(window, state)
            tensor = model.head.nats(hidden, window)
            nats = tensor.cpu().numpy().astype(np.float64) * batch.frames  # (T, L)
            starting = int(batch.reset.sum())
            songs = np.zeros(nats.shape, np.int64)  # (T, L): the number of each frame's song
            songs[0] = current
            # Songs begin in the order of the split: by time step, then by stream.
            songs[batch.reset] = np.arange(started, started + starting)
            np.maximum.accumulate(songs, out=songs)
            np.add.at(totals, songs, nats)
            np.add.at(lengths, songs, batch.frames)
            first[started : started + starting] = nats[batch.reset]
            started, current = started + starting, songs[-1]
            on_progress()
    model.train(was_training)
    return SongScores(totals[:started], first[:started], lengths[:started].astype(np.int64))


def score_ngram(
    model: NgramModel, corpus: Corpus, split: str, on_progress: Callable[[], None] = lambda: None
) -> Score:
    """Score an n-gram model on a split.

    on_progress: called after each song. Raises InputError for a split without songs.
    """
    rows = corpus.select(split)
    if not len(rows):
        raise InputError(
            f"The corpus {corpus.name!r} has no {split} songs: prepare it with "
            f"data.{split}_fraction above 0."
        )
    total, frames = 0.0, 0
    for row in rows:
        nats = model.nats(corpus.song(row))
        total += float(nats.sum(dtype=np.float64))
        frames += len(nats)
        on_progress()
    return Score(total / frames, frames)
