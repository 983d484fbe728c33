"""The player's process: `python -m engine.music.player`; its messages: `engine.protocol`.

It reads requests from stdin and writes answers to stdout. It owns the MIDI ports, the one that it
plays on and the one on which a person plays, so that notes are on time however busy the app is.
Positions are seconds of the song as written (at speed factor 1).

The position is sent 20 times a second during playback, and after every request. All notes are
released before the process ends, also when its parent is killed (stdin ends then); only a SIGKILL
of the process itself prevents that.
"""

import contextlib
import gc
import math
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import mido

from engine import protocol
from engine.errors import InputError, WorkError
from engine.music import ports
from engine.music.live import LiveKeys
from engine.music.ports import PortWatcher
from engine.music.score import Note
from engine.music.transport import MIN_LOOP_SECONDS, KeyEvent, Metronome, Transport
from engine.processes import LineWriter, read_lines
from engine.protocol import (
    AppendNotes,
    Hush,
    Id,
    KeyPlayed,
    Listen,
    Listening,
    ListPorts,
    LoadNotes,
    Loop,
    MessageError,
    NoteRow,
    OpenPort,
    Panic,
    Pause,
    Perform,
    Play,
    PlaybackEnded,
    PlaybackStatus,
    PlayerAnswer,
    PlayerFailed,
    PlayerRequest,
    Port,
    PortList,
    PortOpened,
    Quit,
    Seek,
    SetMetronome,
    SetProgram,
    SetTempo,
    SetVelocity,
    StopListening,
    StopPlaying,
    Transpose,
)

SPIN = 0.002  # seconds before a note in which the process polls the clock instead of sleeping
REPORT_EVERY = 0.05  # seconds between two reports of the position
GAP = 1.0  # seconds: a longer pause of the main loop means that the process was suspended
# Controllers that silence a synthesizer: sustain pedal up, all notes off, all sound off.
_CONTROLS = (64, 123, 120)
# Messages of an input port that the output port plays.
_ECHOED = {"note_on", "note_off", "control_change", "pitchwheel", "aftertouch", "polytouch"}


class Suspend:
    """The process is to suspend itself, because ctrl-z was pressed."""


@dataclass(frozen=True)
class PortGone:
    """A port is not listed any more, for example because its device was unplugged."""

    watcher: PortWatcher  # the one that watched it


@dataclass(frozen=True)
class Received:
    """A message from the input port."""

    message: Any  # a mido.Message
    at: float  # when it was received


Request = PlayerRequest | MessageError | Suspend | PortGone | Received


