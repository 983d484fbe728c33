"""The match memory: a guess of a song's next frame from an earlier passage of the same song.

If the last frames of a song, for example the last 8 characters, occurred in it before, the frame
that followed them then is likely to follow again. The network gets it as a further input, because
songs repeat choruses and bars from further back than a recurrent state can hold. Finding it takes a
dozen dictionary lookups and only the frames so far, so it works while a song is being written, too.
In text compressors this is a match model (Mahoney 2005, "Adaptive weighing of context models for
lossless data compression").
"""

import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.frame_spec import FrameSpec

Frame = npt.NDArray[Any] | np.generic


class MatchMemory:
    """Stores the frames of a song so far, and finds an earlier occurrence of the last ones.

    A match is an earlier occurrence of the last n frames, where n is the greatest of
    `spec.match_lengths` for which there is one; of several occurrences the latest is taken. The
    matched frame is the one that followed it, which predicts the next frame of the song.

    With `recovery`, if there is no match, the last one is continued: the matched frame is the one
    after the previous matched frame. Thus a tune that returns with one note changed is followed to
    its end. (Not useful for text, where words of another length shift the rest, nor for music that
    repeats by chance only.)
    """

    def __init__(self, spec: FrameSpec, recovery: bool = False) -> None:
        self._lengths, self._recovery = spec.match_lengths(recovery), recovery
        self._zero = np.zeros(spec.shape, spec.dtype)[()]
        self._frames: list[Frame] = []
        self._symbols: dict[bytes, str] = {}  # a character that stands for each distinct frame
        self._last = ""  # the symbols of the last frames, as many as the longest match length
        self._ends: dict[
            str, int
        ] = {}  # for each run of symbols, the position after its latest one
        self._position = 0  # of the last matched frame; 0: no match yet

    def copy(self) -> "MatchMemory":
        """Return an independent copy, so that the song can be continued in two ways."""
        other = copy.copy(self)
        other._frames, other._symbols = [*self._frames], {**self._symbols}
        other._ends = {**self._ends}
        return other

    def push(self, frame: Frame) -> tuple[Frame, int]:
        """Add the song's next frame; return the matched frame, which predicts the one after it.

        Also returns the match kind: 0 for no match (the matched frame is zero then), with
        `recovery` 1 for a continued match, then one kind for each of `spec.match_lengths`, in
        their order. All frames must have the same dtype, because their bytes are compared.
        """
        self._frames.append(frame)
        symbol = self._symbols.setdefault(frame.tobytes(), chr(len(self._symbols)))
        self._last = last = (self._last + symbol)[-self._lengths[-1] :]
        count, ends = len(self._frames), self._ends
        position = self._position + 1 if self._position and self._recovery else 0
        kind = int(position > 0)
        for number, length in enumerate(self._lengths, 1 + self._recovery):
            if length > count:
                break
            run = last[-length:]
            if run in ends:  # the shorter runs are in it too, and the longest counts
                position, kind = ends[run], number
            ends[run] = count
        self._position = position
        return (self._frames[position] if kind else self._zero), kind


def find_matches(
    song: npt.NDArray[Any], spec: FrameSpec, recovery: bool = False
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the matched frames (T, *frame) and match kinds (T,) for a song (T, *frame).

    Matched frame t predicts frame t of the song from those before it; see `MatchMemory`, also for
    `recovery`. A zero frame comes before the song, as in the network's inputs. Kinds are uint8.
    """
    positions, kinds = match_positions(song, spec, recovery)
    return matched_frames(song, positions, kinds), kinds


def matched_frames(
    song: npt.NDArray[Any], positions: npt.NDArray[Any], kinds: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Return the frames of a song (T, *frame) at `positions` (n,), zero where a kind (n,) is 0."""
    frames: npt.NDArray[Any] = song[positions]
    frames[kinds == 0] = 0
    return frames


def match_positions(
    song: npt.NDArray[Any], spec: FrameSpec, recovery: bool = False
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Return where in a song (T, *frame) its matched frames are (T,), and the match kinds (T,).

    They are those of `find_matches`, found for all frames at once: runs of n frames are numbered,
    equal runs equally, and runs of more frames by the numbers of the two runs that they consist of.
    A run that occurs only once needs no number, as longer runs with it occur only once too.
    """
    T = len(song)
    positions, kinds = np.zeros(T, np.int64), np.zeros(T, np.uint8)
    if not T:
        return positions.astype(np.int32), kinds
    # The last frames before frame t, which t itself follows, end at t here.
    before = np.concatenate([np.zeros_like(song[:1]), song[:-1]])
    ends, length = np.arange(T), 1
    numbers, ends, earlier = _number_runs(_symbols(before), ends, T)
    for kind, wanted in enumerate(spec.match_lengths(recovery), 1 + recovery):
        while length < wanted:
            longer = min(2 * length, wanted)
            ends = ends[ends >= longer - 1]
            ends = ends[numbers[ends - (longer - length)] >= 0]
            pairs = numbers[ends] * T + numbers[ends - (longer - length)]
            numbers, ends, earlier = _number_runs(pairs, ends, T)
            length = longer
        again = earlier >= 0  # an equal run ended there before, and the frame after it is matched
        positions[ends[again]], kinds[ends[again]] = earlier[again], kind
    if recovery:
        now = np.arange(T)
        last = np.maximum.accumulate(np.where(kinds > 0, now, -1))
        continued = (kinds == 0) & (last >= 0)
        positions[continued] = (positions[last] + now - last)[continued]
        kinds[continued] = 1
    return positions.astype(np.int32), kinds


def _symbols(frames: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return a number below T for each frame (T, *frame), the same for equal frames, (T,)."""
    if frames.ndim > 1:
        rows = np.ascontiguousarray(frames.reshape(len(frames), -1))
        frames = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize)))[:, 0]
    return np.unique(frames, return_inverse=True)[1].reshape(-1)


def _number_runs(
    values: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], frames: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Number runs that end at `ends` (n,), ascending; runs of equal `values` (n,) are equal.

    Returns the numbers by end (frames,), −1 for runs that occur once; the ends of the others (m,);
    and of each of these the end of the latest equal run before it, −1 for the first, (m,).
    """
    order = np.argsort(values, kind="stable")
    same = np.diff(values[order]) == 0  # as the one before in this order
    first = np.concatenate([[True], ~same]) if len(order) else np.zeros(0, np.bool_)
    repeated = ~first
    repeated[:-1] |= same
    earlier, numbers = np.full((2, frames), -1)
    earlier[ends[order][1:][same]] = ends[order][:-1][same]
    numbers[ends[order][repeated]] = (np.cumsum(first) - 1)[repeated]
    ends = ends[numbers[ends] >= 0]
    return numbers, ends, earlier[ends]
