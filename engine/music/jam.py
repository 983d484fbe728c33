"""A partner to play with: what a person plays is answered, or accompanied, by a model of music.

Both partners take the keys that a person plays and the answers of the sampler's process, and send
requests to the two. They read no clock: moments are seconds of the system's clock
(`time.perf_counter`), which all processes share.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from engine.music.key_finding import find_key
from engine.music.piano_roll import from_score
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.score import Note, Score
from engine.options import OptionValue
from engine.protocol import (
    AccompanyFrame,
    Failed,
    Frame,
    FrameLength,
    Hush,
    Id,
    KeyPlayed,
    MusicDone,
    MusicFrame,
    Perform,
    PlayerRequest,
    SampleMusic,
    SamplerAnswer,
    SamplerRequest,
    TimedKey,
)

LEAD = 0.15  # seconds before a rest is over in which the sampler prepares the answer
BAR = 4  # beats
MAX_ANSWER = 8 * BAR  # beats
MAX_PROMPT = 512  # frames of the conversation that the model continues
MAX_SILENCE = 2 * BAR  # beats without a key, after which the accompaniment stops
GRACE = 0.04  # seconds after a frame begins, in which keys that are struck count as its own
DELAY = 0.09  # seconds after a frame begins, when its accompaniment is played
VELOCITY = 72


@dataclass(frozen=True)
class PartnerSettings:
    """What a partner plays with, and how."""

    model: str
    frame: FrameLength  # of the model
    tempo: float  # beats per minute
    rest: float = 1.0  # beats of silence that end a phrase
    options: Mapping[str, OptionValue] = field(default_factory=dict)  # of sampling
    seed: int | None = None

    @property
    def beat(self) -> float:
        """The length of a beat in seconds."""
        return 60 / self.tempo

    @property
    def frame_seconds(self) -> float:
        """The length of a frame in seconds."""
        return self.frame.beats * self.beat if self.frame.beats else self.frame.seconds


class FramePlayer:
    """Turns frames into key events."""

    def __init__(self) -> None:
        self.sounding: set[int] = set()

    def play(self, frame: Frame, at: float) -> tuple[TimedKey, ...]:
        """Return the events of a frame that begins at a moment."""
        keys = {*frame.keys}
        struck = {*(frame.onsets or ())} | (keys - self.sounding)
        ended = (self.sounding - keys) | (struck & self.sounding)
        self.sounding = keys
        return (
            *(TimedKey(at, pitch, 0) for pitch in sorted(ended)),
            *(TimedKey(at, pitch, VELOCITY) for pitch in sorted(struck)),
        )


class Answerer:
    """Waits for a phrase and a rest, then continues the phrase, in its time and key.

    The answer begins on a beat of the phrase, within one beat of the rest, and is as long as the
    phrase, in whole bars. The first key that is struck ends it.
    """

    def __init__(
        self,
        settings: PartnerSettings,
        play: Callable[[PlayerRequest], object],
        ask: Callable[[SamplerRequest], Id],
        stop: Callable[[], object],
    ) -> None:
        """play, ask: send a request to the player and to the sampler; stop: stops the sampler."""
        self._settings, self._play, self._ask, self._stop = settings, play, ask, stop
        self._down: dict[int, float] = {}  # when each key that is down was struck
        self._phrase: list[Note] = []  # with times from its first strike
        self._origin: float | None = None  # the moment of that strike; None: no phrase yet
        self._released = 0.0  # the moment of the last release
        self._notes: list[Note] = []  # all that was played, to find the key
        self._history: list[Frame] = []  # of the conversation, before the answer
        self._id: Id = None  # of the request for the answer; None: it is complete
        self._shift = 0
        self._start = 0.0  # when the answer begins
        self._length = 0  # frames
        self._answer: list[Frame] = []  # the frames received, at their own pitch
        self._frames = FramePlayer()

    def take_key(self, played: KeyPlayed) -> None:
        """Take a key that the person strikes or releases."""
        if not LOWEST_PITCH <= played.pitch <= HIGHEST_PITCH:
            return
        if played.velocity:
            self._interrupt(played.at)
            if self._origin is None:
                self._origin = played.at
            self._down[played.pitch] = played.at
            return
        start = self._down.pop(played.pitch, None)
        if start is None or self._origin is None:
            return
        self._released = played.at
        end = max(played.at, start + 0.01)
        self._phrase.append(Note(start - self._origin, end - self._origin, played.pitch))

    def due(self) -> float | None:
        """Return when to ask for an answer if no key is struck before; None: not yet known."""
        if self._down or not self._phrase:
            return None
        rest = self._settings.rest * self._settings.beat
        return self._released + max(rest - LEAD, rest / 2)

    def tick(self, now: float) -> None:
        """Ask for an answer if the phrase has ended."""
        due = self.due()
        if due is None or now < due:
            return
        assert self._origin is not None
        settings = self._settings
        score = Score(tuple(self._phrase), settings.tempo)
        roll = from_score(score, settings.frame_seconds)
        self._history += [
            Frame(*(tuple((row.nonzero()[0] + LOWEST_PITCH).tolist()) for row in rows))
            for rows in zip(roll.sounding, roll.onset, strict=True)
        ]
        self._history = self._history[-MAX_PROMPT:]
        self._notes = [*self._notes, *self._phrase][-MAX_PROMPT:]
        self._shift = find_key(self._notes).to_c
        bar = BAR * settings.beat / settings.frame_seconds  # frames
        bars = min(max(1, math.ceil(len(roll) / bar - 1e-6)), MAX_ANSWER // BAR)
        self._length = max(1, round(bars * bar))
        self._start = self._next_beat(max(now, self._released + settings.rest * settings.beat))
        self._answer, self._frames = [], FramePlayer()
        self._id = self._ask(
            SampleMusic(
                settings.model,
                frames=tuple(_moved(frame, self._shift) for frame in self._history),
                options=settings.options,
                seed=settings.seed,
                length=self._length + round(bar),  # silence at its beginning is left out
            )
        )
        self._phrase = []

    def _next_beat(self, earliest: float, beats: float = 1.0) -> float:
        """Return the first moment from `earliest` on the phrase's beat, or on `beats` of it."""
        assert self._origin is not None
        step = beats * self._settings.beat
        return self._origin + math.ceil((earliest - self._origin) / step - 1e-9) * step

    def receive(self, answer: SamplerAnswer, now: float) -> None:
        """Take an answer of the sampler, and have it played."""
        if self._id is None or answer.id != self._id:
            return
        match answer:
            case MusicFrame(frame):
                self._receive_frame(_moved(frame, -self._shift), now)
            case MusicDone() | Failed():
                self._finish()

    def _receive_frame(self, frame: Frame, now: float) -> None:
        if not self._answer:
            if not frame.keys:
                return
            if self._start < now:  # the sampler was late
                self._start = self._next_beat(now, beats=0.5)
        if len(self._answer) == self._length:
            return
        at = self._start + len(self._answer) * self._settings.frame_seconds
        self._answer.append(frame)
        self._play(Perform(self._frames.play(frame, at)))
        if len(self._answer) == self._length:
            self._finish()

    def _finish(self) -> None:
        """End the answer after its last frame."""
        self._id, self._origin = None, None
        self._play(Perform(self._frames.play(Frame((), None), self._end)))

    @property
    def _end(self) -> float:
        return self._start + len(self._answer) * self._settings.frame_seconds

    def _interrupt(self, now: float) -> None:
        """Stop the answer if it is not over; remember as much of it as was played."""
        if self._id is not None:
            self._stop()
            self._id = None
            self._origin = None
        if now < self._end:
            self._play(Hush())
            played = max(0, math.ceil((now - self._start) / self._settings.frame_seconds))
            self._answer = self._answer[:played]
        self._history += self._answer
        self._answer = []


