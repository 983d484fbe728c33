"""Noticing that a port is gone: JACK and ALSA take what is sent to one without a word."""

import threading
from collections.abc import Callable

from engine.errors import WorkError
from engine.music import ports
from engine.music.ports import Port

EVERY = 4.0  # seconds from one look to the next: a look takes a process
_MISSES = 2  # looks that must miss it: under load one may fail to see what is there


class Watch:
    """Looks, in a thread, whether a port is still listed; calls `gone` once when it is not."""

    def __init__(self, port: Port, playing: Callable[[], bool], gone: Callable[[], None]) -> None:
        self._port, self._playing, self._gone = port, playing, gone
        self._ended = threading.Event()
        if port.kind == "port":  # others are this process's own
            threading.Thread(target=self._look, daemon=True).start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()

    def _look(self) -> None:
        missed = 0
        while missed < _MISSES and not self._ended.wait(EVERY):
            if self._playing():
                missed = 0 if self._listed() else missed + 1
        if not self._ended.is_set():
            self._gone()

    def _listed(self) -> bool:
        try:
            return self._port in ports.scan().ports
        except WorkError:
            return True
