"""MIDI output ports: which there are, which one is meant, and opening it.

`python -m engine.music.ports` prints them, one JSON object a line. Ports are always listed so, in a
process of their own: the C libraries write to the screen and can crash, above all while a port is
open.
"""

import contextlib
import dataclasses
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from engine import processes
from engine.errors import InputError, WorkError
from engine.suggestions import closest, join_or

SCAN_TIMEOUT = 20.0  # seconds that listing may take

Kind = Literal["port", "synth", "virtual", "silent"]


@dataclass(frozen=True)
class Port:
    """Something to play on."""

    name: str
    api: str  # as mido calls it, UNIX_JACK; of the synthesizer "miniaudio"
    kind: Kind


@dataclass(frozen=True)
class ScanResult:
    """What there is to play on."""

    ports: tuple[Port, ...]
    synth_error: str | None = None  # why the built-in synthesizer is not among them, in a sentence


SYNTH = Port("synth", "miniaudio", "synth")  # the built-in synthesizer
SILENT = Port("silent", "none", "silent")  # none at all: time passes, and nothing is heard
VIRTUAL = "rnn-tui"  # the virtual port's name
_ORDER: tuple[Kind, ...] = ("port", "synth", "virtual")


def scan() -> ScanResult:
    """All output ports now: first the real ones, then the synthesizer, then a virtual one."""
    try:
        done = subprocess.run(
            processes.command("engine.music.ports"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SCAN_TIMEOUT,
            check=False,  # what was found before a crash counts
        )
        lines = done.stdout
    except subprocess.TimeoutExpired as error:
        lines = error.stdout or b""
    except OSError as error:
        raise WorkError(f"Cannot list the MIDI ports ({error.strerror}): try again.") from error
    found: list[Port] = []
    trouble = None
    for line in lines.splitlines():
        with contextlib.suppress(ValueError, TypeError):
            values = json.loads(line)
            if "trouble" in values:
                trouble = str(values["trouble"])
            else:
                found.append(Port(**values))
    return ScanResult(tuple(sorted(found, key=lambda port: _ORDER.index(port.kind))), trouble)


def find(name: str | None) -> Port:
    """The port of that name among those there are now; see `choose`.

    The silent port is only found by its name, and is in no list: who wants to see a song played
    where nothing can be heard must say so.
    """
    return SILENT if name == SILENT.name else choose(name, scan())


def choose(name: str | None, found: ScanResult) -> Port:
    """The port of that name, or the only one with that in its name; a good one for None.

    Raises InputError when there is none such or more than one, WorkError when there is nothing to
    play on.
    """
    if name is None:
        return _best(found)
    for port in found.ports:
        if port.name == name:
            return port
    if name == VIRTUAL:
        raise InputError(
            "Virtual MIDI ports cannot be made here (on Linux that takes ALSA's sequencer or JACK, "
            "and Windows has none): name another port."
        )
    if name == SYNTH.name and found.synth_error:
        raise InputError(found.synth_error)
    inside = [port for port in found.ports if name.casefold() in port.name.casefold()]
    if len(inside) == 1:
        return inside[0]
    names = [port.name for port in inside or found.ports]
    if inside:
        raise InputError(f"The port {name!r} could be {join_or(names)}: give more of its name.")
    near = closest(name, names, cutoff=0.4) or names
    there = f"there is {join_or(near)}" if near else "there are none at all"
    raise InputError(f"There is no MIDI port {name!r}: {there}.")


def _best(found: ScanResult) -> Port:
    for port in found.ports:
        # Linux's own "Midi Through" only hands on what it gets: nothing is heard.
        if port.kind == "synth" or (port.kind == "port" and "Midi Through" not in port.name):
            return port
    trouble = (
        found.synth_error or "The built-in synthesizer does not answer: connect a synthesizer."
    )
    raise WorkError(f"There is no MIDI port to play on, and {trouble[:1].lower()}{trouble[1:]}")


def open_port(port: Port) -> Any:
    """Open it: a `mido.ports.BaseOutput`. Raises InputError when it cannot be opened."""
    if port.kind == "synth":
        from engine.music.synth_port import SynthPort

        return SynthPort(port.name)
    import mido.ports

    if port.kind == "silent":
        return mido.ports.BaseOutput(port.name)  # which does nothing with what it is sent
    backend = mido.Backend(f"mido.backends.rtmidi/{port.api}")
    try:
        # Never with a client_name: that would make a virtual port, connected to nothing.
        return backend.open_output(port.name, virtual=port.kind == "virtual")
    except (OSError, ValueError, ImportError, NotImplementedError) as error:
        raise InputError(
            f"Cannot open the MIDI port {port.name!r} ({error}): list the ports anew."
        ) from error


def _probe() -> Iterator[dict[str, str]]:
    """Look for ports, in this process."""
    from engine.music import synth_port

    trouble = synth_port.unavailable_reason()
    yield dataclasses.asdict(SYNTH) if trouble is None else {"trouble": trouble}
    import rtmidi

    names = {
        getattr(rtmidi, key): key.removeprefix("API_")
        for key in dir(rtmidi)
        if key.startswith("API_")
    }
    virtual = None
    for api in rtmidi.get_compiled_api():
        if api == rtmidi.API_RTMIDI_DUMMY:
            continue
        with contextlib.suppress(Exception):  # of one API, as without its server
            output = rtmidi.MidiOut(api)
            for name in output.get_ports():
                yield {"name": name, "api": names[api], "kind": "port"}
            if api != rtmidi.API_WINDOWS_MM:  # it has no virtual ports
                virtual = virtual or {"name": VIRTUAL, "api": names[api], "kind": "virtual"}
            output.delete()
    if virtual is not None:
        yield virtual


if __name__ == "__main__":
    for each in _probe():
        print(json.dumps(each), flush=True)


POLL_SECONDS = 4.0  # seconds from one look to the next: a look takes a process
_MISSES = 2  # looks that must miss it: under load one may fail to see what is there


class PortWatcher:
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
        while missed < _MISSES and not self._ended.wait(POLL_SECONDS):
            if self._playing():
                missed = 0 if self._listed() else missed + 1
        if not self._ended.is_set():
            self._gone()

    def _listed(self) -> bool:
        try:
            return self._port in scan().ports
        except WorkError:
            return True
