"""Batches for truncated back-propagation through time (BPTT).

The songs are read in L parallel streams, where L is the batch size. A stream is a sequence of whole
songs, one after the other; a batch has the next T frames of each stream, and the network's state is
carried from batch to batch. S is the number of songs of the split, *frame the shape of one frame.
"""

import functools
import heapq
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.config import ModelConfig
from engine.data.corpus import Corpus
from engine.data.match_memory import match_positions, matched_frames
from engine.errors import InputError
from engine.frame_spec import KEYS

FIRST_MATCHES = 65_536  # frames of a song whose matches are found together; then twice as many
CACHED_MATCHES = 16_000_000  # frames of finished songs whose matches are kept, with 5 bytes each
_Matches = tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]  # as `match_positions` returns them


@dataclass(frozen=True, eq=False)
class Batch:
    """The next T frames of each of L streams, time first.

    Frames of characters are int64, frames of keys have the corpus's type.
    """

    inputs: npt.NDArray[Any]  # (T, L, *frame): the frame before the target, zero at a song's start
    targets: npt.NDArray[Any]  # (T, L, *frame): the frame to predict
    reset: npt.NDArray[np.bool_]  # (T, L): a song begins: the state is reset before this frame
    condition: npt.NDArray[np.int64]  # (T, L): 1 + an index into corpus.conditions; 0: no artist
    weight: npt.NDArray[np.float32]  # (T, L): 1, or 0 where a stream has no song left
    position: npt.NDArray[np.int64]  # (T, L): of the target in its song, from 0
    # (T, L): in place of a target, a song of music ends; of lyrics the end mark is a character.
    end: npt.NDArray[np.bool_]
    # What the match memory predicts for each target, see `MatchMemory`; None without one.
    matched: npt.NDArray[Any] | None = None  # (T, L, *frame)
    match_kind: npt.NDArray[np.int64] | None = None  # (T, L)

    @property
    def frames(self) -> npt.NDArray[np.bool_]:
        """Which targets are frames of songs, (T, L), and not the end of a song or of a stream."""
        return (self.weight > 0) & ~self.end


@dataclass(frozen=True)
class Augmentation:
    """Random changes of the songs in training."""

    condition_dropout: float = 0.0  # probability that a song is read without its artist
    transpose: int = 0  # music: greatest shift of a song up or down, in semitones


def transpose_keys(frames: npt.NDArray[Any], semitones: int) -> npt.NDArray[Any]:
    """Return frames of keys (T, 88 · planes) transposed up by `semitones`, or down if negative.

    Keys that are moved past one end of the piano wrap to the other: see `shift_range`.
    """
    planes = frames.reshape(len(frames), -1, KEYS)
    return np.roll(planes, semitones, axis=2).reshape(frames.shape)


def shift_range(frames: npt.NDArray[Any], semitones: int) -> tuple[int, int]:
    """Return the lowest and highest shift that keep a song's keys on the piano.

    Both are in semitones, within ±`semitones`; 0, 0 for silence.
    """
    used = np.flatnonzero(frames.reshape(-1, KEYS).any(axis=0))
    if not len(used):
        return 0, 0
    return -min(semitones, int(used[0])), min(semitones, KEYS - 1 - int(used[-1]))


def rank_slice(batch_size: int, rank: int, ranks: int) -> slice:
    """Return the streams that process `rank` of `ranks` reads.

    Raises InputError if the number of processes does not divide the batch size.
    """
    if batch_size % ranks:
        raise InputError(
            f"{ranks} processes cannot share train.batch_size = {batch_size} equally: use a number "
            f"of processes that divides it, or a new run with "
            f"train.batch_size={-(-batch_size // ranks) * ranks}."
        )
    each = batch_size // ranks
    return slice(rank * each, (rank + 1) * each)


@dataclass
class _Stream:
    """The song that a stream is reading, and how many of its frames it has read."""

    row: int = -1  # of the song in corpus.songs; -1: no song yet
    start: int = 0  # of the song in corpus.frames
    length: int = 0  # targets in the song: its frames and, of music, its end
    offset: int = 0  # targets of the song that are read
    condition: int = 0
    shift: int = 0  # semitones by which it is transposed
    matches: _Matches | None = None  # of the song's beginning, as far as they were needed

    @property
    def left(self) -> int:
        return self.length - self.offset


