"""The player's process: `python -m engine.music.player`, requests on stdin, answers on stdout.

It owns the MIDI port and nothing else, so that notes are on time whatever the screen does. One JSON
object a line, both ways; positions are seconds of the song as written.

    → {"do": "load", "id": 1, "notes": [[start, end, pitch, velocity], …], "until": null}
    → {"do": "notes", "notes": […], "until": 12.5}     more of it; null: that is all
    → {"do": "play"}, {"do": "pause"}, {"do": "stop"}, {"do": "seek", "seconds": 3.5}
    → {"do": "loop", "on": true, "start": 0, "end": null}        null: the song's end
    → {"do": "tempo", "factor": 1.5}, {"do": "velocity", "factor": 0.8}
    → {"do": "transpose", "semitones": -2}, {"do": "program", "number": 0}
    → {"do": "port", "name": "FLUID"}                  null: a good one; "rnn-tui": a virtual one;
                                                       "silent": none, and time passes all the same
    → {"do": "ports"}, {"do": "panic"}, {"do": "quit"}
    ← {"id": 1, "position": 3.52, "duration": 61.0, "playing": true, "waiting": false}
    ← {"id": 1, "ended": true}
    ← {"port": {"name": …, "api": …, "kind": …}}, {"ports": [{"name": …, …}, …]}
    ← {"error": "one sentence", "do": "port"}

`until`: every note that starts before is known; playing waits there for more. A position is said 20
times a second while playing, and after every request that moves it. `id` names the song loaded.
Whatever ends the process but a SIGKILL of its own, all notes are let go first: also the end of
stdin, as when the one who sends is killed.
"""

import contextlib
import dataclasses
import gc
import math
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import mido

from engine.errors import InputError, WorkError
from engine.music import pipes, ports
from engine.music.pipes import QUIT, Values
from engine.music.ports import PortWatcher
from engine.music.transport import MIN_LOOP_SECONDS, KeyEvent, Transport

SPIN = 0.002  # seconds before a note in which the process does not sleep any more
REPORT_EVERY = 0.05  # seconds
GAP = 1.0  # seconds: so late means that the process was stopped, not busy
# What lets go of everything in a synthesizer: the pedal up, all notes off, all sound off.
_CONTROLS = (64, 123, 120)

_SUSPEND: Values = {"do": "suspend"}