class Player:
    """Answers requests, and plays the loaded song in between."""

    def __init__(
        self, requests: "queue.SimpleQueue[Request]", answer: Callable[[PlayerAnswer], object]
    ) -> None:
        self._requests, self._answer = requests, answer
        self._transport = Transport()
        self._port: Any = None
        self._watcher: PortWatcher | None = None
        self._input: Any = None
        self._input_watcher: PortWatcher | None = None
        self._echo = True  # whether the output port plays these keys too
        self._live = LiveKeys()
        self._id: Id = None  # the song's id
        self._program = 0  # the General MIDI instrument
        self._reported = -math.inf  # the moment of the last report
        self._state = False, False, False  # last reported: playing, waiting, ended
        self._handlers: dict[type, Callable[[Any], None]] = {
            LoadNotes: self._load,
            AppendNotes: self._append,
            Play: self._play,
            Pause: lambda _: self._send_keys(self._transport.pause(self._now())),
            StopPlaying: lambda _: self._send_keys(self._transport.stop(self._now())),
            Seek: self._seek,
            Loop: self._loop,
            SetTempo: self._set_tempo,
            SetMetronome: self._set_metronome,
            SetVelocity: self._set_velocity,
            Transpose: self._transpose,
            SetProgram: self._set_program,
            Panic: self._panic,
            OpenPort: self._choose_port,
            ListPorts: self._list_ports,
            Listen: self._listen,
            StopListening: lambda _: self._close_input(),
            Perform: lambda request: self._live.schedule(request.events),
            Hush: lambda _: self._send_keys(self._live.hush()),
        }

    def run(self) -> None:
        """Play and answer requests until one asks to quit; then release all notes."""
        before = self._now()
        try:
            while True:
                request, now = self._wait(), self._now()
                if now - before > GAP and self._transport.playing:
                    self._transport.exclude_pause(now - before)
                match request:
                    case None:
                        self._send_keys(self._transport.advance(now))
                    case Received():
                        self._receive(request)
                    case Quit():
                        break
                    case Suspend():
                        self._suspend()
                    case PortGone(watcher):
                        if watcher is self._watcher:  # otherwise that port was closed meanwhile
                            self._all_off()  # in case it is still there
                            self._lose_port(ports.GONE)
                        elif watcher is self._input_watcher:
                            self._lose_input()
                    case _:
                        self._handle(request)
                self._send_keys(self._live.advance(now))
                self._report(requested=not isinstance(request, Received | None))
                before = self._now()
        finally:
            self._close_input()
            self._close_port()

    @staticmethod
    def _now() -> float:
        return time.perf_counter()

    def _wait(self) -> Request | None:
        """Wait for the next request; return None if a key or a report is due first."""
        plays, live = self._transport.due(), self._live.due()
        if plays is None and live is None:
            return self._requests.get()
        due = min(moment for moment in (plays, live) if moment is not None)
        wake = due - SPIN if plays is None else min(due - SPIN, self._reported + REPORT_EVERY)
        try:
            return self._requests.get(timeout=max(0.0, wake - self._now()))
        except queue.Empty:
            if due - self._now() <= SPIN:
                while self._now() < due:
                    pass
            return None

    def _report(self, requested: bool) -> None:
        """Send the position and state if a report is requested or due, or the state has changed."""
        now, transport = self._now(), self._transport
        state = transport.playing, transport.waiting, transport.ended
        late = now - self._reported >= REPORT_EVERY and transport.due() is not None
        if not (requested or late or state != self._state):
            return
        self._answer(
            PlaybackStatus(
                position=round(transport.position(now), 4),
                duration=transport.duration,
                playing=transport.playing,
                waiting=transport.waiting,
                id=self._id,
            )
        )
        if transport.ended and not self._state[2]:
            self._answer(PlaybackEnded(id=self._id))
        self._state, self._reported = state, now

    def _handle(self, request: PlayerRequest | MessageError) -> None:
        kind = request.kind if isinstance(request, MessageError) else type(request)
        try:
            if isinstance(request, MessageError):
                raise request
            self._handlers[type(request)](request)
        except (InputError, WorkError) as error:
            self._answer(PlayerFailed(str(error), None if kind is None else kind.DO))

    # ── the port ─────────────────────────────────────────────────────────────────────────────────

    def _send_keys(self, keys: Iterable[KeyEvent]) -> None:
        """Send key events to the port; without a port they are dropped."""
        for key in keys:
            kind = "note_on" if key.velocity else "note_off"
            velocity = key.velocity or 64
            self._send(mido.Message(kind, channel=key.channel, note=key.pitch, velocity=velocity))

    def _send(self, message: Any) -> None:
        if self._port is None:
            return
        try:
            self._port.send(message)
        except Exception as error:  # each MIDI library raises its own if a device is unplugged
            self._lose_port(" ".join(str(error).split()))

    def _lose_port(self, words: str) -> None:
        self._port = None
        self._stop_watcher()
        self._transport.pause(self._now())
        self._answer(PlayerFailed(ports.gone_sentence(words), OpenPort.DO))

    def _all_off(self) -> None:
        self._send_keys(self._transport.release_all() + self._live.release_all())
        for control in _CONTROLS:
            self._send(mido.Message("control_change", control=control, value=0))

    def _close_port(self) -> None:
        self._all_off()
        self._stop_watcher()
        if self._port is not None:
            with contextlib.suppress(Exception):
                self._port.close()
            self._port = None

    def _open_port(self, name: str | None) -> None:
        self._all_off()
        port = ports.find(name)
        self._close_port()  # before the next one is opened: JACK allows us only one
        try:
            self._port = ports.open_port(port)
        except InputError:
            self._transport.pause(self._now())
            raise
        self._start_watcher(port)
        self._send(mido.Message("program_change", program=self._program))
        self._answer(PortOpened(port))

    def _start_watcher(self, port: Port) -> None:
        def gone() -> None:
            self._requests.put(PortGone(watcher))

        watcher = self._watcher = PortWatcher(port, lambda: self._transport.playing, gone)

    def _stop_watcher(self) -> None:
        if self._watcher is not None:
            self._watcher.end()
            self._watcher = None

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """Stop the position for the duration of the block; playback then continues from there."""
        began = self._now()
        self._send_keys(self._transport.advance(began))
        try:
            yield
        finally:
            self._transport.exclude_pause(self._now() - began)

    # ── the input port ───────────────────────────────────────────────────────────────────────────

    def _listen(self, request: Listen) -> None:
        self._close_input()
        port = ports.find_input(request.name)

        raised = threading.Event()

        def receive(message: Any) -> None:  # in a thread of the MIDI library
            self._requests.put(Received(message, self._now()))
            if not raised.is_set():
                raised.set()
                _use_real_time()

        def gone() -> None:
            self._requests.put(PortGone(watcher))

        self._input, self._echo = ports.open_input(port, receive), request.echo
        watcher = self._input_watcher = PortWatcher(port, lambda: True, gone)
        self._answer(Listening(port))

    def _receive(self, received: Received) -> None:
        """Echo a message, and report keys that it strikes or releases."""
        message = received.message
        if message.type not in _ECHOED:
            return
        if message.type not in {"note_on", "note_off"}:
            if self._echo:
                self._send(message.copy(channel=0))
            return
        velocity = message.velocity if message.type == "note_on" else 0
        if self._echo:
            self._send_keys([KeyEvent(message.note, velocity)])
            self._live.take_key(message.note, velocity)
        self._answer(KeyPlayed(message.note, velocity, received.at))

    def _close_input(self) -> None:
        if self._input_watcher is not None:
            self._input_watcher.end()
            self._input_watcher = None
        if self._input is not None:
            with contextlib.suppress(Exception):
                self._input.close()
            self._input = None
            self._send_keys(self._live.release_all())

    def _lose_input(self) -> None:
        self._close_input()
        self._answer(PlayerFailed(ports.gone_sentence(ports.GONE, "input"), Listen.DO))

    # ── the requests ─────────────────────────────────────────────────────────────────────────────

    def _load(self, request: LoadNotes) -> None:
        self._send_keys(self._transport.load(_notes(request.notes), _end(request.until)))
        self._id = request.id

    def _append(self, request: AppendNotes) -> None:
        notes, until = _notes(request.notes), _end(request.until)
        self._send_keys(self._transport.append(notes, until, self._now()))

    def _play(self, _: Play) -> None:
        if self._port is None:
            self._open_port(None)
        self._send_keys(self._transport.play(self._now()))
        self._state = False, False, False  # so that the end of an empty song is reported again

    def _seek(self, request: Seek) -> None:
        self._send_keys(self._transport.seek(request.seconds, self._now()))

    def _loop(self, request: Loop) -> None:
        loop = None
        if request.on:
            start, end = loop = request.start, _end(request.end)
            if end - start < MIN_LOOP_SECONDS:
                raise InputError(
                    f"The loop from {start:g} to {end:g} s is too short: give at least "
                    f"{MIN_LOOP_SECONDS:g} s."
                )
        self._send_keys(self._transport.set_loop(loop, self._now()))

    def _set_tempo(self, request: SetTempo) -> None:
        self._send_keys(self._transport.set_tempo(request.factor, self._now()))

    def _set_metronome(self, request: SetMetronome) -> None:
        wanted = request.on and request.beats
        metronome = Metronome(request.beats, request.bar) if wanted else None
        self._send_keys(self._transport.set_metronome(metronome, self._now()))

    def _set_velocity(self, request: SetVelocity) -> None:
        self._transport.velocity_scale = request.factor

    def _transpose(self, request: Transpose) -> None:
        self._send_keys(self._transport.set_transpose(request.semitones, self._now()))

    def _set_program(self, request: SetProgram) -> None:
        self._program = request.number
        with self._held():  # the built-in synthesizer takes a moment to prepare
            self._send(mido.Message("program_change", program=self._program))

    def _panic(self, _: Panic) -> None:
        """Silence the port, with a note-off for each key too: some ignore all-notes-off."""
        self._all_off()
        self._send_keys(KeyEvent(pitch, 0) for pitch in range(128))

    def _choose_port(self, request: OpenPort) -> None:
        with self._held():
            self._open_port(request.name)

    def _list_ports(self, _: ListPorts) -> None:
        def scan() -> None:
            try:
                self._answer(PortList(ports.scan().ports))
            except WorkError as error:
                self._answer(PlayerFailed(str(error), ListPorts.DO))

        threading.Thread(target=scan, daemon=True).start()

    def _suspend(self) -> None:
        """Silence the port and suspend the process, as ctrl-z does; then continue where it was."""
        with self._held():
            self._all_off()
            os.kill(os.getpid(), signal.SIGSTOP)


