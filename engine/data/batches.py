"""Songs laid into parallel lanes, and the lanes cut into batches for truncated back-propagation."""

import functools
import heapq
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.config import ModelConfig
from engine.data.corpus import Corpus
from engine.data.match_memory import find_matches
from engine.errors import InputError
from engine.frames import KEYS


def transpose_keys(frames: npt.NDArray[Any], semitones: int) -> npt.NDArray[Any]:
    """Frames of keys (T, 88 · planes) with every key so many semitones higher, in all planes.

    What would leave the keyboard comes back at its other end: `reach` tells how far is safe.
    """
    planes = frames.reshape(len(frames), -1, KEYS)
    return np.roll(planes, semitones, axis=2).reshape(frames.shape)


def shift_range(frames: npt.NDArray[Any], most: int) -> tuple[int, int]:
    """The lowest and the highest shift, of at most so many semitones, that keep all keys."""
    used = np.flatnonzero(frames.reshape(-1, KEYS).any(axis=0))
    if not len(used):
        return 0, 0
    return -min(most, int(used[0])), min(most, KEYS - 1 - int(used[-1]))


@dataclass(frozen=True, eq=False)
class Batch:
    """T frames of each of L lanes, time first; every batch continues where the last one stopped.

    The arrays of frames are int64 where a frame is an index, else of the corpus's own type.
    """

    inputs: npt.NDArray[Any]  # (T, L, *frame): the frame before, zero at a song's first
    targets: npt.NDArray[Any]  # (T, L, *frame): the frame to predict
    reset: npt.NDArray[np.bool_]  # (T, L): a song begins, so the state is reset before this frame
    condition: npt.NDArray[np.int64]  # (T, L): 0 nobody, else 1 + a place in corpus.conditions
    weight: npt.NDArray[np.float32]  # (T, L): 1, or 0 past the last song of a lane
    position: npt.NDArray[np.int64]  # (T, L): how many frames of the song come before the target
    matched: npt.NDArray[Any] | None = None  # (T, L, *frame): what the memory expects as target
    match_kind: npt.NDArray[np.int64] | None = None  # (T, L): the kind of its match; 0: none


def rank_slice(lanes: int, rank: int, size: int) -> slice:
    """The lanes that one of `size` ranks reads; InputError where they cannot be shared alike."""
    if lanes % size:
        raise InputError(
            f"{size} processes cannot share train.batch_size = {lanes} alike: choose a number of "
            f"processes that divides it, or a new run with "
            f"train.batch_size={-(-lanes // size) * size}."
        )
    each = lanes // size
    return slice(rank * each, (rank + 1) * each)


@dataclass
class _Lane:
    """A lane's song, if it has one, and how far it has come."""

    row: int = -1
    start: int = 0  # in corpus.frames
    length: int = 0
    offset: int = 0  # frames of the song that are done
    condition: int = 0
    shift: int = 0  # semitones by which it is transposed

    @property
    def left(self) -> int:
        return self.length - self.offset


@dataclass(frozen=True)
class Augmentation:
    """Random changes of the songs in training."""

    condition_dropout: float = 0.0  # probability that a song is read without its artist
    transpose: int = 0  # music: semitones by which a song is moved up or down at most


