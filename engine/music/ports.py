"""MIDI output ports: list them, find one by name, open it, notice when it disappears.

`python -m engine.music.ports` prints them, one JSON object per line. Ports are always listed by
such a separate process, because the C libraries that list them write to the screen and can crash,
above all while a port is open.
"""

import contextlib
import dataclasses
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from engine import processes
from engine.errors import InputError, WorkError
from engine.protocol import Port, PortKind
from engine.suggestions import closest, join_or

SCAN_TIMEOUT = 20.0  # seconds
POLL_SECONDS = 4.0  # between two scans of a watcher; each scan starts a process
MAX_MISSES = 2  # successive scans without the port; under load a single scan may miss a port


@dataclass(frozen=True)
class ScanResult:
    """The ports found by a scan."""

    ports: tuple[Port, ...]
    synth_error: str | None = None  # why the built-in synthesizer is not among them, as a sentence


SYNTH = Port("synth", "miniaudio", "synth")  # the built-in synthesizer
SILENT = Port("silent", "none", "silent")  # no output: playback runs without sound
VIRTUAL = "rnn-tui"  # name of the virtual port, to which other programs can connect
_ORDER: tuple[PortKind, ...] = ("port", "synth", "virtual")


def scan() -> ScanResult:
    """List all output ports: the MIDI ports, the built-in synthesizer, the virtual port."""
    try:
        done = subprocess.run(
            processes.command("engine.music.ports"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SCAN_TIMEOUT,
            check=False,  # after a crash, the ports printed before it are used
        )
        lines = done.stdout
    except subprocess.TimeoutExpired as error:
        lines = error.stdout or b""
    except OSError as error:
        raise WorkError(f"Cannot list the MIDI ports ({error.strerror}): try again.") from error
    ports: list[Port] = []
    synth_error = None
    for line in lines.splitlines():
        with contextlib.suppress(ValueError, TypeError):
            values = json.loads(line)
            if "trouble" in values:
                synth_error = str(values["trouble"])
            else:
                ports.append(Port(**values))
    return ScanResult(tuple(sorted(ports, key=lambda port: _ORDER.index(port.kind))), synth_error)


def find(name: str | None) -> Port:
    """Scan the ports and return the one with a name; see `choose`.

    The silent port is never listed and is found by its full name only, so that playback is not
    silent by accident.
    """
    return SILENT if name == SILENT.name else choose(name, scan())


def choose(name: str | None, found: ScanResult) -> Port:
    """Return the port with this name, or the only port whose name contains it.

    name: None for the first MIDI port, or else the built-in synthesizer; raises WorkError if
    neither was found. Raises InputError if no port or several ports match a name.
    """
    if name is None:
        return _default(found)
    exact = [port for port in found.ports if port.name == name]
    if exact:
        return exact[0]
    _refuse_unavailable(name, found)
    containing = [port for port in found.ports if name.casefold() in port.name.casefold()]
    if len(containing) == 1:
        return containing[0]
    if containing:
        matching = join_or(port.name for port in containing)
        raise InputError(f"The port {name!r} could be {matching}: give more of its name.")
    names = [port.name for port in found.ports]
    if not names:
        raise InputError(
            f"There is no MIDI port {name!r}: no ports were found; connect a synthesizer."
        )
    suggested = closest(name, names, cutoff=0.4) or names
    raise InputError(f"There is no MIDI port {name!r}: use {join_or(suggested)}.")


def _default(found: ScanResult) -> Port:
    for port in found.ports:
        # Linux's "Midi Through" port makes no sound; it only forwards messages.
        if port.kind == "synth" or (port.kind == "port" and "Midi Through" not in port.name):
            return port
    reason = found.synth_error or "The built-in synthesizer does not answer: connect a synthesizer."
    raise WorkError(f"There is no MIDI port to play on, and {reason[:1].lower()}{reason[1:]}")


def _refuse_unavailable(name: str, found: ScanResult) -> None:
    """Raise InputError, with the reason, if `name` is the virtual port or the synthesizer.

    `name` is one that the scan did not find.
    """
    if name == VIRTUAL:
        raise InputError(
            "This system cannot make a virtual MIDI port (Linux needs ALSA's sequencer or JACK for "
            "it; Windows cannot): use another port."
        )
    if name == SYNTH.name and found.synth_error:
        raise InputError(found.synth_error)


def open_port(port: Port) -> Any:
    """Open a port as a `mido.ports.BaseOutput`; raises InputError if it cannot be opened."""
    if port.kind == "synth":
        from engine.music.synth_port import SynthPort

        return SynthPort(port.name)
    import mido.ports

    if port.kind == "silent":
        return mido.ports.BaseOutput(port.name)  # ignores every message
    backend = mido.Backend(f"mido.backends.rtmidi/{port.api}")
    try:
        # Without a client_name, which would make a virtual port, connected to nothing.
        return backend.open_output(port.name, virtual=port.kind == "virtual")
    except (OSError, ValueError, ImportError, NotImplementedError) as error:
        raise InputError(
            f"Cannot open the MIDI port {port.name!r} ({error}): list the ports again and choose "
            "one of them."
        ) from error


GONE = "it is not listed any more"


def gone_sentence(reason: str) -> str:
    """Return the message that a port is gone."""
    return f"The MIDI port is gone ({reason}): choose another port."


class PortWatcher:
    """Checks, in a thread, while music is playing, whether a port still exists.

    That is necessary because JACK and ALSA accept messages to a port that no longer exists, without
    an error. `on_gone` is called once, in the thread, when it does not.
    """

    def __init__(
        self, port: Port, is_playing: Callable[[], bool], on_gone: Callable[[], None]
    ) -> None:
        self._port, self._is_playing, self._on_gone = port, is_playing, on_gone
        self._ended = threading.Event()
        if port.kind == "port":  # the other kinds belong to this process
            threading.Thread(target=self._watch, daemon=True).start()

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()

    def _watch(self) -> None:
        misses = 0
        while misses < MAX_MISSES and not self._ended.wait(POLL_SECONDS):
            if self._is_playing():
                misses = 0 if self._is_listed() else misses + 1
        if not self._ended.is_set():
            self._on_gone()

    def _is_listed(self) -> bool:
        try:
            return self._port in scan().ports
        except WorkError:
            return True


def _probe() -> Iterator[dict[str, str]]:
    """Yield the fields of each `Port`, listed by this process.

    If the built-in synthesizer is not available, {"trouble": the reason} is yielded instead of it.
    """
    from engine.music import synth_port

    reason = synth_port.unavailable_reason()
    yield dataclasses.asdict(SYNTH) if reason is None else {"trouble": reason}
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
        with contextlib.suppress(Exception):  # an API fails where its server does not run
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