def _notes(rows: Iterable[NoteRow]) -> list[Note]:
    return [Note(*row) for row in rows]


def _end(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds


def serve(requests: "queue.SimpleQueue[Request]") -> None:
    """Run the player until stdin ends or it is asked to quit.

    Requests come from stdin, and from signal handlers through `requests`.
    """

    def receive(line: bytes) -> None:
        try:
            requests.put(protocol.decode(line, protocol.PLAYER_REQUESTS))
        except MessageError as error:
            requests.put(error)

    def end() -> None:
        requests.put(Quit())

    def answer(message: PlayerAnswer) -> None:
        writer.write(message, droppable=isinstance(message, PlaybackStatus))

    writer = LineWriter[PlayerAnswer](protocol.encode, closed=end)
    read_lines(receive, end)
    Player(requests, answer).run()
    writer.close()


def _raise_priority() -> None:
    """Disable the garbage collector and request a real-time priority, so that notes are on time."""
    gc.collect()
    gc.disable()
    _use_real_time()


def _use_real_time() -> None:
    """Request a real-time priority for this thread, unless it has one, as those of JACK have."""
    with contextlib.suppress(AttributeError, OSError):  # not on this system, or not permitted
        if os.sched_getscheduler(0) == os.SCHED_OTHER:
            policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
            os.sched_setscheduler(0, policy, os.sched_param(1))


def main() -> None:
    """Run the player until stdin ends, a request or a signal ends it, or stdout has no reader."""
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is meant for the parent
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: requests.put(Quit()))
    if hasattr(signal, "SIGTSTP"):
        signal.signal(signal.SIGTSTP, lambda *_: requests.put(Suspend()))
    _raise_priority()
    serve(requests)


if __name__ == "__main__":
    main()
