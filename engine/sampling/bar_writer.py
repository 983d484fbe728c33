"""Write music bar by bar: several versions of each bar, of which one is kept, and bars that return.

Drawn frame by frame alone, a tune forgets its beginning: at each bar the network would have to
decide whether an earlier one returns, and errors add up. Here the form decides which bars return.
The other bars are written in several versions (candidates) side by side as a batch. The quarter of
them whose highest notes clash most with those below, on the beats, is dropped; of the rest the
version of middle probability is kept. The most probable ones hold chords and repeat themselves, as
Holtzman et al. 2020 ("The curious case of neural text degeneration") find for text; only at the end
of a part the most probable one is kept, which is a cadence.

N: versions of a bar; K: the bits of a frame.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.frame_spec import KEYS
from engine.inference.heads import Frames, HeadInput, KeysHead, Nats
from engine.inference.network import Network, State, copy_songs, select_songs
from engine.music.voice_leading import dissonance
from engine.protocol import EndReason
from engine.sampling.form import end_lean
from engine.sampling.guard import Guard, draw_guarded

PART_BARS = 8  # bars of a part, the last of which is a cadence


def spread(parts: str) -> str:
    """Return the form in bars of a form in parts, each of `PART_BARS` bars.

    A part that returns repeats all bars but its last, which is a new one: it leads to what
    follows.
    """
    letters: dict[tuple[str, int], str] = {}
    form = ""
    for number, part in enumerate(parts):
        for bar in range(PART_BARS):
            key = (part, bar) if bar < PART_BARS - 1 else (f"{part}{number}", bar)
            form += letters.setdefault(key, chr(ord("A") + len(letters)))
    return form


@dataclass(frozen=True, kw_only=True)
class BarSettings:
    """How bars are written."""

    bar: int  # frames of a bar
    beat: int = 1  # frames of a beat
    form: str = ""  # its letters are bars; "": the model decides all
    candidates: int = 1  # N
    temperature: float = 1.0
    match_weight: float = 1.0
    lengths: tuple[int, ...] = ()  # quantiles of the training songs' lengths in frames, ascending


@dataclass(eq=False)
class _Versions:
    """N versions of a bar while they are written."""

    state: State  # of N songs; the last frame is not read
    last: Frames  # (N, K)
    guards: list[Guard]
    frames: list[Frames]  # (N, K) each
    nats: Nats  # (N,)
    lengths: NDArray[np.int64]  # (N,) frames, until the piece ends
    ended: NDArray[np.bool_]  # (N,)


class BarWriter:
    """Writes one piece.

    nats: the negative log likelihood of what is written. reason: why the piece ended; None: it has
    not ended.
    """

    def __init__(
        self,
        network: Network,
        guard: Guard,
        settings: BarSettings,
        generator: np.random.Generator,
        stopped: Callable[[], bool],
    ) -> None:
        assert isinstance(network.head, KeysHead)
        self._network, self._head, self._settings = network, network.head, settings
        self._generator, self._stopped = generator, stopped
        self._guard = guard
        self._state = network.initial_state(None, 1)
        self._last: Frames = np.zeros((1, network.spec.size), np.uint8)  # not read yet
        self._length = 0  # frames, with the prompt
        self.nats = 0.0
        self.reason: EndReason | None = None

    def read(self, frames: Frames) -> None:
        """Read a prompt, (T, K)."""
        for frame in frames[:, None]:
            self._feed()
            self._add(frame)

    def write(self, limit: int, can_end: bool) -> Iterator[NDArray[np.uint8]]:
        """Yield up to `limit` frames, (K,); can_end: whether the piece may end before.

        A bar is yielded when all its versions are written; with one candidate, each frame is
        yielded when it is drawn.
        """
        form, written = self._settings.form, list[list[NDArray[np.uint8]]]()
        while limit > 0 and self.reason is None:
            number, size = len(written), min(self._settings.bar, limit)
            letter = form[number : number + 1]
            ends = can_end and number >= len(form)
            if letter and form.index(letter) < number:
                source = self._repeat(written[form.index(letter)][:size])
            elif self._settings.candidates == 1:
                source = self._draw(size, ends)
            else:
                last = number == len(form) - 1
                cadence = last or (bool(letter) and number % PART_BARS == PART_BARS - 1)
                other = written if letter and not last else []
                source = self._choose(size, ends, cadence, can_end and last, other)
            bar = []
            for frame in source:
                bar.append(frame)
                yield frame
            written.append(bar)
            limit -= len(bar)
            if can_end and len(written) == len(form) and self.reason is None:
                self.nats += float(self._end_nats(self._feed())[0])
                self.reason = "end"
        self.reason = self.reason or "length"

    def _feed(self) -> HeadInput:
        """Read the last frame."""
        return self._network.feed(self._state, self._last, self._settings.match_weight)

    def _add(self, frame: Frames) -> None:
        """Take a frame, (1, K), as the last one."""
        self._last = frame
        self._length += 1
        self._guard.add(frame)

    def _end_nats(self, inputs: HeadInput) -> Nats:
        """Return the negative log likelihood, (N,), that the pieces end."""
        return np.logaddexp(0.0, -self._head.end_logits(inputs), dtype=np.float64)

    def _draw_ends(
        self, inputs: HeadInput, length: int, lean: float = 0.0
    ) -> tuple[NDArray[np.bool_], Nats]:
        """Draw which pieces end in place of the next frame; also return the nats of it, (N,).

        A piece has at least one frame. A temperature above 1 is for keys only: it would end the
        piece after a few frames. length: frames so far. lean: added to the log odds of the end.
        """
        logits = self._head.end_logits(inputs).astype(np.float64)
        noise = self._generator.logistic(size=len(logits))
        noise *= min(self._settings.temperature, 1.0)
        ends = (logits + lean + noise > 0) & (length > 0)
        return ends, np.logaddexp(0.0, np.where(ends, -logits, logits))

    def _repeat(self, bar: list[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        """Read and yield the frames of an earlier bar."""
        for frame in bar:
            if self._stopped():
                self.reason = "stopped"
                return
            self.nats += float(self._head.nats(self._feed(), frame[None])[0])
            self._add(frame[None])
            yield frame

    def _draw(self, size: int, ends: bool) -> Iterator[NDArray[np.uint8]]:
        """Draw a bar frame by frame; ends: whether the piece may end."""
        for _ in range(size):
            if self._stopped():
                self.reason = "stopped"
                return
            inputs = self._feed()
            if ends:
                ended, nats = self._draw_ends(inputs, self._length)
                self.nats += float(nats[0])
                if ended[0]:
                    self.reason = "end"
                    return
            frame, frame_nats = self._guard.draw(
                self._head, inputs, self._settings.temperature, self._generator
            )
            self.nats += float(frame_nats[0])
            self._add(frame)
            yield frame[0]

    def _choose(
        self,
        size: int,
        ends: bool,
        cadence: bool,
        last: bool,
        other: Sequence[Sequence[NDArray[np.uint8]]],
    ) -> Iterator[NDArray[np.uint8]]:
        """Write the versions of a bar and yield the frames of the one that is kept.

        ends: whether the piece may end in it. cadence: whether it ends a part. last: whether it
        ends the piece, so that its end counts as a part of each version. other: earlier bars, which
        it does not repeat if there is another version.
        """
        count = self._settings.candidates
        versions = _Versions(
            copy_songs(self._state, [0] * count),
            self._last.repeat(count, 0),
            [copy.copy(self._guard) for _ in range(count)],
            [],
            np.zeros(count),
            np.zeros(count, np.int64),
            np.zeros(count, np.bool_),
        )
        for _ in range(size):
            if self._stopped():
                self.reason = "stopped"
                return
            self._draw_versions(versions, ends)
        nats = versions.nats
        if last:
            state = copy_songs(versions.state, range(count))
            weight = self._settings.match_weight
            nats = nats + self._end_nats(self._network.feed(state, versions.last, weight))
        bars = np.stack(versions.frames, 1)  # (N, size, K)
        earlier = {np.stack(bar).tobytes() for bar in other}
        rows = [row for row in range(count) if bars[row].tobytes() not in earlier] or range(count)
        beat = self._settings.beat
        clashes = {
            row: dissonance(bars[row, : versions.lengths[row] : beat, :KEYS]) for row in rows
        }
        per_frame = nats / (versions.lengths + versions.ended + last)
        rows = sorted(rows, key=clashes.__getitem__)[: max(1, len(rows) * 3 // 4)]
        order = sorted(rows, key=per_frame.__getitem__)
        kept = order[0 if cadence else len(order) // 2]
        length = versions.lengths[kept]
        self._state = select_songs(versions.state, [kept])
        self._last, self._guard = versions.last[[kept]], versions.guards[kept]
        self._length += int(length)
        self.nats += float(versions.nats[kept])
        if versions.ended[kept]:
            self.reason = "end"
        for frames in versions.frames[:length]:
            yield frames[kept]

    def _draw_versions(self, versions: _Versions, ends: bool) -> None:
        """Draw the next frame of each version that has not ended."""
        inputs = self._network.feed(versions.state, versions.last, self._settings.match_weight)
        live = ~versions.ended
        if ends:
            length = self._length + len(versions.frames)
            lean = end_lean(length, self._settings.lengths)
            ended, nats = self._draw_ends(inputs, length, lean)
            versions.nats += np.where(live, nats, 0.0)
            versions.ended |= ended
            live &= ~ended
        frames, nats = draw_guarded(
            versions.guards, self._head, inputs, self._settings.temperature, self._generator
        )
        versions.nats += np.where(live, nats, 0.0)
        versions.lengths += live
        versions.frames.append(frames)
        versions.last = frames