class BatchStream:
    """A split of a corpus as batches of `window` frames in `lanes` lanes.

    No song is cut: a lane whose song has ended takes the next from one queue for all (at the same
    step, the lower lane is first). With a window of 0 each batch holds one whole song a lane and is
    as long as the longest: what lies past a song's end weighs nothing.

    With a `seed` the queue is endless: epoch after epoch, each in an order that is a function of
    (seed, epoch). Without, it is one pass in the table's order, over as many songs as have at most
    `limit` frames together, but one at least (0: all songs).

    A song is shown without its artist with probability `drop`, by (seed, epoch, song) alone. By
    these, too, a song of music is moved up or down by at most `transpose` semitones, and by no more
    than keep all its keys on the keyboard.
    `lane_slice` picks the lanes to be materialised, for one of several processes; the books are
    kept for all, so that every process agrees on them. With `memory` the batches hold what the
    memory of the song recalls, with `lapses` or not. Raises InputError for a split without songs.
    """

    def __init__(
        self,
        corpus: Corpus,
        split: str,
        batch_size: int,
        window: int,
        seed: int | None = None,
        *,
        max_frames: int = 0,
        model: ModelConfig | None = None,
        augment: Augmentation | None = None,
        streams: slice = slice(None),
    ) -> None:
        rows = corpus.select(split)
        if not len(rows):
            raise InputError(
                f"The corpus {corpus.name!r} has no {split} songs: prepare it with data.{split} "
                "above 0."
            )
        if max_frames:
            frames = np.cumsum(corpus.songs["length"][rows], dtype=np.int64)
            rows = rows[: max(1, int(np.searchsorted(frames, max_frames, side="right")))]
        self.window = window
        self._corpus, self._rows = corpus, rows
        self._frames = np.asarray(corpus.frames)  # slicing a np.memmap itself is slow
        self._seed, self._augment = seed, augment or Augmentation()
        self._model = model or ModelConfig()
        self._recall = functools.lru_cache(maxsize=4096)(self._recall_song)  # some MB of songs
        self._lanes = [_Lane() for _ in range(batch_size)]
        shown = range(batch_size)[streams]
        self._columns = {place: column for column, place in enumerate(shown)}
        self._enter(epoch=0, place=0)

    def _enter(self, epoch: int, place: int) -> None:
        """Set the queue to a place in an epoch."""
        self._epoch, self._place = epoch, place
        count = len(self._rows)
        generator = np.random.default_rng([self._seed or 0, epoch])
        order = generator.permutation(count)  # (S,)
        self._dropped = (
            generator.random(count) < self._augment.condition_dropout
        )  # (S,), by song, not by turn
        self._chances = generator.random(count)  # (S,): each song's place among its transpositions
        self._order = order if self._seed is not None else np.arange(count)

    def _take(self, lane: _Lane) -> bool:
        """Put the queue's next song into a lane; False if there is none."""
        if self._place == len(self._rows):
            if self._seed is None:
                return False
            self._enter(self._epoch + 1, 0)
        song = self._order[self._place]
        self._place += 1
        row = int(self._rows[song])
        condition = 0 if self._dropped[song] else int(self._corpus.songs["condition"][row])
        shift = 0
        if self._augment.transpose:
            low, high = shift_range(self._corpus.song(row), self._augment.transpose)
            shift = low + int(self._chances[song] * (high - low + 1))
        self._put(lane, row, 0, condition, shift)
        return True

    def _put(self, lane: _Lane, row: int, offset: int, condition: int, shift: int) -> None:
        lane.row, lane.offset, lane.condition, lane.shift = row, offset, condition, shift
        lane.start = int(self._corpus.songs["start"][row])
        lane.length = int(self._corpus.songs["length"][row])

    def next_batch(self) -> Batch | None:
        """The next batch; None when the one pass is over."""
        queued = self._seed is not None or self._place < len(self._rows)
        if not queued and not any(lane.left for lane in self._lanes):
            return None
        T, L = self.window or self._longest(), len(self._columns)
        shape, dtype = self._frames.shape[1:], self._frames.dtype
        frames = (T, L, *shape), dtype if shape else np.int64
        batch = Batch(
            inputs=np.zeros(*frames),
            targets=np.zeros(*frames),
            reset=np.zeros((T, L), np.bool_),
            condition=np.zeros((T, L), np.int64),
            weight=np.zeros((T, L), np.float32),
            position=np.zeros((T, L), np.int64),
            matched=np.zeros(*frames) if self._model.match_memory else None,
            match_kind=np.zeros((T, L), np.int64) if self._model.match_memory else None,
        )
        # The step at which each lane needs a song: taken in order of step, then of lane.
        needs = [(self._advance(batch, place, 0), place) for place in range(len(self._lanes))]
        heapq.heapify(needs)
        while self.window and needs and needs[0][0] < T:
            step, place = needs[0]
            if self._take(self._lanes[place]):
                heapq.heapreplace(needs, (self._advance(batch, place, step), place))
            else:
                heapq.heappop(needs)
        table = self._corpus.table
        if table is None:
            return batch
        # Index 0 stands for itself in every table: what was left zero stays so.
        return replace(batch, inputs=table[batch.inputs], targets=table[batch.targets])

    def _longest(self) -> int:
        """Give every lane a song to go on with, and tell how much of the longest is left."""
        for lane in self._lanes:
            if not lane.left:
                self._take(lane)
        return max(lane.left for lane in self._lanes)

    def _advance(self, batch: Batch, place: int, step: int) -> int:
        """Lay a lane's song into the batch from `step` on; gives the step after."""
        lane = self._lanes[place]
        count = min(lane.left, len(batch.targets) - step)
        column = self._columns.get(place)
        if count and column is not None:
            start, stop = lane.start + lane.offset, step + count
            first = start - bool(lane.offset)  # the frame before, if there is one
            frames = self._moved(self._frames[first : start + count], lane)
            batch.targets[step:stop, column] = frames[start - first :]
            batch.inputs[step + 1 - (start - first) : stop, column] = frames[:-1]
            batch.reset[step, column] = not lane.offset
            batch.condition[step:stop, column] = lane.condition
            batch.weight[step:stop, column] = 1
            batch.position[step:stop, column] = np.arange(lane.offset, lane.offset + count)
            if batch.matched is not None and batch.match_kind is not None:
                recalled, match = self._recall(lane.row)
                recalled = recalled[lane.offset : lane.offset + count]
                batch.matched[step:stop, column] = self._moved(recalled, lane)
                batch.match_kind[step:stop, column] = match[lane.offset : lane.offset + count]
        lane.offset += count
        return step + count

    def _moved(self, frames: npt.NDArray[Any], lane: _Lane) -> npt.NDArray[Any]:
        return transpose_keys(frames, lane.shift) if lane.shift else frames

    def _recall_song(self, row: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        return find_matches(
            self._corpus.song(row), self._corpus.codec.spec, self._model.match_recovery
        )

    def cursor(self) -> dict[str, Any]:
        """Where the lanes stand, in plain values for JSON; `seek` goes there."""
        lanes = [[lane.row, lane.offset, lane.condition] for lane in self._lanes]
        shifts = [lane.shift for lane in self._lanes]
        return {"epoch": self._epoch, "place": self._place, "lanes": lanes, "shifts": shifts}

    def seek(self, cursor: Mapping[str, Any]) -> None:
        """Go on from a cursor: the batches are those that would have come after it.

        Raises InputError for a cursor of another corpus or number of lanes.
        """
        songs = self._corpus.songs["length"]
        epoch, place, lanes = cursor["epoch"], cursor["place"], cursor["lanes"]
        fits = all(row < len(songs) and offset <= songs[row] for row, offset, _ in lanes)
        if len(lanes) != len(self._lanes) or place > len(self._rows) or not fits:
            raise InputError(
                f"The saved place in the songs is of {len(lanes)} lanes over other data than the "
                f"{len(self._lanes)} lanes here: resume with the same data and train.batch_size."
            )
        self._enter(epoch, place)
        shifts = cursor.get("shifts", [0] * len(lanes))  # earlier versions did not transpose
        for lane, (row, offset, condition), shift in zip(self._lanes, lanes, shifts, strict=True):
            if row < 0:
                lane.row, lane.length, lane.offset = -1, 0, 0
            else:
                self._put(lane, row, offset, condition, shift)
