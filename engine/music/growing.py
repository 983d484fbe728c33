"""The notes of frames that come one by one, as those of a finished roll."""

from collections.abc import Collection

from engine.music.score import Note


class GrowingNotes:
    """Tells held notes from repeated ones while the roll grows.

    After `end`, the notes given are those of `from_frames(…).score()`, in the order of their ends.
    """

    def __init__(self, frame: float, velocity: int = 80) -> None:
        self.frame = frame  # seconds
        self.velocity = velocity
        self.count = 0  # frames so far
        self._began: dict[int, int] = {}  # by pitch that sounds: the frame of its onset

    @property
    def seconds(self) -> float:
        """How long the frames so far are."""
        return self.count * self.frame

    @property
    def until(self) -> float:
        """Every note that starts before this second has been given."""
        return min(self._began.values(), default=self.count) * self.frame

    def add(self, keys: Collection[int], onsets: Collection[int] | None = None) -> list[Note]:
        """Take in a frame's pitches; gives the notes that sound no more.

        onsets: the pitches struck in this frame; None where that is not known, and a key that
        sounds on is held.
        """
        struck = set(onsets or ())
        sounding = struck.union(keys)
        over = [pitch for pitch in self._began if pitch in struck or pitch not in sounding]
        notes = [self._note(pitch, self._began.pop(pitch)) for pitch in over]
        for pitch in sounding:
            self._began.setdefault(pitch, self.count)
        self.count += 1
        return notes

    def held(self) -> list[Note]:
        """The notes that still sound, as far as they have come."""
        return [self._note(pitch, began) for pitch, began in self._began.items()]

    def end(self) -> list[Note]:
        """There are no more frames: gives the notes that sounded to the last."""
        notes = self.held()
        self._began.clear()
        return notes

    def _note(self, pitch: int, began: int) -> Note:
        return Note(began * self.frame, self.count * self.frame, pitch, self.velocity)
