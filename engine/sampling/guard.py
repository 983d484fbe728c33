"""Keep music within the bounds of the training songs while it is written.

A recurrent network can stick to a chord or to silence: what it has just written makes more of the
same ever more probable. So a chord or a silence that has lasted as long as the longest in nearly
all training songs (`engine.data.music_bounds`) must change; and a frame with parallel fifths or
octaves is drawn again if the piece would have more of them than the training songs. K: the keys of
a frame, 88 · planes.
"""

from collections.abc import Sequence

import numpy as np

from engine.data.music_bounds import MusicBounds
from engine.frame_spec import KEYS
from engine.inference.heads import MAX_DRAWS, Frames, HeadInput, KeysHead, Nats
from engine.music.voice_leading import has_parallels


class Guard:
    """Draws the frames of one piece.

    bounds: None: chords, silences and parallels are not limited. min_notes: a frame with fewer
    notes is drawn again, up to `MAX_DRAWS` draws in all.
    """

    def __init__(self, bounds: MusicBounds | None, min_notes: int = 0) -> None:
        self._bounds, self._min_notes = bounds, min_notes
        self._last = np.zeros(KEYS, np.uint8)  # the keys that sound
        self._run = 0  # frames for which they have sounded
        self._frames = 0
        self._parallels = 0  # frames with parallels

    def add(self, frame: Frames) -> None:
        """Add the next frame of the piece, (1, K)."""
        keys = frame[0, :KEYS]
        self._parallels += has_parallels(self._last, keys)
        self._run = self._run + 1 if np.array_equal(keys, self._last) else 1
        self._last = keys
        self._frames += 1

    def draw(
        self,
        head: KeysHead,
        inputs: HeadInput,
        temperature: float,
        generator: np.random.Generator,
    ) -> tuple[Frames, Nats]:
        """Draw the next frame, (1, K); return it and its negative log likelihood, (1,), in nats."""
        must_change = self._must_change
        last = inputs.previous.copy()
        last[0, :KEYS] = self._last
        for _ in range(MAX_DRAWS):
            if must_change:
                drawn = head.draw_other(inputs, temperature, generator, last)
            else:
                drawn = head.draw(inputs, temperature, generator)
            if self.accepts(drawn[0]):
                return drawn
        if self._bounds is not None and not self._bounds.silence and not drawn[0][:, :KEYS].any():
            return head.draw_other(inputs, temperature, generator, last, sounding=True)
        return drawn

    @property
    def _must_change(self) -> bool:
        """Whether other keys must sound in the next frame."""
        if self._bounds is None:
            return False
        return self._run >= (self._bounds.hold if self._last.any() else self._bounds.silence)

    def accepts(self, frame: Frames) -> bool:
        """Return whether a frame, (1, K), keeps the bounds and has enough notes."""
        keys = frame[0, :KEYS]
        if self._must_change and np.array_equal(keys, self._last):
            return False
        if keys.sum() < self._min_notes:
            return False
        if self._bounds is None:
            return True
        if not keys.any() and not self._bounds.silence:
            return False
        enough = self._parallels + 1 > self._bounds.parallels * (self._frames + 1)
        return not (enough and has_parallels(self._last, keys))


def draw_guarded(
    guards: Sequence[Guard],
    head: KeysHead,
    inputs: HeadInput,
    temperature: float,
    generator: np.random.Generator,
) -> tuple[Frames, Nats]:
    """Draw the next frames of N pieces, (N, K), and add them; return them and their nats, (N,).

    All are drawn at once; those that their guard refuses are drawn by it.
    """
    frames, nats = head.draw(inputs, temperature, generator)
    for row, guard in enumerate(guards):
        one = slice(row, row + 1)
        if not guard.accepts(frames[one]):
            alone = HeadInput(*(values[one] for values in inputs))
            frames[one], nats[one] = guard.draw(head, alone, temperature, generator)
        guard.add(frames[one])
    return frames, nats
