"""The score of a model on songs: the negative log likelihood of every frame, averaged."""

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

if TYPE_CHECKING:  # torch takes seconds to import, and counting models do without
    import torch

    from engine.model.network import Network
    from engine.model.window import Window

LANES, WINDOW = 64, 128  # of an evaluation: they change its speed, not its result


@dataclass(frozen=True)
class Score:
    """Nats a frame over so many frames."""

    loss: float
    frames: int
    later: float = math.nan  # nats a frame without each song's first
    by_song: float = math.nan  # the mean over the songs of their nats a frame
    without_copies: float | None = None  # nats a frame without near copies of songs to learn from
    copies: int | None = None  # how many songs those are; None: not known

    @property
    def bits(self) -> float:
        """The same in bits a frame."""
        return self.loss / math.log(2)


@dataclass(frozen=True, eq=False)
class SongScores:
    """The nats of each of S songs, in the order of its split."""

    nats: npt.NDArray[np.float64]  # (S,)
    first: npt.NDArray[np.float64]  # (S,): those of its first frame
    frames: npt.NDArray[np.int64]  # (S,)

    def without(self, left_out: npt.NDArray[np.bool_]) -> "SongScores":
        """All but some songs (S,)."""
        return SongScores(self.nats[~left_out], self.first[~left_out], self.frames[~left_out])

    def score(self) -> Score:
        """The averages over all songs."""
        frames, later = int(self.frames.sum()), int((self.frames - 1).sum())
        total, first = float(self.nats.sum()), float(self.first.sum())
        by_song = float((self.nats / self.frames).mean())
        return Score(
            total / frames, frames, (total - first) / later if later else math.nan, by_song
        )


def to_window(batch: Batch, device: "torch.device") -> "Window":
    """A batch as the network takes it, on the device but for `fresh`.

    A batch is small beside the work on it, so the corpus itself may outgrow the device.
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
    )


def score_network(
    model: "Network",
    corpus: Corpus,
    split: str,
    limit: int = 0,
    on_progress: Callable[[], None] = lambda: None,
) -> Score:
    """Score a network on a split, each song from its beginning, state carried to its end.

    limit: whole songs of at most so many frames (0: all); on_progress is called between batches.
    """
    return score_songs(model, corpus, split, limit, on_progress).score()


def score_songs(
    model: "Network",
    corpus: Corpus,
    split: str,
    limit: int = 0,
    on_progress: Callable[[], None] = lambda: None,
) -> SongScores:
    """The same, song by song."""
    import torch

    rows = len(corpus.select(split))
    count = max(1, min(LANES, rows))
    lanes = BatchStream(corpus, split, count, WINDOW, max_frames=limit, model=model.config)
    state = model.zero_state(count)
    device = state[0][0].device
    totals, lengths, first = np.zeros((3, rows))
    begun, singing = 0, np.zeros(count, np.int64)  # each lane's song, by its place in the split
    was_training = model.training
    model.eval()
    with torch.no_grad():
        while (batch := lanes.next_batch()) is not None:
            tensor, state = model.nats(to_window(batch, device), state)
            nats = tensor.cpu().numpy().astype(np.float64) * batch.weight  # (T, L)
            begins = int(batch.reset.sum())
            songs = np.zeros(nats.shape, np.int64)  # (T, L): whose each frame is
            songs[0] = singing
            songs[batch.reset] = np.arange(begun, begun + begins)  # in order of step, then of lane
            np.maximum.accumulate(songs, out=songs)
            np.add.at(totals, songs, nats)
            np.add.at(lengths, songs, batch.weight)
            first[begun : begun + begins] = nats[batch.reset]
            begun, singing = begun + begins, songs[-1]
            on_progress()
    model.train(was_training)
    return SongScores(totals[:begun], first[:begun], lengths[:begun].astype(np.int64))


def score_ngram(
    model: NgramModel, corpus: Corpus, split: str, on_progress: Callable[[], None] = lambda: None
) -> Score:
    """Score a counting model on a split."""
    rows = corpus.select(split)
    if not len(rows):
        raise InputError(
            f"{corpus.name} has no {split} songs: prepare it with data.{split} above 0."
        )
    total, frames = 0.0, 0
    for row in rows:
        nats = model.nats(corpus.song(row))
        total += float(nats.sum(dtype=np.float64))
        frames += len(nats)
        on_progress()
    return Score(total / frames, frames)