class Accompanier:
    """Adds keys beneath what a person plays, in frames of a steady beat from the first key on.

    A frame's keys are those that are down when it begins, or are struck shortly after.
    """

    def __init__(
        self,
        settings: PartnerSettings,
        play: Callable[[PlayerRequest], object],
        ask: Callable[[SamplerRequest], Id],
    ) -> None:
        """play, ask: send a request to the player and to the sampler."""
        self._settings, self._play, self._ask = settings, play, ask
        self._down: set[int] = set()
        self._struck: set[int] = set()  # since the last frame
        self._origin: float | None = None  # when the first frame begins; None: silence
        self._next = 0  # index of the next frame
        self._silent_since = 0.0
        self._waiting: dict[Id, int] = {}  # by request: the index of its frame
        self._frames = FramePlayer()

    def take_key(self, played: KeyPlayed) -> None:
        """Take a key that the person strikes or releases."""
        if not LOWEST_PITCH <= played.pitch <= HIGHEST_PITCH:
            return
        if played.velocity:
            if self._origin is None:
                self._origin, self._next = played.at, 0
            self._down.add(played.pitch)
            self._struck.add(played.pitch)
        else:
            self._down.discard(played.pitch)
            self._silent_since = played.at

    def due(self) -> float | None:
        """Return the moment of the next frame; None in silence."""
        if self._origin is None:
            return None
        return self._begin(self._next) + GRACE

    def tick(self, now: float) -> None:
        """Ask for the keys of the next frame if it has begun."""
        due = self.due()
        if due is None or now < due:
            return
        settings = self._settings
        silence = now - self._silent_since
        if not (self._down or self._struck) and silence > MAX_SILENCE * settings.beat:
            self._origin = None
            self._waiting.clear()
            self._play(Hush())
            self._frames = FramePlayer()
            return
        request = AccompanyFrame(
            settings.model,
            tuple(sorted(self._down | self._struck)),
            tuple(sorted(self._struck)),
            restart=self._next == 0,
            options=settings.options,
            seed=settings.seed,
        )
        self._waiting[self._ask(request)] = self._next
        self._struck.clear()
        # After a pause of this process, the frames that have passed are left out.
        self._next += 1 + max(0, math.floor((now - due) / settings.frame_seconds))

    def receive(self, answer: SamplerAnswer, now: float) -> None:  # noqa: ARG002 (as `Answerer`)
        """Take an answer of the sampler, and have it played."""
        index = self._waiting.pop(answer.id, None)
        if index is not None and isinstance(answer, MusicFrame):
            at = self._begin(index) + DELAY
            self._play(Perform(self._frames.play(answer.frame, at)))

    def _begin(self, index: int) -> float:
        """Return when a frame begins."""
        assert self._origin is not None
        return self._origin + index * self._settings.frame_seconds


def _moved(frame: Frame, semitones: int) -> Frame:
    """Return a frame transposed, without the keys that are then not on the piano."""

    def move(pitches: Collection[int]) -> tuple[int, ...]:
        moved = (pitch + semitones for pitch in pitches)
        return tuple(pitch for pitch in moved if LOWEST_PITCH <= pitch <= HIGHEST_PITCH)

    return Frame(move(frame.keys), None if frame.onsets is None else move(frame.onsets))