class BatchStream:
    """Reads a split of a corpus as batches of `window` frames of each of `batch_size` streams.

    Songs are read whole, each over as many batches as it needs; the end of a song of music is one
    more target. A stream whose song has ended takes the next song from a queue that all streams
    share (if several end at once, the lowest stream is first). With a window of 0 each batch has
    one whole song per stream and is as long as the longest of them; frames past a song's end have
    weight 0.

    seed: read the split endlessly, each epoch in an order that is a function of (seed, epoch);
        None: read it once, in the order of the corpus's table.
    max_frames: read only the first songs, with at most this number of frames together but at least
        one song; 0: read all songs.
    model: if it has a match memory, the batches include the matched frames.
    augment: random changes of each song, a function of (seed, epoch, song); None: no changes.
    streams: the streams that the batches contain, if several processes share them; each process
        tracks all streams, because they share the queue.

    Raises InputError for a split without songs.
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
                f"The corpus {corpus.name!r} has no {split} songs: prepare it with "
                f"data.{split}_fraction above 0."
            )
        if max_frames:
            rows = corpus.limit_rows(rows, max_frames)
        self.window = window
        self._corpus, self._rows, self._seed = corpus, rows, seed
        self._model, self._augment = model or ModelConfig(), augment or Augmentation()
        self._frames = np.asarray(corpus.frames)  # slicing a np.memmap itself is slow
        self._ends = int(corpus.codec.spec.kind == "keys")  # targets after a song's frames
        longest = min(FIRST_MATCHES, int(corpus.songs["length"][rows].max()))
        self._matches = functools.lru_cache(CACHED_MATCHES // longest)(self._find_matches)
        self._streams = [_Stream() for _ in range(batch_size)]
        self._columns = {index: column for column, index in enumerate(range(batch_size)[streams])}
        self._start_epoch(0)

    def _start_epoch(self, epoch: int, position: int = 0) -> None:
        """Fill the queue with the songs of an epoch, from the one at `position` in its order."""
        self._epoch, self._position = epoch, position
        count = len(self._rows)
        generator = np.random.default_rng([self._seed or 0, epoch])
        order = generator.permutation(count)  # (S,)
        dropped = generator.random(count) < self._augment.condition_dropout
        self._dropped = dropped  # (S,), indexed by song, not by its turn in the queue
        self._shifts = generator.random(count)  # (S,): a song's shift, as a fraction of its range
        self._order = order if self._seed is not None else np.arange(count)

    def _take(self, stream: _Stream) -> bool:
        """Give a stream the next song of the queue; return False if the queue is empty."""
        if self._position == len(self._rows):
            if self._seed is None:
                return False
            self._start_epoch(self._epoch + 1)
        song = self._order[self._position]
        self._position += 1
        row = int(self._rows[song])
        condition = 0 if self._dropped[song] else int(self._corpus.songs["condition"][row])
        shift = 0
        if self._augment.transpose:
            low, high = shift_range(self._corpus.song(row), self._augment.transpose)
            shift = low + int(self._shifts[song] * (high - low + 1))
        self._put(stream, row, 0, condition, shift)
        return True

    def _put(self, stream: _Stream, row: int, offset: int, condition: int, shift: int) -> None:
        stream.row, stream.offset, stream.condition, stream.shift = row, offset, condition, shift
        stream.start = int(self._corpus.songs["start"][row])
        stream.length = int(self._corpus.songs["length"][row]) + self._ends
        stream.matches = None

    def next_batch(self) -> Batch | None:
        """Return the next batch; without a seed, None after the last one."""
        queued = self._seed is not None or self._position < len(self._rows)
        if not queued and not any(stream.left for stream in self._streams):
            return None
        T, L = self.window or self._longest(), len(self._columns)
        shape, dtype = self._frames.shape[1:], self._frames.dtype
        frames = (T, L, *shape), dtype if shape else np.int64
        matching = self._model.match_memory
        batch = Batch(
            inputs=np.zeros(*frames),
            targets=np.zeros(*frames),
            reset=np.zeros((T, L), np.bool_),
            condition=np.zeros((T, L), np.int64),
            weight=np.zeros((T, L), np.float32),
            position=np.zeros((T, L), np.int64),
            end=np.zeros((T, L), np.bool_),
            matched=np.zeros(*frames) if matching else None,
            match_kind=np.zeros((T, L), np.int64) if matching else None,
        )
        # (step at which a stream needs its next song, stream): served in this order.
        needs = [(self._fill(batch, index, 0), index) for index in range(len(self._streams))]
        heapq.heapify(needs)
        while self.window and needs and needs[0][0] < T:
            step, index = needs[0]
            if self._take(self._streams[index]):
                heapq.heapreplace(needs, (self._fill(batch, index, step), index))
            else:
                heapq.heappop(needs)
        table = self._corpus.table
        if table is None:
            return batch
        # Index 0 maps to itself in every table, so that zero inputs and padding stay zero.
        matched = None if batch.matched is None else table[batch.matched]
        inputs, targets = table[batch.inputs], table[batch.targets]
        return replace(batch, inputs=inputs, targets=targets, matched=matched)

    def _longest(self) -> int:
        """Give a song to each stream without one; return the greatest number of frames left."""
        for stream in self._streams:
            if not stream.left:
                self._take(stream)
        return max(stream.left for stream in self._streams)

    def _fill(self, batch: Batch, index: int, step: int) -> int:
        """Copy a stream's song to the batch at `step`, as far as it fits; return the step after."""
        stream = self._streams[index]
        count = min(stream.left, len(batch.targets) - step)
        column = self._columns.get(index)
        if count and column is not None:
            begin, end, stop = stream.offset, stream.offset + count, step + count
            before = int(begin > 0)  # 1 if the song has a frame before the first target
            start = stream.start + begin
            last = min(start + count, stream.start + stream.length - self._ends)
            frames = self._transpose(self._frames[start - before : last], stream)
            batch.targets[step : step + last - start, column] = frames[before:]
            batch.inputs[step + 1 - before : stop, column] = frames[: count - 1 + before]
            batch.end[stop - 1, column] = last < start + count
            batch.reset[step, column] = not before
            batch.condition[step:stop, column] = stream.condition
            batch.weight[step:stop, column] = 1
            batch.position[step:stop, column] = np.arange(begin, end)
            if batch.matched is not None and batch.match_kind is not None:
                positions, kinds = (part[begin:end] for part in self._matches_until(stream, end))
                song = self._frames[stream.start : stream.start + end]
                matched = matched_frames(song, positions, kinds)
                batch.matched[step:stop, column] = self._transpose(matched, stream)
                batch.match_kind[step:stop, column] = kinds
        stream.offset += count
        return step + count

    def _transpose(self, frames: npt.NDArray[Any], stream: _Stream) -> npt.NDArray[Any]:
        return transpose_keys(frames, stream.shift) if stream.shift else frames

    def _matches_until(self, stream: _Stream, end: int) -> _Matches:
        """Return the matches of a stream's song up to frame `end`, or further.

        Of a long song they are found for its beginning only, of twice the length each time, so that
        no batch waits for a whole song: that takes at most twice the time.
        """
        if stream.matches is None or len(stream.matches[0]) < end:
            known = FIRST_MATCHES
            while known < end:
                known *= 2
            find = self._matches if known == FIRST_MATCHES else self._find_matches
            stream.matches = find(stream.row, min(known, stream.length))
        return stream.matches

    def _find_matches(self, row: int, length: int) -> _Matches:
        spec, recovery = self._corpus.codec.spec, self._model.match_recovery
        song = self._corpus.song(row)[:length]
        if length > len(song):  # the end of a song of music
            song = np.concatenate([song, np.zeros_like(song[:1])])
        return match_positions(song, spec, recovery)

    def cursor(self) -> dict[str, Any]:
        """Return the position in the epoch and in each stream as plain values for JSON."""
        streams = [[stream.row, stream.offset, stream.condition] for stream in self._streams]
        shifts = [stream.shift for stream in self._streams]
        return {"epoch": self._epoch, "place": self._position, "lanes": streams, "shifts": shifts}

    def seek(self, cursor: Mapping[str, Any]) -> None:
        """Restore a position that `cursor` returned, so that the same batches follow as before.

        Raises InputError for a cursor of another corpus or batch size.
        """
        lengths = self._corpus.songs["length"] + self._ends
        epoch, position, streams = cursor["epoch"], cursor["place"], cursor["lanes"]
        fits = all(row < len(lengths) and offset <= lengths[row] for row, offset, _ in streams)
        if len(streams) != len(self._streams) or position > len(self._rows) or not fits:
            raise InputError(
                f"The saved position in the songs, of batch size {len(streams)}, does not fit "
                f"these songs and batch size {len(self._streams)}: resume with the same data and "
                "train.batch_size."
            )
        self._start_epoch(epoch, position)
        shifts = cursor.get("shifts", [0] * len(streams))  # not in checkpoints without transpose
        for stream, (row, offset, condition), shift in zip(
            self._streams, streams, shifts, strict=True
        ):
            if row < 0:
                stream.row, stream.length, stream.offset = -1, 0, 0
            else:
                self._put(stream, row, offset, condition, shift)
