"""The memory of a song: what followed when its last frames occurred before in the same song.

Songs repeat whole choruses and bars from far beyond what a network's state can hold; looking up the
last frames among those before costs a dozen lookups a frame. Only the past is used, so a song that
is still being written can be looked up too. Text compressors do so in their match models (Mahoney
2005, "Adaptive weighing of context models for lossless data compression").
"""

import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.frames import FrameSpec

Frame = npt.NDArray[Any] | np.generic


class MatchMemory:
    """Finds where the last frames of a song occurred before, as many of them as match.

    Matches are told apart by the lengths in `spec.matches`; of equally long ones the latest counts.
    Where not even the shortest fits, with `recovery`, what is recalled goes on from the last place
    there was: a tune that returns with a note changed is heard along its first time. (Not so a
    text, which words of another length shift, or what only ever returns by chance.)
    """

    def __init__(self, spec: FrameSpec, recovery: bool = False) -> None:
        self._lengths, self._recovery = spec.match_lengths(recovery), recovery
        self._nothing = np.zeros(spec.shape, spec.dtype)[()]
        self._frames: list[Frame] = []
        self._symbols: dict[bytes, str] = {}  # each different frame as a code point
        self._last = ""  # the symbols of the last frames
        self._ends: dict[str, int] = {}  # how many frames there were when this run was last seen
        self._place = 0  # of the frame recalled last; 0: none

    def copy(self) -> "MatchMemory":
        """Another memory of the same frames, to go on another way."""
        other = copy.copy(self)
        other._frames, other._symbols = [*self._frames], {**self._symbols}
        other._ends = {**self._ends}
        return other

    def push(self, frame: Frame) -> tuple[Frame, int]:
        """Take in the next frame (always of one type), and recall what may come after it.

        Gives the frame that followed the match, zero if there is none, and which kind it was, of
        `spec.kinds`: 0 none, with `recovery` 1 a match that has lapsed, then one for each of
        `spec.matches`: so many frames or more.
        """
        self._frames.append(frame)
        symbol = self._symbols.setdefault(frame.tobytes(), chr(len(self._symbols)))
        self._last = last = (self._last + symbol)[-self._lengths[-1] :]
        count, ends = len(self._frames), self._ends
        place = self._place + 1 if self._place and self._recovery else 0
        match = int(place > 0)
        for number, length in enumerate(self._lengths, 1 + self._recovery):
            if length > count:
                break
            run = last[-length:]
            if run in ends:  # and so all shorter ones
                place, match = ends[run], number
            ends[run] = count
        self._place = place
        return (self._frames[place] if match else self._nothing), match


def find_matches(
    song: npt.NDArray[Any], spec: FrameSpec, recovery: bool = False
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """What is recalled before each frame of a song, (T, *frame) like the song, and the matches.

    The memory starts with the zero frame, as the song's inputs do. Matches: (T,) uint8.
    """
    memory = MatchMemory(spec, recovery)
    recalled = np.zeros_like(song)
    matches = np.zeros(len(song), np.uint8)
    frame: Frame = np.zeros(spec.shape, song.dtype)[()]
    for place, following in enumerate(song):
        recalled[place], matches[place] = memory.push(frame)
        frame = following
    return recalled, matches