class Player:
    """Answers requests, and plays in between."""

    def __init__(self, requests: "queue.SimpleQueue[Values]", say: Callable[..., None]) -> None:
        self._requests, self._say = requests, say
        self._transport = Transport()
        self._port: Any = None
        self._watch: PortWatcher | None = None
        self._id: Any = None
        self._program = 0
        self._reported = -math.inf  # the moment of the last position said
        self._state = False, False, False  # and how it was: playing, waiting, ended
        self._handlers: dict[str, Callable[[Values], None]] = {
            "load": self._load,
            "notes": self._append,
            "play": self._play,
            "pause": lambda _: self._strike(self._transport.pause(self._now())),
            "stop": lambda _: self._strike(self._transport.stop(self._now())),
            "seek": self._seek,
            "loop": self._loop,
            "tempo": self._tempo,
            "velocity": self._velocity,
            "transpose": self._transpose,
            "program": self._choose_program,
            "panic": self._panic,
            "port": self._choose_port,
            "ports": self._list_ports,
        }

    def run(self) -> None:
        """Play and answer until told to quit; leave no note sounding."""
        seen = self._now()
        try:
            while True:
                request, now = self._wait(), self._now()
                if now - seen > GAP and self._transport.playing:
                    self._transport.exclude_pause(now - seen)
                if request is None:
                    self._strike(self._transport.advance(now))
                elif request.get("do") == "quit":
                    break
                elif request is _SUSPEND:
                    self._suspend()
                elif isinstance(request.get("do"), PortWatcher):
                    if request["do"] is self._watch:  # else of a port closed meanwhile
                        self._all_off()  # to be on the safe side
                        self._lose("it is listed no more")
                else:
                    self._answer(request)
                self._report(asked=request is not None)
                seen = self._now()
        finally:
            self._close_port()

    @staticmethod
    def _now() -> float:
        return time.perf_counter()

    def _wait(self) -> Values | None:
        """The next request; None when a key or a report is due before."""
        due = self._transport.due()
        if due is None:
            return self._requests.get()
        wake = min(due - SPIN, self._reported + REPORT_EVERY)
        try:
            return self._requests.get(timeout=max(0.0, wake - self._now()))
        except queue.Empty:
            if due - self._now() <= SPIN:
                while self._now() < due:
                    pass
            return None

    def _report(self, asked: bool) -> None:
        """Say where playing is, when that is news."""
        now, transport = self._now(), self._transport
        state = transport.playing, transport.waiting, transport.ended
        late = now - self._reported >= REPORT_EVERY and transport.due() is not None
        if not (asked or late or state != self._state):
            return
        self._say(
            id=self._id,
            position=round(transport.position(now), 4),
            duration=transport.duration,
            playing=transport.playing,
            waiting=transport.waiting,
        )
        if transport.ended and not self._state[2]:
            self._say(id=self._id, ended=True)
        self._state, self._reported = state, now

    def _answer(self, request: Values) -> None:
        do = request.get("do")
        handler = self._handlers.get(do) if isinstance(do, str) else None
        if handler is None:
            known = ", ".join(self._handlers)
            self._say(error=f"The request asks to do {do!r}: it can be {known}.", do=do)
            return
        try:
            handler(request)
        except (InputError, WorkError) as error:
            self._say(error=str(error), do=do)

    # The port.

    def _strike(self, keys: Iterable[KeyEvent]) -> None:
        """Send keys; without a port, or to one that is gone, they are lost."""
        for key in keys:
            kind = "note_on" if key.velocity else "note_off"
            self._send(mido.Message(kind, note=key.pitch, velocity=key.velocity or 64))

    def _send(self, message: Any) -> None:
        if self._port is None:
            return
        try:
            self._port.send(message)
        except Exception as error:  # each library has its own when a cable is drawn
            self._lose(" ".join(str(error).split()))

    def _lose(self, words: str) -> None:
        self._port = None
        self._end_watch()
        self._transport.pause(self._now())
        self._say(error=f"The MIDI port is gone ({words}): choose another.", do="port")

    def _all_off(self) -> None:
        self._strike(self._transport.release_all())
        for control in _CONTROLS:
            self._send(mido.Message("control_change", control=control, value=0))

    def _close_port(self) -> None:
        self._all_off()
        self._end_watch()
        if self._port is not None:
            with contextlib.suppress(Exception):
                self._port.close()
            self._port = None

    def _open_port(self, name: str | None) -> None:
        self._all_off()
        port = ports.find(name)
        self._close_port()  # before the other is opened: JACK knows but one of ours
        try:
            self._port = ports.open_port(port)
        except InputError:
            self._transport.pause(self._now())
            raise
        self._begin_watch(port)
        self._send(mido.Message("program_change", program=self._program))
        self._say(port=dataclasses.asdict(port))

    def _begin_watch(self, port: ports.Port) -> None:
        def gone() -> None:
            self._requests.put({"do": watch})

        watch = self._watch = PortWatcher(port, lambda: self._transport.playing, gone)

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.end()
            self._watch = None

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """Play nothing meanwhile, and go on from here afterwards."""
        began = self._now()
        self._strike(self._transport.advance(began))
        try:
            yield
        finally:
            self._transport.exclude_pause(self._now() - began)

    # What can be asked for.

    def _load(self, request: Values) -> None:
        notes, until = pipes.notes(request), pipes.until(request)
        self._strike(self._transport.load(notes, until))
        self._id = request.get("id")

    def _append(self, request: Values) -> None:
        notes, until = pipes.notes(request), pipes.until(request)
        self._strike(self._transport.append(notes, until, self._now()))

    def _play(self, _: Values) -> None:
        if self._port is None:
            self._open_port(None)
        self._strike(self._transport.play(self._now()))
        self._state = False, False, False  # a song without notes ends again at once

    def _seek(self, request: Values) -> None:
        seconds = pipes.number(request, "seconds", 0, 1e9)
        self._strike(self._transport.seek(seconds, self._now()))

    def _loop(self, request: Values) -> None:
        loop = None
        if request.get("on", True):
            start = pipes.number({"start": 0, **request}, "start", 0, 1e9)
            end = math.inf if request.get("end") is None else pipes.number(request, "end", 0, 1e9)
            if end - start < MIN_LOOP_SECONDS:
                raise InputError(
                    f"The loop from {start:g} to {end:g} s is too short: give at least "
                    f"{MIN_LOOP_SECONDS:g} s."
                )
            loop = start, end
        self._strike(self._transport.set_loop(loop, self._now()))

    def _tempo(self, request: Values) -> None:
        factor = pipes.number(request, "factor", 0.1, 10)
        self._strike(self._transport.set_tempo(factor, self._now()))

    def _velocity(self, request: Values) -> None:
        self._transport.velocity_scale = pipes.number(request, "factor", 0, 10)

    def _transpose(self, request: Values) -> None:
        semitones = pipes.whole(request, "semitones", -127, 127)
        self._strike(self._transport.set_transpose(semitones, self._now()))

    def _choose_program(self, request: Values) -> None:
        self._program = pipes.whole(request, "number", 0, 127)
        with self._held():  # the built-in synthesizer takes a moment to prepare
            self._send(mido.Message("program_change", program=self._program))

    def _panic(self, _: Values) -> None:
        """Let go of every key there is, one by one too: some synthesizers know no other way."""
        self._all_off()
        self._strike(KeyEvent(pitch, 0) for pitch in range(128))

    def _choose_port(self, request: Values) -> None:
        name = request.get("name")
        if not isinstance(name, str | None):
            raise InputError(f"name is {name!r}: give a port's name.")
        with self._held():
            self._open_port(name)

    def _list_ports(self, _: Values) -> None:
        def listen() -> None:
            try:
                found = ports.scan()
            except WorkError as error:
                self._say(error=str(error), do="ports")
                return
            self._say(ports=[dataclasses.asdict(port) for port in found.ports])

        threading.Thread(target=listen, daemon=True).start()

    def _suspend(self) -> None:
        """Stop as Ctrl-Z wants it, in silence; go on from here when woken."""
        with self._held():
            self._all_off()
            os.kill(os.getpid(), signal.SIGSTOP)


def _hurry() -> None:
    """Ask to be woken on time: no garbage collector, and a real-time priority if it is granted."""
    gc.collect()
    gc.disable()
    with contextlib.suppress(AttributeError, OSError):  # not on every system, not for every user
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(1))


def main() -> None:
    """Play until stdin ends, somebody says so, or nobody listens any more."""
    requests: queue.SimpleQueue[Values] = queue.SimpleQueue()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is meant for the parent, who decides
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: requests.put(QUIT))
    if hasattr(signal, "SIGTSTP"):
        signal.signal(signal.SIGTSTP, lambda *_: requests.put(_SUSPEND))
    answers = pipes.Answers(closed=lambda: requests.put(QUIT))
    threading.Thread(target=pipes.read, args=(requests, answers.say), daemon=True).start()
    _hurry()
    Player(requests, answers.say).run()
    answers.close()


if __name__ == "__main__":
    main()
