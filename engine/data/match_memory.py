"""The match memory: what followed the last frames when they occurred before in the same song.

Songs repeat whole choruses and bars from further back than a network's state can hold. Finding the
last frames among those before takes a dozen dictionary lookups a frame. Only the past is used, so
it works for a song that is still being written. The same as the match models of text compressors
(Mahoney 2005, "Adaptive weighing of context models for lossless data compression").
"""

import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.frames import FrameSpec

Frame = npt.NDArray[Any] | np.generic


class MatchMemory:
    """Finds the longest match of a song's last frames among those before.

    Matches are distinguished by the lengths in `spec.match_lengths`; of equal ones the latest
    counts. With `recovery`, if not even the shortest length matches, the last match continues with
    the frame after the one it returned before: a tune that returns with a note changed is matched
    to its end. (Not for text, where words of another length shift the rest, nor for music that
    repeats by chance only.)
    """

    def __init__(self, spec: FrameSpec, recovery: bool = False) -> None:
        self._lengths, self._recovery = spec.match_lengths(recovery), recovery
        self._zero = np.zeros(spec.shape, spec.dtype)[()]
        self._frames: list[Frame] = []
        self._symbols: dict[bytes, str] = {}  # a code point for each different frame
        self._last = ""  # the symbols of the last frames
        self._ends: dict[str, int] = {}  # the position after the last occurrence of these symbols
        self._position = 0  # of the last matched frame; 0: none

    def copy(self) -> "MatchMemory":
        """Return another memory of the same frames, which can continue differently."""
        other = copy.copy(self)
        other._frames, other._symbols = [*self._frames], {**self._symbols}
        other._ends = {**self._ends}
        return other

    def push(self, frame: Frame) -> tuple[Frame, int]:
        """Add the next frame, always of one type, and return the matched frame and its match kind.

        The matched frame is the one that followed the match, zero without a match. The kind is
        below `spec.match_kinds`: 0 no match, with `recovery` 1 a continued match, then one for
        each of `spec.match_lengths`: that number of frames or more.
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
            if run in ends:  # and so are all shorter ones
                position, kind = ends[run], number
            ends[run] = count
        self._position = position
        return (self._frames[position] if kind else self._zero), kind


def find_matches(
    song: npt.NDArray[Any], spec: FrameSpec, recovery: bool = False
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the matched frame for each frame of a song, (T, *frame), and the match kinds, (T,).

    The memory begins with the zero frame, as the song's inputs do. The kinds are uint8.
    """
    memory = MatchMemory(spec, recovery)
    matched = np.zeros_like(song)
    kinds = np.zeros(len(song), np.uint8)
    frame: Frame = np.zeros(spec.shape, song.dtype)[()]
    for position, following in enumerate(song):
        matched[position], kinds[position] = memory.push(frame)
        frame = following
    return matched, kinds
