"""Key events at given moments, on a port on which a person plays too.

Nothing here reads a clock: moments are seconds of the system's clock (`time.perf_counter`), which
all processes share.
"""

import heapq
import itertools
from collections.abc import Iterable

from engine.music.transport import KeyEvent
from engine.protocol import TimedKey


class LiveKeys:
    """The keys that a person holds, and scheduled events of other keys.

    A key that the person holds is theirs: scheduled events do not strike or release it.
    """

    def __init__(self) -> None:
        self._events: list[tuple[float, int, int, TimedKey]] = []  # a heap
        self._numbers = itertools.count()
        self._sounding: set[int] = set()  # struck by a scheduled event
        self._held: set[int] = set()  # by the person

    def take_key(self, pitch: int, velocity: int) -> None:
        """Note that the person strikes a key, or releases it (velocity 0)."""
        if velocity:
            self._held.add(pitch)
            self._sounding.discard(pitch)
        else:
            self._held.discard(pitch)

    def schedule(self, events: Iterable[TimedKey]) -> None:
        """Add events; releases come before strikes of the same moment."""
        for event in events:
            order = event.at, int(event.velocity > 0), next(self._numbers)
            heapq.heappush(self._events, (*order, event))

    def due(self) -> float | None:
        """Return the moment of the next event; None without one."""
        return self._events[0][0] if self._events else None

    def advance(self, now: float) -> list[KeyEvent]:
        """Return all key events due until now, in order."""
        keys: list[KeyEvent] = []
        while self._events and self._events[0][0] <= now:
            event = heapq.heappop(self._events)[-1]
            if event.pitch in self._sounding:  # also before it is struck again
                self._sounding.discard(event.pitch)
                keys.append(KeyEvent(event.pitch, 0))
            if event.velocity and event.pitch not in self._held:
                self._sounding.add(event.pitch)
                keys.append(KeyEvent(event.pitch, event.velocity))
        return keys

    def hush(self) -> list[KeyEvent]:
        """Drop all scheduled events, and release the keys that they struck."""
        self._events.clear()
        keys = [KeyEvent(pitch, 0) for pitch in sorted(self._sounding)]
        self._sounding.clear()
        return keys

    def release_all(self) -> list[KeyEvent]:
        """Do as `hush`, and release the person's keys too."""
        keys = self.hush() + [KeyEvent(pitch, 0) for pitch in sorted(self._held)]
        self._held.clear()
        return keys
